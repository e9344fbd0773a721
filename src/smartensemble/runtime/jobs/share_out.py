"""Which models go into which batch job."""

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from smartensemble.command import Command
from smartensemble.ensemble import Ensemble
from smartensemble.model import Model
from smartensemble.runtime.jobs.batch import Batch
from smartensemble.runtime.jobs.queue import queue
from smartensemble.schedulers.base import LOCAL, Partition, Scheduler
from smartensemble.status import Run, Status

logger = logging.getLogger(__name__)


def batch_jobs(
    entities: Sequence[Model | Ensemble],
    runs: dict[str, Run],
    command: Callable[[Model], Command],
    scheduler: Scheduler = LOCAL,
    at_once: int | None = None,
) -> Iterator[Batch]:
    """The batch jobs that `entities` ask for, of those of their models that have one of `runs`, by directory."""
    partitions: list[Partition] = []
    for entity in entities:
        models = entity.models if isinstance(entity, Ensemble) else [entity]
        if entity.batch_settings is not None and (
            members := [(command(model), runs[model.path]) for model in models if model.path in runs]
        ):
            # The script of a model's own job is beside the model's script: one name for both, and it would run itself.
            name = entity.name if isinstance(entity, Ensemble) else f"{entity.name}.batch"
            batch = Batch(name, Path(entity.path), members, entity.batch_settings, scheduler, Run(Status.QUEUED))
            if scheduler.control:
                partitions = partitions or queue(scheduler.name).partitions()
                batch = batch.planned(partitions, at_once)
            yield batch
        elif isinstance(entity, Ensemble):
            alone = [model for model in entity if model.batch_settings is not None]
            yield from batch_jobs(alone, runs, command, scheduler, at_once)


def advise(
    name: str, entities: Sequence[Model | Ensemble], count: int, at_once: int | None, scheduler: Scheduler = LOCAL
) -> None:
    """Say once what has no effect here, and what may be too much."""
    if scheduler.control:
        return
    cpus = len(os.sched_getaffinity(0))
    if (at_once or count) > 4 * cpus and count > 4 * cpus:
        logger.warning("%s: %d members at once on %d CPUs; max_running=%d runs fewer at a time", name, count, cpus, cpus)
    settings = [entity.batch_settings for entity in entities]
    settings += [model.batch_settings for entity in entities if isinstance(entity, Ensemble) for model in entity]
    ignored = dict.fromkeys(option for given in settings if given for option in LOCAL.without_effect(given.portable_options))
    if ignored:
        logger.warning("%s: on this machine %s has no effect; the script runs with bash", name, ", ".join(ignored))
