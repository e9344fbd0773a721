"""Checks that several rooms share: each returns the value as the package needs it, or raises an error."""

import operator
import os
from collections.abc import Iterable, Mapping
from pathlib import PurePath
from typing import Any

from smartensemble.errors import InputTypeError, InputValueError, ParameterError


def names(subject: str, value: Any) -> list[str]:
    """`value` as names of hosts or features: one, or several.

    >>> names("set_hostlist", "n1"), names("set_hostlist", ("n1", "n2"))
    (['n1'], ['n1', 'n2'])
    """
    if isinstance(value, (bytes, Mapping)) or not isinstance(value, Iterable):
        raise InputTypeError(f"{subject}: {value!r} is no name and no list of names; for example ['n1', 'n2']")
    found = [value] if isinstance(value, str) else list(value)
    if not found or not all(isinstance(name, str) and name.strip() and name.isprintable() for name in found):
        raise InputTypeError(f"{subject}: {value!r} holds what is no name; for example ['n1', 'n2']")
    return found


def positive(subject: str, value: object) -> int:
    """`value` as a whole number above zero, or an error."""
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        number = 0
    if isinstance(value, bool) or number < 1:
        kind = ParameterError if isinstance(value, int) else InputTypeError
        raise kind(f"{subject}: {value!r} is not a whole number above zero; for example {subject}=4")
    return number


def whole(subject: str, value: object) -> int:
    """`value` as a whole number that is not below zero, or an error."""
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        number = -1
    if isinstance(value, bool) or number < 0:
        kind = ParameterError if isinstance(value, int) else InputTypeError
        raise kind(f"{subject}: {value!r} is not a whole number, zero or more; for example {subject}=7")
    return number


def plain(value: object) -> object:
    """A numpy scalar as the Python number that prints the same; anything else as it is.

    >>> import numpy
    >>> plain(numpy.float32(0.1)), plain(numpy.int64(3)), plain("text")
    (0.1, 3, 'text')
    """
    item = getattr(value, "item", None)
    if not callable(item) or isinstance(value, type):
        return value
    number = item()
    return float(str(value)) if isinstance(number, float) else number


def check_name(kind: str, name: object) -> None:
    """An error, unless `name` can name a directory."""
    if not isinstance(name, str):
        raise InputTypeError(f"{kind}: name is {name!r}; a name is text")
    if not name or "/" in name or name.startswith(".") or not name.isprintable() or name != name.strip():
        raise InputValueError(f"{kind}: {name!r} cannot name a directory; use a name without '/', leading dot or outer blanks")
    if len(name.encode()) > 200:
        raise InputValueError(f"{kind}: {name[:20]!r}... has {len(name.encode())} bytes; a name may have 200")


def absolute_path(name: str, path: object) -> str:
    """`path` as an absolute path, or an error if it is not a path."""
    if not isinstance(path, (str, PurePath)):
        raise InputTypeError(f"{name}: path is {path!r}; give text or a pathlib.Path")
    if not str(path) or "\0" in str(path):
        raise InputValueError(f"{name}: path {str(path)!r} cannot be a directory; give one, or leave it out")
    return os.path.abspath(path)
