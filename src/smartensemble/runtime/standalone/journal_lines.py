"""The lines that a supervisor appends to a journal, see ``journal/journal.py`` for who else writes and reads there."""

from __future__ import annotations

import os
import time
from collections import deque

from . import procfs

TYPE_CHECKING = False  # importing typing would cost a third of the time that a program here takes to start
if TYPE_CHECKING:
    from collections.abc import Iterable

    from .spawn import Work


class Launch:
    """Members that one request started: those that wait, how many more may run, and their journal."""

    def __init__(self, max_running: int | None, environ: dict[str, str], journal: str, service: bool = False) -> None:
        self.waiting: deque[Work] = deque()
        self.environ = environ
        self.free = max_running or 0
        self.unlimited = max_running is None
        self.journal = journal
        self.service = service  #: it leaves no orphans, so those of others are still known
        self.ids: dict[int, int] = {}  #: number in the journal -> what the driver calls it
        self.stopped: set[int] = set()  #: numbers that another process stopped before the driver handed them over
        self.lines: list[str] = []  #: for the journal, not written yet
        identity = f'{{"pid": {os.getpid()}, "host": "{os.uname().nodename}", "began": {procfs.began("self")}}}'
        self.note(0, "-", "supervisor", identity)

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
