"""The processes below another one: which live, what they run and use, and how they are ended."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

PR_SET_CHILD_SUBREAPER = 36
#: What a process of Python runs to become one, without a name of its own.
SUBREAPER = (
    f"__import__('sys').platform == 'linux' and __import__('ctypes').CDLL(None).prctl({PR_SET_CHILD_SUBREAPER}, 1) or None"
)
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


class Stat(NamedTuple):
    """What the kernel says of a process: see proc_pid_stat(5)."""

    parent: int
    lives: bool  #: it is more than what its parent has not waited for
    start: int  #: when it began, which tells it from a later process of the same number
    own: float  #: seconds of CPU time, of all its threads
    reaped: float  #: and of the children that it has waited for, and theirs


Reading = Mapping[tuple[int, int], Stat]  #: processes, by their numbers and starts


def stat(pid: int) -> Stat | None:
    """What is known of a process; None if there is none of this number."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            state, number, *more = file.read().rpartition(b")")[2].split()
    except OSError:  # it ended meanwhile
        return None
    user, system, childrens_user, childrens_system = map(int, more[9:13])
    own, reaped = (user + system) / TICKS_PER_S, (childrens_user + childrens_system) / TICKS_PER_S
    return Stat(int(number), state not in (b"Z", b"X"), int(more[17]), own, reaped)


def counted() -> bool:
    """Whether this system says how much CPU time processes use, where we look for it."""
    return os.path.exists("/proc/self/stat")


def times_of(pids: Iterable[int]) -> Reading:
    """What is known of these processes, read in this order."""
    return {(pid, found.start): found for pid in pids if (found := stat(pid))}


def times_of_tree(pid: int) -> Reading:
    """What is known of a process and of all below it, also of those that ended and were not waited for; from above to below."""
    found = dict(times_of([pid]))
    todo = [pid]
    for above in todo:
        for process, known in times_of(_listed(above)).items():
            if known.parent == above and process not in found:
                found[process] = known
                todo.append(process[0])
    return found


def descendants(pid: int) -> list[int]:
    """The processes below `pid` that live."""
    found = children(pid)
    for each in found:
        found += children(each)
    return found


def children(pid: int) -> list[int]:
    """The children of a process that live."""
    return [each for each in _listed(pid) if parent(each) == pid]


def parent(pid: int) -> int:
    """The parent of a process; 0 if it does not live."""
    found = stat(pid)
    return found.parent if found and found.lives else 0


def _listed(pid: int) -> list[int]:
    """The children of a process; or all processes, where the kernel has no list. See proc_tid_children(5)."""
    found: list[int] = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children", "rb") as file:
                found += map(int, file.read().split())
    except OSError:  # it ended meanwhile, or there is no such file
        return [int(name) for name in _all() if name.isdecimal()]
    return found


def _all() -> list[str]:
    return os.listdir("/proc") if os.path.isdir("/proc") else []


def words(pid: int) -> str:
    """What a process runs, however long that is."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return "?"


def command_line(pid: int) -> str:
    """What a process runs, as far as a message shows it, and its number."""
    return f"{words(pid)[:100]} (pid {pid})"


def kill_tree(pid: int) -> None:
    """End a process, and all below it."""
    for each in [pid, *descendants(pid)]:
        kill(each)


def kill(pid: int) -> None:
    """End a process, if it is there."""
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGKILL)


def become_subreaper() -> None:
    """From here on, processes whose parent ends are children of this one, where there is such a thing."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
