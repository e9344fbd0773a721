"""Run the models and batch jobs of one experiment, and record their runs, and those of other processes in its directory."""

import time
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from functools import partial
from itertools import chain
from pathlib import Path
from weakref import WeakValueDictionary

from smartensemble.command import Command
from smartensemble.ensemble import Ensemble
from smartensemble.errors import StateError
from smartensemble.model import Model, is_generated, track
from smartensemble.results import notes
from smartensemble.results.table import Seconds
from smartensemble.runtime.jobs.batch import Batch
from smartensemble.runtime.jobs.queue import queue
from smartensemble.runtime.journal.entry import Entry
from smartensemble.runtime.journal.history import History, refuse_part
from smartensemble.runtime.journal.journal import FOLDER, Journal
from smartensemble.runtime.local.launcher import detach, local
from smartensemble.runtime.local.protocol import Job, Launcher
from smartensemble.runtime.outcome import settle
from smartensemble.runtime.ownership import Grounds
from smartensemble.runtime.standalone.errors import KILL_GRACE_S
from smartensemble.runtime.standalone.journal_lines import RENEW_S
from smartensemble.runtime.turns import Turns
from smartensemble.schedulers import check_built, scheduler
from smartensemble.status import Run, Status

logger = notes.logger(__name__)

FIRST_REFRESH_S = 0.01  #: seconds between two looks after a start, so a short job's end shows soon
REFRESH_S = 0.05  #: seconds between two looks at the files of batch jobs, and of members that others run
LISTING_AGE_S = 0.05  #: seconds until journals are listed again whose folder seems unchanged, while nothing depends on it
STOP_TIMEOUT_S = 120.0  #: until a scheduler has ended jobs that it was told to cancel


