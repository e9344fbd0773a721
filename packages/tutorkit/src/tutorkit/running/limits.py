"""How long a block may take: seconds of CPU time for what computes, and, far more, seconds of the clock for what waits.

A busy machine makes a block last longer, and gives it no more work to do. So what a block may do is counted by the kernel, in
the processes of its page. Where there is no ``/proc``, nothing counts it, and only the clock ends a block.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tutorkit.config import Config
from tutorkit.running.processes import Reading, counted, times_of, times_of_tree

LOOK_EVERY_S = 0.5  #: while a block runs; what ends before is never looked at
GRACE_S = 4.0  #: that processes have to end by themselves, after the last block of a page
END_EVERY_S = 0.02  #: while they have
#: Of a core: what uses less waits. What computes got 0.014 to 0.043, in 18 measurements beside a load of 20 on two cores.
WAITING_SHARE = 0.01


@dataclass(frozen=True)
class Limits:
    """How long a block may take, in seconds, and what its author can do about it."""

    compute: float  #: CPU time, of its page's processes
    wait: float  #: of the clock, for a block that waits
    computes: str = "compute less, or raise time_limit in [tool.tutorkit]"
    waits: str = "wait for less, or raise wait_limit in [tool.tutorkit]"

    @classmethod
    def of(cls, config: Config) -> Limits:
        """Those of a project's blocks."""
        return cls(config.time_limit, config.wait_limit)

    def excess(self, used: float | None, lasted: float) -> str:
        """Why a block must end that used so much CPU time and lasted so long, in seconds; "" if it may go on.

        >>> limits = Limits(60, 600)
        >>> limits.excess(59.9, 3000)
        ''
        >>> limits.excess(60.24, 3000)
        'used 60.2 s of CPU time (at most 60 s); compute less, or raise time_limit in [tool.tutorkit]'
        >>> limits.excess(0.5, 600)
        'waited 600 s (at most 600 s); wait for less, or raise wait_limit in [tool.tutorkit]'

        :param used: None where nothing counts it; then a block ends when it has lasted as long as one may wait.
        """
        if used is not None and used >= self.compute:
            return f"used {round(used, 1):g} s of CPU time (at most {self.compute:g} s); {self.computes}"
        if lasted >= self.wait and (used or 0.0) < WAITING_SHARE * lasted:
            return f"waited {round(lasted, 1):g} s (at most {self.wait:g} s); {self.waits}"
        return ""


class Meter:
    """The CPU time that processes use from now on.

    A process passes on what it used to the one that waits for its end, so the sum over all that live is whole, as long as they
    are read from above to below: then none is counted twice. A look that runs into the end of a process may miss it; and where
    a parent ignores SIGCHLD, only what was seen of a child is known. So the most that any look has found is what was used.
    """

    def __init__(self, read: Callable[[], Reading]) -> None:
        self._read = read
        first = {**read(), **read()}  # what one of them has missed was used before, too
        self._own = {process: times.own for process, times in first.items()}  #: of each process that was ever seen
        self._before = sum(times.own + times.reaped for times in first.values()), sum(self._own.values())
        self._used = 0.0

    def used(self) -> float:
        """Seconds, since it was made."""
        now = self._read()
        self._own |= {process: times.own for process, times in now.items()}
        whole = sum(times.own + times.reaped for times in now.values()) - self._before[0]
        seen = sum(self._own.values()) - self._before[1]
        self._used = max(self._used, whole, seen)
        return self._used


class Watch:
    """A block that runs in the process `pid`, and in all below it: whichever block has started them."""

    def __init__(self, pid: int, limits: Limits) -> None:
        self._limits = limits
        self._began = time.monotonic()
        self._meter = Meter(lambda: times_of_tree(pid)) if counted() else None

    def excess(self) -> str:
        """Why it must end now; "" if it may go on."""
        return self._limits.excess(self._meter.used() if self._meter else None, time.monotonic() - self._began)


def lasting(living: Callable[[], Sequence[int]]) -> Sequence[int]:
    """Which processes still live when they have had time to end: GRACE_S of the clock, or of CPU time while they compute."""
    began, before = time.monotonic(), 0.0
    meter: Meter | None = None
    while found := living():
        meter = meter or Meter(lambda: times_of(living()))
        if time.monotonic() >= began + GRACE_S:
            used = meter.used()
            if not ending(used - before, used):
                break
            began, before = time.monotonic(), used
        time.sleep(END_EVERY_S)
    return found


def ending(lately: float, used: float) -> bool:
    """Whether processes may be about to end that used so much CPU time in the last GRACE_S, and in all since they may end.

    >>> ending(0.0, 0.0), ending(0.1, 1.6), ending(0.1, 4.0)
    (False, True, False)
    """
    return lately >= WAITING_SHARE * GRACE_S and used < GRACE_S
