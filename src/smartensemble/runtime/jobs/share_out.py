"""Which models go into which batch job, and how many of the others may run at once."""

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from smartensemble.command import Command
from smartensemble.ensemble import Ensemble
from smartensemble.model import Model
from smartensemble.results import notes
from smartensemble.runtime.jobs.allocation import Allocation
from smartensemble.runtime.jobs.batch import Batch
from smartensemble.runtime.jobs.queue import queue
from smartensemble.runtime.own_files import JOB_OUTPUTS, check_outputs
from smartensemble.schedulers.base import LOCAL, Partition, Scheduler
from smartensemble.settings.batch import portable_options
from smartensemble.status import Run, Status

logger = notes.logger(__name__)


class Shares(NamedTuple):
    """Which models run in which batch job, and how many of the others may run at once."""

    batches: list[Batch]
    max_running: int | None


def share_out(
    name: str,
    scheduler: Scheduler,
    entities: Sequence[Model | Ensemble],
    runs: dict[str, Run],
    command: Callable[[Model], Command],
    max_running: int | None = None,
) -> Shares:
    """The batch jobs that `entities` ask for, and how many of their other models may run at once.

    :param runs: of the models that are to run, by directory.
    :raises InputValueError: one of them can never run.
    """
    batches = list(batch_jobs(entities, runs, command, scheduler, max_running))
    batched = {run for batch in batches for _, run in batch.members}
    models = [model for entity in entities for model in (entity if isinstance(entity, Ensemble) else [entity])]
    alone = [model for model in models if model.path in runs and runs[model.path] not in batched]
    if alone and scheduler.control:
        max_running = Allocation(name, scheduler).check([command(model) for model in alone], max_running)
    return Shares(batches, max_running)


def batch_jobs(
    entities: Sequence[Model | Ensemble],
    runs: dict[str, Run],
    command: Callable[[Model], Command],
    scheduler: Scheduler = LOCAL,
    max_running: int | None = None,
) -> Iterator[Batch]:
    """The batch jobs that `entities` ask for, of those of their models that have one of `runs`, by directory."""
    partitions: list[Partition] = []
    for entity in entities:
        models = entity.models if isinstance(entity, Ensemble) else [entity]
        if entity.batch_settings is not None and (
            members := [(command(model), runs[model.path]) for model in models if model.path in runs]
        ):
            batch = Batch(job_name(entity), Path(entity.path), members, entity.batch_settings, scheduler, Run(Status.QUEUED))
            if scheduler.control:
                partitions = partitions or queue(scheduler.name).partitions()
                batch = batch.planned(partitions, max_running)
            yield batch
        elif isinstance(entity, Ensemble):
            alone = [model for model in entity if model.batch_settings is not None]
            yield from batch_jobs(alone, runs, command, scheduler, max_running)


def check_jobs(entities: Sequence[Model | Ensemble], written: Collection[tuple[str, str]]) -> None:
    """An error, if the files of a batch job of `entities` would replace somebody's own.

    :param written: the names and directories of what ran in this experiment.
    """
    for entity in entities:
        if entity.batch_settings is not None:
            check_outputs(job_name(entity), entity.path, JOB_OUTPUTS, written)
        elif isinstance(entity, Ensemble):
            check_jobs([model for model in entity if model.batch_settings is not None], written)


def job_name(entity: Model | Ensemble) -> str:
    """The name of the batch job of `entity`.

    The script of a model's own job is beside the model's script: by one name for both, it would run itself.
    """
    return entity.name if isinstance(entity, Ensemble) else f"{entity.name}.batch"


def advise(
    name: str, entities: Sequence[Model | Ensemble], count: int, max_running: int | None, scheduler: Scheduler = LOCAL
) -> None:
    """Warn about options without effect on this machine, and about more members than CPUs."""
    if scheduler.control:
        return
    cpus = len(os.sched_getaffinity(0))
    if (max_running or count) > 4 * cpus and count > 4 * cpus:
        logger.warning("%s: %d members at once on %d CPUs; max_running=%d runs fewer at a time", name, count, cpus, cpus)
    settings = [entity.batch_settings for entity in entities]
    settings += [model.batch_settings for entity in entities if isinstance(entity, Ensemble) for model in entity]
    ignored = dict.fromkeys(option for each in settings if each for option in LOCAL.without_effect(portable_options(each)))
    if ignored:
        logger.warning("%s: on this machine %s has no effect; the script runs with bash", name, ", ".join(ignored))
