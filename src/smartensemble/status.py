"""The record of a member's run: its status, and the facts behind it."""

import time
from dataclasses import dataclass
from enum import Enum

from smartensemble.errors import InputValueError, shown


class Status(Enum):
    """The stages of a member, from described to ended.

    >>> Status.RUNNING.final, Status.FAILED.final
    (False, True)
    """

    NEW = "New"  #: described, not started
    QUEUED = "Queued"  #: waits for its turn
    RUNNING = "Running"  #: its program runs
    COMPLETED = "Completed"  #: its program ended with exit code 0
    FAILED = "Failed"  #: its program could not be started, ended with another code, by a signal, or at its time limit
    CANCELLED = "Cancelled"  #: stopped on request, before or while it ran
    UNKNOWN = "Unknown"  #: gone, and nobody knows how it ended: not its files, nor its scheduler

    @classmethod
    def _missing_(cls, value: object) -> "Status":
        raise InputValueError(f"Status: there is no {shown(value)}; there are {', '.join(each.value for each in cls)}")

    @property
    def final(self) -> bool:
        """Nothing will happen any more, unless it is started again."""
        return self in (Status.COMPLETED, Status.FAILED, Status.CANCELLED, Status.UNKNOWN)

    @property
    def active(self) -> bool:
        """Started and not ended."""
        return self in (Status.QUEUED, Status.RUNNING)

    def __str__(self) -> str:
        return self.value


@dataclass(eq=False, slots=True)
class Run:
    """One run of one member, kept up to date by whatever runs it. Two runs are never equal, even if they look the same.

    >>> Run() == Run(), len({Run(), Run()})
    (False, 2)
    """

    status: Status = Status.NEW
    started: float | None = None  #: when its program started, in seconds since 1970
    ended: float | None = None  #: when it was known to have ended
    exit_code: int | None = None  #: what the program returned; None while it runs, or when a signal ended it
    signal: int | None = None  #: the signal that ended it
    cause: str = ""  #: why it is not Completed
    last_lines: tuple[str, ...] = ()  #: the last lines that it wrote, if it failed
    last_lines_file: str = ""  #: the file that has them
    stopping: bool = False  #: somebody has requested its end
    handle: int = 0  #: what its launcher calls it
    number: int = 0  #: what its journal calls it
    job: str = ""  #: what its scheduler calls it

    @property
    def reason(self) -> str:
        """Why it is not Completed, for a person to read."""
        if not self.last_lines:
            return self.cause
        return f"{self.cause}; the end of {self.last_lines_file}:\n  " + "\n  ".join(self.last_lines)

    @property
    def seconds(self) -> float | None:
        """How long it has run, up to its end or to now; None before it starts."""
        if self.started is None:
            return None
        return max(0.0, (time.time() if self.ended is None else self.ended) - self.started)
