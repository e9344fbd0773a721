"""Submit jobs to a scheduler, follow their status, and cancel them.

The status of a job comes from three sources. The files that the job writes are read often, and cost the scheduler nothing. One
query for all jobs runs now and then. When a job has ended, the controller has a record of it, or else the accounting.
"""

import shutil
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache

from smartensemble.errors import StateError, UnsupportedError
from smartensemble.results import notes
from smartensemble.runtime.jobs.batch import Batch, written
from smartensemble.runtime.jobs.query import QUICK_ANSWER_TIMEOUT_S, Question, query
from smartensemble.runtime.jobs.verdict import PLAIN, JobEvidence, Verdict, conclusive, job_verdict
from smartensemble.runtime.outcome import settle
from smartensemble.schedulers import SCHEDULERS
from smartensemble.schedulers.base import Control, Partition, Scheduler, State, States
from smartensemble.status import Run, Status

logger = notes.logger(__name__)

FIRST_QUERY_S = 0.2  #: seconds until the first question
RUNNING_QUERY_S, PENDING_QUERY_S = 2.0, 5.0  #: at most between two questions, while jobs run or wait
QUERY_GROWTH = 2  #: each pause is so many times the one before
MEMBERS_AT_A_TIME = 8  #: whose files one refresh reads
RECORD_RETRY_S = 0.5  #: seconds between two questions for the record of a job

#: Writes a line about a job into its journal: an event, and its detail.
Note = Callable[[str, object], None]


@dataclass
class Watched:
    """A job that has not ended."""

    batch: Batch
    note: Note
    slice: int = 0  #: the member whose files are looked at next
    gone: float | None = None  #: when the scheduler first did not know it any more, or said that it has ended; monotonic
    queried: State | None = None  #: how it ended, as the query for all jobs says
    files: float | None = None  #: when its own exit code was first seen
    next: float = 0.0  #: when to read its record again


