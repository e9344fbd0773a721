"""The mark of a member: a number that all its processes inherit, in a session of their own and with an empty environment too.

The kernel hands down the limits of a process, see getrlimit(2), and has not used one of them since Linux 2.4.25: RLIMIT_LOCKS.
So that one carries the mark. Its upper half is the supervisor's; its lower half is what the driver calls the member. A variable
has the mark as well, for people, and for where that limit was lowered for good.
"""

from __future__ import annotations

import resource

from ..procfs import tree

TYPE_CHECKING = False  # importing typing would cost a third of the time that a program here takes to start
if TYPE_CHECKING:
    from collections.abc import Callable

VARIABLE = "SMARTENSEMBLE_MEMBER"
RLIMIT_LOCKS = 10
LOW = 0xFFFFFFFF  #: the lower half


def mark_of_supervisor(pid: int, began: int | None) -> int:
    """The upper half of the marks of a supervisor's members.

    >>> mark_of_supervisor(4711, 8127) & LOW, mark_of_supervisor(4711, 8127) < 2**63
    (0, True)
    """
    return (pid * 1_000_003 + (began or 0)) % 2**31 << 32


def hand_down(mark: int) -> None:
    """Give the mark to what this process starts from now on."""
    try:
        resource.setrlimit(RLIMIT_LOCKS, (mark, resource.getrlimit(RLIMIT_LOCKS)[1]))
    except (OSError, ValueError):  # somebody has lowered it for good
        pass


def mark_of(pid: int) -> int:
    """The mark of a process by its limits; 0 if it has none, or has ended."""
    try:
        line = _read(f"/proc/{pid}/limits").partition(b"Max file locks")[2]
        return int(line.split(None, 1)[0])
    except (OSError, IndexError, ValueError):  # ValueError: unlimited
        return 0


def mark_in_environment(pid: int) -> int:
    """The mark of a process by its variable; 0 if it has none, or has ended."""
    try:
        marks = [line for line in _read(f"/proc/{pid}/environ").split(b"\0") if line.startswith(VARIABLE.encode() + b"=")]
        return int(marks[0].rpartition(b":")[2])
    except (OSError, IndexError, ValueError):
        return 0


def member_of(pid: int, supervisor: int) -> int | None:
    """The member of a supervisor, by the upper half of its marks, that process `pid` belongs to."""
    return next((mark & LOW for read in (mark_of, mark_in_environment) if (mark := read(pid)) & ~LOW == supervisor), None)


def marked(wanted: Callable[[int], bool]) -> list[int]:
    """The living processes of this machine whose marks are `wanted`."""
    return [pid for pid, process in tree().items() if process.lives and wanted(mark_of(pid) or mark_in_environment(pid))]


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()
