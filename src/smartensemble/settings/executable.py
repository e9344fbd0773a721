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
    arguments = "run_args" if subject == "run_command" else "exe_args"
    if not isinstance(exe, (str, PurePath)):
        raise InputTypeError(f"{subject}: {shown(exe)} is no program; give its name or path, and its arguments as {arguments}")
    name = text(subject, exe)
    if not name.strip():
        raise InputValueError(f"{subject}: {shown(name)} is no program; give its name or path")
    if found := shutil.which(name) or shutil.which(os.path.join(".", name)):
        if subject == "exe" and re.fullmatch("python3?", name):
            _mention_other_python(name, os.path.abspath(found))
        return os.path.abspath(found)
    if os.path.isdir(name):
        raise NotExecutableError(f"{located(name)}: is a directory; give the program in it")
    if os.path.exists(name):
        raise NotExecutableError(f"{located(name)}: may not be executed; run chmod +x {located(shlex.quote(name))}")
    beside, word = os.path.join(os.path.dirname(sys.executable), name), located(name)
    if os.path.dirname(name):
        raise MissingFileError(f"{word}: no such program; give the path of one that is there")
    if os.access(beside, os.X_OK):
        raise MissingFileError(f"{word}: no such program on PATH; there is {beside}: give that, or activate the environment")
    if len(name.split()) > 1:
        raise MissingFileError(f"{word}: no such program on PATH; give its name alone, and its arguments as {arguments}")
    raise MissingFileError(f"{word}: no such program on PATH; give its path, or install it")


@cache
def _mention_other_python(name: str, found: str) -> None:
    """Log, once, that `found` is another Python than the one that runs here, and may lack what is installed for it."""
    mine = sys.executable
    same_place = os.path.realpath(os.path.dirname(found)) == os.path.realpath(os.path.dirname(mine))
    if not (same_place and os.path.realpath(found) == os.path.realpath(mine)):
        logger.warning("%s: is %s on PATH, and this program runs in %s; give sys.executable for the same", name, found, mine)
