"""The members of a supervisor: those that wait, those that run, and how each one ended."""

from __future__ import annotations

import os
import signal
import time
from collections import deque
from heapq import heapify, heappop, heappush

from ..errors import HEALTHY_AFTER_S, restart_delay
from ..journal_lines import Launch, Signs
from ..procfs import began, send
from .mark import mark_of_supervisor, member_of
from .spawn import Work, spawn, why

TYPE_CHECKING = False  # importing typing would cost a third of the time that a program here takes to start
if TYPE_CHECKING:
    from collections.abc import Callable


class Members:
    """The members that wait and those that run, by the driver's names for them."""

    def __init__(self, tell: Callable[..., None]) -> None:
        self.tell = tell  #: queues an event for the driver
        self.launches: list[Launch] = []  #: those that have members waiting
        self.growing: set[Launch] = set()  #: those that the driver is still adding members to
        self.pids: dict[int, int] = {}  #: pid of a running member -> the member
        self.running: dict[int, tuple[Launch, Work]] = {}
        self.noted: set[Launch] = set()  #: launches that have lines for their journals
        self.limits: list[tuple[float, int]] = []  #: a heap of time limits; members that have ended may be in it
        self.verdicts: dict[int, str] = {}  #: the outcome of a member that we end
        self.signs = Signs()
        self.again: list[tuple[float, int, Launch, Work]] = []  #: a heap of those that start again, and when
        self.lives: dict[int, tuple[float, int]] = {}  #: when such a member last began, and how often it has died soon
        self.childless = True  #: neither a member nor an orphan is below this process
        self.mark = mark_of_supervisor(os.getpid(), began("self"))  #: the upper half of the marks of all members

    @property
    def active(self) -> bool:
        """Some wait or run."""
        return bool(self.launches or self.running or self.again)

    def known(self) -> set[Launch]:
        """The launches that have waiting or running members, or will get more."""
        running, again = (launch for launch, _ in self.running.values()), (launch for *_, launch, _ in self.again)
        return {*self.launches, *self.growing, *running, *again}

    def without_services(self) -> set[int]:
        """The members that run, without servers."""
        return {member for member, (launch, _) in self.running.items() if not launch.service}

    def owner(self, pid: int, group: int) -> int | None:
        """The member that a child of ours belongs to, by its process group, or by its mark."""
        return self.pids.get(pid) or self.pids.get(group) or member_of(pid, self.mark)

    def startable(self) -> Launch | None:
        """A launch that may start a member now."""
        return next((launch for launch in self.launches if launch.free), None)

    def launch(
        self, max_running: int | None, environ: dict[str, str], journal: str, works: list[Work], service: bool, more: bool
    ) -> None:
        """Queue members; at most `max_running` of them run at a time. A service is a server that runs beside them.

        With `more`, others of the same journal follow; until then another process may stop these too.
        """
        launch = next((launch for launch in self.known() if launch.journal == journal and max_running is None), None)
        if launch is None:
            launch = Launch(max_running, environ, journal, service, self.signs.beside(journal))
            self.noted.add(launch)
        (self.growing.add if more else self.growing.discard)(launch)
        launch.add(work for work in works if not launch.refuses(work))
        for work in works:
            if launch.refuses(work):
                self._tell_end(launch, work, "cancelled")
        if launch.waiting and launch not in self.launches:
            self.launches.append(launch)

    def start_one(self) -> None:
        """Start one member that waits: one, because requests and ends must not wait for long."""
        if (launch := self.startable()) is None:
            return
        work = launch.waiting.popleft()
        if not launch.waiting:
            self.launches.remove(launch)
        try:
            pid = spawn(work, launch.environ, self.mark | work.member)
        except (OSError, ValueError) as error:  # ValueError: text that no program can receive
            self._tell_end(launch, work, "failed", why(error, work))
            return
        launch.free -= 1
        self.pids[pid] = work.member
        self.running[work.member] = launch, work
        self.childless = False
        if work.restart:
            self.lives[work.member] = time.monotonic(), self.lives.get(work.member, (0, 0))[1]
        if work.time_limit is not None:
            heappush(self.limits, (time.monotonic() + work.time_limit, work.member))
        launch.note(work.number, work.name, "started", pid)
        self.noted.add(launch)
        self.tell("started", work.member, pid, time.time())

    def take_end(self, pid: int, status: int) -> None:
        """A process ended: if it is a member's program, record that, and let another member start."""
        if (member := self.pids.pop(pid, None)) is None:
            return
        launch, work = self.running.pop(member)
        launch.free += 1
        verdict = self.verdicts.pop(member, None)
        if work.restart:
            send(-pid, signal.SIGKILL)  # its group: one that was stopped too does not notice that its parent has gone
        if not (verdict is None and work.restart and os.WIFSIGNALED(status) and self._will_revive(launch, work)):
            self._tell_end(launch, work, *outcome(status, verdict))

    def take_stop(self, pid: int) -> None:
        """A signal has stopped a process: one that is started again anyway is ended, since others wait for it."""
        member = self.pids.get(pid)
        if member in self.running and self.running[member][1].restart:
            send(pid, signal.SIGKILL)

    def _will_revive(self, launch: Launch, work: Work) -> bool:
        """Have a member started again after a delay; False if it has died soon each time, so another try is no use."""
        now = time.monotonic()
        began, deaths = self.lives[work.member]
        deaths = 1 if now - began > HEALTHY_AFTER_S else deaths + 1
        self.lives[work.member] = began, deaths
        if (delay := restart_delay(deaths)) is not None:
            heappush(self.again, (now + delay, work.member, launch, work))
        return delay is not None

    def revive(self) -> None:
        """Let those start again whose delay is over."""
        while self.again and self.again[0][0] <= time.monotonic():
            *_, launch, work = heappop(self.again)
            launch.waiting.append(work)
            if launch not in self.launches:
                self.launches.append(launch)

    def restarts(self) -> list[float]:
        """When the next member starts again, by the monotonic clock, if one does."""
        return [when for when, *_ in self.again[:1]]

    def cancel(self, members: set[int] | None, verdict: str) -> None:
        """Those of `members` that wait will not run; those that run will end by `verdict`. None stands for all members."""
        for launch in self.launches:
            waiting, launch.waiting = launch.waiting, deque()
            for work in waiting:
                if members is None or work.member in members:
                    self._tell_end(launch, work, "cancelled")
                else:
                    launch.waiting.append(work)
        self.launches = [launch for launch in self.launches if launch.waiting]
        for again in [again for again in self.again if members is None or again[1] in members]:
            self.again.remove(again)
            self._tell_end(*again[2:], "cancelled")
        heapify(self.again)
        for member in self.running:
            if members is None or member in members:
                self.verdicts.setdefault(member, verdict)

    def next_limit(self) -> float | None:
        """When the next running member reaches its time limit, by the monotonic clock."""
        while self.limits and self.limits[0][1] not in self.running:
            heappop(self.limits)
        return self.limits[0][0] if self.limits else None

    def overdue(self) -> set[int]:
        """The members that have reached their time limits since the last call."""
        now, found = time.monotonic(), set()
        while self.limits and self.limits[0][0] <= now:
            found.add(heappop(self.limits)[1])
        return found & self.running.keys()

    def write_journals(self) -> None:
        """Write the events of members since the last call."""
        for launch in self.noted:
            launch.write()
        self.noted = {launch for launch in self.noted if launch.lines}

    def _tell_end(self, launch: Launch, work: Work, outcome: str, detail: int | str | None = None) -> None:
        launch.note(work.number, work.name, outcome, "" if detail is None else detail)
        self.noted.add(launch)
        self.tell("ended", work.member, outcome, detail, time.time())


def outcome(status: int, verdict: str | None) -> tuple[str, int | None]:
    """How a member ended, and its exit code or signal, from what ``wait`` returned; `verdict`, if we have ended it.

    >>> outcome(3 << 8, None), outcome(15, None), outcome(15, "limit")
    (('exit', 3), ('signal', 15), ('limit', None))
    """
    if verdict:
        return verdict, None
    return ("signal", os.WTERMSIG(status)) if os.WIFSIGNALED(status) else ("exit", os.WEXITSTATUS(status))
