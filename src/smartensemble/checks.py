"""What a caller gave, as what is needed, or an error: the readers that several rooms share."""

import operator
import os
import shlex
from collections.abc import Iterable, Mapping
from pathlib import PurePath
from typing import Any

from smartensemble.errors import InputTypeError, InputValueError, ParameterError


def names(subject: str, given: Any) -> list[str]:
    """`given` as names of hosts or features: one, or several.

    >>> names("set_hostlist", "n1"), names("set_hostlist", ("n1", "n2"))
    (['n1'], ['n1', 'n2'])
    """
    if isinstance(given, (bytes, Mapping)) or not isinstance(given, Iterable):
        raise InputTypeError(f"{subject}: {given!r} is no name and no list of names; for example ['n1', 'n2']")
    found = [given] if isinstance(given, str) else list(given)
    if not found or not all(isinstance(name, str) and name.strip() and name.isprintable() for name in found):
        raise InputTypeError(f"{subject}: {given!r} holds what is no name; for example ['n1', 'n2']")
    return found


def numbers(subject: str, given: Any) -> list[int]:
    """`given` as numbers, from zero on: one, or several.

    >>> numbers("set_het_group", 1), numbers("set_cpu_bindings", ["0", 2])
    ([1], [0, 2])
    """
    found = [given] if isinstance(given, (str, int)) or not isinstance(given, Iterable) else list(given)
    if not found:
        raise InputValueError(f"{subject}: {given!r} holds no number; for example [0, 1]")
    return [whole(subject, int(each) if isinstance(each, str) and each.isdecimal() else each) for each in found]


def line(subject: str, given: Any) -> str:
    """`given` as a line of text."""
    if not isinstance(given, str):
        raise InputTypeError(f"{subject}: {given!r} is no text; give it in the run command's words")
    if not given.strip() or not given.isprintable():
        raise InputValueError(f"{subject}: {given!r} is no line of text; give it in the run command's words")
    return given


def flag(subject: str, given: Any) -> bool:
    """`given`, which is True or False: in an "if", also the text ``"no"`` would be true."""
    if not isinstance(given, bool):
        raise InputTypeError(f"{subject}: {given!r} is neither True nor False; give one of them")
    return given


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
    if not callable(item):
        return value
    number = item()
    return float(str(value)) if isinstance(number, float) else number


#: Words for a command line: text that is split as a shell would, or the words themselves.
Words = str | Iterable[str | int | float | PurePath]


def words(subject: str, given: Words) -> list[str]:
    """`given` as words of a command line.

    >>> words("exe_args", "-in 'my file'"), words("exe_args", ["-in", "my file", 4])
    (['-in', 'my file'], ['-in', 'my file', '4'])
    """
    if isinstance(given, str):
        try:
            given = shlex.split(given)
        except ValueError as error:
            raise InputValueError(f"{subject}: {given!r} cannot be split ({error}); give a list of arguments") from None
    if isinstance(given, (bytes, Mapping, set, frozenset)) or not isinstance(given, Iterable):
        raise InputTypeError(f"{subject}: {given!r} is no list of arguments; for example ['-in', 'in.melt']")
    return [text(subject, word) for word in given]


def options_of(subject: str, given: object) -> dict[str, object]:
    """Options of a command, checked."""
    if not isinstance(given, Mapping):
        raise InputTypeError(f"{subject}: {given!r} is no dictionary; for example {{'n': 2}}")
    for name, value in given.items():
        if not isinstance(name, str) or not name.strip("-") or not name.isprintable():
            raise InputValueError(f"{subject}: {name!r} is no name of an option; for example {{'n': 2}}")
        if value is not None:
            text(f"{subject}[{name!r}]", value)
    return dict(given)


def shell_lines(given: str | Iterable[str]) -> list[str]:
    """Lines of shell, checked."""
    if isinstance(given, (bytes, Mapping, set, frozenset)) or not isinstance(given, Iterable):
        raise InputTypeError(f"preamble: {given!r} is no text and no list of lines; for example 'module load lammps'")
    added = given.splitlines() if isinstance(given, str) else list(given)
    if not all(isinstance(line, str) for line in added):
        raise InputTypeError(f"preamble: {given!r} holds what is no text; give lines of shell")
    return [text("preamble", line) for line in added]


def optional_line(subject: str, value: object) -> str | None:
    """`value` as one line of text, or None for none."""
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise InputTypeError(f"{subject}: {value!r} is no text; give its name")
    if not value.isprintable():
        raise InputValueError(f"{subject}: {value!r} is more than a line of text; give its name")
    return value


def text(subject: str, value: object) -> str:
    """`value` as text that the system can pass to a program."""
    value = plain(value)
    if not isinstance(value, (str, int, float, PurePath)):
        raise InputTypeError(f"{subject}: {value!r} is neither text nor a number; give one of these")
    if "\0" in str(value):
        raise InputValueError(f"{subject}: {value!r} holds a NUL character, which no program can receive; take it out")
    return str(value)


def check_name(kind: str, name: object) -> None:
    """An error, unless `name` can name a directory."""
    if not isinstance(name, str):
        raise InputTypeError(f"{kind}: name is {name!r}; a name is text")
    if not name or "/" in name or name.startswith(".") or not name.isprintable() or name != name.strip():
        raise InputValueError(f"{kind}: {name!r} cannot name a directory; use a name without '/', leading dot or outer blanks")
    if len(name.encode()) > 200:
        raise InputValueError(f"{kind}: {name[:20]!r}... has {len(name.encode())} bytes; a name may have 200")


def absolute_path(name: str, path: object) -> str:
    """`path` as an absolute one, or an error if it is none."""
    if not isinstance(path, (str, PurePath)):
        raise InputTypeError(f"{name}: path is {path!r}; give text or a pathlib.Path")
    if not str(path) or "\0" in str(path):
        raise InputValueError(f"{name}: path {str(path)!r} cannot be a directory; give one, or leave it out")
    return os.path.abspath(path)
