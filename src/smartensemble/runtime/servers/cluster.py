"""Servers of a database on a cluster: as steps of the allocation that this program runs in, or in a job of their own."""

import os
import secrets
import time
from dataclasses import replace
from pathlib import Path

from smartensemble.command import Command
from smartensemble.databases.orchestrator import Orchestrator, placement_of
from smartensemble.databases.placement import Placement
from smartensemble.databases.shard import Shard
from smartensemble.errors import InputValueError, StateError
from smartensemble.results import notes
from smartensemble.runtime.jobs.batch import Batch, beside, written
from smartensemble.runtime.jobs.queue import queue
from smartensemble.runtime.journal.process import Process
from smartensemble.runtime.outcome import settle
from smartensemble.runtime.runner import Runner
from smartensemble.runtime.servers import workers
from smartensemble.runtime.servers.addresses import check_data
from smartensemble.runtime.servers.local import draw
from smartensemble.runtime.servers.node_agent import Assignment, announced
from smartensemble.runtime.servers.record import check_record, record
from smartensemble.runtime.servers.resp import Refusal
from smartensemble.runtime.servers.running import RunningServers, process_id
from smartensemble.runtime.servers.server_program import find_server, module
from smartensemble.runtime.standalone.errors import TERM_GRACE_S
from smartensemble.settings.run import plain
from smartensemble.status import Run, Status

logger = notes.logger(__name__)

#: What Python runs on the nodes: what lies in the directory that it runs in is not imported.
AGENT = ("-P", "-m", "smartensemble.runtime.servers.node_agent")
LONGEST_PAUSE_S = 0.5  #: between two looks for the addresses of servers, whose job may wait for days
LEFTOVERS = ("address", "exit", "started", "out", "err")  #: files of a server that an earlier start has left


class ClusterServers(RunningServers):
    """The servers of a database on a cluster, started by this process."""

    def __init__(self, db: Orchestrator) -> None:
        names = server_names(db)
        super().__init__(db.db_identifier, db.path, [Shard(name) for name in names], draw(db))
        self.runs = [Run(Status.QUEUED) for _ in names]
        self.steps: list[tuple[Command, Run]] = []  #: what starts servers, and then workers
        self.batch: Batch | None = None  #: the job of their own

    def refresh(self) -> None:
        """Settle the servers that have ended, from their files, or from the end of their step."""
        starters = self.steps[: len(self.steps) - bool(self.workers)]
        for number, (shard, run) in enumerate(zip(self.shards, self.runs, strict=True)):
            command = Command((), self.home, {}, shard.name)
            if run.status.final:
                continue
            if run.started is None and (started := written(beside(command, "started"))):
                run.started, run.status = started, Status.RUNNING
            step = starters[min(number, len(starters) - 1)][1] if starters else Run()
            if (ended := written(beside(command, "exit"))) and (code := beside(command, "exit").read_text()).endswith("\n"):
                by_signal = int(code) > 128
                settle(run, command, "signal" if by_signal else "exit", int(code) - 128 * by_signal, ended)
            elif step.status.final:
                cause = step.cause or "what started it has ended"
                settle(run, command, "failed", cause, step.ended or time.time())
                run.last_lines, run.last_lines_file = step.last_lines, step.last_lines_file

    def wait_for_addresses(self, runner: Runner, token: str) -> list[str]:
        """Wait for the address of each server, and return their hosts. A job may wait long in the queue.

        :raises StateError: one of them ended before.
        """
        since = time.monotonic()
        while True:
            answers = [announced(self.home, shard.name, token) for shard in self.shards]
            if all(answers):
                self.shards = tuple(answer.shard for answer in answers if answer)
                return [answer.host for answer in answers if answer]
            if self.ended:
                raise StateError(f"{self.identifier}: could not be started: {self.ended[0]}; correct that, and start it again")
            runner.wait(lambda: bool(self.ended), min(LONGEST_PAUSE_S, 0.02 + (time.monotonic() - since) / 50))

    def end_runs(self, runner: Runner, grace: float) -> None:
        """End their steps, and their workers; or their whole job."""
        runs = [run for _, run in self.steps]
        runner.stop(runs if self.batch else [run for run in runs if run.status.active], grace)


def server_names(db: Orchestrator) -> list[str]:
    """The names of the servers of `db`."""
    return [db.db_identifier] if db.db_nodes == 1 else [f"{db.db_identifier}_{number}" for number in range(db.db_nodes)]


