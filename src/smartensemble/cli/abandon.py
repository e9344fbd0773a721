"""The verb that declares dead what nobody can see any more."""

import argparse
from pathlib import Path

from smartensemble.errors import NoDirectoryError
from smartensemble.runtime.journal.abandon import abandon
from smartensemble.runtime.journal.history import History
from smartensemble.runtime.journal.journal import FOLDER


def add_verbs(group: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    group.add_argument("path", metavar="DIR", help="the directory of the experiment, which has journal/")
    group.set_defaults(act=abandon_all)


def abandon_all(options: argparse.Namespace) -> int:
    """Abandon everything in an experiment's directory that nobody can see, and print what that was."""
    folder = Path(options.path, FOLDER).absolute()
    if not folder.is_dir():
        raise NoDirectoryError(f"{options.path}: has no directory {FOLDER!r}; give the directory of an experiment")
    history = History(folder)
    members, processes = abandon(history, None)
    for process in processes:
        print(f"{options.path}: abandoned {process}")
    if members:
        print(f"{options.path}: these count as Unknown: {', '.join(members)}")
    if not processes:
        print(f"{options.path}: nothing to abandon")
    for journal in history.journals:
        if running := [entry.name for entry in journal.members if entry.run.status.active]:
            print(f"{options.path}: {journal.keeper} lives, and runs {', '.join(running)}; stop it instead")
    return 0
