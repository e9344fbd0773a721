"""Which files are ours: scripts and tables by what they say, what a run wrote by the journal, and nothing by its name."""

import csv
import json
import os
import re
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from io import TextIOWrapper

from smartensemble.checks import opened
from smartensemble.databases.config import OURS
from smartensemble.ensemble import Ensemble
from smartensemble.errors import DirectoryExistsError, StateError
from smartensemble.model import Model
from smartensemble.runtime.member_record import RECORD, DamagedRecordError, Record, record_in, to_json
from smartensemble.runtime.ownership import Grounds, refusal

INDEX = "members.csv"  #: in each ensemble's directory

#: How files end, after its name, that a member's run writes into the member's directory; and a batch job, beside its script.
OUTPUTS = ("out", "err", "sh", "started", "exit", "db.address", "db.conf", "db.out", "db.commands", "worker.err")
JOB_OUTPUTS = ("out", "err", "sh", "started", "exit", "members")
#: How the files of a server end, but for its data.
SERVER_OUTPUTS = ("conf", "nodes", "out", "err", "sh", "address", "started", "exit", "assignment")

HEAD_BYTES = 65536  #: where a script says what it is, after the options of its job
SCRIPT = re.compile(
    rb"#!/bin/bash\n.*^# [^\n]*: (a batch job of \d+ members?|run it again by hand with bash [^\n]*)$", re.DOTALL | re.MULTILINE
)


def is_leftover(path: str) -> bool:
    """What is at `path`, a name for what is half done, was left there by a killed driver."""
    if os.path.islink(path):
        return False
    if not os.path.isdir(path):
        return is_index(path) or is_script(path)
    try:
        return record_in(path) is not None or not os.listdir(path)
    except DamagedRecordError:  # it is written first, and was interrupted
        return os.listdir(path) == [RECORD]


def check_leftovers(paths: Iterable[str]) -> None:
    """An error, if one of `paths`, names for what is half done, is somebody's own."""
    for path in paths:
        if os.path.lexists(path) and not is_leftover(path):
            raise DirectoryExistsError(f"{path}: is in the way of what is to be written, and not ours; move it away")


def is_script(path: str) -> bool:
    """A file is empty, or a script of a member or of a batch job."""
    head = _head(path)
    return head == b"" or (head is not None and SCRIPT.match(head) is not None)


def is_index(path: str) -> bool:
    """A file is empty, or a table of members: its columns go from ``name`` to ``path``."""
    head = _head(path)
    if not head:
        return head == b""
    columns = next(csv.reader([head.decode(errors="replace").partition("\n")[0]]), [])
    return len(columns) > 1 and (columns[0], columns[-1]) == ("name", "path")


def _head(path: str) -> bytes | None:
    """The beginning of a file; None if it is none that we could have written."""
    if os.path.islink(path) or not os.path.isfile(path):
        return None
    with suppress(OSError), open(path, "rb") as file:
        return file.read(HEAD_BYTES)
    return None


def check_outputs(name: str, directory: str, suffixes: Iterable[str], written: Collection[tuple[str, str]]) -> None:
    """An error, if a run would write over somebody's own file in a directory that it shares. Empty files are nobody's loss.

    :param written: the names and directories of what ran in this experiment, whose files are its own.
    """
    if (name, directory) in written or not os.path.isdir(directory):
        return
    for path in (f"{directory}/{name}.{suffix}" for suffix in suffixes):
        if os.path.lexists(path) and not (path.endswith(".sh") and is_script(path)) and not _is_empty(path):
            raise DirectoryExistsError(
                f"{path}: is there already, and no run of this experiment wrote it; move it away, or give another name or path"
            )


def is_there(model: Model, written: Collection[tuple[str, str]]) -> bool:
    """Whether the directory of `model` exists: made for the same parameters, or by somebody else.

    :param written: the names and directories of what ran in this experiment.
    :raises StateError: it was made for other parameters, or nobody can say for which.
    :raises DirectoryExistsError: somebody else made it, and a run would write over a file in it.
    """
    if not os.path.isdir(model.path):
        return False
    try:
        before = record_in(model.path)
    except DamagedRecordError as error:
        raise StateError(
            f"{model.name}: {model.path}/{RECORD} {error}, so nobody can say for which parameters the directory was generated; "
            "move the directory away"
        ) from None
    if before is None or before.name != model.name:
        check_outputs(model.name, model.path, OUTPUTS, written)
        return True
    params = json.loads(to_json(model.values))
    if _text(before.params) != _text(params):
        then = ", ".join(f"{name}={value}" for name, value in before.params.items()) or "none"
        now = ", ".join(f"{name}={value}" for name, value in params.items()) or "none"
        raise StateError(
            f"{model.name}: {model.path} was generated for other parameters ({then}; now {now}); generate it, overwrite=True"
        )
    return True


def _text(params: dict[str, object]) -> dict[str, str]:
    return {name: str(value) for name, value in params.items()}


def check_servers(identifier: str, names: Iterable[str], directory: str, written: Collection[tuple[str, str]]) -> None:
    """An error, if the servers `names` of a database would write over somebody's own files in `directory`.

    Their configuration proves that the directory has been theirs, also in another experiment.
    """
    if any(path == directory and name.partition(".")[0] == identifier for name, path in written):
        return
    for name in names:
        if not is_configuration(f"{directory}/{name}.conf"):
            check_outputs(name, directory, SERVER_OUTPUTS, written)


def is_configuration(path: str) -> bool:
    """A file configures a server, and is ours."""
    return (_head(path) or b"").startswith(OURS.encode())


def _is_empty(path: str) -> bool:
    return os.path.isfile(path) and not os.path.islink(path) and not os.path.getsize(path)


def check_index(ensemble: Ensemble) -> None:
    """An error, if the table of members in the directory of `ensemble` is somebody else's, or another ensemble's."""
    path = os.path.join(ensemble.path, INDEX)
    if not os.path.lexists(path):
        return
    if not is_index(path):
        raise DirectoryExistsError(
            f"{path}: is there already, and not ours; move it away, or give {ensemble.name} another path"
        )
    owner = next((record.ensemble for _, record in _indexed(path)), ensemble.name)
    if owner != ensemble.name:
        raise DirectoryExistsError(f"{path}: lists the members of {owner!r}; give {ensemble.name} another path")


def former_members(ensemble: Ensemble, grounds: Grounds) -> list[str]:
    """The directories that an earlier ``generate`` of this ensemble made and that belong to no member now.

    :raises DirectoryExistsError: something in one of them must stay.
    """
    paths = []
    for path, record in _indexed(os.path.join(ensemble.path, INDEX), ensemble):
        if record.ensemble == ensemble.name:
            if why := refusal(record.name, ensemble.name, grounds.evidence(record.name, path)):
                raise DirectoryExistsError(f"{path}: {why}")
            paths.append(path)
    return paths


def _indexed(index: str, others_than: Collection[object] = ()) -> Iterator[tuple[str, Record]]:
    """The directories that a table of members lists and that have their members' records, without those of some members."""
    home = os.path.dirname(index)
    with suppress(OSError, csv.Error), TextIOWrapper(opened(index), "utf-8", "surrogateescape", newline="") as file:
        for name in (row.get("name") or "" for row in csv.DictReader(file)):
            path = os.path.join(home, name)
            if name and "/" not in name and name not in others_than and os.path.isdir(path):
                with suppress(DamagedRecordError):
                    if (record := record_in(path)) and record.name == name:
                        yield path, record
