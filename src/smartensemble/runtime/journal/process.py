"""Tell one process from all others, on this machine and elsewhere."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cache
from json import loads

from smartensemble.runtime.standalone import procfs
from smartensemble.runtime.standalone.journal_lines import identity


@dataclass(frozen=True)
class Process:
    """A process, described so that others can check whether it still lives: see :mod:`~smartensemble.runtime.journal.life`.

    The kernel gives its number again, also after a restart; each container counts from 1; and two hosts may have one name.
    """

    pid: int
    host: str = field(compare=False)  #: the name of its machine, which may change while it runs
    began: int  #: when it started, in clock ticks since its machine did
    boot: str = ""  #: which start of its machine that was; nothing in records of version 0.1.0
    namespace: str = ""  #: in which its number and its start time hold
    sign: str = field(default="", compare=False)  #: the file beside the journals that is there while it lives

    @classmethod
    def this(cls) -> "Process":
        """This process."""
        return _this(os.getpid(), os.uname().nodename)

    @classmethod
    def of(cls, pid: int, host: str = "") -> "Process":
        """The process of this number, on this machine or on `host`, of which only its number is known then."""
        me = cls.this()
        return replace(me, pid=pid, began=procfs.began(pid) or 0) if host in ("", me.host) else cls(pid, host, 0)

    @classmethod
    def read(cls, record: Mapping[str, object]) -> "Process":
        """The process that a record describes. A later version may write more.

        :raises TypeError: it is no such record, or ValueError.
        """
        known = dict(record)
        process = cls(**{each.name: known[each.name] for each in fields(cls) if each.name in known})  # type: ignore[arg-type]
        if not all(
            isinstance(getattr(process, each.name), (int if each.name in ("pid", "began") else str)) for each in fields(cls)
        ):
            raise TypeError(f"{record} describes no process")
        return process

    @property
    def same_host(self) -> bool:
        """Its machine has the name of this one."""
        return self.host == os.uname().nodename

    @property
    def same_boot(self) -> bool:
        """It runs, or ran, under the kernel that this process runs under."""
        return self.boot == _boot() if self.boot else self.same_host

    @property
    def visible(self) -> bool:
        """Its number means here what it meant there, so this process can look at it, and send it signals."""
        namespace, ours = _namespace(os.getpid())
        return self.same_boot and ours and (self.namespace == namespace if self.namespace else self.same_host)

    @property
    def runs(self) -> bool | None:
        """It has not ended; None if this process cannot see that."""
        if not self.visible:
            return None
        began = procfs.began(self.pid)
        return None if began is None and _hidden(self.pid) else began == self.began

    def __str__(self) -> str:
        return f"pid {self.pid} on {self.host}" if self.pid else f"a process that left a broken {self.sign}"


@cache
def _this(_pid: int, _host: str) -> Process:
    return Process.read(loads(identity()))


@cache
def _boot() -> str:
    return procfs.boot()


@cache
def _namespace(_pid: int) -> tuple[str, bool]:
    """The namespaces of this process, and whether ``/proc`` shows them; a process that was forked may be in others."""
    return procfs.namespace(), procfs.ours()


def _hidden(pid: int) -> bool:
    """``/proc`` may hide a process of another user."""
    try:
        os.kill(pid, 0)
    except OSError as error:
        return isinstance(error, PermissionError)
    return False
