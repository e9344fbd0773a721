"""Run commands on this machine: the driver's end of the supervisor."""

import os
import select
import socket
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path

from smartensemble.errors import StateError, UnsupportedError
from smartensemble.runtime.local.protocol import Job
from smartensemble.runtime.local.supervisor_process import SupervisorProcess, fate, kill_marked
from smartensemble.runtime.outcome import settle
from smartensemble.runtime.standalone.messages import pack, unpack
from smartensemble.runtime.standalone.procfs import ours
from smartensemble.runtime.standalone.supervision.spawn import Work
from smartensemble.status import Run, Status

LONGEST_SLEEP_S = 86_400.0  #: seconds of one sleep; poll refuses more than 24 days


class Local:
    """The launcher of this machine. The program :mod:`smartensemble.runtime.standalone.supervisor` does the work."""

    def __init__(self) -> None:
        check_platform()
        self._pid = os.getpid()
        self._numbers = count(1)
        self._jobs: dict[int, Job] = {}
        self._stopped: dict[int, list[int]] = {}
        self._received: list[bytes] = []  #: and not in the inbox yet
        self._inbox = bytearray()
        self._lock = threading.RLock()  # `with` takes it in C; a Condition does so in Python, where Ctrl-C can leave it locked
        self._turn = threading.Condition(self._lock)
        self._reading = False
        self._alive = True
        self._process = SupervisorProcess()
        self._channel = self._process.channel
        self._close = weakref.finalize(self, self._process.close, self._pid)

    @property
    def alive(self) -> bool:
        """Its supervisor lives, as far as this process has read."""
        return self._alive

    @property
    def sentinel(self) -> int:
        """The number of the process that ends everything if the supervisor is killed."""
        return self._process.sentinel

    @property
    def usable(self) -> bool:
        """Its supervisor lives, and belongs to this process: after a fork, the child needs another one."""
        return self._alive and self._pid == os.getpid()

    def start(
        self, jobs: Sequence[Job], journal: Path, max_running: int | None = None, service: bool = False, more: bool = False
    ) -> None:
        """Begin to run `jobs`, at most `max_running` of them at a time. `journal` records how they end.

        A `service` is a server, which runs beside members. With `more`, other jobs of the same journal follow.
        """
        self._check_mine()
        with self._lock:
            for command, run in jobs:
                run.status, run.handle = Status.QUEUED, next(self._numbers)
                self._jobs[run.handle] = command, run
            self._ask(*_launch(jobs, [run.handle for _, run in jobs], journal, max_running, service, more))

    def stop(self, runs: Sequence[Run], grace: float) -> list[int]:
        """End `runs` and all that they started; the processes that did not end."""
        self._check_mine()
        token = next(self._numbers)
        for run in runs:
            run.stopping = True
        with self._lock:
            self._ask("stop", token, [run.handle for run in runs if run.handle], float(grace))
        self.wait(lambda: token in self._stopped)
        return self._stopped.pop(token, [])

    def wait(self, until: Callable[[], bool], timeout: float | None = None) -> bool:
        """Read news until `until` holds; False if that takes more than `timeout` seconds.

        Any thread may wait: one reads at a time, for all. After a fork, news go to the parent.
        """
        if self._pid != os.getpid():
            if timeout != 0 and not until():
                self._check_mine()
            return until()
        limit = None if timeout is None else time.monotonic() + timeout
        with self._lock:
            while self._alive and not until():
                left = None if limit is None else limit - time.monotonic()
                if self._reading:
                    if left is not None and left <= 0:
                        return False
                    self._turn.wait(LONGEST_SLEEP_S if left is None else min(left, LONGEST_SLEEP_S))
                elif not self._read(left) and left is not None and left <= LONGEST_SLEEP_S:
                    return until()
            return until()

    def _read(self, timeout: float | None) -> bool:
        """Wait for news without holding the lock, then take them in; False if there are none in time.

        Ctrl-C may come after any call. What was received by then is taken in by the next one.
        """
        if self._take_in():
            return True
        ready = True
        try:
            self._reading = True
            self._turn.release()
            poll = select.poll()
            poll.register(self._channel, select.POLLIN)
            ready = bool(poll.poll(None if timeout is None else min(max(0.0, timeout), LONGEST_SLEEP_S) * 1000))
            if ready:  # in C as a whole: what recv returned to a line of Python, Ctrl-C could drop
                self._received.extend(map(self._channel.recv, (1 << 20,)))
        except ConnectionError:  # the supervisor was killed before it read all that we asked
            self._received.append(b"")
        finally:
            try:
                self._turn.acquire()
            finally:
                self._reading = False
                self._turn.notify_all()
        return self._take_in() or ready

    def _take_in(self) -> bool:
        """Take in what was received; whether there was any."""
        any_news = self._take_messages()  # which Ctrl-C has left
        while self._received:
            any_news, data = True, self._received[0]
            self._inbox += data
            del self._received[0]
            self._take_messages()
            if not data:
                self._lost()
        return any_news

    def _take_messages(self) -> bool:
        found = False
        events: dict[str, Callable[..., None]] = {"started": self._started, "ended": self._ended, "stopped": self._stop_done}
        for name, *values in unpack(self._inbox):
            events[name](*values)
            found = True
        return found

    def _check_mine(self) -> None:
        if self._pid != os.getpid():
            raise StateError(
                f"launcher 'local': its members belong to process {self._pid}, which this one is a fork of; ask there"
            )

    def _ask(self, *request: object) -> None:
        """Send a request. It holds the lock, so requests of two threads do not mix."""
        try:
            self._channel.sendall(pack(request), socket.MSG_NOSIGNAL)
        except OSError:
            self._lost()
        except BaseException:  # Ctrl-C: half a request cannot be taken back, so this is the last one
            self._channel.shutdown(socket.SHUT_WR)
            raise

    # --- events: each may come again, if Ctrl-C came while it was taken in -----------------------------------------

    def _started(self, number: int, _pid: int, when: float) -> None:
        if number in self._jobs:
            run = self._jobs[number][1]
            run.status, run.started = Status.RUNNING, when

    def _ended(self, number: int, outcome: str, detail: int | str | None, when: float) -> None:
        if number not in self._jobs:
            return
        command, run = self._jobs[number]
        settle(run, command, outcome, detail, when)
        del self._jobs[number]

    def _stop_done(self, token: int, left: list[int]) -> None:
        self._stopped[token] = left

    def _lost(self) -> None:
        """The supervisor is gone: what its sentinel said tells what became of the members."""
        self._alive = False
        why = fate(self._process.last_words(), kill_marked)
        for _, run in self._jobs.values():
            run.status, run.ended, run.cause = Status.FAILED, time.time(), why
        self._jobs.clear()


