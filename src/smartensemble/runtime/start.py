"""A start, and a generate, as a transaction: check, claim, write, journal, hand over; or take all of it back."""

import sys
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from smartensemble.command import Command
from smartensemble.ensemble import Ensemble
from smartensemble.errors import StateError
from smartensemble.files.places import check_places
from smartensemble.model import Model, forget_run, is_generated, track
from smartensemble.results.notes import Notes
from smartensemble.results.table import Table
from smartensemble.runtime import directories
from smartensemble.runtime.directories import Writer
from smartensemble.runtime.input_files import Renderer, TagOptions
from smartensemble.runtime.jobs.allocation import Allocation
from smartensemble.runtime.jobs.batch import Batch
from smartensemble.runtime.jobs.share_out import check_jobs, share_out
from smartensemble.runtime.jobs.this_machine import advise, check_programs
from smartensemble.runtime.journal.entry import Entry
from smartensemble.runtime.journal.journal import Journal
from smartensemble.runtime.own_files import former_members, is_there
from smartensemble.runtime.runner import Runner
from smartensemble.runtime.selection import Selection
from smartensemble.runtime.servers import store
from smartensemble.runtime.servers.colocated import Environment, check_apart
from smartensemble.runtime.servers.registry import Databases
from smartensemble.runtime.transaction import Cancelled, Transaction
from smartensemble.status import Run, Status
from smartensemble.wire.models import Upload

CHUNK = 16  #: members whose directories are written while those before them start


class StartRequest(NamedTuple):
    """What a caller wants to start."""

    chosen: Selection
    max_running: int | None = None
    only_failed: bool = False
    detach: bool = False
    summary: bool = False


class Checked(NamedTuple):
    """The plan of a start, made before anything is written."""

    models: list[Model]  #: that will run
    missing: dict[str, Model]  #: those of them without a directory, by its path
    renderer: Renderer
    uploads: list[Upload]


def generate(
    runner: Runner,
    transaction: Transaction,
    chosen: Selection,
    options: TagOptions,
    overwrite: bool,
) -> None:
    """Write the directories of models, and the indexes of their ensembles: all of them, or none. A start writes databases'.

    :param overwrite: replace directories that are there, and remove those of members that an ensemble no longer has.
    """

    def check_free() -> None:
        runner.check_free([model.path for model in chosen.models])
        if not overwrite:
            directories.check_absent(chosen.models, runner.grounds)

    def check_ours() -> list[str]:
        grounds = runner.grounds()
        grounds.check(chosen.models)
        groups = [each for each in chosen.entities if isinstance(each, Ensemble)]
        former = [path for each in groups for path in former_members(each, grounds)]
        runner.check_free(former)
        return former

    def act() -> None:
        with runner.turns.alone(transaction):
            check_free()  # an error comes before anything is written, even a lock
            former = check_ours() if overwrite else []
            check_places({model.path: model.name for model in chosen.models})
            directories.check_beside(chosen.models)
            renderer = directories.check(chosen.models, options)
            runner.turns.claim()
            check_free()  # another program may have been quicker
            runner.check_free(former)
            writer = Writer(renderer, runner.directory, overwrite)
            try:
                for model in chosen.models:
                    transaction.check()
                    writer.write(model)
                for ensemble in ensembles(chosen.models):
                    writer.write_index(ensemble)
            except BaseException:
                writer.take_back()
                raise
            writer.done()
            for path in former:
                directories.remove(path)
            for model in chosen.models:
                forget_run(model)

    if chosen.models:
        transaction.run(act, None)


def start(runner: Runner, databases: Databases, transaction: Transaction, request: StartRequest) -> list[Model]:
    """Start what is requested: all of it, or nothing; the models that run. None if `Runner.cancel` came first."""

    def act() -> list[Model]:
        with runner.turns.alone(transaction):
            checked = check(runner, databases, request)
            if not checked.models and not request.chosen.databases:
                return []
            runner.turns.claim()
            runner.check_free([model.path for model in checked.models])
            directories.check_absent(checked.missing.values(), runner.grounds)  # another program may have been quicker
            with databases.started(request.chosen.databases, request.detach):
                checked = without(checked, transaction.decide())
                if checked.models:
                    _start_models(runner, databases, request, checked, transaction)
            return checked.models

    nothing: list[Model] = []
    started = transaction.run(act, nothing)
    left_out = frozenset(map(id, request.chosen.models)) if transaction.cancelled else transaction.decide()
    for model in request.chosen.models if left_out else ():
        if id(model) in left_out and model.run.status is Status.NEW:
            track(model, Run(Status.CANCELLED, ended=time.time(), cause="stopped before it started"))
    return started


