"""Start a member's program, or explain why it cannot start."""

from __future__ import annotations

import errno
import os
import signal

from .mark import VARIABLE, hand_down

ADVICE = {
    errno.E2BIG: "its arguments and variables are too long; put long ones into a file that it reads",
    errno.ETXTBSY: "somebody writes to it now; start it again when the copy or compilation has ended",
    **dict.fromkeys((errno.EAGAIN, errno.ENOMEM), "with too many processes at once, set max_running="),
    **dict.fromkeys(
        (errno.EMFILE, errno.ENFILE), "too many files are open; raise the limit with ulimit -n, or set max_running="
    ),
    errno.EACCES: "a directory on its path may not be entered, or its file system allows no programs: see mount, noexec",
    errno.ELIBBAD: "one of its libraries is damaged; run ldd on it",
}  #: what to do, by the error of the system

DEFAULT_SIGNALS = signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}  #: whatever whoever started us had ignored


class Work:
    """A member to run. It crosses the socket as the tuple :meth:`values`, because marshal takes no objects."""

    def __init__(
        self,
        member: int,
        number: int,
        name: str,
        argv: tuple[str, ...],
        cwd: str,
        env: dict[str, str],
        out: str,
        err: str,
        time_limit: float | None,
        restart: bool = False,
    ) -> None:
        self.member = member  #: what the driver calls it
        self.number = number  #: what the journal calls it
        self.name = name
        self.argv = argv
        self.cwd = cwd
        self.env = env  #: added to what all members of a launch have
        self.out = out
        self.err = err
        self.time_limit = time_limit  #: in seconds
        self.restart = restart  #: start it again when a signal ends or stops it

    def values(self) -> tuple[object, ...]:
        """The arguments that rebuild it."""
        return tuple(vars(self).values())


def spawn(work: Work, environ: dict[str, str], mark: int) -> int:
    """Start a member in a process group of its own, with a mark, and return its pid."""
    write = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND
    hand_down(mark)
    os.chdir(work.cwd)
    try:
        return os.posix_spawn(
            work.argv[0],
            work.argv,
            {**environ, "PWD": work.cwd, **work.env, VARIABLE: f"{work.name}:{mark}"},
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, work.out, write, 0o666),
                (os.POSIX_SPAWN_OPEN, 2, work.err, write, 0o666),
            ],
            setpgroup=0,
            setsigmask=[],
            setsigdef=DEFAULT_SIGNALS,
        )
    finally:
        os.chdir("/")  # a directory in which a process stays cannot be unmounted


def why(error: OSError | ValueError, work: Work) -> str:
    """Why a program did not start, and what to do about it."""
    program = work.argv[0]
    if isinstance(error, ValueError):
        return f"program {program} could not be started: {error}; look at its arguments and variables"
    explanation = os.strerror(error.errno or 0)
    if not os.path.isdir(work.cwd):
        return f"directory {work.cwd} is not there; generate the ensemble again"
    if not os.path.exists(program):
        return f"program {program} is not there any more; install it again"
    if not os.access(program, os.X_OK):
        return f"program {program} may not be executed; run chmod +x on it"
    if error.errno == errno.ENOEXEC:
        return f"program {program} is no program for this machine; a script begins with a line such as #!/bin/sh"
    for path in (work.out, work.err):
        try:
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o666))
        except OSError as reason:
            return f"output file {path} cannot be written: {reason.strerror}"
    if error.errno == errno.ENOENT:
        return f"program {program} needs a program that is not there: look at its first line, or run ldd on it"
    advice = ADVICE.get(error.errno or 0, "look whether it runs from a shell, in that directory")
    return f"program {program} could not be started: {explanation}; {advice}"
