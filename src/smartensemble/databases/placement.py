"""Where the servers of a database run on a cluster: on how many nodes, which ones, and in whose allocation."""

import sys
from collections.abc import Callable, Iterable, Sequence
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from smartensemble.checks import empty, names, positive
from smartensemble.command import Command
from smartensemble.duration import Duration
from smartensemble.errors import InputValueError, UnsupportedError, did_you_mean, shown
from smartensemble.schedulers import SCHEDULERS
from smartensemble.schedulers.base import Scheduler
from smartensemble.settings.arguments import text
from smartensemble.settings.batch import BatchSettings
from smartensemble.settings.command import command_of
from smartensemble.settings.effect import NO_JOB, NO_SCHEDULER
from smartensemble.settings.executable import is_named
from smartensemble.settings.run import RunSettings, plain


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
        """The number of nodes that they take."""
        return -(-self.servers // self.per_node)

    def name_hosts(self, name: str, hosts: Iterable[str] | str) -> None:
        """Have the servers of the database `name` run on these nodes; none lets the scheduler choose.

        :raises InputValueError: the servers take another number of nodes.
        """
        self.hosts = () if empty(hosts) else tuple(names(f"{name}: hosts", hosts))
        if self.hosts and len(self.hosts) != self.nodes:
            raise InputValueError(
                f"{name}: hosts are {len(self.hosts)}, and {self.servers} servers, {self.per_node} on each, take {self.nodes}; "
                "name as many, or give another per_node"
            )
        if self.batch_settings:
            self.batch_settings.set_option("hosts", list(self.hosts) or None)

    def steps(self, name: str, directory: Path, server: Sequence[str], worker: Sequence[str], workers: int) -> list[Command]:
        """The commands that start the servers of the database `name` in an allocation, and then its workers.

        :param server: the arguments that start a server, or all of a step; a number after them says which one.
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
        self, name: str, directory: Path, arguments: Sequence[str], tasks: int, nodes: int, first: int | None = None
    ) -> Command:
        """A step of `tasks` programs on `nodes` nodes, beginning with node number `first`, or where the scheduler likes."""
        settings = plain(copy(self.run_settings))
        settings.exe_args = [*arguments]
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


@dataclass(frozen=True)
class ClusterOptions:
    """The arguments of :class:`Orchestrator` that only a scheduler can honor."""

    batch: bool = False
    hosts: Iterable[str] | None = None
    account: str | None = None
    time: Duration | None = None
    alloc: str | int | None = None
    queue: str | None = None
    run_command: str | None = "auto"
    per_node: int = 1
    single_cmd: bool = True  #: also on this machine, so `used` leaves it out

    @property
    def used(self) -> list[str]:
        """The names of the options that a caller passed."""
        found = [name for name in ("batch", "hosts", "account", "time", "alloc", "queue") if not empty(getattr(self, name))]
        if self.names_run_command:
            found.append("run_command")
        if positive("per_node", self.per_node) != 1:
            found.append("per_node")
        return found

    @property
    def names_run_command(self) -> bool:
        """A run command is named, where the scheduler's own is the default."""
        return is_named(self.run_command)


class Kinds(NamedTuple):
    """The classes of a database's settings; a subclass of Orchestrator may have others."""

    run: Callable[..., RunSettings] = RunSettings
    batch: Callable[..., BatchSettings] = BatchSettings


#: Those of Orchestrator itself.
OWN_KINDS = Kinds()


def placement(
    name: str, launcher: str, servers: int, interface: Sequence[str], options: ClusterOptions, kinds: Kinds = OWN_KINDS
) -> Placement:
    """Where `servers` servers of the database `name` run on the cluster of `launcher`.

    :raises UnsupportedError: there is no such scheduler.
    :raises InputValueError: the options contradict each other.
    """
    scheduler = SCHEDULERS.get(launcher)
    if not scheduler or not scheduler.control:
        raise UnsupportedError(f"{name}: no launcher {shown(launcher)} in this version{did_you_mean(launcher, SCHEDULERS)}")
    if not interface:
        raise InputValueError(
            f"{name}: members on a cluster reach a database by a network; name that of its nodes, such as interface='ib0'"
        )
    made = Placement(
        scheduler,
        servers,
        positive("per_node", options.per_node),
        options.single_cmd,
        kinds.run(sys.executable, run_command=scheduler.run_command),
        None,
    )
    made.batch_settings = _job(name, options, made.nodes, kinds.batch)
    if options.alloc is not None:
        made.run_settings.set_option("allocation", text(f"{name}: alloc", options.alloc))
    if options.hosts is not None:
        made.name_hosts(name, options.hosts)
    return made


def without_effect(launcher: str, options: ClusterOptions) -> dict[str, str]:
    """The options that nothing reads where servers run, and why.

    >>> without_effect("slurm", ClusterOptions(run_command="mpirun"))
    {'run_command': 'on slurm, srun starts servers'}
    """
    if not (scheduler := SCHEDULERS.get(launcher)) or not scheduler.control:
        return dict.fromkeys(options.used, NO_SCHEDULER)
    found = {}
    if options.names_run_command and str(options.run_command) != scheduler.run_command:
        found["run_command"] = f"on {launcher}, {scheduler.run_command} starts servers"
    if not options.batch:
        found |= {name: NO_JOB for name in ("account", "time", "queue") if name in options.used}
    return found


def _job(name: str, options: ClusterOptions, nodes: int, kind: Callable[..., BatchSettings]) -> BatchSettings | None:
    """The settings of the servers' own job; None if they run in an allocation."""
    if options.batch:
        if options.alloc is not None:
            raise InputValueError(
                f"{name}: alloc={shown(options.alloc)} and batch=True; give one of them, an allocation or a job of their own"
            )
        job = kind(nodes=nodes, time=options.time, queue=options.queue, account=options.account)
        job.overcommit = True  # servers never end by themselves, so nothing may wait for its turn
        return job
    return None
