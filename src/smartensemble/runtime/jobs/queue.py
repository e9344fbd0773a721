"""The jobs that were handed to a scheduler: submit them, know how they stand, cancel them.

How a job stands is known from the files that it writes itself, which are looked at often and cost the scheduler nothing; from
one question for all jobs now and then; and at a job's end from the controller's record, the accounting's, or not at all.
"""

import logging
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import IO

from smartensemble.errors import StateError, UnsupportedError
from smartensemble.runtime.jobs.batch import BY_SIGNAL, Batch, written
from smartensemble.runtime.outcome import settle
from smartensemble.schedulers import SCHEDULERS
from smartensemble.schedulers.base import Control, Partition, Scheduler, State, States
from smartensemble.status import Status

logger = logging.getLogger(__name__)

FIRST, RUNNING, PENDING = 0.2, 2.0, 5.0  #: seconds between two questions: at first, and at most while jobs run or wait
GROWTH = 2
SLICE = 8  #: members whose files are looked at in one look
LATE = 10.0  #: seconds that a job's last files, and the accounting's record of it, may come late
LATER = 60.0  #: seconds that a record may come late of which there is a first part: how the job stood before its end
AGAIN = 0.5  #: seconds between two questions for the record of a job
PATIENCE = 30.0  #: seconds that an answer may take
HURRY = 5.0  #: seconds that one may take for which a program has to wait

PLAIN = "the batch job failed"  #: begins a cause that a job's own exit code tells better

#: Writes a line about a job into its journal: an event, and its detail.
Note = Callable[[str, object], None]


@dataclass
class Watched:
    """A job that has not ended."""

    batch: Batch
    note: Note
    slice: int = 0  #: the member whose files are looked at next
    gone: float | None = None  #: when the scheduler first did not know it any more, or said that it has ended
    said: State | None = None  #: how it ended, by the scheduler's short word
    files: float | None = None  #: when its own exit code was first seen
    next: float = 0.0  #: when its record is asked for again


