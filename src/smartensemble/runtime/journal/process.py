"""Tell whether a process still lives."""

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from socket import gethostname


@dataclass(frozen=True)
class Process:
    """A process, so that another process can tell whether it still lives: its number alone may have been given again."""

    pid: int
    host: str
    began: int  #: when it started, in clock ticks since its machine did

    @classmethod
    def this(cls) -> "Process":
        """This process."""
        return cls(os.getpid(), hostname(), began(os.getpid()) or 0)

    @property
    def alive(self) -> bool:
        """It lives; also said of one on another machine, of which nothing is known here."""
        return self.host != hostname() or began(self.pid) == self.began

    def __str__(self) -> str:
        return f"pid {self.pid} on {self.host}"


@cache
def hostname() -> str:
    """The name of this machine."""
    return gethostname()


def began(pid: int) -> int | None:
    """When a process started, in clock ticks; None if there is no such process, or it has ended. See proc_pid_stat(5)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return None
    return None if fields[0] in b"ZX" else int(fields[19])
