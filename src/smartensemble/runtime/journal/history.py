"""What ran and runs in an experiment's directory: by this process, by others, and by those that have ended."""

import os
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import NoReturn

from smartensemble.errors import StateError
from smartensemble.runtime.jobs.queue import queue
from smartensemble.runtime.journal.entry import Entry
from smartensemble.runtime.journal.journal import Journal, journals
from smartensemble.status import Run


class History:
    """The journals of a directory, and the last run in each member's directory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.last: dict[str, Entry] = {}  #: by a member's directory
        self.journals: list[Journal] = []  #: those whose members others run, until they have ended
        self._known: set[str] = set()
        self._changed = 0

    @property
    def active(self) -> bool:
        """Some members of other processes have not ended."""
        return bool(self.journals)

    def begin(self, entries: Sequence[Entry], detached: bool) -> Journal:
        """Write the journal of a start. This process keeps the records itself, unless the members are detached."""
        journal = Journal.begin(self.folder, entries)
        self._known.add(journal.path.name)
        if detached:
            journal.entries = {entry.number: entry for entry in entries}
            self.journals.append(journal)
        self.last.update((entry.path, entry) for entry in entries if entry.params is not None)
        return journal

    def refresh(self) -> None:
        """Update the records of everything that other processes run."""
        try:
            changed = os.stat(self.folder).st_mtime_ns
        except FileNotFoundError:
            return
        if changed != self._changed:
            self._changed = changed
            schedulers: set[str] = set()
            for journal in journals(self.folder, self._known):
                self._known.add(journal.path.name)
                self.journals.append(journal)
                journal.refresh()
                self.last.update((entry.path, entry) for entry in journal.members)
                schedulers |= {each.scheduler for each in journal.entries.values() if each.run.job and each.run.status.active}
            for scheduler in schedulers:
                queue(scheduler).catch_up()
        for journal in self.journals:
            journal.refresh()
        self.journals = [journal for journal in self.journals if journal.active]

    def stop(self, runs: Iterable[Run], grace: float) -> list[Run]:
        """Ask other processes to end their own of `runs`, and return these. A batch job ends with all its members."""
        wanted, theirs = set(runs), []
        for journal in self.journals:
            if chosen := _whole(journal, wanted):
                journal.stop({entry.number if entry.batch is None else entry.batch for entry in chosen}, grace)
                theirs += [entry.run for entry in chosen]
        return theirs


def _whole(journal: Journal, runs: Collection[Run]) -> list[Entry]:
    """The entries of `runs` in `journal` that have not ended.

    :raises StateError: `runs` has some members of a batch job, and not the others.
    """
    chosen = [entry for entry in journal.entries.values() if entry.run in runs and entry.run.status.active]
    jobs = {entry.batch for entry in chosen} - {None}
    if left := [entry for entry in journal.members if entry.batch in jobs and entry.run not in runs]:
        refuse_part(journal.entries[left[0].batch or 0].name)
    return chosen


def refuse_part(name: str) -> NoReturn:
    """The error that refuses to stop a part of a batch job."""
    raise StateError(f"{name}: runs as one batch job, whose members cannot be stopped alone; stop the ensemble")
