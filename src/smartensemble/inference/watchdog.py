"""A process that works, and one that watches it and starts it again when it crashes, hangs or is killed."""

import ctypes
import logging
import mmap
import os
import signal
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from smartensemble.inference.worker import Heartbeat

logger = logging.getLogger(__name__)

END_SIGNALS = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
FIRST_DELAY_S, MAX_DELAY_S = 0.1, 30.0  #: before a worker starts again
HEALTHY_AFTER_S = 60.0  #: a worker that lived so long starts again after the first delay
LOOK_INTERVAL_S = 0.25  #: between two looks at a worker
PR_SET_PDEATHSIG = 1
REPORT = struct.Struct("dd")  #: when something began, by `time.monotonic`, and the seconds that it may take; 0 for nothing


def watch(work: Callable[[Heartbeat], None], limit: float) -> None:
    """Have a child process do `work`, until that returns or a signal ends this process.

    The child reports what it begins, and how long that may take; runs, `limit` seconds. One that takes longer is killed, and so
    is one that somebody has stopped.
    """
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # whoever started us may have ignored it, and then no end is known
    signal.pthread_sigmask(signal.SIG_BLOCK, END_SIGNALS | {signal.SIGCHLD})
    delay = FIRST_DELAY_S
    while True:
        heartbeat = mmap.mmap(-1, REPORT.size)
        began = time.monotonic()
        child = os.fork()
        if not child:
            _work(work, heartbeat, os.getppid())
        reason = _wait(child, heartbeat, limit)
        if reason is None:
            return
        delay = FIRST_DELAY_S if time.monotonic() - began > HEALTHY_AFTER_S else min(2 * delay, MAX_DELAY_S)
        logger.warning("worker %d %s; the next one begins in %.1f s", child, reason, delay)
        if signal.sigtimedwait(END_SIGNALS, delay):
            return


def end_with_parent(number: signal.Signals) -> None:
    """Have the system send this process a signal when its parent ends."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(number))


def _work(work: Callable[[Heartbeat], None], heartbeat: mmap.mmap, parent: int) -> None:
    """Be the process that works."""
    code = 1
    try:
        end_with_parent(signal.SIGKILL)
        for number in END_SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to both processes; the watchdog decides
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        with suppress(OSError):  # if memory runs out, the system ends the worker rather than the database
            Path("/proc/self/oom_score_adj").write_text("1000")
        if os.getppid() == parent:
            work(lambda seconds: REPORT.pack_into(heartbeat, 0, time.monotonic(), seconds))
        code = 0
    except Exception:
        logger.exception("worker %d", os.getpid())
    finally:
        os._exit(code)


def _wait(child: int, heartbeat: mmap.mmap, limit: float) -> str | None:
    """How a worker ended; None if its work is done, or it had to end with this process."""
    reason, looks_stopped = "", 0
    while True:
        received = signal.sigtimedwait(END_SIGNALS | {signal.SIGCHLD}, LOOK_INTERVAL_S)
        if received and received.si_signo != signal.SIGCHLD:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return None
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            break
        looks_stopped = looks_stopped + 1 if is_stopped(child) else 0
        began, allowed = REPORT.unpack_from(heartbeat)
        reason = reason or overdue(began, allowed, limit, looks_stopped, time.monotonic())
        if reason:
            os.kill(child, signal.SIGKILL)
    if reason:
        return f"was killed, since {reason}"
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"failed with exit code {code}" if code else None


def is_stopped(pid: int) -> bool:
    """Whether a signal has stopped a process, and not a debugger."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0] == b"T"
    return False


def overdue(began: float, allowed: float, limit: float, looks_stopped: int, now: float) -> str:
    """Why a worker does not go on by itself; nothing if it may.

    A worker that is found stopped once may be about to go on: what stops whole jobs, wakes their processes one by one.

    >>> overdue(began=10.0, allowed=2.0, limit=2.0, looks_stopped=0, now=13.0)
    'a run took longer than 2 s'
    """
    if looks_stopped > 1:
        return "somebody had stopped it"
    if not allowed or now - began <= allowed:
        return ""
    return f"a run took longer than {limit:g} s" if allowed == limit else f"a model took longer than {allowed:g} s to load"