class Queue:
    """The jobs of this process with one scheduler."""

    def __init__(self, scheduler: Scheduler) -> None:
        assert scheduler.control
        self.scheduler = scheduler
        self.control: Control = scheduler.control
        self.questions = 0  #: that were put to the controller
        self._jobs: dict[Run, Watched] = {}  #: by its record: two experiments of one process may watch one job
        self._turn = threading.Lock()
        self._every, self._next = FIRST_QUERY_S, 0.0
        self._question: Question | None = None

    def check(self) -> None:
        """An error, unless the scheduler's programs are there."""
        for program in (self.control.submit[0], self.control.cancel[0]):
            if not shutil.which(program):
                raise UnsupportedError(
                    f"launcher {self.scheduler.name!r}: no program {program!r} on PATH; run this on a machine of the cluster"
                )

    def partitions(self) -> list[Partition]:
        """The partitions that jobs may ask for.

        :raises StateError: the scheduler does not answer.
        """
        try:
            return self.control.read_partitions(query(self.control.partitions))
        except StateError as error:
            raise StateError(f"{error}; run this where {self.scheduler.name} answers, or with launcher='local'") from None

    def has(self, job: str) -> bool:
        """A job waits or runs, now.

        :raises StateError: the scheduler does not answer.
        """
        try:
            state = self.control.read(query(self.control.query([job]))).get(job)
        except StateError as error:
            if self.control.unknown_job and self.control.unknown_job in str(error):
                return False
            raise
        return state is not None and not state[0].final

    def find(self, token: str) -> str:
        """The number of the job that was submitted with `token`; "" if no such job waits or runs.

        :raises StateError: the scheduler does not answer.
        """
        return self.control.read_marks(query(self.control.marks)).get(token, "") if self.control.marks else ""

    def knows(self, job: str, token: str) -> bool:
        """A job waits or runs, known by its number or, if that was never written down, by its token.

        :raises StateError: the scheduler does not answer.
        """
        return self.has(job) if job else bool(self.find(token))

    def submit(self, batch: Batch, note: Note, token: str) -> None:
        """Hand a job to the scheduler. If this process ends before it has read the number, others find the job by `token`.

        :raises StateError: it refuses the job.
        """
        name, options = self.scheduler.name, batch.plan.options if batch.plan else {}
        array = {"array": True} if batch.array else {}
        note("submitting", {"scheduler": name, "token": token, **array})
        argv = (*self.control.submit, *self.control.mark(token, options), str(batch.script))
        try:
            batch.run.job = self.control.job_id(query(argv, shielded=True))
        except StateError as error:
            self._cancel_unanswered(token)
            raise StateError(f"{batch.name}: was refused by {name}: {error}") from None
        note("submitted", {"scheduler": name, "job": batch.run.job, **array})
        logger.info("%s: submitted as job %s", batch.name, batch.run.job)
        self.watch(batch, note)

    def _cancel_unanswered(self, token: str) -> None:
        """End the job that a scheduler took without an answer, if there is one."""
        with suppress(StateError):  # it is away; if it took the job, a later driver finds it by its token
            if job := self.find(token):
                query((*self.control.cancel, job))

    def watch(self, batch: Batch, note: Note) -> None:
        """Keep the record of a submitted job up to date from now on."""
        with self._turn:
            if batch.run not in self._jobs and not batch.run.status.final:
                self._jobs[batch.run] = Watched(batch, note)
                self._every, self._next = FIRST_QUERY_S, time.monotonic() + FIRST_QUERY_S

    def cancel(self, batches: Iterable[Batch]) -> None:
        """End jobs, and all that they started. It returns at once; `refresh` records how they ended."""
        live = [batch for batch in batches if not batch.run.status.final]
        for batch in live:
            batch.run.stopping = True
        if live:
            query((*self.control.cancel, *(batch.run.job for batch in live)))
            self._every, self._next = FIRST_QUERY_S, time.monotonic()

    def refresh(self) -> None:
        """Read the news from the files and from the scheduler. It waits only for the record of a job that has ended."""
        if not self._jobs or not self._turn.acquire(blocking=False):  # another thread looks
            return
        try:
            for key, watched in list(self._jobs.items()):
                self._refresh_job(watched)
                if watched.batch.run.status.final:
                    watched.batch.refresh()
                    del self._jobs[key]
            self._listen()
            if not self._jobs and self._question:
                self._question.drop()
                self._question = None
        finally:
            self._turn.release()

    def catch_up(self) -> None:
        """Read the status of all jobs now, and wait for the answer: the jobs of an earlier driver may have ended long ago."""
        with self._turn:
            jobs = sorted({watched.batch.run.job for watched in self._jobs.values()})
            try:
                states = self.control.read(query(self.control.query(jobs), timeout_s=QUICK_ANSWER_TIMEOUT_S)) if jobs else {}
            except StateError as error:
                if not self.control.unknown_job or self.control.unknown_job not in str(error):
                    return  # it is away, or this is another machine: what is known is what the files say
                states = {}
            self._take(states, jobs)
        self.refresh()

    # --- one job ----------------------------------------------------------------------------------------------------

    def _refresh_job(self, watched: Watched) -> None:
        batch, run = watched.batch, watched.batch.run
        command = batch.command
        if run.started is None:
            if (started := written(f"{command.cwd}/{command.name}.started")) is None and watched.gone is None:
                return
            run.started, run.status = started, Status.RUNNING
        batch.refresh(watched.slice, watched.slice + MEMBERS_AT_A_TIME)
        watched.slice = watched.slice + MEMBERS_AT_A_TIME if watched.slice + MEMBERS_AT_A_TIME < len(batch.members) else 0
        if (ended := written(f"{command.cwd}/{command.name}.exit")) and (code := batch.code()) is not None:
            if code == 0:
                self._end(watched, Verdict("exit", 0), ended)
            elif watched.files is None:
                watched.files = time.monotonic()
                self._next = time.monotonic()  # why it failed, the scheduler knows
        if not run.status.final and watched.gone is not None:
            self._conclude(watched)

    def _conclude(self, watched: Watched) -> None:
        """Settle a job that has left the scheduler, if there is enough evidence."""
        batch, now = watched.batch, time.monotonic()
        if now < watched.next:
            return
        watched.next = now + RECORD_RETRY_S
        code, late_s = batch.code(), now - (watched.gone or now)
        recorded, begun = None, False
        for lookup in self.control.lookups:
            states = lookup.read(query(lookup.command(batch.run.job), ""))
            if not (state := states.get(batch.run.job)):
                continue
            begun = begun or not state[0].final
            if conclusive(state, code, late_s):
                recorded = state
                if batch.array:
                    batch.tasks.update(tasks(batch.run.job, states))
                break
        evidence = JobEvidence(self.scheduler.name, batch.run.job, recorded, watched.queried, code, begun, late_s)
        if verdict := job_verdict(evidence):
            self._end(watched, verdict, time.time())

    def _end(self, watched: Watched, verdict: Verdict, when: float) -> None:
        run = watched.batch.run
        settle(run, watched.batch.command, verdict.event, verdict.detail, when)
        run.last_lines = ()  # its members say what they wrote
        watched.note(verdict.event, verdict.detail)
        logger.info("%s: job %s: %s %s", watched.batch.name, run.job, run.status, run.cause)

    # --- the question for all jobs ------------------------------------------------------------------------------------

    def _listen(self) -> None:
        """Ask the scheduler when the next query is due, and read the answer when it has come."""
        if self._question:
            if not self._question.ended:
                return
            question, self._question = self._question, None
            succeeded, answer, errors = question.read()
            if succeeded or (self.control.unknown_job and self.control.unknown_job in errors):
                self._take(self.control.read(answer), question.jobs)
        elif self._jobs and time.monotonic() >= self._next:
            jobs = sorted({watched.batch.run.job for watched in self._jobs.values()})
            try:
                self._question = Question(self.control.query(jobs), jobs)
            except OSError:  # somebody reads the directory on a machine that is not of the cluster
                self._next = time.monotonic() + PENDING_QUERY_S
                return
            self.questions += 1
            running = any(watched.batch.run.started for watched in self._jobs.values())
            self._every = min(self._every * QUERY_GROWTH, RUNNING_QUERY_S if running else PENDING_QUERY_S)
            self._next = time.monotonic() + self._every

    def _take(self, states: dict[str, State], jobs: Sequence[str]) -> None:
        for watched in self._jobs.values():
            if watched.batch.run.job not in jobs:  # it was submitted after the question
                continue
            if watched.batch.array:
                watched.batch.tasks.update(tasks(watched.batch.run.job, states))
            status, cause = watched.queried = states.get(watched.batch.run.job, (Status.UNKNOWN, ""))
            if status.final:
                watched.gone = watched.gone or time.monotonic()
            elif status is Status.RUNNING:
                watched.batch.run.status = Status.RUNNING
            else:
                watched.batch.run.cause = cause


def tasks(job: str, states: States) -> dict[int, State]:
    """The tasks of an array that ended by other than their own exit code, by number.

    >>> tasks("12", {"12": (Status.FAILED, "x"), "12_3": (Status.CANCELLED, "the batch job was cancelled")})
    {3: (<Status.CANCELLED: 'Cancelled'>, 'the batch job was cancelled')}
    """
    found = {name.partition("_")[2]: state for name, state in states.items() if name.startswith(f"{job}_")}
    return {
        int(number): (status, cause)
        for number, (status, cause) in found.items()
        if status in (Status.FAILED, Status.CANCELLED) and not cause.startswith(PLAIN)
    }


@cache
def queue(scheduler: str) -> Queue:
    """The queue of this process, by the scheduler's name."""
    return Queue(SCHEDULERS[scheduler])
