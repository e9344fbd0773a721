"""The files that a member's directory is made from."""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath

from smartensemble.errors import InputTypeError, InputValueError, MissingFileError

#: One path or several.
Paths = str | PurePath | Iterable[str | PurePath] | None

#: Files that generate writes into every member's directory.
RESERVED = ("params.json",)


@dataclass(frozen=True)
class Files:
    """Files and directories for a member's directory: absolute paths that exist."""

    to_copy: tuple[str, ...] = ()
    to_symlink: tuple[str, ...] = ()
    to_configure: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[str]:
        return iter((*self.to_copy, *self.to_symlink, *self.to_configure))


def attach(subject: str, to_copy: Paths = None, to_symlink: Paths = None, to_configure: Paths = None) -> Files:
    """The files, checked: each exists, and no link replaces another file.

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
    if isinstance(paths, (bytes, Mapping)) or not isinstance(paths, Iterable):
        raise InputTypeError(f"{subject}: {argument} is {paths!r}; give a path or a list of paths")
    return list(paths)


def _find(subject: str, path: object) -> str:
    if not isinstance(path, (str, PurePath)):
        raise InputTypeError(f"{subject}: {path!r} is no path; give text or a pathlib.Path")
    if not str(path):
        raise InputValueError(f"{subject}: '' is no path; give the path of a file or directory")
    absolute = os.path.abspath(path)
    if not os.path.exists(absolute):
        raise MissingFileError(f"{subject}: no file {absolute}; give the path of one that is there")
    if os.path.basename(absolute) in RESERVED:
        raise InputValueError(f"{subject}: {os.path.basename(absolute)!r} is written by generate itself; rename the file")
    return absolute
