"""The files that a member's directory is made from."""

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePath

from smartensemble.checks import KINDS, listed, path_text
from smartensemble.errors import (
    AccessError,
    InputTypeError,
    InputValueError,
    MissingFileError,
    NoPermissionError,
    located,
    refused,
    shown,
)
from smartensemble.files.places import allowed

#: One path or several.
Paths = str | PurePath | Iterable[str | PurePath] | None

#: Files that generate writes into every member's directory.
RESERVED = ("params.json",)


@dataclass(frozen=True)
class Files:
    """Files and directories for a member's directory: absolute paths that exist."""

    to_copy: tuple[str, ...] = ()  #: what is copied
    to_symlink: tuple[str, ...] = ()  #: what symbolic links are made to
    to_configure: tuple[str, ...] = ()  #: what is copied with its tags filled

    def __iter__(self) -> Iterator[str]:
        return iter((*self.to_copy, *self.to_symlink, *self.to_configure))


def attach(subject: str, to_copy: Paths = None, to_symlink: Paths = None, to_configure: Paths = None) -> Files:
    """The files, checked: each exists, and no link replaces another file.

    :param to_copy: files and directories to copy.
    :param to_symlink: files and directories to make symbolic links to.
    :param to_configure: text files whose tags are filled with the member's parameters, and directories of them.
    :raises MissingFileError: one of them does not exist.
    :raises NoDirectoryError: a path leads through a file.
    :raises AccessError: one of them cannot be read, or is neither a file nor a directory.
    :raises InputTypeError: one of them is no path.
    :raises InputValueError: a link would replace another file, or a file has a name that ``generate`` writes itself.

    >>> attach("melt", to_configure="no-such-file")
    Traceback (most recent call last):
    smartensemble.errors.MissingFileError: melt: to_configure: no file ...no-such-file; give the path of one that is there
    """
    arguments = {"to_copy": to_copy, "to_symlink": to_symlink, "to_configure": to_configure}
    found = {
        argument: tuple(_find(f"{subject}: {argument}", path) for path in _several(subject, argument, paths))
        for argument, paths in arguments.items()
    }
    files = Files(**found)
    taken = [os.path.basename(path) for path in (*files.to_copy, *files.to_configure) if os.path.isfile(path)]
    for path in files.to_symlink:
        if (name := os.path.basename(path)) in taken:
            raise InputValueError(f"{subject}: to_symlink: {name!r} would take the place of another file; attach it once")
        taken.append(name)
    return files


def _several(subject: str, argument: str, paths: Paths) -> list[str | PurePath]:
    if isinstance(paths, (str, PurePath)):
        return [paths]
    if paths is None:
        return []
    found = list(paths) if isinstance(paths, (set, frozenset)) else listed(paths)
    if found is None:
        raise InputTypeError(f"{subject}: {argument} is {shown(paths)}; give a path or a list of paths")
    return found


def _find(subject: str, path: object) -> str:
    absolute = os.path.abspath(path_text(subject, path))
    check_entry(subject, absolute, any_kind=subject.endswith(" to_symlink"))
    if os.path.basename(absolute) in RESERVED:
        raise InputValueError(f"{subject}: {os.path.basename(absolute)!r} is written by generate itself; rename the file")
    return absolute


def check_readable(subject: str, files: Files) -> None:
    """An error, unless all of `files` can be read now, and everything in those that are directories.

    :raises AccessError: one cannot be read, or is a FIFO, a socket or a device, which has no end.
    """
    for path in files.to_symlink:
        check_entry(subject, path, any_kind=True)
    for path in (*files.to_copy, *files.to_configure):
        check_entry(subject, path)
        if os.path.isdir(path):
            for entry in _entries(subject, path):
                if not os.path.islink(entry) or (path in files.to_configure and os.path.isfile(entry)):  # else it stays a link
                    check_entry(subject, entry)


def check_entry(subject: str, path: str, any_kind: bool = False) -> None:
    """An error, unless the file or directory `path` can be read."""
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        raise MissingFileError(f"{subject}: no file {located(path)}; give the path of one that is there") from None
    except OSError as error:
        raise refused(subject, error) from None
    if any_kind:
        return
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise AccessError(f"{subject}: {located(path)} is {KINDS[stat.S_IFMT(mode)]}; give a file or a directory")
    if not allowed(path, os.R_OK | (os.X_OK if stat.S_ISDIR(mode) else 0)):
        raise NoPermissionError(f"{subject}: {located(path)} may not be read; run chmod u+r, or give another")


def _entries(subject: str, directory: str) -> Iterator[str]:
    """Everything in `directory` and below it."""

    def refuse(error: OSError) -> None:
        raise refused(subject, error) from None

    for root, folders, names in os.walk(directory, onerror=refuse):
        yield from (os.path.join(root, name) for name in (*folders, *names))
