"""What ran and runs in an experiment's directory: by this process, by others, and by those that have ended."""

import os
import time
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import NoReturn

from smartensemble.errors import StateError
from smartensemble.runtime.jobs.queue import queue
from smartensemble.runtime.journal.entry import Entry
from smartensemble.runtime.journal.files import names, order
from smartensemble.runtime.journal.journal import Journal
from smartensemble.status import Run


class History:
    """The journals of a directory, and the last run in each member's directory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.last: dict[str, Entry] = {}  #: by a member's directory
        self.written: set[tuple[str, str]] = set()  #: names and directories of all that ran, whose files there are ours
        self.journals: list[Journal] = []  #: those whose members others run, until they have ended
        self._last_in: dict[str, Journal] = {}  #: the journals of `last`
        self._known: set[str] = set()
        self._changed = 0
        self._listed = 0.0  #: when, by the monotonic clock

    @property
    def active(self) -> bool:
        """Some members of other processes have not ended."""
        return bool(self.journals)

    def begin(self, entries: Sequence[Entry], detached: bool, sign: str = "") -> Journal:
        """Write the journal of a start. This process keeps the records itself, unless the members are detached.

        :param sign: of this process, beside the journal.
        """
        journal = Journal.begin(self.folder, entries, sign)
        self._known.add(journal.path.name)
        self.written.update((entry.name, entry.path) for entry in entries)
        if detached:
            journal.entries = {entry.number: entry for entry in entries}
            self.journals.append(journal)
        self._record(journal, (entry for entry in entries if entry.params is not None))
        return journal

    def refresh(self, listing_age_s: float = 0.0) -> None:
        """Update the records of everything that other processes run.

        :param listing_age_s: the list of journals may be so old, as long as the time stamp of their folder is the same. One
            that is coarse or cached stays so when another process adds a journal.
        """
        if self._list_due(listing_age_s):
            try:
                self._add_new()
            except BaseException:  # a journal that cannot be read is an error each time: nobody knows what it says of members
                self._changed = 0
                raise
        for journal in self.journals:
            journal.refresh()
        self.journals = [journal for journal in self.journals if journal.active or journal.presumed]

    def _list_due(self, listing_age_s: float) -> bool:
        try:
            changed = os.stat(self.folder).st_mtime_ns
        except FileNotFoundError:
            return False
        now = time.monotonic()
        due = changed != self._changed or now >= self._listed + listing_age_s
        if due:
            self._changed, self._listed = changed, now
        return due

    def _add_new(self) -> None:
        schedulers: set[str] = set()
        for name in names(self.folder):
            if name in self._known:
                continue
            journal = Journal(self.folder / name)
            journal.refresh()
            if not journal.driver:  # a power cut has left it empty, or a file system without links shows it before its lines
                continue
            self._known.add(name)
            self.journals.append(journal)
            self.written.update((entry.name, entry.path) for entry in journal.entries.values())
            self._record(journal, journal.members)
            schedulers |= {each.scheduler for each in journal.entries.values() if each.run.job and each.run.status.active}
        for scheduler in schedulers:
            queue(scheduler).catch_up()

    def _record(self, journal: Journal, members: Iterable[Entry]) -> None:
        """Make these the last runs in their directories, unless a later start is known."""
        for entry in members:
            last = self._last_in.get(entry.path)
            if last is None or order(last.path.name) <= order(journal.path.name):
                self.last[entry.path], self._last_in[entry.path] = entry, journal

    def journal_in(self, path: str) -> Journal | None:
        """The journal of the last run in the directory `path`, if others keep it."""
        journal = self._last_in.get(path)
        return journal if journal in self.journals else None

    def way_out(self, path: str) -> str:
        """The end of a message that refuses because of a member in the directory `path`; nothing if it is seen to run."""
        journal = self.journal_in(path)
        return journal.way_out if journal else ""

    def stop(self, runs: Iterable[Run], grace: float) -> list[Run]:
        """Ask other processes to end their own of `runs`, and return these. A batch job ends with all its members."""
        wanted, theirs = set(runs), []
        for journal in self.journals:
            if chosen := _whole(journal, wanted):
                journal.stop({entry.number if entry.batch is None else entry.batch for entry in chosen}, grace)
                theirs += [entry.run for entry in chosen]
        return theirs

    def unended(self, runs: Sequence[Run]) -> str:
        """What there is to say about runs that did not end."""
        names = [entry.name for entry in self.last.values() if entry.run in runs]
        what = f"{', '.join(names[:3])}{', ...' * (len(names) > 3)}" if names else f"{len(runs)} of what was started"
        keepers = [journal for journal in self.journals if any(entry.run in runs for entry in journal.entries.values())]
        who = f", which {keepers[0].keeper} runs," if keepers else ""
        return f"{what}{who} did not end in time; stop it again{keepers[0].way_out if keepers else ''}"


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
