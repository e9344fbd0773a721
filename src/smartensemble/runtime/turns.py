"""Who may generate and start in a directory: one thread of one process at a time."""

import errno
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from smartensemble.errors import StateError
from smartensemble.model import Model
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
        self._taken = False  #: it is held; who only looks does not try to take it, since Ctrl-C could then leave it locked
        self._settling = threading.RLock()  #: held for a moment, perhaps by the thread whose signal handler calls stop
        self._transactions: list[Transaction] = []  #: that are under way

    @property
    def mine(self) -> bool:
        """The calling thread generates or starts."""
        return any(transaction.mine for transaction in list(self._transactions))

    def check(self) -> None:
        """A safe point of a start or generate, at which it can be cancelled.

        :raises Cancelled: the one that the calling thread runs was cancelled.
        """
        for transaction in list(self._transactions):  # others come and go
            transaction.check()

    @contextmanager
    def transaction(self, entities: Iterable[object], grace: float) -> Iterator[Transaction]:
        """A start or generate; `cancel` finds it by its `entities`.

        :param grace: seconds between SIGTERM and SIGKILL for what it has started, if it is undone.
        """
        transaction = Transaction(frozenset(map(id, entities)), grace)
        try:
            self._transactions.append(transaction)
            yield transaction
        finally:
            self._transactions.remove(transaction)

    @contextmanager
    def alone(self, transaction: Transaction) -> Iterator[None]:
        """While this lasts, no other thread of this process generates or starts here.

        :raises StateError: the disk is full.
        """
        while not self._turn.acquire(timeout=NOTICE_S):
            transaction.check()
        try:
            with self._settling:
                self._taken = True
            transaction.check()
            yield
        except OSError as error:
            if error.errno not in DISK_FULL:
                raise
            where = f" at {error.filename2 or error.filename}" if error.filename else ""
            raise StateError(f"{self.name}: {error.strerror}{where}; make room, and do it again") from error
        finally:
            with self._settling:
                self._taken = False
                self._settle()
            self._turn.release()

    def cancel(self, entities: Iterable[object] | None, grace: float) -> None:
        """Cancel the starts of `entities` in other threads, of all entities for None, and wait until they are over.

        One that is about others too goes on without the models among them. It is waited for, if it has come to them already.
        """
        wanted = list({id(entity): entity for entity in entities}.values()) if entities is not None else None
        others = [transaction for transaction in list(self._transactions) if not transaction.mine]
        waited = [transaction for transaction in others if _cancel(transaction, wanted, grace)]
        for transaction in waited:  # only now: one that waits for another's turn would begin when that is cancelled
            transaction.ended.wait()

    @property
    def sign(self) -> str:
        """The file beside the journals by which others know that this process lives; nothing while it has no right."""
        return self._lock.name

    def claim(self) -> None:
        """Take the right to generate and start here, which one process has at a time, until nothing of its own runs.

        :raises StateError: another driver has it.
        """
        self._lock.acquire(self.name)

    def give_back(self) -> None:
        """Let other drivers generate and start here if nothing of ours runs, and no thread of ours is about to start."""
        with self._settling:
            if not self._taken:
                self._settle()

    def _settle(self) -> None:
        while self.own and self.own[-1].status.final:
            self.own.pop()
        if not self.own:
            self._lock.release()


def _cancel(transaction: Transaction, wanted: list[object] | None, grace: float) -> bool:
    """Cancel a start, or leave those of `wanted` out that it is about. True if its end must be waited for."""
    here = [entity for entity in wanted or () if id(entity) in transaction.entities]
    if wanted is not None and not here:
        return False
    part = wanted is not None and len(here) < len(transaction.entities)
    if part and all(isinstance(entity, Model) for entity in here):  # without a database, its members would fail
        return not transaction.leave_out(frozenset(map(id, here)))
    transaction.cancel(grace)
    return True
