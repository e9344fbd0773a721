"""What ran in an experiment's directory, on disk as it happens: for people to read, and for other processes to go on from.

There is one file for each start, ``journal/TIME-HOST-PID-N.tsv``, so each file has one writer at a time: first the
driver, which renames it into its place complete, then the supervisor, which only appends. That is all that a network file
system can be trusted with. A line has five columns: time, number, member, event, detail:

.. display-only: lines of a journal; the page about starting and stopping shows a real one

::

    2026-11-22T22:10:05.123Z  0  -       driver      {"pid": 4711, "host": "node1", "began": 8123}
    2026-11-22T22:10:05.123Z  1  melt_0  asked       {"path": "/study/melt/melt_0", "params": {"T": "1.5"}}
    2026-11-22T22:10:05.160Z  0  -       supervisor  {"pid": 4712, "host": "node1", "began": 8127}
    2026-11-22T22:10:05.169Z  1  melt_0  started     4713
    2026-11-22T22:10:07.201Z  1  melt_0  exit        0

A batch job that a scheduler has taken has a line ``submitted`` with the scheduler's number. The first driver that learns how
the job ended adds a line about that.

The last event of a member is its status: ``asked``, ``started``, or an outcome as the supervisor names it. Readers skip a line
that is incomplete because a disk was full.

Another process stops members by a file beside the journal, ``....tsv.stop``, and a signal.
"""

import json
import os
import signal
import time
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from itertools import count
from pathlib import Path

from smartensemble.command import Command
from smartensemble.errors import StateError
from smartensemble.runtime.jobs.batch import Batch
from smartensemble.runtime.jobs.queue import queue
from smartensemble.runtime.journal.entry import Entry
from smartensemble.runtime.journal.process import Process, hostname
from smartensemble.runtime.outcome import settle
from smartensemble.runtime.standalone.procfs import send
from smartensemble.schedulers import SCHEDULERS
from smartensemble.settings.batch import BatchSettings
from smartensemble.status import Run, Status

FIND_INTERVAL_S = 1.0  #: between two questions for lost jobs
SUBMIT_S = 35.0  #: a scheduler may take this long to take a job, also after the driver that submits it was killed
SUPERVISOR_START_S = 10.0  #: seconds that a supervisor may take to write its first line
FOLDER = "journal"  #: in an experiment's directory


