"""The supervisor and its sentinel, as their driver starts them, and what became of members that both have left."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

from smartensemble.errors import StateError
from smartensemble.runtime import standalone
from smartensemble.runtime.standalone.errors import KILL_GRACE_S
from smartensemble.runtime.standalone.procfs import send
from smartensemble.runtime.standalone.supervision.mark import LOW, marked

LOOK_AGAIN_S = 0.01  #: between two looks at processes that were killed, and are nobody's children


class SupervisorProcess:
    """A supervisor with its sentinel. They have a session of their own, so Ctrl-C reaches only the driver."""

    def __init__(self, detached: bool = False) -> None:
        """Start them.

        :raises StateError: the system lets no more processes start, or files be opened.
        """
        try:
            with standard_descriptors_open():
                self.channel, self._process = _start(detached)
        except OSError as error:
            raise StateError(_refused(error.strerror or str(error))) from None
        self.sentinel = self._process.pid  #: its number; that of a detached one is known when it is up

    def last_words(self) -> list[str]:
        """What the sentinel has said, once it has ended; by then it has killed what was left. Only the kernel can keep it."""
        try:
            text, _ = self._process.communicate(timeout=KILL_GRACE_S)
        except subprocess.TimeoutExpired as error:
            text = error.stdout or b""
        return text.decode().splitlines()

    def check_up(self) -> None:
        """Wait until a detached supervisor is there, and learn the number of its sentinel.

        :raises StateError: it could not be started.
        """
        assert self._process.stdout
        with self._process.stdout as words:
            first = words.readline().decode()
        self._process.wait()
        if not first.startswith("up "):
            raise StateError(_refused(first.strip().removeprefix("failed ")))
        self.sentinel = int(first.split()[-1])

    def close(self, driver: int) -> None:
        """Let it end everything, and wait until it has. In a fork of the driver this only closes what was inherited."""
        if driver == os.getpid():
            with suppress(OSError):  # a process that we forked may hold the socket open: closing it would say nothing
                self.channel.shutdown(socket.SHUT_RDWR)
            self._process.wait()
        self.channel.close()
        if self._process.stdout:
            self._process.stdout.close()


def _start(detached: bool) -> "tuple[socket.socket, subprocess.Popen[bytes]]":
    """A socket to a supervisor, and the sentinel's process."""
    ours, theirs = socket.socketpair()
    driver = -1
    if not detached:
        with suppress(OSError):  # before Linux 5.3; the closed socket has to do
            driver = os.pidfd_open(os.getpid())
    argv = [*standalone.command("supervisor"), str(theirs.fileno()), str(driver), *["detached"] * detached]
    try:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if detached else None,
            pass_fds=[descriptor for descriptor in (theirs.fileno(), driver) if descriptor >= 0],
            start_new_session=True,
        )
    except OSError:
        ours.close()
        raise
    finally:
        theirs.close()
        if driver >= 0:
            os.close(driver)
    return ours, process


@contextmanager
def standard_descriptors_open() -> Iterator[None]:
    """While this lasts, nothing that is opened gets the number of standard input, output or error, where these are closed."""
    taken = [os.open(os.devnull, os.O_RDWR)]
    try:
        while taken[-1] <= 2:
            taken.append(os.open(os.devnull, os.O_RDWR))
        yield
    finally:
        for descriptor in taken:
            os.close(descriptor)


def _refused(why: str) -> str:
    return f"launcher 'local': its supervisor could not be started: {why or 'it said nothing'}; {REMEDY}"


REMEDY = "look at the limits of processes (ulimit -u) and open files (ulimit -n), and end what you do not need"
BOTH = "the supervisor and its sentinel were killed"
MAY_RUN = "what hid from this search may still run: look for it with ps before you start it again"


def fate(words: Sequence[str], kill: Callable[[int], Sequence[int]]) -> str:
    """Why members have failed whose supervisor is gone, from what its sentinel said.

    :param kill: ends the processes with a mark of the supervisor that this is called with; those that did not end.

    >>> fate(["up 5 4710", "ended"], lambda mark: [])
    'the supervisor was killed, and every member with it; start it again'
    >>> fate(["failed No more processes"], lambda mark: [])[:62]
    'the supervisor could not be started: No more processes; look a'
    >>> fate(["up 5 4710"], lambda mark: [4711])[:76]
    'the supervisor and its sentinel were killed; processes 4711 may still run: e'
    """
    if not words or words[0].startswith("failed"):
        why = words[0].removeprefix("failed ") if words else "it said nothing"
        return f"the supervisor could not be started: {why}; {REMEDY}"
    if words[-1] == "ended":
        return "the supervisor was killed, and every member with it; start it again"
    if left := kill(int(words[0].split()[1])):
        return f"{BOTH}; processes {', '.join(map(str, left))} may still run: end them before you start it again"
    return f"{BOTH}, and then each process that has its mark; {MAY_RUN}"


def kill_marked(mark: int) -> list[int]:
    """Kill the processes that a supervisor and its sentinel have left; those that did not end."""
    limit = time.monotonic() + KILL_GRACE_S
    while (left := marked(lambda each: each & ~LOW == mark)) and time.monotonic() < limit:
        for pid in left:
            send(pid, signal.SIGKILL)
        time.sleep(LOOK_AGAIN_S)
    return left
