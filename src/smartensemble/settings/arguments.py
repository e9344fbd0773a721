"""Arguments, options and lines of shell from a user, checked, so no program, shell or scheduler fails on them later."""

import re
import shlex
from collections.abc import Iterable, Mapping
from pathlib import PurePath

from smartensemble.checks import LARGEST, listed, passable, plain
from smartensemble.errors import InputTypeError, InputValueError, shown

#: Arguments of a program: text that is split as a shell would split it, or a list.
Arguments = str | Iterable[str | int | float | PurePath]


def arguments(subject: str, value: Arguments) -> list[str]:
    """`value` as the arguments of a program.

    >>> arguments("exe_args", "-in 'my file'"), arguments("exe_args", ["-in", "my file", 4])
    (['-in', 'my file'], ['-in', 'my file', '4'])
    """
    if isinstance(value, str):
        try:
            value = shlex.split(value)
        except ValueError as error:
            raise InputValueError(f"{subject}: {shown(value)} cannot be split ({error}); give a list of arguments") from None
    if (found := listed(value)) is None:
        raise InputTypeError(f"{subject}: {shown(value)} is no list of arguments; for example ['-in', 'in.melt']")
    return [text(subject, each) for each in found]


def raw_options(subject: str, value: object) -> dict[str, object]:
    """`value` as options in a program's own names."""
    if not isinstance(value, Mapping):
        raise InputTypeError(f"{subject}: {shown(value)} is no dictionary; for example {{'n': 2}}")
    for name, option in value.items():
        if not isinstance(name, str) or not name.strip("-") or not name.isprintable():
            raise InputValueError(f"{subject}: {shown(name)} is no name of an option; for example {{'n': 2}}")
        if option is not None:
            text(f"{subject}[{shown(name)}]", option)
    return dict(value)


def variables(value: object) -> dict[str, str | None]:
    """`value` as variables of an environment; None for one that keeps its inherited value.

    >>> variables({"OMP_NUM_THREADS": 4, "LANG": None})
    {'OMP_NUM_THREADS': '4', 'LANG': None}
    """
    if not isinstance(value, Mapping):
        raise InputTypeError(f"env_vars: {shown(value)} is no dictionary; for example {{'OMP_NUM_THREADS': 1}}")
    for name in value:
        if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            raise InputValueError(f"env_vars: {shown(name)} is no name of an environment variable; use letters, digits and _")
    return {name: None if each is None else text(f"env_vars[{shown(name)}]", each) for name, each in value.items()}


def dashed(name: str) -> str:
    """An option's own name with the dashes that it needs.

    >>> dashed("n"), dashed("ntasks"), dashed("-Q")
    ('-n', '--ntasks', '-Q')
    """
    return name if name.startswith("-") else ("-" if len(name) == 1 else "--") + name


def shell_lines(value: str | Iterable[str]) -> list[str]:
    """`value` as lines of shell."""
    lines = value.splitlines() if isinstance(value, str) else listed(value)
    if lines is None:
        raise InputTypeError(f"preamble: {shown(value)} is no text and no list of lines; for example 'module load lammps'")
    if not all(isinstance(line, str) for line in lines):
        raise InputTypeError(f"preamble: {shown(value)} holds what is no text; give lines of shell")
    return [text("preamble", line) for line in lines]


def text(subject: str, value: object) -> str:
    """`value` as text that the system can pass to a program."""
    value = plain(value)
    if not isinstance(value, (str, int, float, PurePath)) or (isinstance(value, int) and abs(value) > LARGEST):
        raise InputTypeError(f"{subject}: {shown(value)} is neither text nor a number; give one of these")
    written = str(value)
    if not passable(written):
        what = "a NUL character" if "\0" in written else "half of a surrogate pair"
        raise InputValueError(f"{subject}: {shown(value)} holds {what}, which no program can receive; take it out")
    return written