class Queue:
    """The jobs of this process with one scheduler."""

    def __init__(self, scheduler: Scheduler) -> None:
        assert scheduler.control
        self.scheduler = scheduler
        self.control: Control = scheduler.control
        self.questions = 0  #: that were put to the controller
        self._jobs: dict[int, Watched] = {}  #: by its record: two experiments of one process may watch one job
        self._turn = threading.Lock()
        self._every, self._next = FIRST, 0.0
        self._asking: tuple[subprocess.Popen[bytes], IO[bytes], IO[bytes], list[str], float] | None = None

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
            return self.control.read_partitions(ask(self.control.partitions))
        except StateError as error:
            raise StateError(f"{error}; run this where {self.scheduler.name} answers, or with launcher='local'") from None

    def has(self, job: str) -> bool:
        """A job waits or runs, now.

        :raises StateError: the scheduler does not answer.
        """
        try:
            state = self.control.read(ask(self.control.query([job]))).get(job)
        except StateError as error:
            if self.control.unknown and self.control.unknown in str(error):
                return False
            raise
        return state is not None and not state[0].final

    def submit(self, batch: Batch, note: Note) -> None:
        """Hand a job to the scheduler.

        :raises StateError: it refuses the job.
        """
        # In a thread, since Ctrl-C is to wait for the answer: a job whose number nobody knows could not be cancelled.
        with ThreadPoolExecutor(1) as thread:
            thread.submit(self._submit, batch, note).result()

    def _submit(self, batch: Batch, note: Note) -> None:
        try:
            batch.run.job = self.control.job(ask((*self.control.submit, str(batch.script)), shielded=True))
        except StateError as error:
            raise StateError(f"{batch.name}: was refused by {self.scheduler.name}: {error}") from None
        array = {"array": True} if batch.array else {}
        note("submitted", {"scheduler": self.scheduler.name, "job": batch.run.job, **array})
        logger.info("%s: submitted as job %s", batch.name, batch.run.job)
        self.watch(batch, note)

    def watch(self, batch: Batch, note: Note) -> None:
        """Keep the record of a submitted job up to date from now on."""
        with self._turn:
            if id(batch.run) not in self._jobs and not batch.run.status.final:
                self._jobs[id(batch.run)] = Watched(batch, note)
                self._every, self._next = FIRST, time.monotonic() + FIRST

    def cancel(self, batches: Iterable[Batch]) -> None:
        """End jobs, and all that they started. It returns at once; how they end is told by looks."""
        live = [batch for batch in batches if not batch.run.status.final]
        for batch in live:
            batch.run.stopping = True
        if live:
            ask((*self.control.cancel, *(batch.run.job for batch in live)))
            self._every, self._next = FIRST, time.monotonic()

    def look(self) -> None:
        """Take in what files and the scheduler say. Only for the record of a job that has gone is anybody waited for."""
        if not self._jobs or not self._turn.acquire(blocking=False):  # another thread looks
            return
        try:
            for key, watched in list(self._jobs.items()):
                self._look_at(watched)
                if watched.batch.run.status.final:
                    watched.batch.look()
                    del self._jobs[key]
            self._listen()
            if not self._jobs and self._asking:  # nobody waits for the answer
                process, out, errors, *_ = self._asking
                self._asking = None
                process.kill()
                process.wait()
                out.close()
                errors.close()
        finally:
            self._turn.release()

    def catch_up(self) -> None:
        """Take in how all jobs stand now, and wait for the answer: those of a driver that is gone may have ended long ago."""
        with self._turn:
            jobs = sorted({watched.batch.run.job for watched in self._jobs.values()})
            try:
                states = self.control.read(ask(self.control.query(jobs), patience=HURRY)) if jobs else {}
            except StateError as error:
                if not self.control.unknown or self.control.unknown not in str(error):
                    return  # it is away, or this is another machine: what is known is what the files say
                states = {}
            self._take(states, jobs)
        self.look()

    # --- one job ----------------------------------------------------------------------------------------------------

    def _look_at(self, watched: Watched) -> None:
        batch, run = watched.batch, watched.batch.run
        command = batch.command
        if run.started is None:
            if (started := written(f"{command.cwd}/{command.name}.started")) is None and watched.gone is None:
                return
            run.started, run.status = started, Status.RUNNING
        batch.look(watched.slice, watched.slice + SLICE)
        watched.slice = watched.slice + SLICE if watched.slice + SLICE < len(batch.members) else 0
        if (ended := written(f"{command.cwd}/{command.name}.exit")) and (code := batch.code()) is not None:
            if code == 0:
                self._end(watched, "exit", 0, ended)
            elif watched.files is None:
                watched.files = time.time()
                self._next = time.monotonic()  # why it failed, the scheduler knows
        if not run.status.final and watched.gone is not None:
            self._conclude(watched)

    def _conclude(self, watched: Watched) -> None:
        """Settle a job that the scheduler has done with: by its record, the accounting's, or its exit code."""
        batch, now = watched.batch, time.time()
        job, late = batch.run.job, now - (watched.gone or now)
        if now < watched.next:
            return None
        watched.next = now + AGAIN
        begun = False
        for record in self.control.records:
            states = record.read(ask(record.ask(job), ""))
            if not (state := states.get(job)):
                continue
            begun = begun or not state[0].final
            if state[0].final and not (state[0] is Status.COMPLETED and batch.code() is None and late < LATE):
                return self._end_by(watched, state, states)
        if watched.said and watched.said[0] in (Status.FAILED, Status.CANCELLED):
            return self._end_by(watched, watched.said)
        waited = late > (LATER if begun else LATE)
        if (code := batch.code()) is not None and (waited or code not in BY_SIGNAL):  # whose signal it was, a record may tell
            return self._end(watched, "exit", code, now)
        if waited:
            name = self.scheduler.name
            self._end(watched, "unknown", f"{name} knows nothing of job {job} any more, and it left no exit code", now)
        return None

    def _end_by(self, watched: Watched, state: State, states: States | None = None) -> None:
        batch, (status, cause) = watched.batch, state
        event = {Status.COMPLETED: "exit", Status.CANCELLED: "cancelled"}.get(status, "failed")
        if batch.array:
            batch.tasks.update(tasks(batch.run.job, states or {}))
        if cause.startswith(PLAIN) and (code := batch.code()) is not None:
            return self._end(watched, "exit", code, time.time())  # it came to its end, so each member says how it ended
        if status is Status.COMPLETED and batch.code() is None:
            event, cause = "unknown", "the batch job completed, it is said, but it left no exit code"
        return self._end(watched, event, 0 if event == "exit" else cause, time.time())

    def _end(self, watched: Watched, event: str, detail: int | str, when: float) -> None:
        run = watched.batch.run
        settle(run, watched.batch.command, event, detail, when)
        run.last_lines = ()  # its members say what they wrote
        watched.note(event, detail)
        logger.info("%s: job %s: %s %s", watched.batch.name, run.job, run.status, run.cause)

    # --- the question for all jobs ------------------------------------------------------------------------------------

    def _listen(self) -> None:
        """Put the question when it is time to, and take in the answer when it is there."""
        if self._asking:
            process, out, errors, jobs, since = self._asking
            if process.poll() is None:
                if time.monotonic() > since + PATIENCE:
                    process.kill()
                    process.wait()
                else:
                    return
            self._asking = None
            with out, errors:
                out.seek(0)
                errors.seek(0)
                answer, refusal = out.read().decode(errors="replace"), errors.read().decode(errors="replace")
            if process.returncode == 0 or (self.control.unknown and self.control.unknown in refusal):
                self._take(self.control.read(answer), jobs)
        elif self._jobs and time.monotonic() >= self._next:
            asked = sorted({watched.batch.run.job for watched in self._jobs.values()})
            out, errors = tempfile.TemporaryFile(), tempfile.TemporaryFile()  # noqa: SIM115
            words = self.control.query(asked)
            try:
                process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=out, stderr=errors, process_group=0)
            except OSError:  # the directory is looked at on a machine that is none of the cluster's
                out.close()
                errors.close()
                self._next = time.monotonic() + PENDING
                return
            self._asking = (process, out, errors, asked, time.monotonic())
            self.questions += 1
            running = any(watched.batch.run.started for watched in self._jobs.values())
            self._every = min(self._every * GROWTH, RUNNING if running else PENDING)
            self._next = time.monotonic() + self._every

    def _take(self, states: dict[str, State], jobs: Sequence[str]) -> None:
        for watched in self._jobs.values():
            if watched.batch.run.job not in jobs:  # it was submitted after the question
                continue
            if watched.batch.array:
                watched.batch.tasks.update(tasks(watched.batch.run.job, states))
            status, cause = watched.said = states.get(watched.batch.run.job, (Status.UNKNOWN, ""))
            if status.final:
                watched.gone = watched.gone or time.time()
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


def ask(
    words: Sequence[str],
    instead: str | None = None,
    patience: float = PATIENCE,
    errors: bool = False,
    shielded: bool = False,
) -> str:
    """What a command of the scheduler's prints; `instead` if it fails, or an error with its words.

    :param shielded: Ctrl-C does not reach it.
    """
    try:
        done = subprocess.run(
            words,
            capture_output=True,
            text=True,
            errors="replace",  # names of files may be any bytes
            timeout=patience,
            check=False,
            stdin=subprocess.DEVNULL,
            process_group=0 if shielded else None,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        if instead is not None:
            return instead
        raise StateError(f"{words[0]}: {error}; is the scheduler there?") from None
    if done.returncode == 0:
        return done.stdout + done.stderr * errors
    if instead is not None:
        return instead
    said = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
    raise StateError(f"{words[0]}: {'; '.join(line.removeprefix(f'{words[0]}: error: ') for line in said)}")


@cache
def queue(scheduler: str) -> Queue:
    """The queue of this process, by the scheduler's name."""
    return Queue(SCHEDULERS[scheduler])
