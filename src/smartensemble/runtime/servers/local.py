"""Start the servers of a database, wait until they are ready, and end them."""

import json
import os
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from secrets import token_urlsafe

from smartensemble.command import Command
from smartensemble.databases.orchestrator import Orchestrator
from smartensemble.databases.shard import USER, WORKER_USER, Secrets, Shard, configuration, data_name, nodes
from smartensemble.errors import InputValueError, StateError
from smartensemble.runtime.jobs import queue
from smartensemble.runtime.journal.journal import Journal, Process, began, hostname
from smartensemble.runtime.runner import Runner
from smartensemble.runtime.servers import workers
from smartensemble.runtime.servers.addresses import check_data, free_socket, place, private_directory, write_private
from smartensemble.runtime.servers.resp import PATIENCE, Refusal, answers, ask, shut_down
from smartensemble.runtime.servers.server_program import find_server, module
from smartensemble.runtime.standalone.supervisor import send
from smartensemble.schedulers import SCHEDULERS
from smartensemble.status import Run, Status

TRIES = 3  #: starts, where ports that were free are taken by others meanwhile
SILENCE = 60.0  #: seconds that a server that lives may take to say its first word
TAKEN = "Address already in use"


class RunningServers:
    """The servers of a database that runs, whoever started it."""

    def __init__(self, identifier: str, shards: Sequence[Shard], secrets: Secrets | None) -> None:
        self.identifier = identifier
        self.shards = tuple(shards)
        self.secrets = secrets
        self.password = secrets.user if secrets else None
        self.processes: list[Process] = []
        self.runs: list[Run] = []  #: of those that this process has started
        self.workers: list[Run] = []  #: which this process has started too
        self.journal: Path | None = None  #: of the workers, by which another process can stop them
        self.job: tuple[str, str] | None = None  #: the job that they run in: its scheduler, and its number there
        self.directory: str | None = None  #: made for its socket, where the database's own has too long a name

    def answer(self) -> bool:
        """All of them answer, and serve all keys."""
        try:
            return all(self._ready(shard) for shard in self.shards)
        except (OSError, Refusal):
            return False

    def _ready(self, shard: Shard) -> bool:
        if len(self.shards) == 1:
            return ask(shard, "PING", password=self.password) == "PONG"
        return "cluster_state:ok" in str(ask(shard, "CLUSTER", "INFO", password=self.password))

    def configure(self, key: str, value: str) -> None:
        """Change a setting of all of them."""
        for shard in self.shards:
            try:
                ask(shard, "CONFIG", "SET", key, value, password=self.password)
            except Refusal as refusal:
                raise InputValueError(f"{self.identifier}: {key} = {value!r}: {refusal}; see its manual") from None
            except OSError as error:
                raise StateError(f"{self.identifier}: {shard.name} does not answer ({error}); start it again") from None

    def look(self) -> None:
        """Bring the records of those that this process has started up to date, where that is not done for it."""

    @property
    def ended(self) -> list[str]:
        """The reasons of those that this process has started and that have ended."""
        self.look()
        runs = zip(self.shards, self.runs, strict=False)  # none, if another process has started them
        return [f"{shard.name}: {run.reason or 'ended'}" for shard, run in runs if run.status.final]

    @property
    def failed(self) -> str:
        """Why the first of them failed that this process has started; nothing, if none has."""
        self.look()
        runs = zip(self.shards, self.runs, strict=False)
        return next((f"{shard.name}: {run.reason}" for shard, run in runs if run.status is Status.FAILED), "")

    def statuses(self) -> list[Status]:
        """How each of them stands."""
        self.look()
        if self.runs:
            return [run.status for run in self.runs]
        pairs = zip(self.shards, self.processes, strict=True)
        return [Status.RUNNING if lives(shard, process) else Status.FAILED for shard, process in pairs]

    def wait_until_ready(self, runner: Runner) -> None:
        """Wait until all of them answer, and a cluster serves all keys.

        :raises StateError: one of them ended, with its last words.
        """
        silent, waiting = time.monotonic(), list(self.shards)
        while waiting:
            if self.ended:
                raise StateError(f"{self.identifier}: could not be started: {self.ended[0]}")
            try:
                if self._ready(waiting[-1]):
                    waiting.pop()
                    continue
            except Refusal as refusal:
                if not str(refusal).startswith("LOADING"):  # it reads a large file, which may take any time
                    raise StateError(f"{self.identifier}: {waiting[-1].name} says {refusal}; look at its .out file") from None
                silent = time.monotonic()
            except OSError as error:
                if time.monotonic() > silent + SILENCE:
                    raise StateError(f"{self.identifier}: {waiting[-1].name} does not answer: {error}; try again") from None
            pause = min(0.05, max(0.002, (time.monotonic() - silent) / 20))
            runner.wait(lambda: bool(self.ended), pause)

    def stop(self, runner: Runner, grace: float) -> None:
        """End them: by a command, which lets them save, and what does not obey by signals.

        :raises StateError: one of them could not save, and goes on.
        """
        refused = []
        for shard in self.shards:
            with suppress(OSError):  # it has ended, or hangs
                try:
                    ask(shard, "PING", password=self.password, timeout=max(grace, 0.1))
                    shut_down(shard, self.password)
                except Refusal as refusal:
                    refused.append(f"{shard.name}: {refusal}")
        if refused:
            raise StateError(
                f"{self.identifier}: could not save its data, and still runs: {refused[0]}; "
                "make room on the disk, or set_db_conf('save', '') to lose them, and stop it again"
            )
        if self.runs:
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
        """Wait for the servers that another process has started, and kill what does not end."""
        for patience in (grace, PATIENCE):
            limit = time.monotonic() + patience
            while living := [process for process in self.processes if here(process)]:
                if time.monotonic() > limit:
                    break
                time.sleep(0.002)  # a process that is not ours tells nobody of its end
            for process in living:
                send(process.pid, signal.SIGKILL)

    def _end_workers(self, runner: Runner, grace: float) -> None:
        """End the workers that another process has started: its supervisor does it."""
        if self.workers or self.journal is None or not self.journal.exists():
            return
        journal = Journal(self.journal)
        journal.look()
        if journal.driver is None or journal.driver.host != hostname():
            return  # on another machine they notice that the server has gone
        journal.stop(journal.entries, grace)
        limit = time.monotonic() + grace + 2 * PATIENCE
        while journal.active and time.monotonic() < limit:
            runner.wait(lambda: False, 0.005)
            journal.look()

    def clean(self) -> None:
        """Take away the sockets of servers that have ended."""
        for shard in self.shards:
            if shard.socket:
                Path(shard.socket).unlink(missing_ok=True)
        if self.directory:
            with suppress(OSError):
                os.rmdir(self.directory)