def check(runner: Runner, databases: Databases, request: StartRequest) -> Checked:
    """The plan of a start, or an error if it cannot work. Nothing is written."""
    runner.check()
    check_programs(request.chosen.models)
    databases.check(request.chosen.databases)
    if request.chosen.models:
        databases.check_reachable()
    runner.check_free([model.path for model in request.chosen.models])
    chosen = [model for model in request.chosen.models if not (request.only_failed and model.run.status is Status.COMPLETED)]
    written = runner.history.written
    missing = {model.path: model for model in chosen if not is_generated(model) and not is_there(model, written)}
    directories.check_absent(missing.values(), runner.grounds)
    check_places({model.path: model.name for model in missing.values()})
    directories.check_beside(missing.values())
    check_jobs(request.chosen.entities, written)
    renderer = directories.check(list(missing.values()), TagOptions())
    check_apart(chosen, [*databases.running, *request.chosen.databases], request.max_running, runner.scheduler)
    uploads = store.stored(runner.name, chosen, bool(request.chosen.databases or databases.running))
    if request.chosen.databases and chosen:  # a database may wait hours for its nodes: report first what its members lack
        Environment(databases.others(request.chosen.databases), runner.scheduler).check(chosen)
        runs = {model.path: Run() for model in chosen}
        share_out(
            runner.name, runner.scheduler, request.chosen.entities, runs, lambda model: model.command, request.max_running
        )
    return Checked(chosen, missing, renderer, uploads)


def without(checked: Checked, left_out: Collection[int]) -> Checked:
    """The same, without the models of the identities `left_out`, which were stopped before their directories were written."""
    if not left_out:
        return checked
    models = [model for model in checked.models if id(model) not in left_out]
    missing = {path: model for path, model in checked.missing.items() if id(model) not in left_out}
    return checked._replace(models=models, missing=missing)


def _start_models(
    runner: Runner, databases: Databases, request: StartRequest, checked: Checked, transaction: Transaction
) -> None:
    """Start the models. Their databases are ready."""
    advise(runner.name, request.chosen.entities, checked.models, request.max_running, runner.scheduler)
    environment = Environment(databases.ready(), runner.scheduler)
    environment.check(checked.models)
    databases.store(checked.uploads)
    if request.summary:
        table = Table({"name": model.name, "command": str(model.command)} for model in checked.models)
        Notes(sys.stdout).say(str(table))
    writer = Writer(checked.renderer, runner.directory)
    act = Start(runner, request, checked, environment.command, writer, transaction)
    try:
        act.prepare()
        act.publish()
        act.hand_over()
    except BaseException as error:
        act.take_back(error)
        raise
    writer.done()


