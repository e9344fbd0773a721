"""Start the workers of a database: the processes that run its models and scripts, see :mod:`smartensemble.inference`."""

import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from smartensemble.command import Command
from smartensemble.databases.orchestrator import Orchestrator
from smartensemble.databases.shard import Shard
from smartensemble.databases.users import WORKER_USER, Secrets
from smartensemble.databases.worker_options import WorkerOptions
from smartensemble.results import notes

logger = notes.logger(__name__)

#: Until a worker ends whose database has gone. No server of ours comes back, so this need not be long.
RECONNECT_TIMEOUT_S = 2.0

#: How a worker is run: what lies in the directory that it runs in is not imported.
WORKER = (sys.executable, "-P", "-m", "smartensemble.inference", "--patience", str(RECONNECT_TIMEOUT_S))


def commands(db: Orchestrator, shards: Sequence[Shard], secrets: Secrets) -> list[Command]:
    """The commands that start the workers of `db`, each of which serves all `shards`."""
    addresses = [word for shard in shards for word in ("--address", url(shard))]
    env = {"REDISCLI_AUTH": secrets.worker}  # everybody may read a command line
    argv = (*WORKER, *options(db.worker_options), *addresses)
    name, count = f"{db.db_identifier}_worker", db.worker_options.workers
    names = [name] if count == 1 else [f"{name}_{number}" for number in range(count)]
    return [Command(argv, Path(db.path), env, each, restart=True) for each in names]


def options(workers: WorkerOptions) -> tuple[str, ...]:
    """The options of a worker: threads for each model, the time limit of a run in seconds, and whether it is confined."""
    limits = ("--threads", str(workers.intra_op_threads), "--time-limit", f"{workers.model_time_limit:g}")
    return limits if workers.confine else (*limits, "--unconfined")


def url(shard: Shard) -> str:
    """Where a worker finds a server, and as whom it logs in.

    >>> url(Shard("db", "127.0.0.1", 6379)), url(Shard("db", socket="/run/db"))
    ('redis://smartensemble_worker@127.0.0.1:6379', 'unix://smartensemble_worker@/run/db')
    """
    return f"unix://{WORKER_USER}@{shard.socket}" if shard.socket else f"redis://{WORKER_USER}@{shard.address}"


def report_confinement(workers: WorkerOptions) -> None:
    """Say it once if models and scripts are not kept from files, processes and the network, as they should be."""
    if workers.workers and workers.confine:
        _report_unconfined()


@cache
def _report_unconfined() -> None:
    from smartensemble.inference.confinement import unavailable  # few drivers start a database

    if reason := unavailable():
        logger.warning(
            "workers: they are not confined, so a model or script may read and write what you may: %s; store only those that "
            "you trust, and confine=False says that you do",
            reason,
        )
