"""The command ``smartensemble``: a file for each group of verbs, which adds its own part of the command line."""

import argparse
import sys
from collections.abc import Sequence

from smartensemble.cli import abandon, databases
from smartensemble.errors import SmartEnsembleError
from smartensemble.version import __version__

#: The groups of verbs: what each is about, and the function that adds its verbs. This is the line that a new group adds.
GROUPS = {
    "db": ("a database", databases.add_verbs),
    "abandon": ("say that the programs are gone that ran members", abandon.add_verbs),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; the exit code."""
    options = parser().parse_args(arguments)
    try:
        return int(options.act(options))
    except (SmartEnsembleError, OSError) as error:
        print(f"smartensemble: {error}", file=sys.stderr)
        return 2


def parser() -> argparse.ArgumentParser:
    """The whole command line. Each verb sets `act`, a function of the options that returns the exit code."""
    top = argparse.ArgumentParser(prog="smartensemble", description="Ensembles of simulations and their databases.")
    top.add_argument("--version", action="version", version=f"smartensemble {__version__}")
    groups = top.add_subparsers(required=True, metavar=" | ".join(GROUPS))
    for name, (subject, add_verbs) in GROUPS.items():
        add_verbs(groups.add_parser(name, help=subject))
    return top
