"""The processes of this machine, as ``/proc`` shows them. See proc_pid_stat(5)."""

from __future__ import annotations

import os

TYPE_CHECKING = False  # importing typing would cost a third of the time that a program here takes to start
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

STATE, PARENT, GROUP, THREADS, START_TIME = 0, 1, 2, 17, 19  #: fields of :func:`stat`
ENDED_STATES = (b"Z", b"X")  #: states of a process that has ended


class ProcessStat:
    """A process: its parent, its group, and whether it lives."""

    __slots__ = ("group", "lives", "parent")

    def __init__(self, parent: int, group: int, lives: bool) -> None:
        self.parent = parent
        self.group = group
        self.lives = lives


def tree() -> dict[int, ProcessStat]:
    """Every process of this machine, by its number."""
    found = {}
    for entry in os.listdir("/proc"):
        if entry.isdecimal():
            try:
                fields = stat(entry)
            except OSError:  # it ended meanwhile
                continue
            found[int(entry)] = ProcessStat(int(fields[PARENT]), int(fields[GROUP]), _lives(fields))
    return found


def lives(pid: int) -> bool:
    """A process runs. One that has ended may still be there, until its parent has asked for its exit code."""
    try:
        return _lives(stat(pid))
    except OSError:
        return False


def _lives(fields: list[bytes]) -> bool:
    # A zombie that has threads is a program whose main thread alone has ended.
    return fields[STATE] not in ENDED_STATES or int(fields[THREADS]) > 1


def stat(pid: int | str) -> list[bytes]:
    """The fields of ``/proc/PID/stat``, from the state on."""
    descriptor = os.open(f"/proc/{pid}/stat", os.O_RDONLY)  # open() takes twice as long, and there may be thousands
    try:
        return os.read(descriptor, 4096).rpartition(b")")[2].split()
    finally:
        os.close(descriptor)


def began(pid: int | str) -> int | None:
    """When a process started, in clock ticks since its machine did; None if there is no such process, or it has ended."""
    try:
        fields = stat(pid)
    except OSError:
        return None
    return None if fields[STATE] in ENDED_STATES else int(fields[START_TIME])


def boot() -> str:
    """Which start of this machine it is; nothing where the kernel does not say so."""
    try:
        with open("/proc/sys/kernel/random/boot_id") as file:
            return file.read().strip()
    except OSError:
        return ""


def namespace() -> str:
    """The namespaces in which a number and a start time mean the same process: see pid_namespaces(7), time_namespaces(7)."""
    found = []
    for kind in ("pid", "time"):
        try:
            found.append(os.readlink(f"/proc/self/ns/{kind}"))
        except OSError:  # an old kernel has no namespaces of time
            pass
    return " ".join(found)


def ours() -> bool:
    """``/proc`` shows the numbers that this process knows, and not those of another namespace."""
    try:
        return os.readlink("/proc/self") == str(os.getpid())
    except OSError:
        return False


def below(roots: Iterable[int], processes: Mapping[int, ProcessStat]) -> list[int]:
    """The living processes below `roots`, parents first, and `roots` themselves."""
    children: dict[int, list[int]] = {}
    for pid, process in processes.items():
        children.setdefault(process.parent, []).append(pid)
    found = list(roots)
    for pid in found:
        found += children.get(pid, [])
    return [pid for pid in found if pid in processes and processes[pid].lives]


def send(pid: int, number: int) -> None:
    """Send a signal, unless the process has ended, or belongs to another user."""
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        pass
