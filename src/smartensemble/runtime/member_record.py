"""The record in a member's directory, ``params.json``: what it says, and whether a file of that name is ours."""

import errno
import json
import os
from dataclasses import dataclass
from functools import cache
from math import isfinite
from typing import Any

from smartensemble.ensemble import Ensemble
from smartensemble.model import Model
from smartensemble.version import __version__

RECORD = "params.json"  #: in each member's directory

_encode = json.JSONEncoder(default=str, ensure_ascii=False, allow_nan=False).encode


class DamagedRecordError(ValueError):
    """A record that is there and says nothing: an interrupted write, or a file of that name that is no JSON."""


@dataclass(frozen=True)
class Record:
    """What a member's directory says about itself."""

    name: str
    params: dict[str, object]
    ensemble: str = ""
    experiment: str = ""  #: its directory
    path: str = ""  #: where it was written


def record_in(directory: str) -> Record | None:
    """The record that we wrote into `directory`; None if there is none, or a file of that name that is somebody else's.

    :raises DamagedRecordError: nobody can say which of these it is.
    """
    try:
        with open(os.open(f"{directory}/{RECORD}", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
            fields: Any = json.loads(file.read() or b"")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        if error.errno == errno.ELOOP:  # we write no links
            return None
        raise DamagedRecordError(f"cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise DamagedRecordError("is damaged") from None
    if fields == {}:
        raise DamagedRecordError("is empty")
    versions = fields.get("versions") if isinstance(fields, dict) else None
    if not isinstance(versions, dict) or "smartensemble" not in versions:
        return None
    words = {name: fields.get(name) or "" for name in ("name", "ensemble", "experiment", "path")}
    if not all(isinstance(word, str) for word in words.values()) or not isinstance(fields.get("params"), dict):
        raise DamagedRecordError("is damaged")
    return Record(**words, params=fields["params"])


def is_ours(directory: str) -> bool:
    """A directory may be ours: it has our record, or a damaged one."""
    try:
        return record_in(directory) is not None
    except DamagedRecordError:
        return True


def write_record(directory: str, model: Model, origin: dict[str, object]) -> None:
    """Write what ``params.json`` says of `model` into `directory`."""
    lines = [f'  "{name}": {to_json(value)}' for name, value in record(model, origin).items()]
    with open(f"{directory}/{RECORD}", "wb") as file:
        # What is no Unicode, such as an old file name, is escaped the way that JSON escapes.
        file.write(("{\n" + ",\n".join(lines) + "\n}\n").encode(errors="backslashreplace"))


def to_json(value: object) -> str:
    """`value` in JSON, which has no numbers that are infinite, or none: they are text, as in input files.

    >>> to_json({"T": float("nan"), "P": 1.5})
    '{"T": "nan", "P": 1.5}'
    """
    try:
        return _encode(value)
    except ValueError:
        assert isinstance(value, dict)
        return _encode({name: str(each) if _is_no_number(each) else each for name, each in value.items()})


def _is_no_number(value: object) -> bool:
    return isinstance(value, float) and not isfinite(value)


def record(model: Model, origin: dict[str, object]) -> dict[str, object]:
    """What ``params.json`` says of a member: its parameters, where they come from, how it is run, and by which versions."""
    return {
        "name": model.name,
        **origin,
        "path": model.path,
        "replica": model.replica,
        "params": model.values,
        "command": list(model.command.argv),
        "versions": _versions(),
    }


def origin(ensemble: Ensemble) -> dict[str, object]:
    """Which ensemble, strategy and seed a member comes from."""
    strategy = ensemble.perm_strategy
    return {
        "ensemble": ensemble.name,
        "perm_strategy": strategy if isinstance(strategy, str) else getattr(strategy, "__name__", repr(strategy)),
        "seed": ensemble.seed,
    }


@cache
def _versions() -> dict[str, str]:
    from platform import python_version  # only when it is written down: 2 ms of each import

    return {"smartensemble": __version__, "python": python_version()}
