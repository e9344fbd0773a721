"""Members that run although their supervisor and its sentinel were killed: nobody watches them, or records their ends."""

import signal
import time
from collections.abc import Iterable

from smartensemble.runtime.journal.entry import Entry
from smartensemble.runtime.journal.process import Process
from smartensemble.runtime.standalone.errors import KILL_GRACE_S
from smartensemble.runtime.standalone.procfs import lives, send
from smartensemble.runtime.standalone.supervision.mark import LOW, mark_of, mark_of_supervisor, marked

LOOK_AGAIN_S = 0.01  #: between two looks at processes that are nobody's children


def unwatched(entry: Entry, supervisor: Process | None) -> int:
    """The mark of a member that runs on this machine without its supervisor; 0 if it does not."""
    if supervisor is None or not entry.pid or not supervisor.visible or not lives(entry.pid):
        return 0
    mark = mark_of(entry.pid)
    return mark if mark & ~LOW == mark_of_supervisor(supervisor.pid, supervisor.began) else 0


def left_behind(supervisor: Process | None) -> str:
    """What may still run of the members of a supervisor that is gone, for a message."""
    if supervisor is None or not supervisor.visible:
        return ""
    upper = mark_of_supervisor(supervisor.pid, supervisor.began)
    pids = marked(lambda mark: mark & ~LOW == upper)
    return f"; processes {', '.join(map(str, pids))}, which it has left, may still run: end them first" if pids else ""


def end(marks: Iterable[int], grace: float) -> None:
    """End the processes that have one of `marks`: by SIGTERM and, after a grace, by SIGKILL."""
    wanted = frozenset(marks)
    for number, patience in ((signal.SIGTERM, grace), (signal.SIGKILL, KILL_GRACE_S)):
        limit, signalled = time.monotonic() + patience, set[int]()
        while (left := set(marked(wanted.__contains__))) and time.monotonic() < limit:
            for pid in left - signalled:
                send(pid, number)
                send(pid, signal.SIGCONT)  # a stopped process cannot obey
            signalled |= left
            time.sleep(LOOK_AGAIN_S)
