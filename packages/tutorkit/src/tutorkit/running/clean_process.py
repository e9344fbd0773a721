"""The other end of the clean process: it is started when a page is to run, and asked for a copy of itself for each."""

from __future__ import annotations

import atexit
import os
import pickle
import signal
import socket
import subprocess
import sys
from multiprocessing.connection import Connection

from tutorkit.running.page_process import Setup, main


class CleanProcess:
    """A process of Python with nothing imported but what forks pages."""

    def __init__(self) -> None:
        self.owner = os.getpid()  #: who has started it: a fork of that one starts its own
        self._channel, theirs = socket.socketpair()
        program = f"import sys; sys.path[:] = {sys.path!r}; from {main.__module__} import main; main({theirs.fileno()})"
        argv = [sys.executable, "-c", program]
        self._process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()], start_new_session=True)
        theirs.close()
        atexit.register(self.stop)

    def fork(self, setup: Setup) -> tuple[int, Connection]:
        """A new process for a page: its pid, and a channel to it."""
        ours, theirs = socket.socketpair()
        socket.send_fds(self._channel, [pickle.dumps(setup)], [theirs.fileno()])
        theirs.close()
        return self._number(), Connection(ours.detach())

    def exit(self, pid: int) -> str:
        """How a page's process ended, in words."""
        try:
            self._channel.sendall(pickle.dumps(pid))
            code = self._number()
        except OSError:
            return "and the one that it was forked from"
        return f"by {signal.Signals(-code).name}" if code < 0 else f"with code {code}"

    @property
    def lives(self) -> bool:
        """It can fork: no page has killed it."""
        return self._process.poll() is None

    def stop(self) -> None:
        """End it, and with it all pages; in a fork of its owner, do nothing."""
        if self.owner == os.getpid():
            self._channel.close()
            self._process.wait()

    def _number(self) -> int:
        """The next answer.

        :raises ConnectionError: it has ended.
        """
        answer = self._channel.recv(8)
        if not answer:
            raise ConnectionError("the process that forks pages has ended")
        return int.from_bytes(answer, "little", signed=True)


_mine: CleanProcess | None = None


def clean_process() -> CleanProcess:
    """This process's own, which is started when it is first needed, and again if a page has killed it."""
    global _mine
    if _mine is None or _mine.owner != os.getpid() or not _mine.lives:
        _mine = CleanProcess()
    return _mine
