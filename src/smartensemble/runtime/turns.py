"""Who may generate and start in a directory: one thread of one process at a time."""

import errno
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from smartensemble.errors import StateError
from smartensemble.runtime.journal.lock import Lock
from smartensemble.runtime.transaction import Transaction
from smartensemble.status import Run

DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  #: the disk is full, or what one may have of it
NOTICE_S = 0.05  #: seconds until a thread that waits for its turn notices that it was cancelled


class Turns:
    """The turns of this process's threads, and the lock that keeps other processes out while it has members."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.own: list[Run] = []  #: runs that end with this process; when the last ones have ended, others may start here
        self._lock = Lock(folder)
        self._turn = threading.Lock()  #: held by the one thread that generates or starts
        self._transactions: list[Transaction] = []  #: that are under way

    @property
    def mine(self) -> bool:
        """The calling thread generates or starts."""
        return any(transaction.mine for transaction in self._transactions)

    def check(self) -> None:
        """Leave a start or generate where it is safe to.

        :raises Cancelled: the one that the calling thread is at was cancelled.
        """
        for transaction in self._transactions:
            transaction.check()

    @contextmanager
    def transaction(self, entities: Iterable[object], grace: float) -> Iterator[Transaction]:
        """A start or generate of `entities`, by which `cancel` finds it.

        :param grace: seconds between SIGTERM and SIGKILL for what it has started, if it is taken back.
        """
        transaction = Transaction(frozenset(map(id, entities)), grace)
        self._transactions.append(transaction)
        try:
            yield transaction
        finally:
            self._transactions.remove(transaction)

    @contextmanager
    def alone(self, transaction: Transaction) -> Iterator[None]:
        """No other thread of this process generates or starts here meanwhile.

        :raises StateError: there is no room for what is written meanwhile.
        """
        while not self._turn.acquire(timeout=NOTICE_S):
            transaction.check()
        try:
            transaction.check()
            yield
        except OSError as error:
            if error.errno not in DISK_FULL:
                raise
            where = f" at {error.filename2 or error.filename}" if error.filename else ""
            raise StateError(f"{self.name}: {error.strerror}{where}; make room, and do it again") from error
        finally:
            self._settle()
            self._turn.release()

    def cancel(self, entities: Iterable[object] | None, grace: float) -> None:
        """Cancel the starts of `entities`, all for None, that other threads are at, and wait until they are over."""
        wanted = None if entities is None else {id(entity) for entity in entities}
        for transaction in list(self._transactions):
            if not transaction.mine and (wanted is None or not wanted.isdisjoint(transaction.entities)):
                transaction.cancel(grace)
                transaction.ended.wait()

    def claim(self) -> None:
        """Take the right to generate and start here, which one process has at a time, until nothing of its own runs.

        :raises StateError: another driver has it.
        """
        self._lock.acquire(self.name)

    def give_back(self) -> None:
        """Let other drivers generate and start here when nothing of ours runs, unless a thread of ours is about to."""
        if self._turn.acquire(blocking=False):
            try:
                self._settle()
            finally:
                self._turn.release()

    def _settle(self) -> None:
        while self.own and self.own[-1].status.final:
            self.own.pop()
        if not self.own:
            self._lock.release()