def here(process: Process) -> bool:
    """A process of this machine, which lives."""
    return process.host == hostname() and began(process.pid) == process.began


def lives(shard: Shard, process: Process) -> bool:
    """The process of a server lives: one of another machine, if it answers."""
    return here(process) if process.host == hostname() else answers(shard, timeout=1)


def end_job(scheduler: str, job: str) -> None:
    """Cancel a job that another process has submitted, and wait until it is gone."""
    control = SCHEDULERS[scheduler].control
    assert control
    queue.ask((*control.cancel, job), "")
    limit = time.monotonic() + SILENCE
    with suppress(StateError):  # its scheduler is away; without servers the job comes to its end
        while time.monotonic() < limit and queue.queue(scheduler).has(job):
            time.sleep(0.1)


def start(db: Orchestrator, runner: Runner, detached: bool) -> RunningServers:
    """The servers of `db`, started and ready.

    :raises StateError: they could not be started; nothing is left running.
    """
    program = find_server(db.server)
    check_record(db)
    for left in reversed(range(TRIES)):
        servers = RunningServers(db.db_identifier, place(db), draw(db))
        try:
            commands = write(db, servers, program)
            servers.runs, _ = runner.serve(commands, detached)
            servers.wait_until_ready(runner)
            for shard in servers.shards:
                pid = process_id(ask(shard, "INFO", "server", password=servers.password))
                servers.processes.append(Process(pid, hostname(), began(pid) or 0))
            record(db, servers)
            if asked := workers.commands(db, servers.shards, servers.secrets):
                # Only now: they do not wait for a server that reads its data.
                servers.workers, servers.journal = runner.serve(asked, detached)
                record(db, servers)
        except BaseException as error:
            runner.stop([*servers.runs, *servers.workers], PATIENCE)
            servers.clean()
            if isinstance(error, StateError) and TAKEN in str(error) and db.port is None and left:
                continue
            if isinstance(error, (OSError, Refusal)):
                raise StateError(f"{db.db_identifier}: could not be started: {error}; look at {db.path}") from error
            raise
        return servers
    raise AssertionError  # the last try returns or raises


def draw(db: Orchestrator) -> Secrets | None:
    """Passwords that nobody guesses, for a database that has some."""
    return Secrets(token_urlsafe(32), token_urlsafe(32)) if db.access == "password" else None


