"""SmartSim's database: ours, with those of its methods, attributes and keywords that ours has no more."""

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePath
from typing import Any

from smartensemble.checks import empty
from smartensemble.compat.entity.dbnode import DBNode, server
from smartensemble.compat.entity.entity import TelemetryConfiguration
from smartensemble.compat.entity.entityList import EntityList
from smartensemble.compat.followed import FollowedList
from smartensemble.compat.keywords import translated
from smartensemble.compat.servertype import CLUSTERED, STANDALONE
from smartensemble.compat.settings import BatchSettings, RunSettings, SbatchSettings, SrunSettings
from smartensemble.databases import orchestrator
from smartensemble.databases.placement import Kinds, Placement
from smartensemble.databases.shard import checked_port
from smartensemble.databases.variables import DEFAULT_IDENTIFIER
from smartensemble.databases.worker_options import worker_options
from smartensemble.errors import InputTypeError, InputValueError, StateError, UnsupportedError, public, shown
from smartensemble.results.no_effect import no_effect
from smartensemble.runtime.own_files import is_configuration
from smartensemble.runtime.servers.cluster import server_names
from smartensemble.schedulers import SCHEDULERS, UNBUILT
from smartensemble.settings.arguments import raw_options

__all__ = ["CLUSTERED", "STANDALONE", "Orchestrator", "by_launcher"]

#: What can start the servers, by the launcher.
by_launcher = {name: [scheduler.run_command or ""] for name, scheduler in SCHEDULERS.items()}

HERE = "its servers run on this machine, without a run command"


def _run_settings(exe: str, run_command: str) -> RunSettings:
    return SrunSettings(exe) if run_command == "srun" else RunSettings(exe, run_command=run_command)


def placed(path: Any, port: int | None, interface: Any, launcher: str) -> tuple[Any, int | None, Any]:
    """The directory, the port and the interface of a database.

    Drivers for versions before 0.5 give the port first; and on a cluster SmartSim's class takes ``lo``, where
    `create_database` does not.

    >>> placed(6780, None, None, "slurm"), placed("here", None, None, "local")
    ((None, 6780, 'lo'), ('here', None, None))
    """
    if isinstance(path, int) and not isinstance(path, bool):
        path, port = None, path if port is None else port
    return path, port, "lo" if interface is None and launcher not in ("local", "auto") else interface


