"""Tell whether a process still lives."""

import os
from dataclasses import dataclass
from functools import cache
from socket import gethostname

from smartensemble.runtime.standalone.procfs import began


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
