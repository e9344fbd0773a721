"""Processes that a program here starts by ``fork``, and the signals that come while they run.

These programs have no threads, so a child may do more than ``exec`` after a fork.
"""

from __future__ import annotations

import os
import resource
import signal
import time

from .errors import CONNECT_INTERVAL_S, END_TIMEOUT_S, EXIT_FAILED, LostError
from .inheritance import complain
from .prctl import end_with

TYPE_CHECKING = False  # importing typing would cost a third of the time that a program here takes to start
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

UNBLOCKED = {
    *(signal.SIGKILL, signal.SIGSTOP),
    *(signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGABRT, signal.SIGTSTP, signal.SIGTTIN),
}
SIGNALS = signal.valid_signals() - UNBLOCKED  #: they wait until we ask for them, and none is lost


def block_signals() -> None:
    """Let signals wait until :func:`pause`, :func:`run` or :func:`reap` asks for them."""
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)


def pause(seconds: float = CONNECT_INTERVAL_S) -> None:
    """Wait a moment.

    :raises LostError: a signal has come, so waiting has no purpose any more.
    """
    if got := signal.sigtimedwait(SIGNALS - {signal.SIGCHLD}, seconds):
        raise LostError(f"got {signal.Signals(got.si_signo).name} before it was ready")


def start(argv: Sequence[str], output: str = "", pinning: Sequence[int] = (), env: Mapping[str, str] | None = None) -> int:
    """Start a program that does not outlive us, on the CPUs `pinning`; its output goes to `output`, or to ours.

    It has our variables, and those in `env`.
    """
    parent, pid = os.getpid(), os.fork()
    if pid:
        return pid
    try:
        if not end_with(parent, signal.SIGKILL):
            os._exit(EXIT_FAILED)
        if output:
            os.environ["LC_ALL"] = "C"  # a server refuses to start where its locale is not installed
            descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o666)
            os.dup2(descriptor, 1)
            os.dup2(descriptor, 2)
        os.environ.update(env or {})
        if pinning:
            os.sched_setaffinity(0, pinning)
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        os.execvp(argv[0], list(argv))
    except OSError as error:
        complain(f"{argv[0]}: {error.strerror}")
    finally:  # whatever happens, the child must not go on as its parent
        os._exit(127)


def run(argv: Sequence[str], look: Callable[[], object] = lambda: None) -> int:
    """Run a program, pass signals on to it, and return its status, as ``wait`` does; `look` when another child has changed."""
    pid = start(argv)
    while True:
        number = signal.sigwaitinfo(SIGNALS).si_signo
        if number != signal.SIGCHLD:
            os.kill(pid, number)
            continue
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return status
        look()


def reap(pid: int) -> None:
    """Wait for the end of a process that received a request to end, and kill it if it does not obey."""
    try:
        limit = time.monotonic() + END_TIMEOUT_S
        while not os.waitpid(pid, os.WNOHANG)[0]:
            if time.monotonic() > limit:
                os.kill(pid, signal.SIGKILL)
            signal.sigtimedwait({signal.SIGCHLD}, 0.1)
    except (ProcessLookupError, ChildProcessError):
        pass


def end_like(status: int) -> None:
    """End as another process did: by the same exit code or signal."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # the other one has left a core, if any is wanted
        if number != signal.SIGKILL:
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
    os._exit(os.WEXITSTATUS(status))
