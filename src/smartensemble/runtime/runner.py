"""Run models and batch jobs of one experiment, and keep account of them: its own, and those of others in its directory."""

import errno
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from smartensemble.command import Command
from smartensemble.ensemble import Ensemble
from smartensemble.errors import StateError
from smartensemble.model import Model, refresh_by
from smartensemble.runtime.jobs.allocation import Allocation
from smartensemble.runtime.jobs.batch import Batch
from smartensemble.runtime.jobs.queue import queue
from smartensemble.runtime.jobs.share_out import batch_jobs
from smartensemble.runtime.journal.history import History, refuse_part
from smartensemble.runtime.journal.journal import FOLDER, Entry, Journal
from smartensemble.runtime.journal.lock import Lock
from smartensemble.runtime.local.launcher import detach, local
from smartensemble.runtime.local.protocol import Job, Launcher
from smartensemble.runtime.outcome import settle
from smartensemble.runtime.standalone.limits import KILL_GRACE_S
from smartensemble.schedulers import SCHEDULERS
from smartensemble.status import Run, Status

logger = logging.getLogger(__name__)

CHUNK = 16  #: members whose directories are written while those before them start
FIRST_REFRESH_S = 0.01  #: seconds between two looks after a start, so that the end of a short job is soon known
DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  #: the disk is full, or what one may have of it
REFRESH_S = 0.05  #: seconds between two looks at the files of batch jobs, and of members that others run


