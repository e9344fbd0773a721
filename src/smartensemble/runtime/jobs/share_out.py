"""Which models go into which batch job, and how many of the others may run at once."""

from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from smartensemble.command import Command
from smartensemble.ensemble import Ensemble
from smartensemble.errors import StateError
from smartensemble.model import Model
from smartensemble.runtime.jobs.allocation import Allocation
from smartensemble.runtime.jobs.batch import Batch
from smartensemble.runtime.jobs.queue import queue
from smartensemble.runtime.own_files import JOB_OUTPUTS, check_outputs
from smartensemble.schedulers.base import LOCAL, Partition, Scheduler
from smartensemble.status import Run, Status


class Shares(NamedTuple):
    """Which models run in which batch job, and how many of the others may run at once."""

    batches: list[Batch]
    max_running: int | None


def known_partitions(scheduler: Scheduler) -> list[Partition]:
    """The partitions of a scheduler that answers."""
    return queue(scheduler.name).partitions()


def partitions_if_known(scheduler: Scheduler) -> list[Partition]:
    """The partitions of a scheduler; none where it does not answer, as on a laptop."""
    try:
        return known_partitions(scheduler)
    except StateError:
        return []


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
    ask: Callable[[Scheduler], list[Partition]] = known_partitions,
) -> Iterator[Batch]:
    """The batch jobs that `entities` ask for, of those of their models that have one of `runs`, by directory.

    :param ask: gives the partitions; without an answer, an empty list, a job lacks the sizes that follow from its nodes.
    """
    partitions: list[Partition] = []
    for entity in entities:
        models = entity.models if isinstance(entity, Ensemble) else [entity]
        if entity.batch_settings is not None and (
            members := [(command(model), runs[model.path]) for model in models if model.path in runs]
        ):
            batch = Batch(job_name(entity), Path(entity.path), members, entity.batch_settings, scheduler, Run(Status.QUEUED))
            if scheduler.control:
                partitions = partitions or ask(scheduler)
                batch = batch.planned(partitions, max_running)
            yield batch
        elif isinstance(entity, Ensemble):
            alone = [model for model in entity if model.batch_settings is not None]
            yield from batch_jobs(alone, runs, command, scheduler, max_running, ask)


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
