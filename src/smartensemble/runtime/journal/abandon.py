"""Declare that processes have ended which nobody here can see: the way out where a person knows more than any file says."""

from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from smartensemble.errors import StateError
from smartensemble.runtime.jobs.queue import queue
from smartensemble.runtime.journal.history import History
from smartensemble.runtime.journal.journal import Journal
from smartensemble.runtime.journal.life import Life
from smartensemble.runtime.journal.lock import other_holders
from smartensemble.runtime.journal.process import Process


class Abandoned(NamedTuple):
    """What was declared to have ended."""

    members: list[str]
    processes: list[Process]


def abandon(history: History, paths: Collection[str] | None) -> Abandoned:
    """Declare that the processes have ended that run members in the directories `paths`, or any here for None.

    A process is abandoned with everything that it runs here. If it lives after all, it ends its members when it notices.

    :raises StateError: one of them is known to live.
    """
    history.refresh()
    gone = _abandonable(history, paths)
    members = [entry.name for journal in gone for entry in journal.abandon() if entry.params is not None]
    drivers = None if paths is None else [journal.driver for journal in gone]
    processes = [*(journal.keeper for journal in gone), *_break_locks(history.folder, drivers)]
    return Abandoned(members, list(dict.fromkeys(process for process in processes if process)))


def _abandonable(history: History, paths: Collection[str] | None) -> list[Journal]:
    """The journals of processes that are out of sight."""
    gone = [journal for journal in history.journals if journal.active and _out_of_sight(journal)]
    if paths is None:
        return gone
    keepers = [_keeper(history, path, gone) for path in paths]
    return [journal for journal in gone if journal.keeper in keepers]


def _break_locks(folder: Path, drivers: Collection[Process | None] | None) -> Iterator[Process]:
    """Take the right to start from `drivers`, or from any that is out of sight; those that had it."""
    for lock, holder, known in other_holders(folder):
        if known is not Life.SEEN and (drivers is None or holder in drivers):
            lock.unlink(missing_ok=True)
            yield holder


def _out_of_sight(journal: Journal) -> bool:
    """Neither this machine nor a scheduler knows how its members stand."""
    if journal.look() is Life.SEEN:
        return False
    for entry in journal.entries.values():
        if entry.run.status.active and (entry.run.job or entry.token):
            with suppress(StateError):
                return not queue(entry.scheduler).knows(entry.run.job, entry.token)
    return True


def _keeper(history: History, path: str, gone: Collection[Journal]) -> Process | None:
    """The process that runs a member in the directory `path`.

    :raises StateError: it is known to live.
    """
    entry, journal = history.last.get(path), history.journal_in(path)
    if entry and entry.run.status.active and journal not in gone:
        who = f"{journal.keeper}, which lives" if journal else "this program"
        raise StateError(f"{entry.name}: is run by {who}; stop it instead")
    return journal.keeper if journal else None
