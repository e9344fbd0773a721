"""Where the servers of a database run on a cluster: on how many nodes, which ones, and in whose allocation."""

import sys
from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass
from pathlib import Path

from smartensemble.checks import names
from smartensemble.command import Command
from smartensemble.duration import Duration
from smartensemble.errors import InputValueError, UnsupportedError, did_you_mean
from smartensemble.schedulers import SCHEDULERS
from smartensemble.schedulers.base import Scheduler
from smartensemble.settings.batch import BatchSettings
from smartensemble.settings.command import command_of
from smartensemble.settings.run import RunSettings


@dataclass
class Placement:
    """Where `servers` servers run: `per_node` of them on each node."""

    scheduler: Scheduler
    servers: int
    per_node: int
    single: bool  #: one run command starts all servers; otherwise each has one of its own
    run_settings: RunSettings  #: of what starts them
    batch_settings: BatchSettings | None  #: of their own job; None for steps of the allocation that the driver runs in
    hosts: tuple[str, ...] = ()  #: the nodes, if they are named

    @property
    def nodes(self) -> int:
        """How many nodes they take."""
        return -(-self.servers // self.per_node)

    def name_hosts(self, name: str, hosts: Iterable[str] | str) -> None:
        """Have the servers of the database `name` run on these nodes; none lets the scheduler choose.

        :raises InputValueError: they are not as many as the servers take.
        """
        self.hosts = tuple(names(f"{name}: hosts", hosts)) if hosts else ()
        if self.hosts and len(self.hosts) != self.nodes:
            raise InputValueError(
                f"{name}: hosts are {len(self.hosts)}, and {self.servers} servers, {self.per_node} on each, take {self.nodes}; "
                "name as many, or give another per_node"
            )
        if self.batch_settings:
            self.batch_settings.set_option("hosts", list(self.hosts) or None)

    def steps(self, name: str, directory: Path, server: Sequence[str], worker: Sequence[str], workers: int) -> list[Command]:
        """What starts the servers of the database `name` in an allocation, and then its workers.

        :param server: the words that start a server, or all of a step; a number after them says which one.
        """
        if self.single:
            made = [self._step(f"{name}.servers", directory, server, self.servers, self.nodes, 0)]
        else:
            each = range(self.servers)
            made = [self._step(f"{name}_{k}.server", directory, [*server, str(k)], 1, 1, k // self.per_node) for k in each]
        if workers:
            made.append(self._step(f"{name}.workers", directory, worker, workers, min(workers, self.nodes)))
        return made

    def _step(
        self, name: str, directory: Path, words: Sequence[str], tasks: int, nodes: int, first: int | None = None
    ) -> Command:
        """A step of `tasks` programs on `nodes` nodes, beginning with node number `first`, or where the scheduler likes."""
        settings = copy(self.run_settings)
        settings.exe_args = [*words]
        settings.set_tasks(tasks)
        settings.set_nodes(nodes)
        if tasks > 1:
            settings.set_option("independent", True)
        if first is None:  # workers have no CPUs of their own: they use what is free
            settings.run_options.pop("cpus_per_task", None)
        if self.hosts:
            settings.set_hostlist(self.hosts[first or 0 :][:nodes])
        elif first is not None:
            settings.set_option("first_node", first)
        return command_of(settings, name, str(directory))


def placement(
    name: str,
    launcher: str,
    servers: int,
    per_node: int,
    run_command: str,
    single: bool,
    interface: Sequence[str],
    hosts: Iterable[str] | None,
    batch: bool,
    alloc: str | int | None,
    **asked: Duration | None,
) -> Placement:
    """Where the servers of the database `name` run on the cluster of `launcher`.

    :param asked: of a batch job: account, time, queue.
    :raises UnsupportedError: there is no such scheduler, or another run command is asked for than its own.
    :raises InputValueError: what is asked for does not fit together.
    """
    scheduler = SCHEDULERS.get(launcher)
    if not scheduler or not scheduler.control:
        raise UnsupportedError(f"{name}: no launcher {launcher!r} in this version{did_you_mean(launcher, SCHEDULERS)}")
    if run_command not in ("auto", "", None, scheduler.run_command):
        raise UnsupportedError(
            f"{name}: on {launcher} servers are started by {scheduler.run_command}, not {run_command!r}; leave run_command out"
        )
    if not interface:
        raise InputValueError(
            f"{name}: members on a cluster reach a database by a network; name that of its nodes, such as interface='ib0'"
        )
    if batch and alloc is not None:
        raise InputValueError(f"{name}: alloc={alloc!r} and batch=True; give one of them, an allocation or a job of their own")
    if not batch and (given := [option for option, value in asked.items() if value]):
        raise InputValueError(f"{name}: {given[0]} is asked of a batch job; give batch=True too, or leave it out")
    made = Placement(scheduler, servers, per_node, single, RunSettings(sys.executable, None, scheduler.run_command), None)
    if alloc is not None:
        made.run_settings.set_option("allocation", str(alloc))
    if batch:
        time, queue, account = asked.get("time"), asked.get("queue"), asked.get("account")
        # Servers never end by themselves, so that nothing may wait for its turn.
        made.batch_settings = BatchSettings(made.nodes, time, queue, account, overcommit=True)  # type: ignore[arg-type]
    if hosts is not None:
        made.name_hosts(name, hosts)
    return made
