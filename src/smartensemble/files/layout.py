"""What attached files become in a member's directory, and whether one would be written through a link, into a user's file."""

import os
from collections.abc import Iterator

from smartensemble.errors import InputValueError
from smartensemble.files.attach import RESERVED, Files, check_readable

#: What a name in a member's directory is.
LINK, FILE, DIRECTORY = "link", "file", "directory"


def links(subject: str, files: Files) -> set[str]:
    """The names in a member's directory that will be links, as paths relative to it.

    :raises InputValueError: two of the files have one name, and one of them would be written through the other, a link.
    """
    check_readable(subject, files)
    layout: dict[str, str] = {}
    for argument, target, kind in _targets(files):
        around = ["/".join(target.split("/")[:end]) for end in range(1, target.count("/") + 1)]
        in_the_way = next((path for path in around if layout.get(path) in (LINK, FILE)), "")
        if target in layout and not _may_replace(argument, kind, layout[target]):
            in_the_way = target
        if in_the_way:
            raise InputValueError(
                f"{subject}: {argument}: {target!r} would be written over {in_the_way!r}, a {layout[in_the_way]} that is "
                "attached too; attach one of them"
            )
        layout[target] = kind
    return {target for target, kind in layout.items() if kind == LINK}


def _may_replace(argument: str, kind: str, before: str) -> bool:
    """A name may be given twice: to directories, which are merged, and to files, of which the last one is kept."""
    if argument == "to_configure":  # it deletes a link, and does not follow it
        return kind == before == DIRECTORY or DIRECTORY not in (kind, before)
    return kind == before != LINK


def _targets(files: Files) -> Iterator[tuple[str, str, str]]:
    """The names that files get in a member's directory, in the order in which they are written."""
    for path in files.to_copy:
        if os.path.isdir(path):
            yield from (("to_copy", target, kind) for _, target, kind in tree(path) if target not in RESERVED)
        else:
            yield "to_copy", os.path.basename(path), FILE
    for path in files.to_symlink:
        yield "to_symlink", os.path.basename(path), LINK
    for path, target, kind in configured(files):
        if target in RESERVED:
            raise InputValueError(f"to_configure: {path}: {target!r} is written by generate itself; rename the file")
        yield "to_configure", target, FILE if os.path.isfile(path) else kind  # what tags are filled in becomes a file


def configured(files: Files) -> Iterator[tuple[str, str, str]]:
    """Each file to configure, its name in the member's directory, and what it is. A directory stands for what is below it."""
    for path in files.to_configure:
        if os.path.isdir(path):
            yield from tree(path)
        else:
            yield path, os.path.basename(path), FILE


def tree(directory: str) -> Iterator[tuple[str, str, str]]:
    """What is below `directory`: its path, its path relative to `directory`, and what it is.

    A link to a directory, or to nothing, is a link; one to a file is that file where tags are filled.
    """
    for root, folders, names in os.walk(directory):
        folders.sort()
        for name in (*folders, *sorted(names)):
            path = os.path.join(root, name)
            kind = LINK if os.path.islink(path) else DIRECTORY if name in folders else FILE
            yield path, os.path.relpath(path, directory), kind