def write(db: Orchestrator, servers: RunningServers, program: str) -> list[Command]:
    """Write the files of the servers; the commands that start them."""
    directory = Path(db.path)
    directory.parent.mkdir(parents=True, exist_ok=True)
    directory.mkdir(mode=0o700, exist_ok=True)  # the server writes data that everybody may read
    if db.access == "private":
        shard = servers.shards[0]
        path, made = private_directory(db.path, shard.name)
        servers.directory = path if made else None
        shard = shard._replace(socket=os.path.join(path, shard.name))
        free_socket(db.db_identifier, shard)
        servers.shards = (shard,)  # only now is the socket ours to take away
    check_data(db, servers.shards)
    commands = []
    for shard in servers.shards:
        data = data_name(shard, len(servers.shards))
        text = configuration(shard, db.path, data, db.conf, servers.secrets, module(), cluster=len(servers.shards) > 1)
        write_private(directory / f"{shard.name}.conf", text)
        if len(servers.shards) > 1:
            write_private(directory / f"{shard.name}.nodes", nodes(servers.shards, shard))
        # A server refuses to start where the locale of its environment is not installed.
        commands.append(Command((program, str(directory / f"{shard.name}.conf")), directory, {"LC_ALL": "C"}, shard.name))
    return commands


def process_id(answer: object) -> int:
    """The number of a server's process, from what it answers to INFO.

    >>> process_id("redis_version:7.2.4\\r\\nprocess_id:4711\\r\\n")
    4711
    """
    return int(next(line for line in str(answer).split() if line.startswith("process_id:")).partition(":")[2])


# --- the record, by which another process finds them --------------------------------------------------------------------


def record(db: Orchestrator, servers: RunningServers) -> None:
    """Write down how another process reaches the servers."""
    shards = [
        {"name": shard.name, "address": shard.address, "process": asdict(process)}
        for shard, process in zip(servers.shards, servers.processes, strict=True)
    ]
    said: dict[str, object] = {"db_identifier": db.db_identifier, "access": db.access, "shards": shards}
    said |= {"launcher": db.launcher, "job": servers.job, "socket_directory": servers.directory}
    said |= {"workers": str(servers.journal) if servers.journal else None}
    if servers.secrets is not None:
        said |= {"user": USER, "password": servers.secrets.user}
        said |= {"worker_user": WORKER_USER, "worker_password": servers.secrets.worker}
    write_private(Path(db.checkpoint_file), json.dumps(said, indent=1) + "\n")


def check_record(db: Orchestrator) -> None:
    """An error, if servers run in the directory of `db`."""
    try:
        said = json.loads(Path(db.checkpoint_file).read_text())
        found = [(Shard.at(shard["name"], shard["address"]), Process(**shard["process"])) for shard in said["shards"]]
        living = [process for shard, process in found if lives(shard, process)]
    except (OSError, ValueError, KeyError, TypeError):
        return
    if living:
        raise StateError(
            f"{db.db_identifier}: runs in {db.path} already, as {living[0]}; reconnect to it or stop it, or choose another path"
        )


def reconnect(checkpoint: str) -> tuple[Orchestrator, RunningServers]:
    """The database that was started by another process, which wrote `checkpoint`, and its servers.

    :raises InputValueError: it is no such file.
    :raises StateError: its servers do not answer.
    """
    path = Path(checkpoint).absolute()
    try:
        said = json.loads(path.read_text())
        shards = [Shard.at(shard["name"], shard["address"]) for shard in said["shards"]]
        network = None if shards[0].socket else shards[0].port
        name, access = said["db_identifier"], said["access"]
        db = Orchestrator(path.parent, network, db_nodes=len(shards), db_identifier=name, access=access)
        secrets = Secrets(said["password"], said["worker_password"]) if "password" in said else None
        servers = RunningServers(name, shards, secrets)
        servers.journal = Path(said["workers"]) if said["workers"] else None
        servers.processes = [Process(**shard["process"]) for shard in said["shards"]]
        servers.directory = said["socket_directory"]
        db.launcher = said.get("launcher", "local")
        servers.job = tuple(said["job"]) if said.get("job") else None
    except FileNotFoundError:
        raise InputValueError(f"{path}: is not there; give the checkpoint_file of a database that runs") from None
    except OSError as error:
        raise InputValueError(f"{path}: cannot be read: {error.strerror}; give the checkpoint_file of a database") from None
    except (ValueError, LookupError, TypeError) as error:
        raise InputValueError(f"{path}: describes no database ({error}); give the checkpoint_file of one") from None
    if not servers.answer():
        raise StateError(f"{name}: does not answer at {', '.join(shard.address for shard in shards)}; start it again")
    return db, servers


def forget(db: Orchestrator) -> None:
    """Delete the record, when the servers have ended."""
    Path(db.checkpoint_file).unlink(missing_ok=True)
