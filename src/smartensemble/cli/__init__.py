"""The command ``smartensemble``: a file for each group of verbs, which adds its own part of the command line."""

import argparse
import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper

from smartensemble.cli import abandon, databases
from smartensemble.errors import SmartEnsembleError
from smartensemble.results.notes import Notes
from smartensemble.version import __version__

#: The groups of verbs: what each is about, and the function that adds its verbs. This is the line that a new group adds.
GROUPS = {
    "db": ("a database", databases.add_verbs),
    "abandon": ("say that the programs are gone that ran members", abandon.add_verbs),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; the exit code."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a name may have letters that a terminal lacks
    try:
        options = parser().parse_args(arguments)
        code = int(options.act(options))
    except SystemExit as end:  # a mistake, or help
        code = int(end.code or 0)
    except (SmartEnsembleError, OSError) as error:
        code = 2 if complain(error) else 0
    return max(code, flush())


def flush() -> int:
    """Hand over what was printed; the exit code. After a failure nothing is left that Python would try to write at its end."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 2 if complain(error) else 0
    return 0


def complain(error: Exception) -> bool:
    """Print an error. False if it is none: the reader of a pipe, such as ``head``, has gone."""
    if isinstance(error, BrokenPipeError) and error.filename is None:
        return False
    Notes(sys.stderr).say(f"smartensemble: {error}")
    return True


def parser() -> argparse.ArgumentParser:
    """The whole command line. Each verb sets `act`, a function of the options that returns the exit code."""
    top = argparse.ArgumentParser(prog="smartensemble", description="Ensembles of simulations and their databases.")
    top.add_argument("--version", action="version", version=f"smartensemble {__version__}")
    groups = top.add_subparsers(required=True, metavar=" | ".join(GROUPS))
    for name, (subject, add_verbs) in GROUPS.items():
        add_verbs(groups.add_parser(name, help=subject))
    return top
