"""What a supervisor writes beside and into a journal: a sign that it lives, and lines. A driver has such a sign too.

See ``journal/journal.py`` for who else writes and reads there, and ``journal/life.py`` for what readers make of the sign.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections import deque

from . import procfs

TYPE_CHECKING = False  # importing typing would cost a third of the time that a program here takes to start
if TYPE_CHECKING:
    from collections.abc import Iterable

    from .supervision.spawn import Work

RENEW_S = 2.0  #: seconds between two renewals of a sign, and between two looks for requests that come without a signal


def identity(sign: str = "") -> str:
    """Who this process is, as JSON: its number alone may be given again, its host's name may be that of another."""
    known = {
        "host": f'"{os.uname().nodename}"',
        "pid": os.getpid(),
        "began": procfs.began("self") or 0,
        "boot": f'"{procfs.boot()}"',
        "namespace": f'"{procfs.namespace()}"',
        "sign": f'"{sign}"',
    }
    return "{" + ", ".join(f'"{name}": {value}' for name, value in known.items()) + "}"


class Sign:
    """A file in a folder of journals that is there while its process lives: locked for readers of this machine, and renewed
    for those of others. Whoever deletes it has declared the process dead.
    """

    def __init__(self, folder: str, name: str) -> None:
        """Write it, whole and locked before anybody sees it.

        :raises OSError: it cannot be written.
        """
        self.path, self.pid = f"{folder}/{name}", os.getpid()
        new = f"{folder}/.{name}.new"
        self.descriptor = os.open(new, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)
        try:
            try:
                fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:  # this file system has no locks: then its age tells
                pass
            device = os.fstat(self.descriptor).st_dev
            text = f'{identity(name)[:-1]}, "device": {device}}}\n'.encode()
            if os.write(self.descriptor, text) < len(text):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), new)
            os.rename(new, self.path)
        except OSError:
            os.close(self.descriptor)
            os.unlink(new)
            raise

    def renew(self) -> bool:
        """Show that its process lives; False if somebody has declared it dead."""
        try:
            os.utime(self.path)
        except FileNotFoundError:
            return False
        except OSError:  # the file system is away; the next time it may be back
            pass
        return True

    def remove(self) -> None:
        """Delete it; a process that was forked leaves its parent's alone."""
        if self.descriptor >= 0 and self.pid == os.getpid():
            try:
                os.unlink(self.path)
            except OSError:  # it is gone, or its folder is
                pass
        self.close()

    def close(self) -> None:
        """Forget it, and leave the file."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


class Signs:
    """The signs of a supervisor, one in each folder in which it has journals."""

    def __init__(self) -> None:
        self.written: list[Sign] = []
        self.renewed = 0.0  #: when they were, by the monotonic clock

    def beside(self, journal: str) -> Sign | None:
        """The sign beside a journal; None if it cannot be written, so readers of other machines know nothing."""
        folder = os.path.dirname(journal)
        for sign in self.written:
            if os.path.dirname(sign.path) == folder and sign.renew():
                return sign
        try:
            self.written.append(Sign(folder, f"alive-{os.urandom(6).hex()}"))
        except OSError:
            return None
        return self.written[-1]

    def due(self) -> float:
        """When they must be renewed, by the monotonic clock."""
        return self.renewed + RENEW_S

    def renew(self) -> set[Sign]:
        """Renew all of them; those that somebody has deleted."""
        self.renewed = time.monotonic()
        return {sign for sign in self.written if not sign.renew()}

    def remove(self) -> None:
        """Delete all of them: this process ends."""
        for sign in self.written:
            sign.remove()


class Launch:
    """Members that one request started: those that wait, how many more may run, and their journal."""

    def __init__(
        self, max_running: int | None, environ: dict[str, str], journal: str, service: bool = False, sign: Sign | None = None
    ) -> None:
        self.waiting: deque[Work] = deque()
        self.environ = environ
        self.free = max_running or 0
        self.unlimited = max_running is None
        self.journal = journal
        self.service = service  #: it leaves no orphans, so those of others are still known
        self.ids: dict[int, int] = {}  #: number in the journal -> what the driver calls it
        self.stopped: set[int] = set()  #: numbers that another process stopped before the driver handed them over
        self.lines: list[str] = []  #: for the journal, not written yet
        self.sign = sign  #: by which others know that this process lives; None if it could not be written
        self.abandoned = False  #: somebody has declared this process dead, and may start its members elsewhere
        self.note(0, "-", "supervisor", identity(os.path.basename(sign.path) if sign else ""))

    def refuses(self, work: Work) -> bool:
        """Another process has stopped it before it came."""
        return self.abandoned or work.number in self.stopped

    def add(self, works: Iterable[Work]) -> None:
        """Queue members. The driver may add more later, while it writes their directories."""
        for work in works:
            self.waiting.append(work)
            self.free += self.unlimited
            self.ids[work.number] = work.member

    def note(self, number: int, name: str, event: str, detail: object = "") -> None:
        """Add a line to the journal."""
        now = time.time()
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now % 1 * 1000):03}Z"
        self.lines.append(f"{stamp}\t{number}\t{name}\t{event}\t{' '.join(str(detail).split())}\n")

    def write(self) -> None:
        """Append the lines. If the disk is full, the rest follows with the next write."""
        text = "".join(self.lines).encode(errors="surrogateescape")
        try:
            descriptor = os.open(self.journal, os.O_WRONLY | os.O_APPEND)
            try:
                whole = os.write(descriptor, text) == len(text)
            finally:
                os.close(descriptor)
        except OSError:
            whole = False
        # A line that was cut ends here, and the next one is whole.
        self.lines = [] if whole else ["\n", *(line for line in self.lines if line != "\n")]