class Start:
    """The start of models, with a record of what it has done so far, to undo all of it.

    Where all may run at once, the first ones run while the directories of those after them are written.
    """

    def __init__(
        self,
        runner: Runner,
        request: StartRequest,
        checked: Checked,
        command: Callable[[Model], Command],
        writer: Writer,
        transaction: Transaction,
    ) -> None:
        self.runner, self.transaction, self.command, self.writer = runner, transaction, command, writer
        self.models, self.missing, self.detach = checked.models, checked.missing, request.detach
        self.runs = {model.path: Run(Status.QUEUED, number=number) for number, model in enumerate(self.models, 1)}
        shares = share_out(runner.name, runner.scheduler, request.chosen.entities, self.runs, command, request.max_running)
        self.batches, self.max_running = shares
        self.batched = {run: batch.run for batch in self.batches for _, run in batch.members}
        for number, batch in enumerate(self.batches, len(self.models) + 1):
            batch.run.number = number
        whole = bool(self.batches or self.detach or self.max_running)
        self.first = len(self.models) if whole else CHUNK  #: models that are written before anything runs
        self.indexes = ensembles(list(self.missing.values()))
        self.journal: Journal | None = None
        self.more_announced = False  #: the launcher waits for more of them

    def prepare(self) -> None:
        """Write directories and scripts before anything counts as started, so a full disk starts nothing."""
        self._write(self.models[: self.first])
        for batch in self.batches:
            self.writer.will_write(str(batch.script))
            batch.write(self.max_running)

    def publish(self) -> None:
        """Record that they are started: in the journal, and in the status of each model."""
        entries = [
            Entry(run.number, model.name, model.path, run, dict(model.params), model.time_limit, self._job_number(run))
            for model, run in zip(self.models, self.runs.values(), strict=True)
        ]
        entries += [
            Entry(batch.run.number, batch.name, str(batch.directory), batch.run, None, batch.command.time_limit)
            for batch in self.batches
        ]
        own = () if self.detach else [entry.run for entry in entries]
        self.journal = self.runner.begin(entries, self.detach, own)
        for model in self.models:
            track(model, self.runs[model.path], self.runner.refresh)

    def hand_over(self) -> None:
        """Give jobs to the scheduler, and members to the launcher, which starts them."""
        assert self.journal
        for batch in self.batches:
            batch.clear()
        if submitted := [batch for batch in self.batches if batch.plan]:
            self._submit(submitted, self.journal)
        local = [batch for batch in self.batches if not batch.plan]
        self.runner.watch([] if self.detach else local)
        jobs = [(batch.command, batch.run) for batch in local]
        if self.detach:
            self.runner.detach([*self._jobs(self.models), *jobs], self.journal, self.max_running)
            return
        for begin in range(0, len(self.models), self.first):
            end = begin + self.first
            if begin:
                self._write(self.models[begin:end])
            jobs += self._jobs(self.models[begin:end])
            more = end < len(self.models)
            if jobs or self.more_announced:
                self.more_announced = more
                self.runner.hand_over(jobs, self.journal, self.max_running, more=more)
            jobs = []

    def _submit(self, batches: Sequence[Batch], journal: Journal) -> None:
        try:
            self.runner.submit(batches, journal)
        except StateError as error:  # then the others are not started either, and for the same reason
            alone = [model for model in self.models if self.runs[model.path] not in self.batched]
            commands = [(self.runs[model.path], self.command(model)) for model in alone]
            self.runner.never_began(commands, journal, str(error), "failed")
            raise

    def take_back(self, error: BaseException) -> None:
        """Record that runs without a launcher or scheduler never began, end the others, and restore the earlier directories."""
        unwritten: list[tuple[Run, Command]] = []
        why = "" if isinstance(error, Cancelled) else f"not started: {error}"
        if self.journal:
            # Not the models' own commands: what those are made from may be what has failed.
            commands = [(self.runs[model.path], Command((), Path(model.path), {}, model.name)) for model in self.models]
            commands += [(batch.run, batch.command) for batch in self.batches]
            never = [each for each in commands if not self._handed_over(each[0])]
            unwritten = self.runner.never_began(never, self.journal, why)
            if self.more_announced:
                self.runner.hand_over([], self.journal, None, more=False)
            self.runner.stop([run for run, _ in commands if not run.status.final], self.transaction.grace)
        self.writer.take_back(keep=lambda model: self.runs[model.path].started is not None)
        if self.journal and unwritten:  # now there is room
            with suppress(OSError):
                self.journal.note_all(((run.number, command.name) for run, command in unwritten), "cancelled", why)

    def _handed_over(self, run: Run) -> bool:
        """A launcher or a scheduler has it, or the job that it is a part of."""
        job = self.batched.get(run, run)
        return bool(job.handle or job.job)

    def _write(self, models: Sequence[Model]) -> None:
        for model in models:
            self.transaction.check()
            if model.path in self.missing:
                self.writer.write(model)
        store.write(models)
        while self.indexes:  # before any member runs, which may read it
            self.writer.write_index(self.indexes.pop())

    def _jobs(self, models: Sequence[Model]) -> list[tuple[Command, Run]]:
        """What the launcher is to run of `models`: those that are in no batch job."""
        allocation = Allocation(self.runner.name, self.runner.scheduler)
        alone = [model for model in models if self.runs[model.path] not in self.batched]
        return [(allocation.step(self.command(model)), self.runs[model.path]) for model in alone]

    def _job_number(self, run: Run) -> int | None:
        job = self.batched.get(run)
        return None if job is None else job.number


def ensembles(models: Sequence[Model]) -> list[Ensemble]:
    """The ensembles that `models` belong to, each once."""
    return list(dict.fromkeys(model.ensemble for model in models if isinstance(model.ensemble, Ensemble)))
