"""SmartSim's database: ours, with those of its methods that ours has no more."""

from collections.abc import Iterable
from pathlib import Path

from smartensemble.compat.entity import TelemetryConfiguration
from smartensemble.databases import orchestrator
from smartensemble.databases.placement import Placement
from smartensemble.errors import StateError, UnsupportedError, public
from smartensemble.runtime.own_files import is_configuration
from smartensemble.runtime.servers.cluster import server_names
from smartensemble.schedulers import UNBUILT
from smartensemble.settings import batch


@public
class Orchestrator(orchestrator.Orchestrator):
    """A database that an experiment starts. See :class:`smartensemble.Orchestrator`."""

    telemetry = TelemetryConfiguration()
    _shown = UNBUILT

    def set_cpus(self, num_cpus: int) -> None:
        """Give each server so many CPUs of its own."""
        self._on_cluster("set_cpus").run_settings.set_cpus_per_task(num_cpus)

    def set_hosts(self, host_list: str | Iterable[str]) -> None:
        """Set the nodes that its servers run on."""
        self._on_cluster("set_hosts").name_hosts(self.db_identifier, host_list)

    def reset_hosts(self) -> None:
        """Let the scheduler choose the nodes."""
        if self._placement:
            self._placement.name_hosts(self.db_identifier, ())

    def set_run_arg(self, arg: str, value: str | None = None) -> None:
        """Set an option of what starts its servers, by its own name."""
        self._on_cluster("set_run_arg").run_settings.run_args[arg.strip().lstrip("-")] = value

    def set_walltime(self, walltime: str) -> None:
        """Set how long its job may run: ``"HH:MM:SS"``."""
        job = self._job("set_walltime")
        job.time = walltime

    def set_batch_arg(self, arg: str, value: str | None = None) -> None:
        """Set an option of its job, by its own name."""
        self._job("set_batch_arg").batch_args[arg.strip().lstrip("-")] = value

    def remove_stale_files(self) -> None:
        """Delete what an earlier start has left in its directory: configuration and output. Data stay, and files of others."""
        if self.started:
            raise StateError(f"{self.db_identifier}: runs, so that none of its files is stale; stop it first")
        for name in server_names(self):
            conf = Path(self.path, f"{name}.conf")
            if is_configuration(str(conf)):
                for suffix in ("nodes", "out", "err", "conf"):
                    conf.with_suffix(f".{suffix}").unlink(missing_ok=True)

    def _on_cluster(self, method: str) -> Placement:
        if self._placement is None:
            raise UnsupportedError(f"{method}: needs a scheduler; on this machine leave it out")
        return self._placement

    def _job(self, method: str) -> batch.BatchSettings:
        job = self._on_cluster(method).batch_settings
        if job is None:
            raise UnsupportedError(f"{method}: {self.db_identifier} has no job of its own; give batch=True")
        return job
