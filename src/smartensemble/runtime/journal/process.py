"""Tell whether a process still lives."""

import os
from dataclasses import dataclass
from functools import cache
from socket import gethostname

from smartensemble.runtime.standalone.procfs import began


@dataclass(frozen=True)
class Process:
    """A process, described so that others can check whether it still lives: the kernel may reuse its number alone."""

    pid: int
    host: str
    began: int  #: when it started, in clock ticks since its machine did

    @classmethod
    def this(cls) -> "Process":
        """This process."""
        return cls(os.getpid(), hostname(), began(os.getpid()) or 0)

    @property
    def alive(self) -> bool:
        """It lives. A process on another machine counts as alive, because this machine knows nothing about it."""
        return self.host != hostname() or began(self.pid) == self.began

    def __str__(self) -> str:
        return f"pid {self.pid} on {self.host}"


@cache
def hostname() -> str:
    """The name of this machine."""
    return gethostname()