def detach(
    jobs: Sequence[Job], journal: Path, watched: Callable[[int], None] = lambda _: None, max_running: int | None = None
) -> None:
    """Begin to run `jobs` under a supervisor of their own, which outlives this process and reports to its journal alone.

    :param watched: is told the number of its sentinel, before the supervisor takes a member.
    """
    check_platform()
    process = SupervisorProcess(detached=True)
    with process.channel as channel:
        process.check_up()
        watched(process.sentinel)
        try:
            channel.sendall(pack(_launch(jobs, range(1, len(jobs) + 1), journal, max_running)), socket.MSG_NOSIGNAL)
        except OSError:
            raise StateError("launcher 'local': its supervisor was killed before it took a member; start them again") from None


def _launch(
    jobs: Sequence[Job],
    ids: Sequence[int],
    journal: Path,
    max_running: int | None,
    service: bool = False,
    more: bool = False,
) -> tuple[object, ...]:
    """The request to start `jobs` under the names `ids`."""
    works = [
        Work(
            member=number,
            number=run.number,
            name=command.name,
            argv=command.argv,
            cwd=str(command.cwd),
            env=command.env,
            out=str(command.out),
            err=str(command.err),
            time_limit=command.time_limit,
            restart=command.restart,
        ).values()
        for number, (command, run) in zip(ids, jobs, strict=True)
    ]
    return "launch", max_running, dict(os.environ), str(journal), works, service, more


def check_platform() -> None:
    """An error, unless programs can be run here."""
    if not sys.platform.startswith("linux"):
        raise UnsupportedError(
            f"launcher 'local': needs Linux, and this is {sys.platform}; here you can expand, generate and preview"
        )
    if not ours():
        raise UnsupportedError(
            "launcher 'local': /proc shows the processes of another PID namespace, so members could not be ended; mount it "
            "here, as unshare --mount-proc does"
        )


_launchers: deque[Local] = deque(maxlen=1)
_turn = threading.Lock()


def local() -> Local:
    """The launcher of this process: one for all its experiments."""
    with _turn:
        if _launchers:
            _launchers[-1].wait(lambda: False, 0)  # it may have ended since somebody looked
        if not _launchers or not _launchers[-1].usable:
            _launchers.append(Local())
        return _launchers[-1]
