"""What a journal records about one member, or about one batch job."""

import json
from dataclasses import dataclass
from pathlib import Path

from smartensemble.command import Command
from smartensemble.runtime.outcome import settle
from smartensemble.schedulers import SCHEDULERS
from smartensemble.status import Run, Status


@dataclass
class Entry:
    """A member in a journal, or a batch job."""

    number: int
    name: str
    path: str
    run: Run
    params: dict[str, str] | None = None  #: as text; None for a batch job
    time_limit: float | None = None
    batch: int | None = None  #: the number of the batch job that it runs in
    scheduler: str = "local"  #: who has the batch job
    array: bool = False  #: it is an array, of a task for each member
    token: str = ""  #: by which the scheduler knows the batch job, whose number may not be known
    submitting: float = 0.0  #: when it was handed to the scheduler
    pid: int = 0  #: of its program, once that has started here

    @classmethod
    def read(cls, number: int, name: str, detail: str) -> "Entry":
        """The entry that a line ``asked`` begins.

        :raises ValueError: the line is incomplete, or somebody else's; so does TypeError.
        """
        entry = cls(number, name, run=Run(Status.QUEUED, number=number), **json.loads(detail))
        kinds = (
            (entry.path, str),
            (entry.params, dict | None),
            (entry.time_limit, float | int | None),
            (entry.batch, int | None),
        )
        if not all(isinstance(value, kind) for value, kind in kinds):
            raise TypeError(detail)
        return entry

    @property
    def command(self) -> Command:
        """The parts of its command that its files and its reason need."""
        return Command((), Path(self.path), {}, self.name, self.time_limit)

    def take(self, event: str, detail: str, when: float) -> None:
        """Update it from a line of the journal.

        :raises ValueError: the line is incomplete, or somebody else's; so do TypeError and LookupError.
        """
        if event == "submitting":
            job = json.loads(detail)
            scheduler = SCHEDULERS[job["scheduler"]].name
            self.scheduler, self.token, self.array = scheduler, job["token"], job.get("array", False)
            self.submitting = when
        elif event == "submitted":
            job = json.loads(detail)
            scheduler = SCHEDULERS[job["scheduler"]].name
            self.run.job, self.scheduler, self.array = job["job"], scheduler, job.get("array", False)
        elif event == "started":
            self.run.status, self.run.started, self.pid = Status.RUNNING, when, int(detail)
        else:
            text = json.loads(detail) if detail.startswith('"') else detail  # a supervisor writes plain words
            settle(self.run, self.command, event, int(detail) if event in ("exit", "signal") else text, when)