@public
class Orchestrator(EntityList, orchestrator.Orchestrator):
    """A database that an experiment starts. See :class:`smartensemble.Orchestrator`.

    >>> db = Orchestrator(port=6379, threads_per_queue=2)
    >>> db.ports, db.queue_threads, len(db), db.entities
    ([6379], 2, 1, [orchestrator])
    """

    _kinds = Kinds(_run_settings, SbatchSettings)
    _shown = UNBUILT

    def __init__(
        self,
        path: str | PurePath | int | None = None,
        port: int | None = None,
        interface: str | Iterable[str] | None = None,
        launcher: str = "local",
        run_command: str = "auto",
        db_nodes: int = 1,
        batch: bool = False,
        hosts: Iterable[str] | None = None,
        account: str | None = None,
        time: Any = None,
        alloc: str | int | None = None,
        single_cmd: bool = True,
        *,
        db_identifier: str = DEFAULT_IDENTIFIER,
        run_args: Mapping[str, object] | None = None,
        batch_args: Mapping[str, Any] | None = None,
        threads_per_queue: int | None = None,
        inter_op_threads: int | None = None,
        intra_op_threads: int | None = None,
        gpus_per_shard: int | None = None,
        cpus_per_shard: int | None = None,
        **options: Any,
    ) -> None:
        """The same as :class:`smartensemble.Orchestrator`, whose other arguments are `options`.

        :param run_args: options of what starts its servers, by their own names.
        :param batch_args: options of its job, by their own names.
        :param threads_per_queue: the models that run at a time: the same as ``workers``.
        :param inter_op_threads: has no effect, and neither has `gpus_per_shard` or `cpus_per_shard`.
        """
        given = {"threads_per_queue": threads_per_queue, "inter_op_threads": inter_op_threads}
        given |= {"intra_op_threads": intra_op_threads, "gpus_per_shard": gpus_per_shard, "cpus_per_shard": cpus_per_shard}
        options = translated(db_identifier, given) | options
        if isinstance(launcher, str) and launcher in ("local", "auto") and not (empty(run_command) or run_command == "auto"):
            no_effect(f"{db_identifier}: run_command={shown(run_command)}", HERE)
            run_command = "auto"
        home, port, interface = placed(path, port, interface, launcher)
        orchestrator.Orchestrator.__init__(
            self,
            *(home, port, interface, launcher, run_command or "auto", db_nodes, batch, hosts, account, time, alloc, single_cmd),
            db_identifier=db_identifier,
            **options,
        )
        self._telemetry = TelemetryConfiguration()
        self._inter_threads = inter_op_threads
        self._local_settings = RunSettings(sys.executable)
        for name, value in raw_options(f"{db_identifier}: run_args", run_args or {}).items():
            self.set_run_arg(name, value)
        for name, value in raw_options(f"{db_identifier}: batch_args", batch_args or {}).items():
            if self.batch:
                self.set_batch_arg(name, value)
            else:
                no_effect(f"{db_identifier}: batch_args[{shown(name)}]", "it has no job of its own")

    # --- what SmartSim has as attributes ----------------------------------------------------------------------------

    @property
    def entities(self) -> list[DBNode]:
        """Its servers."""
        return [server(self, number) for number in range(self.db_nodes)]

    @property
    def batch(self) -> bool:
        """True if it runs in a job of its own."""
        return self.batch_settings is not None

    @property
    def telemetry(self) -> TelemetryConfiguration:
        """Its switch for telemetry."""
        return self._telemetry

    @property
    def ports(self) -> list[int]:
        """The ports of its servers: those that are asked for, and those that they have once they run."""
        found = [each.rpartition(":")[2] for each in self.get_address()] if self.started else self._asked_ports
        return FollowedList([int(port) for port in found if str(port).isdecimal()], self._set_ports)

    @ports.setter
    def ports(self, ports: Iterable[int]) -> None:
        self._set_ports(ports)

    @property
    def _asked_ports(self) -> list[int]:
        return [] if self.port is None else [self.port + number for number in range(self.db_nodes)]

    def _set_ports(self, ports: Iterable[int]) -> None:
        if self.started:
            raise StateError(f"{self.db_identifier}: runs, so its ports stay as they are; stop it first")
        found = list(ports)
        first = checked_port(self.db_identifier, found[0], self.db_nodes) if found else None
        if first is not None and found != [first + number for number in range(len(found))]:
            raise InputValueError(f"{self.db_identifier}: ports are {shown(found)}; give the first one, or consecutive ones")
        self.port = first
        if first is not None and self.access == "private":
            self.access = "open"

    @property
    def run_command(self) -> str:
        """What starts its servers; empty on this machine."""
        return "" if self._placement is None else str(self._placement.scheduler.run_command)

    @property
    def run_settings(self) -> RunSettings:
        """The settings that start its servers. On this machine they have no effect."""
        return self._local_settings if self._placement is None else self._placement.run_settings  # type: ignore[return-value]

    @property
    def batch_settings(self) -> SbatchSettings | None:
        """The settings of its own job, if it has one."""
        return None if self._placement is None else self._placement.batch_settings  # type: ignore[return-value]

    @batch_settings.setter
    def batch_settings(self, settings: SbatchSettings | None) -> None:
        if settings is not None and not isinstance(settings, BatchSettings):
            raise InputTypeError(f"{self.db_identifier}: {shown(settings)} are no batch settings; give SbatchSettings(...)")
        if self._placement is None:
            no_effect(f"{self.db_identifier}: batch_settings", HERE)
        else:
            self._placement.batch_settings = settings

    @property
    def queue_threads(self) -> int | None:
        """The models that run at a time."""
        return self.worker_options.workers

    @queue_threads.setter
    def queue_threads(self, threads: int | None) -> None:
        self._set_workers(workers=1 if threads is None else threads)

    @property
    def intra_threads(self) -> int | None:
        """The threads of a model that runs."""
        return self.worker_options.intra_op_threads

    @intra_threads.setter
    def intra_threads(self, threads: int | None) -> None:
        self._set_workers(intra_op_threads=1 if threads is None else threads)

    @property
    def inter_threads(self) -> int | None:
        """What was given as `inter_op_threads`, which has no effect."""
        return self._inter_threads

    @inter_threads.setter
    def inter_threads(self, threads: int | None) -> None:
        translated(self.db_identifier, {"inter_op_threads": threads})
        self._inter_threads = threads

    def _set_workers(self, **changed: Any) -> None:
        if self.started:
            raise StateError(f"{self.db_identifier}: runs, with the workers that it has; stop it first")
        self.worker_options = worker_options(self.db_identifier, **(vars(self.worker_options) | changed))

    # --- methods ------------------------------------------------------------------------------------------------------

    def set_cpus(self, num_cpus: int) -> None:
        """Give each server so many CPUs of its own."""
        if self._on_cluster("set_cpus"):
            self.run_settings.set_cpus_per_task(num_cpus)

    def set_hosts(self, host_list: str | Iterable[str]) -> None:
        """Set the nodes that its servers run on."""
        if placement := self._on_cluster("set_hosts"):
            placement.name_hosts(self.db_identifier, host_list)

    def reset_hosts(self) -> None:
        """Let the scheduler choose the nodes."""
        if self._placement:
            self._placement.name_hosts(self.db_identifier, ())

    def set_run_arg(self, arg: str, value: Any = None) -> None:
        """Set an option of what starts its servers, by its own name."""
        if self._on_cluster(f"set_run_arg({shown(arg)})"):
            self.run_settings.run_args[arg.strip().lstrip("-")] = value

    def set_walltime(self, walltime: str) -> None:
        """Set how long its job may run: ``"HH:MM:SS"``."""
        self._job("set_walltime").set_walltime(walltime)

    def set_batch_arg(self, arg: str, value: Any = None) -> None:
        """Set an option of its job, by its own name."""
        self._job("set_batch_arg").batch_args[arg.strip().lstrip("-")] = value

    def remove_stale_files(self) -> None:
        """Delete what an earlier start has left in its directory: configuration and output. Data stay, and files of others."""
        if self.started:
            raise StateError(f"{self.db_identifier}: runs and uses its files; stop it first")
        for name in self.server_names:
            conf = Path(self.path, f"{name}.conf")
            if is_configuration(str(conf)):
                for suffix in ("nodes", "out", "err", "conf"):
                    conf.with_suffix(f".{suffix}").unlink(missing_ok=True)

    @property
    def server_names(self) -> list[str]:
        """The names of its servers."""
        return server_names(self)

    def _on_cluster(self, method: str) -> Placement | None:
        """Where its servers run on a cluster; None, which is said, if `method` has no effect on this machine."""
        if self._placement is None:
            no_effect(f"{self.db_identifier}: {method}", HERE)
        return self._placement

    def _job(self, method: str) -> BatchSettings:
        if self.batch_settings is None:
            raise UnsupportedError(f"{method}: {self.db_identifier} has no job of its own; give batch=True on a cluster")
        return self.batch_settings
