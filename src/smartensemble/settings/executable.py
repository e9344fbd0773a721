"""Find a program when its settings are made, not when a member starts."""

import os
import re
import shlex
import shutil
import sys
from functools import cache
from pathlib import PurePath

from smartensemble.errors import InputTypeError, InputValueError, MissingFileError, NotExecutableError, located, shown
from smartensemble.results import notes
from smartensemble.settings.arguments import text

logger = notes.logger(__name__)


def is_named(run_command: object) -> bool:
    """Whether a run command is named, where none or another one is the default."""
    return run_command is not None and not (isinstance(run_command, str) and run_command in ("", "auto"))


def find_program(exe: object, subject: str = "exe") -> str:
    """The absolute path of a program: from PATH, or below the working directory."""
    name = _name(exe, subject)
    found = _found(name)
    if found is None:
        raise _missing(name, subject)
    if subject == "exe" and re.fullmatch("python3?", name):
        _mention_other_python(name, found)
    return found


def find_program_if_here(exe: object, subject: str = "exe") -> str:
    """The absolute path of a program, or its name where this machine has none: it is meant for another machine.

    >>> find_program_if_here("no-such-program", "run_command")
    'no-such-program'

    :raises NotExecutableError: what is here of this name is no program.
    :raises MissingFileError: the name has its arguments in it.
    """
    name = _name(exe, subject)
    if found := _found(name):
        return found
    if os.path.exists(name) or (len(name.split()) > 1 and not os.path.dirname(name)):
        raise _missing(name, subject)
    return name


def find_late(program: str) -> str:
    """The absolute path of a program that was not here when its settings were made; its name if it still is not."""
    return program if os.path.isabs(program) else _found(program) or program


def is_here(program: str) -> bool:
    """Whether this machine has a program."""
    return _found(program) is not None


def _found(name: str) -> str | None:
    found = shutil.which(name) or shutil.which(os.path.join(".", name))
    return os.path.abspath(found) if found else None


def _name(exe: object, subject: str) -> str:
    """The name of a program, as text that is one."""
    if not isinstance(exe, (str, PurePath)):
        raise InputTypeError(
            f"{subject}: {shown(exe)} is no program; give its name or path, and its arguments as {_arguments(subject)}"
        )
    name = text(subject, exe)
    if not name.strip():
        raise InputValueError(f"{subject}: {shown(name)} is no program; give its name or path")
    return name


def _arguments(subject: str) -> str:
    """The argument that takes the arguments of a program."""
    return "run_args" if subject == "run_command" else "exe_args"


def _missing(name: str, subject: str) -> Exception:
    """Why there is no program of this name, and what to do."""
    if os.path.isdir(name):
        return NotExecutableError(f"{located(name)}: is a directory; give the program in it")
    if os.path.exists(name):
        return NotExecutableError(f"{located(name)}: may not be executed; run chmod +x {located(shlex.quote(name))}")
    beside, word = os.path.join(os.path.dirname(sys.executable), name), located(name)
    if os.path.dirname(name):
        return MissingFileError(f"{word}: no such program; give the path of one that is there")
    if os.access(beside, os.X_OK):
        return MissingFileError(f"{word}: no such program on PATH; there is {beside}: give that, or activate the environment")
    if len(name.split()) > 1:
        return MissingFileError(
            f"{word}: no such program on PATH; give its name alone, and its arguments as {_arguments(subject)}"
        )
    return MissingFileError(f"{word}: no such program on PATH; give its path, or install it")


@cache
def _mention_other_python(name: str, found: str) -> None:
    """Log, once, that `found` is another Python than the one that runs here, and may lack what is installed for it."""
    mine = sys.executable
    same_place = os.path.realpath(os.path.dirname(found)) == os.path.realpath(os.path.dirname(mine))
    if not (same_place and os.path.realpath(found) == os.path.realpath(mine)):
        logger.warning("%s: is %s on PATH, and this program runs in %s; give sys.executable for the same", name, found, mine)
