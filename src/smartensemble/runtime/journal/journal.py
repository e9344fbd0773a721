"""What ran in an experiment's directory, on disk as it happens: for people to read, and for other processes to go on from.

There is one file for each start, ``journal/NUMBER.tsv``, so each file has one writer at a time: first the driver, which puts
it into its place complete, then the supervisor, which only appends. That is all that a network file system can be trusted with.
The numbers are the order of the starts. A line has five columns: time, number, member, event, detail:

.. display-only: lines of a journal; the page about starting and stopping shows a real one

::

    2026-11-22T22:10:05.123Z  0  -       driver      {"host": "node1", "pid": 4711, "began": 8123, ...}
    2026-11-22T22:10:05.123Z  1  melt_0  asked       {"path": "/study/melt/melt_0", "params": {"T": "1.5"}}
    2026-11-22T22:10:05.151Z  0  -       sentinel    {"host": "node1", "pid": 4711, "began": 8125, ...}
    2026-11-22T22:10:05.160Z  0  -       supervisor  {"host": "node1", "pid": 4712, "began": 8127, ...}
    2026-11-22T22:10:05.169Z  1  melt_0  started     4713
    2026-11-22T22:10:07.201Z  1  melt_0  exit        0

A batch job that a scheduler has taken has a line ``submitted`` with the scheduler's number. The first driver that learns how
the job ended adds a line about that.

The last event of a member is its status: ``asked``, ``started``, or an outcome as the supervisor names it. Readers skip a line
that is incomplete because a disk was full.

Another process stops members by a file beside the journal, see ``standalone/supervision/stop_requests.py``, and a signal if it
can send one.
"""

import json
import os
import signal
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from smartensemble.checks import opened
from smartensemble.command import Command
from smartensemble.errors import StateError
from smartensemble.runtime.jobs.batch import Batch
from smartensemble.runtime.jobs.queue import queue
from smartensemble.runtime.journal.age import age_s
from smartensemble.runtime.journal.entry import Entry
from smartensemble.runtime.journal.files import publish
from smartensemble.runtime.journal.life import LEASE_S, Life, life, way_out
from smartensemble.runtime.journal.process import Process
from smartensemble.runtime.journal.unwatched import end, left_behind, unwatched
from smartensemble.runtime.outcome import settle
from smartensemble.runtime.standalone.procfs import send
from smartensemble.runtime.standalone.supervision import stop_requests
from smartensemble.schedulers import SCHEDULERS
from smartensemble.settings.batch import BatchSettings
from smartensemble.status import Run, Status

FIND_INTERVAL_S = 1.0  #: between two questions for lost jobs
SUBMIT_S = 35.0  #: a scheduler may take this long to take a job, also after the driver that submits it was killed
SUPERVISOR_START_S = 10.0  #: seconds that a supervisor may take to write its first line
LOOK_INTERVAL_S = 1.0  #: between two looks at the sign of a process that cannot be seen
FOLDER = "journal"  #: in an experiment's directory


