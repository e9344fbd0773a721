"""What is ours to replace: a directory with our own record in it, where nobody works and nothing else lives.

A name proves nothing: the working directory may be the ``path`` of a model, and a directory of that name may be a user's own.
"""

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from smartensemble.databases.orchestrator import CHECKPOINT_FILE
from smartensemble.errors import DirectoryExistsError
from smartensemble.model import Model, attached, programs
from smartensemble.runtime.member_record import RECORD, DamagedRecordError, Record, record_in

JOURNAL = "journal"  #: in each experiment's directory


class Evidence(NamedTuple):
    """What was found at a directory that is to be replaced."""

    link: bool = False
    place: str = ""  #: what must stay there, in words
    entity: str = ""  #: what of another entity is in it
    damaged: str = ""  #: what is wrong with its record
    record: Record | None = None
    stranger: bool = False  #: its record is of another experiment


def refusal(name: str, ensemble: str, evidence: Evidence) -> str:
    """Why a directory is not replaced for the member `name` of `ensemble`, and what to do; nothing if it may be.

    >>> refusal("m", "", Evidence(place="the working directory"))
    'is or holds the working directory, which nothing replaces; give m another path, or none'
    >>> refusal("m", "", Evidence(record=Record("m", {})))
    ''
    """
    elsewhere = f"give {name} another path, or none"
    if evidence.link:
        return f"is a symbolic link, which nothing replaces; delete it, or {elsewhere}"
    if evidence.place:
        return f"is or holds {evidence.place}, which nothing replaces; {elsewhere}"
    if evidence.entity:
        return f"holds {evidence.entity}, which belongs to something else; move that away, or {elsewhere}"
    if evidence.damaged:
        return f"may be somebody's own, because its {RECORD} {evidence.damaged}; move it away, or {elsewhere}"
    record = evidence.record
    if record is None:
        return f"was not written by generate, so nothing replaces it; move it away, or {elsewhere}"
    if record.name != name or record.ensemble not in ("", ensemble):  # a model may have joined an ensemble since
        owner = repr(record.name) + (f" of {record.ensemble!r}" if record.ensemble else "")
        return f"belongs to {owner}; move it away, or {elsewhere}"
    if evidence.stranger:
        return f"belongs to the experiment in {record.experiment}; move it away, or {elsewhere}"
    return ""


class Grounds:
    """What an experiment may replace, and what must stay."""

    def __init__(self, experiment: str, entities: Iterable[tuple[str, str]] = ()) -> None:
        """The grounds of the experiment in the directory `experiment`.

        :param entities: names and directories of everything that it knows.
        """
        self.experiment = experiment
        self.places: dict[tuple[int, int], str] = {}  #: what must stay, by the identity of each directory around it
        self.users: dict[str, set[str]] = {}  #: who has a directory
        self._reals: dict[str, str] = {}
        self.held: dict[str, str] = {}  #: by directory, an entity's directory that is in it
        for words, place in _places(experiment):
            for directory in (Path(place), *Path(place).parents):
                with suppress(OSError):
                    self.places.setdefault(_identity(os.stat(directory)), words)
        for name, path in entities:
            self.users.setdefault(path, set()).add(name)
            self._hold(path)

    def _hold(self, path: str) -> None:
        parent = os.path.dirname(path)
        while parent != path and parent not in self.held:
            self.held[parent] = path
            path, parent = parent, os.path.dirname(parent)

    def check(self, models: Iterable[Model]) -> None:
        """An error, if a directory of `models` is there and may not be replaced.

        :raises DirectoryExistsError: it is not ours, or something in it must stay.
        """
        for model in models:
            if os.path.lexists(model.path) and (why := self.refusal(model)):
                raise DirectoryExistsError(f"{model.path}: {why}")

    def refusal(self, model: Model) -> str:
        """Why the directory of `model`, which is there, is not replaced, and what to do; nothing if it may be."""
        ensemble = "" if model.ensemble is None else model.ensemble.name
        needed = (*attached(model).to_symlink, *attached(model).to_configure, *programs(model))  # what it copies, it has
        return refusal(model.name, ensemble, self.evidence(model.name, model.path, needed))

    def evidence(self, name: str, path: str, needed: Iterable[str] = ()) -> Evidence:
        """What is found at `path`, which is there, that speaks for or against replacing it for the member `name`.

        :param needed: the paths of files that the member needs.
        """
        if os.path.islink(path):
            return Evidence(link=True)
        home, base = os.path.split(path)
        place, real = self.places.get(_identity(os.stat(path)), ""), os.path.join(self._real(home), base)
        if inside := next((each for each in needed if _is_below(self._real(each), real)), ""):
            place = place or f"{inside}, which {name} needs"
        entity = self.held.get(path) or self.held.get(real) or ""
        if others := self.users.get(path, set()) - {name, f"{name}.batch"}:
            entity = f"the files of {min(others)!r}"
        try:
            record = record_in(path)
        except DamagedRecordError as error:
            return Evidence(place=place, entity=entity, damaged=str(error))
        if record and not place:
            entity = entity or _entity_in(path)
        return Evidence(place=place, entity=entity, record=record, stranger=bool(record and self._is_strange(record, path)))

    def _real(self, path: str) -> str:
        """`path` without links: thousands of members have the same files."""
        if path not in self._reals:
            self._reals[path] = os.path.realpath(path)
        return self._reals[path]

    def _is_strange(self, record: Record, path: str) -> bool:
        """Another experiment wrote it and is still there, so this one was not moved or copied with all that is below it."""
        other = record.experiment
        if not other or other == self.experiment or not os.path.isdir(os.path.join(other, JOURNAL)):
            return False
        return _is_below(path, other) or not _is_below(path, self.experiment)


def _places(experiment: str) -> Iterator[tuple[str, str]]:
    """What must stay, with its directory."""
    with suppress(OSError):  # it was deleted
        yield "the working directory", os.getcwd()
    yield "the experiment's directory", experiment
    yield "your home directory", os.path.expanduser("~")
    driver = getattr(sys.modules.get("__main__"), "__file__", None)
    if isinstance(driver, str):
        yield "the program that runs now", os.path.dirname(os.path.realpath(driver))


def _identity(status: os.stat_result) -> tuple[int, int]:
    """A directory may have many paths, by links and mounts; it has one identity."""
    return status.st_dev, status.st_ino


def _is_below(path: str, directory: str) -> bool:
    return path.startswith(directory.rstrip("/") + "/")


def _entity_in(path: str) -> str:
    """What is below `path` of another member, of an experiment or of a database that runs; or nothing."""
    for root, folders, files in os.walk(path):
        if CHECKPOINT_FILE in files:
            return os.path.join(root, CHECKPOINT_FILE)
        if root != path and RECORD in files and _is_member(root):
            return root
        if JOURNAL in folders and any(name.endswith(".tsv") for name in os.listdir(os.path.join(root, JOURNAL))):
            return os.path.join(root, JOURNAL)
    return ""


def _is_member(directory: str) -> bool:
    """A directory is a member's, and no copy of one that is still at its own place too."""
    try:
        record = record_in(directory)
    except DamagedRecordError:
        return True
    if record is None:
        return False
    return record.path == directory or not os.path.isfile(os.path.join(record.path, RECORD))