def check(db: Orchestrator, runner: Runner) -> None:
    """An error, unless there is room for the servers of `db`, and no earlier ones run or wait in its directory.

    :raises StateError: earlier ones do; or this program runs in no allocation, and the servers have no job of their own.
    :raises InputValueError: its allocation has too few nodes.
    """
    placement = placement_of(db)
    assert placement
    scheduler = placement.scheduler
    check_record(db)
    if scheduler.control and (job := runner.job_in(db.path)):
        raise StateError(
            f"{db.db_identifier}: job {job} of an earlier program waits or runs in {db.path}; "
            f"end it ({' '.join(scheduler.control.cancel)} {job}), or choose another path"
        )
    if placement.batch_settings or "allocation" in plain(placement.run_settings).run_options:
        return
    assert scheduler.control
    nodes = scheduler.control.node_names(os.environ)
    if not nodes:
        raise StateError(
            f"{db.db_identifier}: this program runs in no allocation of {scheduler.name}; "
            "give batch=True, or run it in one (salloc, sbatch)"
        )
    if missing := [host for host in placement.hosts if host not in nodes]:
        raise InputValueError(f"{db.db_identifier}: {missing[0]} is not in this allocation, which has {', '.join(nodes)}")
    if placement.nodes > len(nodes):
        raise InputValueError(
            f"{db.db_identifier}: {db.db_nodes} servers, {placement.per_node} on each node, take {placement.nodes} nodes, and "
            f"this allocation has {len(nodes)}; give per_node={-(-db.db_nodes // len(nodes))}, or ask for a larger one"
        )


def start(db: Orchestrator, runner: Runner, detached: bool) -> ClusterServers:
    """The servers of `db`, started and ready.

    :raises StateError: they could not be started; nothing is left running.
    """
    placement = placement_of(db)
    assert placement
    check(db, runner)
    servers, path = ClusterServers(db), Path(db.path, f"{db.db_identifier}.assignment")
    check_data(db, servers.shards)
    assignment = describe(db, servers)
    plan(placement, servers, path, db.worker_options.workers)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    for shard in servers.shards:
        for suffix in LEFTOVERS:
            path.with_name(f"{shard.name}.{suffix}").unlink(missing_ok=True)
    assignment.write(path)
    try:
        begin(servers, runner, detached)
        hosts = servers.wait_for_addresses(runner, assignment.token)
        servers.wait_until_ready(runner)
        for shard, host in zip(servers.shards, hosts, strict=True):
            pid = process_id(str(servers.request(shard, "INFO", "server")))
            servers.processes.append(Process.of(pid, host))
        record(db, servers)
    except BaseException as error:
        servers.end_runs(runner, TERM_GRACE_S)
        if isinstance(error, (OSError, Refusal)):
            raise StateError(f"{db.db_identifier}: could not be started: {error}; look at {db.path}") from error
        raise
    return servers


def describe(db: Orchestrator, servers: ClusterServers) -> Assignment:
    """The assignment for the nodes."""
    library = module()  # first: where there is no module, pip has no server either
    return Assignment(
        db.db_identifier,
        secrets.token_hex(8),
        [shard.name for shard in servers.shards],
        [secrets.token_hex(20) if db.db_nodes > 1 else "" for _ in servers.shards],
        find_server(db.server),
        db.interface,
        db.port,
        db.conf,
        servers.secrets,
        library,
        list(workers.options(db.worker_options)),
    )


def plan(placement: Placement, servers: ClusterServers, path: Path, count: int) -> None:
    """Decide on the steps of the servers and of their `count` workers, and on their job.

    :raises InputValueError: no queue has room for the job.
    """
    scheduler, agent = placement.scheduler, (*AGENT, str(path))
    commands = placement.steps(servers.identifier, path.parent, (*agent, "server"), (*agent, "worker"), count)
    if placement.batch_settings:
        commands = [replace(command, shareable=False) for command in commands]  # its options say on which node each runs
        servers.steps = [(command, Run(Status.QUEUED)) for command in commands]
        name, run = f"{servers.identifier}.batch", Run(Status.QUEUED)
        batch = Batch(name, path.parent, servers.steps, placement.batch_settings, scheduler, run)
        servers.batch = batch.planned(queue(scheduler.name).partitions())
    else:
        # Servers run over the CPUs of members, unless they ask for some of their own.
        room = scheduler.control.cpus_per_node(os.environ) if scheduler.control else []
        steps = [
            (scheduler.step(each, node_cpus=min(room, default=1), overcommit=each.need.cpus == 1), each) for each in commands
        ]
        servers.steps = [(replace(each, argv=argv), Run()) for argv, each in steps]
    servers.workers = [run for _, run in servers.steps[len(commands) - bool(count) :]]


def begin(servers: ClusterServers, runner: Runner, detached: bool) -> None:
    """Start the steps, or hand the job to the scheduler."""
    if servers.batch:
        runner.serve_in_job(servers.batch)
        servers.job = servers.batch.scheduler.name, servers.batch.run.job
        for run in servers.runs:
            run.job = servers.batch.run.job
    else:
        runner.serve([command for command, _ in servers.steps], detached, [run for _, run in servers.steps])