class Runner:
    """What runs in an experiment's directory."""

    def __init__(self, name: str, directory: str, launcher: str) -> None:
        self.name = name
        self.directory = directory
        self.launcher_name = launcher
        self.scheduler = scheduler(launcher)
        self.history = History(Path(directory, FOLDER))
        self.turns = Turns(name, self.history.folder)
        self._launcher: Launcher | None = None
        self._batches: list[Batch] = []
        self._started = 0.0  #: when jobs were last submitted
        self.known: WeakValueDictionary[int, Model | Ensemble] = WeakValueDictionary()  #: what was made here, by identity

    def adopt(self, models: Sequence[Model]) -> None:
        """Give each model that was not started here the record of the last run in its directory, if the parameters agree."""
        if not self.history.last:
            return
        for model in models:
            entry = self.history.last.get(model.path)
            if entry and model.run.status is Status.NEW and not is_generated(model) and entry.params == model.params:
                track(model, entry.run, self.refresh)

    def grounds(self) -> Grounds:
        """What may be replaced for models of this experiment, and what must stay."""
        known = [(each.name, each.path) for each in list(self.known.values())]
        return Grounds(self.directory, chain(self.history.written, known))

    def check_free(self, paths: Sequence[str]) -> None:
        """An error, unless nothing runs in the directories `paths`."""
        self.refresh()
        self.history.refresh()
        for path in paths:
            if (entry := self.history.last.get(path)) and entry.run.status.active:
                raise StateError(f"{entry.name}: runs in {path}; wait for it or stop it first{self.history.way_out(path)}")

    def check(self) -> None:
        """An error, unless programs can be run here."""
        check_built(self.name, self.launcher_name)
        if self.scheduler.control:
            queue(self.scheduler.name).check()
        else:
            self.ready()

    def ready(self) -> Launcher:
        """The launcher, with which programs can be run here. Steps of an allocation are started from here too."""
        self._launcher = local()
        return self._launcher

    def begin(self, entries: Sequence[Entry], detached: bool, own: Sequence[Run] = ()) -> Journal:
        """Write the journal of a start.

        :param own: runs that end with this process, and keep others from starting here until they have.
        """
        journal = self.history.begin(entries, detached, self.turns.sign)
        self.turns.own += own
        return journal

    def rows(self) -> list[dict[str, object]]:
        """A row of the summary for each started member."""
        return [
            {
                "Name": entry.name,
                "Entity-Type": "Model",
                "JobID": entry.run.handle or "",
                "RunID": 0,
                "Time": Seconds(entry.run.seconds or 0),
                "Status": str(entry.run.status),
                "Returncode": entry.run.exit_code,
            }
            for entry in list(self.history.last.values())
        ]

    def job_in(self, path: str) -> str:
        """The number of a job that an earlier driver has left, and whose files are in the directory `path`; or nothing."""
        self.history.refresh()
        left = [entry for journal in self.history.journals for entry in journal.entries.values() if entry.run.status.active]
        jobs = [entry for entry in left if entry.path == path and entry.run.job]
        return next((entry.run.job for entry in jobs if queue(entry.scheduler).has(entry.run.job)), "")

    def submit(self, batches: Sequence[Batch], journal: Journal) -> None:
        """Hand jobs to the scheduler: all of them, or none.

        :raises StateError: it refuses one of them, or does not answer.
        """
        jobs = queue(self.scheduler.name)
        self._started = time.monotonic()
        try:
            for batch in batches:
                jobs.submit(batch, partial(journal.note, batch.run.number, batch.name), journal.token(batch.run.number))
        except StateError as error:
            self.never_began(((each.run, each.command) for each in batches if not each.run.job), journal, str(error), "failed")
            for each in batches:
                each.refresh()
            submitted = [each for each in batches if each.run.job]
            self._batches += submitted
            jobs.cancel(submitted)
            raise
        self._batches += batches
        for batch in batches:
            batch.refresh()

    def watch(self, batches: Sequence[Batch]) -> None:
        """From now on, read the files of batch jobs that run on this machine."""
        self._batches += batches

    def never_began(
        self, commands: Iterable[tuple[Run, Command]], journal: Journal, why: str, event: str = "cancelled"
    ) -> list[tuple[Run, Command]]:
        """Record that runs never began, in memory and in their journal; those for which there was no room in it."""
        now = time.time()
        unwritten: list[tuple[Run, Command]] = []
        for run, command in commands:
            if not run.status.final:
                settle(run, command, event, why or None, now)
                try:
                    journal.note(run.number, command.name, event, why)
                except OSError:
                    unwritten.append((run, command))
        return unwritten

    def hand_over(self, jobs: Sequence[Job], journal: Journal, max_running: int | None = None, **kind: bool) -> None:
        """Have the launcher run `jobs`, which are a `service`, or after which `more` follow: see ``Local.start``."""
        launcher = self.ready()
        journal.watched_by(launcher.sentinel)
        launcher.start(jobs, journal.path, max_running, **kind)

    def detach(self, jobs: Sequence[Job], journal: Journal, max_running: int | None) -> None:
        """Have a supervisor that outlives this process run `jobs`."""
        if jobs:
            detach(jobs, journal.path, journal.watched_by, max_running)

    def serve(self, commands: Sequence[Command], detached: bool, runs: Sequence[Run] | None = None) -> tuple[list[Run], Path]:
        """Start servers, which run beside members. Nobody waits for their end, and other processes can start members meanwhile.

        It returns their runs and the path of their journal, by which another process can stop them.
        """
        runs = list(runs or [Run() for _ in commands])
        for number, run in enumerate(runs, 1):
            run.status, run.number = Status.QUEUED, number
        jobs = list(zip(commands, runs, strict=True))
        entries = [Entry(run.number, command.name, str(command.cwd), run) for command, run in jobs]
        journal = self.history.begin(entries, detached, self.turns.sign)
        if detached:
            detach(jobs, journal.path, journal.watched_by)
        else:
            self.hand_over(jobs, journal, service=True)
        return runs, journal.path

    def serve_in_job(self, batch: Batch) -> None:
        """Hand servers to the scheduler as a job. It outlives this process, and nobody waits for its end."""
        runs = [*(run for _, run in batch.members), batch.run]
        for number, run in enumerate(runs, 1):
            run.number = number
        job = len(runs)
        entries = [Entry(run.number, each.name, str(each.cwd), run, batch=job) for each, run in batch.members]
        entries.append(Entry(job, batch.name, str(batch.directory), batch.run, None, batch.command.time_limit))
        journal = self.history.begin(entries, detached=False, sign=self.turns.sign)
        batch.write()
        batch.clear()
        self.submit([batch], journal)

    def stop(self, runs: Sequence[Run], grace: float) -> None:
        """End `runs` and all that they started. It returns when they have ended.

        :raises StateError: some of them are a part of a batch job, which ends as a whole.
        """
        batches = whole_jobs(self._batches, set(runs))
        submitted = [batch for batch in batches if batch.run.job]
        for batch in submitted:
            queue(batch.scheduler.name).cancel([batch])
        ours = [run for run in (*runs, *(batch.run for batch in batches)) if run.handle]
        theirs = self.history.stop(runs, grace)
        if ours and self._launcher and (left := self._launcher.stop(ours, grace)):
            logger.warning("%s: processes %s did not end, even by SIGKILL", self.name, ", ".join(map(str, left)))
        self._wait_for_ends([batch.run for batch in submitted], STOP_TIMEOUT_S)
        # From another machine, a supervisor is asked by a file, which it finds when it looks.
        self._wait_for_ends(theirs, STOP_TIMEOUT_S if self.scheduler.control else grace + 2 * KILL_GRACE_S + 2 * RENEW_S)
        self.refresh()

    def _wait_for_ends(self, runs: Sequence[Run], limit: float) -> None:
        """Wait until `runs` have ended, as long as now and then some do: their driver may still be handing the others over.

        :raises StateError: none has for `limit` seconds.
        """
        while active := [run for run in runs if not run.status.final]:
            if not self.wait(partial(fewer, active, len(active)), limit):
                raise StateError(f"{self.name}: {self.history.unended(active)}")

    def stop_own(self, grace: float) -> None:
        """End what this process runs; what is detached, or somebody else's, goes on."""
        self.stop(list(self.turns.own), grace)

    def refresh(self) -> None:
        """Read the news that have come, without waiting."""
        self.wait(lambda: False, 0)

    def wait(self, until: Callable[[], bool], timeout: float | None = None) -> bool:
        """Read news until `until` holds; False if that takes more than `timeout` seconds, or if no news can come.

        :raises Cancelled: the start or generate that waits was cancelled.
        """
        limit = None if timeout is None else time.monotonic() + timeout
        while True:
            self.turns.check()
            if self._launcher and not self._launcher.alive:
                self._launcher = None  # it has said so to all that it ran
            pause = self._pause(limit)
            if self._launcher:
                if self._launcher.wait(lambda: self._news(until), pause):
                    return True
            elif self._news(until):
                return True
            elif pause:
                time.sleep(pause)
            if pause is None or (limit is not None and time.monotonic() >= limit):
                return until()

    def _pause(self, limit: float | None) -> float | None:
        """Seconds until the next look at files; None if there are no files to look at."""
        pauses = [] if limit is None else [max(0.0, limit - time.monotonic())]
        if self._batches or self.history.active or self.turns.mine:
            pauses.append(min(REFRESH_S, max(FIRST_REFRESH_S, (time.monotonic() - self._started) / 50)))
        return min(pauses, default=None)

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
        self.history.refresh(LISTING_AGE_S)
        self.turns.give_back()
        return until()


def whole_jobs(batches: Iterable[Batch], runs: Collection[Run]) -> list[Batch]:
    """The batch jobs all of whose members are among `runs`.

    :raises StateError: `runs` has some members of a job that runs, and not the others.
    """
    whole = []
    for batch in batches:
        members = [run for _, run in batch.members]
        if all(run in runs for run in members):
            whole.append(batch)
        elif any(run.status.active and run in runs for run in members):
            refuse_part(batch.name)
    return whole


def fewer(runs: Iterable[Run], count: int) -> bool:
    """Fewer than `count` of `runs` have not ended."""
    return sum(not run.status.final for run in runs) < count
