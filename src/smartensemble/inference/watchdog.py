"""A process that works, and one that watches it: what crashes, hangs or is killed begins again."""

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

from smartensemble.inference.worker import Beat

logger = logging.getLogger(__name__)

ENDS = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
FIRST, LONGEST = 0.1, 30.0  #: seconds before a worker begins again, at first and at most
HEALTHY = 60.0  #: seconds that a worker must have lived for the delay to be the first one again
LOOK = 0.25  #: seconds between two looks at how long a run takes
PR_SET_PDEATHSIG = 1
TIME = struct.Struct("d")


def watch(work: Callable[[Beat], None], limit: float) -> None:
    """Have a process of its own do `work`, until that returns or a signal ends us.

    It says when each round of work begins; one that takes longer than `limit` seconds is killed.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDS | {signal.SIGCHLD})
    delay = FIRST
    while True:
        beat = mmap.mmap(-1, TIME.size)
        began = time.monotonic()
        child = os.fork()
        if not child:
            _work(work, beat, os.getppid())
        reason = _wait(child, beat, limit)
        if reason is None:
            return
        delay = FIRST if time.monotonic() - began > HEALTHY else min(2 * delay, LONGEST)
        logger.warning("worker %d %s; the next one begins in %.1f s", child, reason, delay)
        if signal.sigtimedwait(ENDS, delay):
            return


def end_with_parent(number: signal.Signals) -> None:
    """Have the system send us a signal when the process that started us ends."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(number))


def _work(work: Callable[[Beat], None], beat: mmap.mmap, parent: int) -> None:
    """Be the process that works."""
    code = 1
    try:
        end_with_parent(signal.SIGKILL)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to all; who watches decides
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        with suppress(OSError):  # if there is not enough memory for all, it shall not be the database that goes
            Path("/proc/self/oom_score_adj").write_text("1000")
        if os.getppid() == parent:
            work(lambda began: TIME.pack_into(beat, 0, began))
        code = 0
    except Exception:
        logger.exception("worker %d", os.getpid())
    finally:
        os._exit(code)


def _wait(child: int, beat: mmap.mmap, limit: float) -> str | None:
    """How a worker ended; None if it has done all work, or had to end with us."""
    hung = False
    while True:
        told = signal.sigtimedwait(ENDS | {signal.SIGCHLD}, LOOK)
        if told and told.si_signo != signal.SIGCHLD:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return None
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            break
        (began,) = TIME.unpack_from(beat)
        if began and time.monotonic() - began > limit:
            hung = True
            os.kill(child, signal.SIGKILL)
    if hung:
        return f"was killed, since a run took longer than {limit:g} s"
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"failed with exit code {code}" if code else None