class Journal:
    """One file: the members of one start, and how they stand."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.entries: dict[int, Entry] = {}
        self.driver: Process | None = None
        self.sentinel: Process | None = None
        self.supervisor: Process | None = None
        self._mark = f"{path.stem}-{os.urandom(6).hex()}"  #: begins the tokens of its batch jobs
        self._read = 0
        self._batches: list[Batch] | None = None
        self._next_find = 0.0
        self._life, self._next_look = Life.SEEN, 0.0
        self.presumed = False  #: its members were settled because nobody had heard of their supervisor, which may come back
        self._stopping: frozenset[int] = frozenset()  #: those that somebody here has stopped
        self._grace = 0.0

    @classmethod
    def begin(cls, folder: Path, entries: Iterable[Entry], sign: str = "") -> "Journal":
        """Write the journal of a start: what is going to run.

        :param sign: the driver's, beside the journal.
        """
        now, me = _stamp(time.time()), replace(Process.this(), sign=sign)
        lines = [_line(now, 0, "-", "driver", asdict(me))]
        for entry in entries:
            detail = {"path": entry.path, "params": entry.params, "time_limit": entry.time_limit, "batch": entry.batch}
            detail = {word: value for word, value in detail.items() if value is not None}
            lines.append(_line(now, entry.number, entry.name, "asked", detail))
        return cls(publish(folder, "".join(lines)))

    @property
    def keeper(self) -> Process | None:
        """The process that records how its members end: its supervisor, or first its driver."""
        return self.supervisor or self.driver

    @property
    def life(self) -> Life:
        """What is known about whether a process is there to record how its members end."""
        if time.monotonic() >= self._next_look:
            self._life = self.look()
            self._next_look = 0.0 if self.keeper and self.keeper.visible else time.monotonic() + LOOK_INTERVAL_S
        return self._life

    def look(self) -> Life:
        """The same, now: `life` is up to a second old where it takes a look at a file."""
        keeper = self.keeper
        if self.sentinel and self.sentinel.visible and not self.supervisor:
            keeper = self.sentinel  # the driver may go on for long without noticing that the supervisor was killed
        known = life(keeper, self.path.parent) if keeper else Life.GONE
        if self.supervisor or not known.over:
            return known
        return Life.HEARD if self._age_s() < SUPERVISOR_START_S else Life.GONE

    def _age_s(self) -> float:
        """Seconds since its last line."""
        with self.path.open("rb") as file:
            return age_s(file)

    @property
    def active(self) -> bool:
        """Some of its members have not ended."""
        return any(entry.run.status.active for entry in self.entries.values())

    @property
    def members(self) -> list[Entry]:
        """Its members, without the batch jobs that some of them run in."""
        return [entry for entry in self.entries.values() if entry.params is not None]

    def refresh(self) -> None:
        """Read new lines and the files of batch jobs, and settle runs that no other process can settle."""
        if self._read and not self.active and not self.presumed:
            return
        known = self.life if self._read else Life.SEEN  # asked first: what was written before its end is then on the disk
        self._read_new()
        self._find_lost()
        self._refresh_jobs()
        self.presumed = known is Life.SILENT
        if known.over and self._stopping:
            self._end_unwatched()
            self._read_new()
        if known.over:
            self._settle_left(known)

    def _read_new(self) -> None:
        with opened(self.path, "journal") as file:
            file.seek(self._read)
            new, _, _ = file.read().rpartition(b"\n")
        self._read += len(new) + bool(new)
        for line in new.decode(errors="surrogateescape").split("\n"):
            self._take(line.split("\t"))

    def _refresh_jobs(self) -> None:
        for batch in self._jobs():
            if batch.run.job:
                queue(batch.scheduler.name).watch(batch, partial(self.note, batch.run.number, batch.name))
                queue(batch.scheduler.name).refresh()
            if not batch.run.job or batch.run.status.final:
                batch.refresh()

    def _settle_left(self, known: Life) -> None:
        """Settle runs that no other process can settle. Jobs outlive their driver, even before it reads their number."""
        left = []
        for entry in self.entries.values():
            job = entry if entry.batch is None else self.entries.get(entry.batch, entry)
            if entry.run.status.active and not job.run.job and not job.token and not unwatched(job, self.supervisor):
                left.append(entry.run)
        if not left:
            return
        if known is Life.SILENT:
            status = Status.UNKNOWN
            cause = f"{self.keeper} ran it, and was not heard of for {LEASE_S:g} s; look there, or start it again"
        else:
            status = Status.FAILED
            gone = f"its supervisor, {self.keeper}, is gone and left no word"
            cause = f"{gone}{left_behind(self.supervisor)}; start it again"
        ended = self.path.stat().st_mtime
        for run in left:
            run.status, run.ended, run.cause = status, ended, cause

    def token(self, number: int) -> str:
        """By which a scheduler knows the batch job `number`."""
        return f"smartensemble:{self._mark}.{number}"

    def _find_lost(self) -> None:
        """Find the jobs whose numbers nobody has written down, because their driver was killed before it could."""
        lost = [batch for batch in self._jobs() if not batch.run.job and self.entries[batch.run.number].token]
        if not any(batch.run.status.active for batch in lost) or time.monotonic() < self._next_find:
            return
        self._next_find = time.monotonic() + FIND_INTERVAL_S
        for batch in lost:
            entry = self.entries[batch.run.number]
            late = self._age_s() > SUBMIT_S
            if batch.run.status.active and (late or not self.driver or life(self.driver, self.path.parent).over):
                with suppress(StateError):  # the scheduler is away, or this is another machine: nobody knows yet
                    self._settle_lost(batch, entry, queue(entry.scheduler).find(entry.token), late)

    def _settle_lost(self, batch: Batch, entry: Entry, job: str, late: bool) -> None:
        """Record what is known about a lost job: its number, its exit code, or that the scheduler never took it."""
        note = partial(self.note, entry.number, entry.name)
        if job:
            batch.run.job = job
            note("submitted", {"scheduler": entry.scheduler, "job": job} | ({"array": True} if entry.array else {}))
        elif (code := batch.code()) is not None:
            settle(batch.run, batch.command, "exit", code, time.time())
            note("exit", code)
        elif late:
            cause = f"its driver was killed while it submitted the job, and {entry.scheduler} has none of it; start it again"
            settle(batch.run, batch.command, "failed", cause, time.time())
            note("failed", cause)

    def watched_by(self, pid: int) -> None:
        """Add who watches over the supervisor that will take its members, and that may be killed before its first line."""
        if not self.sentinel:
            self.sentinel = Process.of(pid)
            with suppress(OSError):  # there is no room for it
                self.note(0, "-", "sentinel", asdict(self.sentinel))

    def note(self, number: int, name: str, event: str, detail: object) -> None:
        """Add a line that no supervisor writes."""
        self.note_all([(number, name)], event, detail)

    def note_all(self, members: Iterable[tuple[int, str]], event: str, detail: object) -> None:
        """Add the same line about several, by number and name."""
        now = _stamp(time.time())
        lines = "".join(_line(now, number, name, event, detail) for number, name in members)
        with self.path.open("ab+") as file:
            file.seek(max(0, file.tell() - 1))
            cut = "" if file.read(1) in (b"\n", b"") else "\n"  # by a full disk, or by a power cut
            file.write(f"{cut}{lines}".encode(errors="surrogateescape"))

    def stop(self, numbers: Iterable[int], grace: float) -> None:
        """Ask the supervisor to end members, by a file beside the journal and a signal; a scheduler, to cancel its jobs.

        :raises StateError: nobody knows whether they have a supervisor.
        """
        left, limit = set(numbers), time.monotonic() + SUBMIT_S
        while left := self._not_cancelled(left):
            if self.supervisor or not self.active:
                break
            if self.life is Life.UNTOLD and time.monotonic() > limit:
                raise StateError(f"{self.path}: {self.keeper} has not begun to run its members; stop it there{self.way_out}")
            time.sleep(0.01)  # they are just being started or submitted, or will never be
            self.refresh()
        if left and self.supervisor:
            self._stopping, self._grace = self._stopping | left, grace  # for the case that nobody is there to do it
            if not self.life.over:
                stop_requests.write(str(self.path), left, grace)
                if self.supervisor.runs:
                    send(self.supervisor.pid, signal.SIGUSR1)  # elsewhere, it finds the file when it next looks

    def _end_unwatched(self) -> None:
        """End the members that somebody has stopped, and whose supervisor and sentinel were killed."""
        jobs = [self.entries[number] for number in self._stopping]
        marks = {job.number: mark for job in jobs if (mark := unwatched(job, self.supervisor))}
        self._stopping = frozenset()
        if marks:
            end(marks.values(), self._grace)
            with suppress(OSError):  # there is no room for it; then they count as failed
                self.note_all(((number, self.entries[number].name) for number in marks), "cancelled", "")

    def _not_cancelled(self, numbers: set[int]) -> set[int]:
        """Cancel those that are jobs of a scheduler; the others."""
        submitted = [batch for batch in self._jobs() if batch.run.job and batch.run.number in numbers]
        for batch in submitted:
            queue(batch.scheduler.name).cancel([batch])
        return numbers - {batch.run.number for batch in submitted}

    def abandon(self) -> list[Entry]:
        """Record that nobody knows how its members end; those that had not. Their supervisor, if it lives, ends them."""
        left = [entry for entry in self.entries.values() if entry.run.status.active]
        why = f"{self.keeper} ran it, and was abandoned by {Process.this()}"
        self.note_all(((entry.number, entry.name) for entry in left), "unknown", why)
        if self.keeper and self.keeper.sign:
            self.path.with_name(self.keeper.sign).unlink(missing_ok=True)
        for entry in left:
            settle(entry.run, entry.command, "unknown", why, time.time())
        return left

    @property
    def way_out(self) -> str:
        """The end of a message that refuses because its members run; nothing if their supervisor is seen to live."""
        return way_out(self.keeper, self.life, self.path.parent) if self.keeper else ""

    def _take(self, columns: list[str]) -> None:
        """Read one line; an incomplete one is skipped."""
        try:
            stamp, number, name, event, detail = columns
            entry = self.entries.get(int(number))
            if event in ("driver", "sentinel", "supervisor"):
                setattr(self, event, Process.read(json.loads(detail)))
            elif event == "asked" and not entry:
                self.entries[int(number)] = Entry.read(int(number), name, detail)
            elif event != "asked" and entry:
                entry.take(event, detail, datetime.fromisoformat(stamp).timestamp())
                self._batches = None if event in ("submitting", "submitted") else self._batches
        except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError):
            return

    def _jobs(self) -> list[Batch]:
        """The batch jobs, which say how their members stand."""
        if self._batches is None:
            inside: dict[int, list[tuple[Command, Run]]] = {}
            for entry in self.entries.values():
                if entry.batch in self.entries:
                    inside.setdefault(entry.batch or 0, []).append((entry.command, entry.run))
            jobs = [(self.entries[number], members) for number, members in inside.items()]
            self._batches = [
                Batch(job.name, Path(job.path), members, BatchSettings(), SCHEDULERS[job.scheduler], job.run, array=job.array)
                for job, members in jobs
            ]
        return self._batches


def _line(stamp: str, number: int, name: str, event: str, detail: object) -> str:
    return f"{stamp}\t{number}\t{name}\t{event}\t{json.dumps(detail, ensure_ascii=False)}\n"


def _stamp(when: float) -> str:
    """A time for people and programs: ISO 8601, in UTC, with milliseconds."""
    return datetime.fromtimestamp(when, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
