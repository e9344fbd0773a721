"""End members with everything that they started: by SIGTERM and, after a grace, by SIGKILL."""

from __future__ import annotations

import os
import signal
import time

from ..errors import KILL_GRACE_S
from ..procfs import below, send, tree

TYPE_CHECKING = False  # importing typing would cost a third of the time that a program here takes to start
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..procfs import ProcessStat
    from .members import Members


class Ending:
    """Processes that the supervisor is ending."""

    def __init__(self, members: set[int] | None, grace: float, token: int | None) -> None:
        self.members = members  #: whose processes; None for everybody's
        self.token = token  #: the driver's name for it; None if the driver did not request it
        self.number = signal.SIGTERM if grace > 0 else signal.SIGKILL
        self.due = time.monotonic() + (grace if grace > 0 else KILL_GRACE_S)  #: when it takes the next step
        self.signalled: set[int] = set()  #: what was sent this signal already
        self.awaited: set[int] = set()  #: our own children among them: nothing is looked at before they have ended


class Endings:
    """All endings under way."""

    def __init__(self, members: Members, tell: Callable[..., None]) -> None:
        self.members = members
        self.tell = tell  #: queues an event for the driver
        self.open: list[Ending] = []

    def begin(self, members: set[int] | None, grace: float, verdict: str, token: int | None = None) -> None:
        """Cancel those of `members` that wait, and begin to end those that run."""
        self.members.cancel(members, verdict)
        self.open.append(Ending(members, grace, token))
        self._pursue(self.open[-1])

    def reaped(self, pid: int) -> None:
        """A child of ours has ended."""
        for ending in self.open:
            ending.awaited.discard(pid)

    def advance(self) -> None:
        """Take the next step of each that is due, or whose processes have ended."""
        now = time.monotonic()
        for ending in list(self.open):
            if now >= ending.due:
                self._step_up(ending)
            elif not ending.awaited:
                self._pursue(ending)

    def _step_up(self, ending: Ending) -> None:
        """The grace is over: SIGKILL. Give up what survives that for some time; only the kernel can be the cause."""
        if ending.number == signal.SIGKILL:
            self._finish(ending, self._victims(ending.members))
            return
        ending.number = signal.SIGKILL
        ending.due = time.monotonic() + KILL_GRACE_S
        ending.signalled.clear()
        self._pursue(ending)

    def _pursue(self, ending: Ending) -> None:
        """Signal every process of an ending that was not signaled yet. Without living processes, the ending is done."""
        # A process that forks and ends just while the table is read shows neither itself nor its child: read it again.
        victims = self._victims(ending.members) or self._victims(ending.members)
        for pid in victims.keys() - ending.signalled:
            ending.signalled.add(pid)
            send(pid, ending.number)
            send(pid, signal.SIGCONT)  # a stopped process cannot obey
        ending.awaited = {pid for pid, process in victims.items() if process.parent == os.getpid()}
        running = not self.members.childless if ending.members is None else bool(ending.members & self.members.running.keys())
        if not victims and not running:
            self._finish(ending, {})

    def _finish(self, ending: Ending, left: Mapping[int, ProcessStat]) -> None:
        """Report the end, with the processes that survived even SIGKILL."""
        self.open.remove(ending)
        if ending.token is not None:
            self.tell("stopped", ending.token, sorted(left))

    def _victims(self, members: set[int] | None) -> dict[int, ProcessStat]:
        """The living processes of `members`: below their programs, and below their orphans."""
        if self.members.childless:
            return {}
        processes, ours = tree(), os.getpid()
        roots = [pid for pid, process in processes.items() if process.parent == ours]
        if members is not None:
            running = self.members.without_services()
            roots = [pid for pid in roots if belongs(self.members.owner(pid, processes[pid].group), members, running)]
        return {pid: processes[pid] for pid in below(roots, processes)}


def belongs(owner: int | None, members: set[int], running: set[int]) -> bool:
    """Whether a process whose member is `owner` belongs to `members`.

    An orphan that has left its group and has no mark has no owner. It belongs to `members` if no others run.

    >>> belongs(1, {1}, {1, 2}), belongs(2, {1}, {1}), belongs(None, {1}, {1, 2}), belongs(None, {1}, {1})
    (True, False, False, True)
    """
    return owner in members if owner else running <= members
