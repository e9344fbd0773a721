"""SmartSim's database: ours, with those of its methods that ours has no more."""

import logging
from pathlib import Path

from smartensemble import database
from smartensemble.compat.entity import TelemetryConfiguration
from smartensemble.compat.missing import SCHEDULER, missing
from smartensemble.errors import StateError

logger = logging.getLogger(__name__)


class Orchestrator(database.Orchestrator):
    """A database that an experiment starts. See :class:`smartensemble.Orchestrator`."""

    telemetry = TelemetryConfiguration()
    set_cpus = missing("set_cpus", SCHEDULER)
    set_walltime = missing("set_walltime", SCHEDULER)
    set_hosts = missing("set_hosts", SCHEDULER)
    set_batch_arg = missing("set_batch_arg", SCHEDULER)
    set_run_arg = missing("set_run_arg", SCHEDULER)

    def reset_hosts(self) -> None:
        """Do nothing: no hosts are ever set."""

    def remove_stale_files(self) -> None:
        """Delete what an earlier start has left in its directory: configuration and output. Data stay."""
        if self.started:
            raise StateError(f"{self.db_identifier}: runs, so that none of its files is stale; stop it first")
        for suffix in ("conf", "nodes", "out", "err"):
            for path in Path(self.path).glob(f"{self.db_identifier}*.{suffix}"):
                path.unlink()