class Runner:
    """What runs in an experiment's directory."""

    def __init__(self, name: str, directory: str, launcher: str) -> None:
        self.name = name
        self.launcher_name = launcher
        self.scheduler = SCHEDULERS[launcher]
        self.history = History(Path(directory, FOLDER))
        self._lock = Lock(self.history.folder)
        self._turn = threading.Lock()  #: held by the one thread that generates or starts
        self._launcher: Launcher | None = None
        self._batches: list[Batch] = []
        self._started = 0.0  #: when jobs were last submitted
        self._own: list[Run] = []  #: runs that end with this process; when the last ones have ended, the lock is given back

    @contextmanager
    def alone(self) -> Iterator[None]:
        """No other thread of this process generates or starts here meanwhile.

        :raises StateError: there is no room for what is written meanwhile.
        """
        with self._turn:
            try:
                yield
            except OSError as error:
                if error.errno not in DISK_FULL:
                    raise
                where = f" at {error.filename2 or error.filename}" if error.filename else ""
                raise StateError(f"{self.name}: {error.strerror}{where}; make room, and do it again") from error
            finally:
                self._settle()

    def claim(self) -> None:
        """Take the right to generate and start here, which one process has at a time, until nothing of its own runs.

        :raises StateError: another driver has it.
        """
        self._lock.acquire(self.name)

    def adopt(self, models: Sequence[Model]) -> None:
        """Give models that were not started here the record of the last run in their directory, if their parameters agree."""
        if not self.history.last:
            return
        for model in models:
            entry = self.history.last.get(model.path)
            if entry and model.run.status is Status.NEW and not model.generated and entry.params == model.params:
                model.run = entry.run
                refresh_by(model, self.refresh)

    def check_free(self, paths: Sequence[str]) -> None:
        """An error, unless nothing runs in the directories `paths`."""
        self.refresh()
        for path in paths:
            if (entry := self.history.last.get(path)) and entry.run.status.active:
                raise StateError(f"{entry.name}: runs in {path}; wait for it or stop it first")

    def check(self) -> None:
        """An error, unless programs can be run here."""
        if self.scheduler.control:
            queue(self.scheduler.name).check()
        else:
            self.ready()

    def ready(self) -> Launcher:
        """The launcher, with which programs can be run here. Steps of an allocation are started from here too."""
        self._launcher = local()
        return self._launcher

    def start(
        self,
        entities: Sequence[Model | Ensemble],
        models: Sequence[Model],
        at_once: int | None,
        detached: bool,
        write: Callable[[Sequence[Model]], None],
        command: Callable[[Model], Command],
    ) -> None:
        """Start `models`, which are those of `entities`: on their own, or in the batch jobs that these ask for.

        Each runs by its `command`, which knows of databases. Where all may run at once, members run while `write` writes the
        directories of those after them.
        """
        runs = [Run(Status.QUEUED, number=number) for number, _ in enumerate(models, 1)]
        run_of = {model.path: run for model, run in zip(models, runs, strict=True)}
        allocation = Allocation(self.name, self.scheduler)
        batches, at_once = self._share_out(allocation, entities, run_of, models, at_once, command)
        submitted = [batch for batch in batches if batch.plan]
        first = len(models) if batches or detached or at_once else CHUNK
        write(models[:first])  # before anything counts as started: a full disk starts nothing
        for batch in batches:
            batch.write(at_once)
            batch.run.number = len(runs) + 1
            runs.append(batch.run)
        inside = {id(run): batch.run.number for batch in batches for _, run in batch.members}
        entries = [
            Entry(run.number, model.name, model.path, run, dict(model.params), model.time_limit, inside.get(id(run)))
            for model, run in zip(models, runs, strict=False)
        ]
        entries += [
            Entry(batch.run.number, batch.name, str(batch.directory), batch.run, None, batch.command.time_limit)
            for batch in batches
        ]
        journal = self.history.begin(entries, detached)
        for model in models:
            model.run = run_of[model.path]
            refresh_by(model, self.refresh)

        def jobs(begin: int, end: int) -> list[Job]:
            steps = [(command(model), model.run) for model in models[begin:end] if id(model.run) not in inside]
            return [(allocation.step(each), run) for each, run in steps]

        self._submit(submitted, journal, [entry for entry in entries if entry.batch is None and entry.params is not None])
        first_jobs = jobs(0, first) + [(batch.command, batch.run) for batch in batches if not batch.plan]
        if detached and first_jobs:
            detach(first_jobs, journal.path, at_once)
        elif not detached:
            self._own += runs
            self._batches += batches
            if first_jobs:
                self.ready().start(first_jobs, journal.path, at_once)
            for begin in range(first, len(models), CHUNK):
                try:
                    write(models[begin : begin + CHUNK])
                    self.ready().start(jobs(begin, begin + CHUNK), journal.path, at_once)
                except BaseException:  # a full disk, Ctrl-C: a start is whole, or it is taken back
                    self.ready().start(jobs(begin, len(models)), journal.path, at_once=0)
                    self.stop(runs, KILL_GRACE_S)
                    raise

    def check_room(self, entities: Sequence[Model | Ensemble], models: Sequence[Model], at_once: int | None) -> None:
        """An error, unless the cluster has room for `models`: said before a database waits for its own, perhaps for hours."""
        if self.scheduler.control:
            allocation, runs = Allocation(self.name, self.scheduler), {model.path: Run() for model in models}
            self._share_out(allocation, entities, runs, models, at_once, lambda model: model.command)

    def _share_out(
        self,
        allocation: Allocation,
        entities: Sequence[Model | Ensemble],
        runs: dict[str, Run],
        models: Sequence[Model],
        at_once: int | None,
        command: Callable[[Model], Command],
    ) -> tuple[list[Batch], int | None]:
        """The batch jobs of `models`, and how many of those that are in none may run at once; an error, if one never can."""
        batches = list(batch_jobs(entities, runs, command, self.scheduler, at_once))
        batched = {id(run) for batch in batches for _, run in batch.members}
        alone = [model for model in models if id(runs[model.path]) not in batched]
        if alone and self.scheduler.control:
            at_once = allocation.check([command(model) for model in alone], at_once)
        return batches, at_once

    def job_in(self, path: str) -> str:
        """The number of a job that an earlier driver has left, and whose files are in the directory `path`; or nothing."""
        self.history.refresh()
        left = [
            entry
            for journal in self.history.journals
            for entry in journal.entries.values()
            if entry.path == path and entry.run.job and entry.run.status.active
        ]
        return next((entry.run.job for entry in left if queue(entry.scheduler).has(entry.run.job)), "")

    def _submit(self, batches: Sequence[Batch], journal: Journal, others: Sequence[Entry] = ()) -> None:
        """Hand jobs to the scheduler: all of them, or none; and then `others` are not started either."""
        jobs = queue(self.scheduler.name) if batches else None
        self._started = time.monotonic()
        for batch in batches:
            assert jobs
            try:
                jobs.submit(batch, partial(journal.note, batch.run.number, batch.name))
            except BaseException as error:
                why = str(error) or f"not started, for {type(error).__name__}"
                refused = [(each.run, each.command) for each in batches if not each.run.job]
                for run, command in [*refused, *((entry.run, entry.command) for entry in others)]:
                    settle(run, command, "failed", why, time.time())
                    journal.note(run.number, command.name, "failed", why)
                for each in batches:
                    each.refresh()
                self._batches += [each for each in batches if each.run.job]
                jobs.cancel([each for each in batches if each.run.job])
                raise

    def serve(self, commands: Sequence[Command], detached: bool, given: Sequence[Run] | None = None) -> tuple[list[Run], Path]:
        """Start servers, which run beside members: nobody waits for their end, and they keep nobody from starting others.

        It returns their runs, and their journal, by which another process can stop them.
        """
        runs = list(given or [Run() for _ in commands])
        for number, run in enumerate(runs, 1):
            run.status, run.number = Status.QUEUED, number
        jobs = list(zip(commands, runs, strict=True))
        entries = [Entry(run.number, command.name, str(command.cwd), run) for command, run in jobs]
        journal = self.history.begin(entries, detached)
        if detached:
            detach(jobs, journal.path)
        else:
            self.ready().start(jobs, journal.path, service=True)
        return runs, journal.path

    def serve_in_job(self, batch: Batch) -> None:
        """Hand servers to the scheduler as a job. It outlives this process, and nobody waits for its end."""
        runs = [*(run for _, run in batch.members), batch.run]
        for number, run in enumerate(runs, 1):
            run.number = number
        job = len(runs)
        entries = [Entry(run.number, each.name, str(each.cwd), run, batch=job) for each, run in batch.members]
        entries.append(Entry(job, batch.name, str(batch.directory), batch.run, None, batch.command.time_limit))
        journal = self.history.begin(entries, detached=False)
        batch.write()
        self._submit([batch], journal)
        self._batches.append(batch)

    def stop(self, runs: Sequence[Run], grace: float) -> None:
        """End `runs` and all that they started. It returns when they have ended."""
        asked = {id(run) for run in runs}
        ours = [run for run in runs if run.handle]
        for batch in self._batches:
            mine = [run for _, run in batch.members]
            if asked.issuperset(map(id, mine)):
                ours.append(batch.run)
            elif any(run.status.active and id(run) in asked for run in mine):
                refuse_part(batch.name)
        cancelled = [batch for batch in self._batches if batch.run.job and batch.run in ours]
        for batch in cancelled:
            queue(batch.scheduler.name).cancel([batch])
        ours = [run for run in ours if run.handle]
        theirs = self.history.stop(runs, grace)
        if ours and self._launcher and (left := self._launcher.stop(ours, grace)):
            logger.warning("%s: processes %s did not end, even by SIGKILL", self.name, ", ".join(map(str, left)))
        self.wait(lambda: all(batch.run.status.final for batch in cancelled))
        if not self.wait(lambda: all(run.status.final for run in theirs), grace + 2 * KILL_GRACE_S):
            logger.warning("%s: members of another process did not end; look at its journal", self.name)
        self.refresh()

    def stop_own(self, grace: float) -> None:
        """End what this process runs; what is detached, or somebody else's, goes on."""
        self.stop(list(self._own), grace)

    def refresh(self) -> None:
        """Take in the news that are there, without waiting."""
        self.wait(lambda: False, 0)

    def wait(self, until: Callable[[], bool], timeout: float | None = None) -> bool:
        """Take in news until `until` holds; False if `timeout` seconds pass before, or no news can come."""
        limit = None if timeout is None else time.monotonic() + timeout
        while True:
            if self._launcher and not self._launcher.alive:
                self._launcher = None  # it has said so to all that it ran
            pace = min(REFRESH_S, max(FIRST_REFRESH_S, (time.monotonic() - self._started) / 50))
            waits = [pace] * bool(self._batches or self.history.active)
            waits += [] if limit is None else [max(0.0, limit - time.monotonic())]
            if self._launcher:
                if self._launcher.wait(lambda: self._news(until), min(waits, default=None)):
                    return True
            elif self._news(until):
                return True
            elif waits and (limit is None or time.monotonic() < limit):
                time.sleep(min(waits))
            if not waits or (limit is not None and time.monotonic() >= limit):
                return until()

    def _news(self, until: Callable[[], bool]) -> bool:
        """Look at the files of batch jobs and of others, and whether `until` holds then."""
        for batch in list(self._batches):  # another thread may add to it
            if batch.run.job:
                queue(batch.scheduler.name).refresh()
            else:
                batch.refresh()
            if batch.run.status.final:
                with suppress(ValueError):  # another thread was quicker
                    self._batches.remove(batch)
        self.history.refresh()
        self._give_back()
        return until()

    def _give_back(self) -> None:
        """Let other drivers generate and start here when nothing of ours runs, unless a thread of ours is about to."""
        if self._turn.acquire(blocking=False):
            try:
                self._settle()
            finally:
                self._turn.release()

    def _settle(self) -> None:
        while self._own and self._own[-1].status.final:
            self._own.pop()
        if not self._own:
            self._lock.release()