class Journal:
    """One file: the members of one start, and how they stand."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.entries: dict[int, Entry] = {}
        self.driver: Process | None = None
        self.supervisor: Process | None = None
        self._read = 0
        self._batches: list[Batch] | None = None
        self._next_find = 0.0

    @classmethod
    def begin(cls, folder: Path, entries: Iterable[Entry]) -> "Journal":
        """Write the journal of a start: what is going to run."""
        folder.mkdir(parents=True, exist_ok=True)
        now, me = _stamp(time.time()), Process.this()
        lines = [_line(now, 0, "-", "driver", asdict(me))]
        for entry in entries:
            detail = {"path": entry.path, "params": entry.params, "time_limit": entry.time_limit, "batch": entry.batch}
            detail = {word: value for word, value in detail.items() if value is not None}
            lines.append(_line(now, entry.number, entry.name, "asked", detail))
        journal = cls(folder / f"{now.replace(':', '').replace('.', '-')}-{me.host}-{me.pid}-{next(_starts)}.tsv")
        new = journal.path.with_suffix(".new")
        new.write_text("".join(lines), encoding="utf-8", errors="surrogateescape")
        new.rename(journal.path)
        return journal

    @property
    def alive(self) -> bool:
        """A process is there to record how its members end."""
        if self.supervisor:
            return self.supervisor.alive
        return (self.driver is not None and self.driver.alive) or time.time() < self.path.stat().st_mtime + SUPERVISOR_START_S

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
        if self._read and not self.active:
            return
        alive = not self._read or self.alive  # asked first: what was written before its end is then on the disk
        self._read_new()
        self._find_lost()
        self._refresh_jobs()
        if not alive:
            self._settle_left()

    def _read_new(self) -> None:
        with self.path.open("rb") as file:
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

    def _settle_left(self) -> None:
        """Settle runs that no other process can settle. Jobs outlive their driver, even before it reads their number."""
        for entry in self.entries.values():
            job = entry if entry.batch is None else self.entries[entry.batch]
            if entry.run.status.active and not job.run.job and not job.token:
                entry.run.status, entry.run.ended = Status.FAILED, self.path.stat().st_mtime
                entry.run.cause = f"its supervisor, {self.supervisor or self.driver}, is gone and left no word; start it again"

    def token(self, number: int) -> str:
        """By which a scheduler knows the batch job `number`."""
        return f"smartensemble:{self.path.stem}.{number}"

    def _find_lost(self) -> None:
        """Find the jobs whose numbers nobody has written down, because their driver was killed before it could."""
        lost = [batch for batch in self._jobs() if not batch.run.job and self.entries[batch.run.number].token]
        if not any(batch.run.status.active for batch in lost) or time.monotonic() < self._next_find:
            return
        self._next_find = time.monotonic() + FIND_INTERVAL_S
        for batch in lost:
            entry = self.entries[batch.run.number]
            late = time.time() > entry.submitting + SUBMIT_S
            if batch.run.status.active and (late or not (self.driver and self.driver.alive)):
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

    def note(self, number: int, name: str, event: str, detail: object) -> None:
        """Add a line about a batch job, which no supervisor writes."""
        line = _line(_stamp(time.time()), number, name, event, detail)
        with self.path.open("a", encoding="utf-8", errors="surrogateescape") as file:
            file.write(line)

    def note_all(self, members: Iterable[tuple[int, str]], event: str, detail: object) -> None:
        """Add the same line about several, by number and name, after one that a full disk may have cut."""
        now = _stamp(time.time())
        lines = "".join(_line(now, number, name, event, detail) for number, name in members)
        with self.path.open("a", encoding="utf-8", errors="surrogateescape") as file:
            file.write(f"\n{lines}")

    def stop(self, numbers: Iterable[int], grace: float) -> None:
        """Ask the supervisor to end members, by a file beside the journal and a signal; a scheduler, to cancel its jobs."""
        numbers = set(numbers)
        while True:
            submitted = [batch for batch in self._jobs() if batch.run.job and batch.run.number in numbers]
            for batch in submitted:
                queue(batch.scheduler.name).cancel([batch])
            numbers -= {batch.run.number for batch in submitted}
            if not numbers or self.supervisor or not self.active:
                break
            time.sleep(0.01)  # they are just being started or submitted, or will never be
            self.refresh()
        if not numbers or not self.supervisor:
            return
        if self.supervisor.host != hostname():
            raise StateError(
                f"{self.path.name}: is run by {self.supervisor}, and can be stopped on that machine only; stop it there"
            )
        new = self.path.with_suffix(".stop.new")
        new.write_text(f"{grace:g}\n" + "".join(f"{number}\n" for number in numbers))
        new.rename(self.path.with_suffix(".stop"))
        send(self.supervisor.pid, signal.SIGUSR1)

    def _take(self, columns: list[str]) -> None:
        """Read one line; an incomplete one is skipped."""
        try:
            stamp, number, name, event, detail = columns
            entry = self.entries.get(int(number))
            if event in ("driver", "supervisor"):
                setattr(self, event, Process(**json.loads(detail)))
            elif event == "asked" and not entry:
                run = Run(Status.QUEUED, number=int(number))
                self.entries[int(number)] = Entry(int(number), name, run=run, **json.loads(detail))
            elif event != "asked" and entry:
                entry.take(event, detail, datetime.fromisoformat(stamp).timestamp())
                self._batches = None if event in ("submitting", "submitted") else self._batches
        except (ValueError, TypeError, LookupError):
            return

    def _jobs(self) -> list[Batch]:
        """The batch jobs, which say how their members stand."""
        if self._batches is None:
            inside: dict[int, list[tuple[Command, Run]]] = {}
            for entry in self.entries.values():
                if entry.batch is not None:
                    inside.setdefault(entry.batch, []).append((entry.command, entry.run))
            jobs = [(self.entries[number], members) for number, members in inside.items()]
            self._batches = [
                Batch(job.name, Path(job.path), members, BatchSettings(), SCHEDULERS[job.scheduler], job.run, array=job.array)
                for job, members in jobs
            ]
        return self._batches


def journals(folder: Path, known: Collection[str]) -> list[Journal]:
    """The journals in `folder`, oldest first, without those whose names are known."""
    try:
        names = sorted(name for name in os.listdir(folder) if name.endswith(".tsv") and name not in known)
    except FileNotFoundError:
        return []
    return [Journal(folder / name) for name in names]


_starts = count(1)


def _line(stamp: str, number: int, name: str, event: str, detail: object) -> str:
    return f"{stamp}\t{number}\t{name}\t{event}\t{json.dumps(detail, ensure_ascii=False)}\n"


def _stamp(when: float) -> str:
    """A time for people and programs: ISO 8601, in UTC, with milliseconds."""
    return datetime.fromtimestamp(when, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
