"""The servers of a database that runs, whoever started it."""

import os
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from smartensemble.databases.shard import Shard
from smartensemble.databases.users import OWNER_USER, Secrets
from smartensemble.errors import InputValueError, StateError
from smartensemble.runtime.jobs import queue
from smartensemble.runtime.jobs.query import query
from smartensemble.runtime.journal.journal import Journal
from smartensemble.runtime.journal.process import Process
from smartensemble.runtime.runner import Runner
from smartensemble.runtime.servers.resp import REPLY_TIMEOUT_S, Refusal, Reply, answers, request
from smartensemble.runtime.standalone.errors import KILL_GRACE_S, READY_TIMEOUT_S
from smartensemble.runtime.standalone.network import remove_socket
from smartensemble.runtime.standalone.procfs import send
from smartensemble.schedulers import SCHEDULERS
from smartensemble.status import Run, Status

REFUSAL_TIMEOUT_S = 1.0  #: until a server has ended, where another one refuses at its address
CANCEL_TIMEOUT_S = 60.0  #: until a job that was cancelled has left the queue


class RunningServers:
    """The servers of a database that runs, whoever started it."""

    def __init__(self, identifier: str, home: str, shards: Sequence[Shard], secrets: Secrets) -> None:
        self.identifier = identifier
        self.home = Path(home)
        self.shards = tuple(shards)
        self.secrets = secrets
        self.password = secrets.member  #: of the members
        self.processes: list[Process] = []
        self.runs: list[Run] = []  #: of those that this process has started
        self.workers: list[Run] = []  #: which this process has started too
        self.journal: Path | None = None  #: of the workers, by which another process can stop them
        self.job: tuple[str, str] | None = None  #: the job that they run in: its scheduler, and its number there
        self.directory: str | None = None  #: made for its socket, where the database's own has too long a name
        self.stopped = False  #: on request

    def request(
        self,
        shard: Shard,
        *command: str | bytes,
        timeout: float | None = REPLY_TIMEOUT_S,
        meanwhile: Callable[[], object] | None = None,
    ) -> Reply:
        """The reply of one of them to a command of the owner's; see :func:`resp.request`."""
        return request(shard, *command, password=self.secrets.owner, user=OWNER_USER, timeout=timeout, meanwhile=meanwhile)

    def answer(self) -> bool:
        """All of them answer, and serve all keys."""
        try:
            return all(self._ready(shard) for shard in self.shards)
        except (OSError, Refusal):
            return False

    def _ready(self, shard: Shard) -> bool:
        if len(self.shards) == 1:
            return self.request(shard, "PING") == "PONG"
        return "cluster_state:ok" in str(self.request(shard, "CLUSTER", "INFO"))

    def configure(self, key: str, value: str) -> None:
        """Change a setting of all of them."""
        for shard in self.shards:
            try:
                self.request(shard, "CONFIG", "SET", key, value)
            except Refusal as refusal:
                raise InputValueError(f"{self.identifier}: {key} = {value!r}: {refusal}; see its manual") from None
            except OSError as error:
                raise StateError(f"{self.identifier}: {shard.name} does not answer ({error}); start it again") from None

    def refresh(self) -> None:
        """Update the records of the servers that this process has started, if the runner does not."""

    @property
    def ended(self) -> list[str]:
        """Why servers that this process started have ended."""
        self.refresh()
        runs = zip(self.shards, self.runs, strict=False)  # none, if another process has started them
        return [f"{shard.name}: {run.reason or 'ended'}" for shard, run in runs if run.status.final]

    @property
    def failed(self) -> str:
        """Why the first of them failed that this process has started; nothing, if none has."""
        self.refresh()
        runs = zip(self.shards, self.runs, strict=False)
        return next((f"{shard.name}: {run.reason}" for shard, run in runs if run.status is Status.FAILED), "")

    @property
    def dead(self) -> str:
        """Why they do not serve any more, where one of them is known to have ended; nothing, if all of them live."""
        if ended := self.ended:
            return ended[0]
        pairs = zip(self.shards, self.processes, strict=True)
        return next((f"{shard.name}: has ended" for shard, process in pairs if not self._lives(shard, process)), "")

    def _lives(self, shard: Shard, process: Process) -> bool:
        """A server lives. Of one on another machine that this process has started, the launcher reports the end."""
        return process.runs is not False if self.runs else lives(shard, process)

    @property
    def lost_workers(self) -> str:
        """Why no worker runs any more; nothing if one does, or if they could not begin, which their database need not."""
        died = [run for run in self.workers if run.status is Status.FAILED and run.exit_code != 1]
        return died[0].reason if died and all(run.status.final for run in self.workers) else ""

    def statuses(self) -> list[Status]:
        """The status of each of them."""
        self.refresh()
        if self.runs:
            return [run.status for run in self.runs]
        ended = Status.CANCELLED if self.stopped else Status.FAILED
        pairs = zip(self.shards, self.processes, strict=True)
        return [Status.RUNNING if lives(shard, process) else ended for shard, process in pairs]

    def wait_until_ready(self, runner: Runner) -> None:
        """Wait until all of them answer, and a sharded database serves all keys.

        Another server may answer where one of them should, if it was quicker to listen there.

        :raises StateError: one of them ended; the message has its last lines.
        """
        silent, waiting = time.monotonic(), list(self.shards)
        while waiting:
            if self.ended:
                raise StateError(f"{self.identifier}: could not be started: {self.ended[0]}; correct that, and start it again")
            shard = waiting[-1]
            why = f"another server answers at {shard.address}"
            try:
                if self._mine(shard, str(self.request(shard, "INFO", "server"))):
                    silent = time.monotonic()
                    if self._ready(shard):
                        waiting.pop()
                        continue
            except Refusal as refusal:
                if str(refusal).startswith("LOADING"):  # it reads a large file, which may take any time
                    silent = time.monotonic()
                elif not str(refusal).startswith("WRONGPASS") and not runner.wait(lambda: bool(self.ended), REFUSAL_TIMEOUT_S):
                    raise StateError(f"{self.identifier}: {shard.name} says {refusal}; look at its .out file") from None
            except OSError as error:
                why = f"does not answer: {error}"
            if time.monotonic() > silent + READY_TIMEOUT_S:
                raise StateError(f"{self.identifier}: {shard.name}: {why}; try again")
            pause = min(0.05, max(0.001, (time.monotonic() - silent) / 40))
            runner.wait(lambda: bool(self.ended), pause)

    def _mine(self, shard: Shard, said: str) -> bool:
        """Whether a server, which `said` this of itself, has the configuration file of `shard`: no other is started with it."""
        return f"config_file:{self.home}/{shard.name}.conf" in said.splitlines()

    def stop(self, runner: Runner, grace: float) -> None:
        """End them: by a command, so they can save, and by signals if they do not obey.

        :raises StateError: one of them could not save, and goes on.
        """
        self.stopped = True
        refused = []
        for shard in self.shards:
            with suppress(OSError):  # it has ended, or hangs
                try:
                    self.request(shard, "PING", timeout=max(grace, 0.1))
                    with suppress(ConnectionError):  # it saves, which may take long, and hangs up instead of an answer
                        self.request(shard, "SHUTDOWN", timeout=None)
                except Refusal as refusal:
                    refused.append(f"{shard.name}: {refusal}")
        if refused:
            self.stopped = False
            raise StateError(
                f"{self.identifier}: could not save its data, and still runs: {refused[0]}; "
                "make room on the disk, or set_db_conf('save', '') to lose them, and stop it again"
            )
        if self.runs:
            if self.job is None:
                runner.ready()  # another experiment of this program may have started them
            runner.wait(lambda: len(self.ended) == len(self.runs), grace)
            self.end_runs(runner, grace)
            for run in self.runs:
                if run.status is Status.COMPLETED:
                    run.status, run.cause = Status.CANCELLED, "stopped"
        elif self.job:
            end_job(*self.job)
        self._end_processes(grace)
        self._end_workers(runner, grace)
        self.clean()

    def end_runs(self, runner: Runner, grace: float) -> None:
        """End what has not ended, and the workers."""
        runner.stop([run for run in (*self.runs, *self.workers) if run.status.active], grace)

    def _end_processes(self, grace: float) -> None:
        """Wait for the servers that another process has started, and kill any that does not end."""
        for patience in (grace, KILL_GRACE_S):
            limit = time.monotonic() + patience
            while living := [process for process in self.processes if here(process)]:
                if time.monotonic() > limit:
                    break
                time.sleep(0.002)  # a process that is not ours tells nobody of its end
            for process in living:
                send(process.pid, signal.SIGKILL)

    def _end_workers(self, runner: Runner, grace: float) -> None:
        """Have the supervisor of the other process end the workers that it has started."""
        if self.workers or self.journal is None or not self.journal.exists():
            return
        journal = Journal(self.journal)
        journal.refresh()
        if journal.driver is None or not journal.driver.visible:
            return  # elsewhere they notice that the server has gone
        journal.stop(journal.entries, grace)
        limit = time.monotonic() + grace + 2 * KILL_GRACE_S
        while journal.active and time.monotonic() < limit:
            runner.wait(lambda: False, 0.005)
            journal.refresh()

    def clean(self) -> None:
        """Remove the sockets of servers that have ended."""
        for shard in self.shards:
            if shard.socket:
                remove_socket(shard.socket)
        if self.directory:
            with suppress(OSError):
                os.rmdir(self.directory)


def process_id(said: str) -> int:
    """The process id of a server, from its reply to INFO; 0 if that has none.

    >>> process_id("redis_version:7.2.4\\r\\nprocess_id:4711\\r\\n")
    4711
    """
    return next((int(line.partition(":")[2]) for line in said.split() if line.startswith("process_id:")), 0)


def here(process: Process) -> bool:
    """The process runs where this one can see it, and lives."""
    return bool(process.runs)


def lives(shard: Shard, process: Process) -> bool:
    """The process of a server lives. On another machine or in another container, a server that answers does."""
    runs = process.runs
    return answers(shard, timeout=1) if runs is None else runs


def end_job(scheduler: str, job: str) -> None:
    """Cancel a job that another process has submitted, and wait until it is gone."""
    control = SCHEDULERS[scheduler].control
    assert control
    query((*control.cancel, job), "")
    limit = time.monotonic() + CANCEL_TIMEOUT_S
    with suppress(StateError):  # its scheduler is away; without servers the job comes to its end
        while time.monotonic() < limit and queue.queue(scheduler).has(job):
            time.sleep(0.1)
