"""The processes below another one: which live, what they run, and how they are ended."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
GRACE_S = 4.0  #: that processes have to end by themselves, after the last block of a page
LOOK_EVERY_S = 0.02  #: while they have


def descendants(pid: int) -> list[int]:
    """The processes below `pid` that live."""
    found = children(pid)
    for each in found:
        found += children(each)
    return found


def children(pid: int) -> list[int]:
    """The children of a process that live. See proc_pid_stat(5), and proc_tid_children(5), which not every kernel has."""
    found: list[int] = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children", "rb") as file:
                found += [each for each in map(int, file.read().split()) if parent(each) == pid]
    except OSError:  # it ended meanwhile, or there is no such file: look at all
        return [each for each in map(int, filter(str.isdecimal, _all())) if parent(each) == pid]
    return found


def parent(pid: int) -> int:
    """The parent of a process; 0 if it does not live."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            state, number, *_ = file.read().rpartition(b")")[2].split()
    except OSError:  # it ended meanwhile
        return 0
    return 0 if state in (b"Z", b"X") else int(number)


def _all() -> list[str]:
    return os.listdir("/proc") if os.path.isdir("/proc") else []


def command_line(pid: int) -> str:
    """What a process runs, and its number."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        words = "?"
    return f"{words[:100]} (pid {pid})"


def lasting(living: Callable[[], Sequence[int]]) -> Sequence[int]:
    """Which processes still live when they have had a moment to end."""
    limit = time.monotonic() + GRACE_S
    while (found := living()) and time.monotonic() < limit:
        time.sleep(LOOK_EVERY_S)
    return found


def kill(pid: int) -> None:
    """End a process, if it is there."""
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGKILL)


def become_subreaper() -> None:
    """From here on, processes whose parent ends are children of this one, where there is such a thing."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
