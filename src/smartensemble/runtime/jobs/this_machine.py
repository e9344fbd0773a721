"""What settings ask for and this machine does not have: a program is an error, and an option without effect is said."""

import os
from collections.abc import Iterable, Iterator, Sequence

from smartensemble.ensemble import Ensemble
from smartensemble.errors import MissingFileError, NotExecutableError, located
from smartensemble.model import Model, by_settings
from smartensemble.results import notes as log
from smartensemble.results.no_effect import no_effect
from smartensemble.runtime.jobs.batch import Batch
from smartensemble.schedulers.base import LOCAL, Scheduler
from smartensemble.schedulers.run_commands import stand_in
from smartensemble.settings.batch import BatchSettings, portable_options
from smartensemble.settings.effect import BASH, notes, without_effect
from smartensemble.settings.executable import is_here
from smartensemble.settings.run import RunSettings, needed_programs, plain

logger = log.logger(__name__)


def check_programs(models: Iterable[Model]) -> None:
    """An error, unless this machine has the programs that run `models`. Their settings may have been made for another one.

    :raises MissingFileError: it lacks one of them.
    :raises NotExecutableError: one of them may not be executed any more.
    """
    for settings, model in by_settings(models):
        for program in missing_programs(settings):
            if os.path.isfile(program):
                raise NotExecutableError(f"{model.name}: program {located(program)} may not be executed; run chmod +x on it")
            what = "which starts it" if program == plain(settings).run_command else "which it runs"
            raise MissingFileError(
                f"{model.name}: no program {located(program)} here, {what}; start it on a machine that has it, "
                "such as one of the cluster, or name another"
            )


def advise(
    name: str,
    entities: Sequence[Model | Ensemble],
    models: Sequence[Model],
    max_running: int | None,
    scheduler: Scheduler = LOCAL,
) -> None:
    """Warn about options without effect on this machine, and about more members than CPUs."""
    for settings, _ in by_settings(models):
        for option, why in without_effect(settings).items():
            no_effect(f"{name}: {option}", why)
    if scheduler.control:
        return
    cpus, count = len(os.sched_getaffinity(0)), len(models)
    if (max_running or count) > 4 * cpus and count > 4 * cpus:
        logger.warning("%s: %d members at once on %d CPUs; max_running=%d runs fewer at a time", name, count, cpus, cpus)
    for each in batch_settings(entities):
        for option, why in ignored_here(each).items():
            no_effect(f"{name}: {option}", why)


def missing_programs(settings: RunSettings) -> list[str]:
    """The programs of `settings` that this machine does not have."""
    return [program for program in needed_programs(settings) if not os.path.isabs(program) or not is_here(program)]


def ignored_here(settings: BatchSettings) -> dict[str, str]:
    """The options of a batch job that have no effect on this machine, and why."""
    return dict.fromkeys(LOCAL.without_effect(portable_options(settings)), BASH)


def batch_settings(entities: Iterable[Model | Ensemble]) -> Iterator[BatchSettings]:
    """The settings of the batch jobs of `entities`, and of the members of those that are none."""
    for entity in entities:
        if entity.batch_settings is not None:
            yield entity.batch_settings
        elif isinstance(entity, Ensemble):
            yield from (model.batch_settings for model in entity if model.batch_settings is not None)


def member_notes(settings: RunSettings) -> Iterator[str]:
    """What the reader of a preview should know of `settings`: what has no effect, and what is not here."""
    yield from notes(without_effect(settings))
    for program in missing_programs(settings):
        spelling = f"; its options are shown in {row.name}'s words" if (row := stand_in(program)) else ""
        yield f"{program} is not on this machine, and start needs it{spelling}"


def batch_notes(batch: Batch) -> Iterator[str]:
    """What the reader of a preview should know of a batch job: what has no effect, and what only its scheduler can say."""
    if not batch.scheduler.control:
        yield from notes(ignored_here(batch.settings))
    elif not (batch.plan and batch.plan.node_cpus):
        yield f"{batch.scheduler.name} does not answer here; start computes the sizes that the settings leave open"
