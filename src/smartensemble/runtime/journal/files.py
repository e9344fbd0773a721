"""The files of journals: each start has one, and their numbers are the order of the starts, whatever the clocks say."""

import os
from pathlib import Path


def names(folder: Path) -> list[str]:
    """The journals in `folder`, oldest first."""
    try:
        with os.scandir(folder) as entries:
            return sorted(
                (entry.name for entry in entries if entry.name.endswith(".tsv") and entry.is_file(follow_symlinks=False)),
                key=order,
            )
    except FileNotFoundError:
        return []


def order(name: str) -> tuple[int, str]:
    """By which journals are sorted. Version 0.1.0 gave them names that begin with the time; all of them are older.

    >>> sorted(["1000000.tsv", "000002.tsv", "2026-11-22T221005-123Z-node1-4711-1.tsv"], key=order)
    ['2026-11-22T221005-123Z-node1-4711-1.tsv', '000002.tsv', '1000000.tsv']
    """
    number = name.removesuffix(".tsv")
    return (int(number), "") if number.isdecimal() else (0, name)


def publish(folder: Path, text: str) -> Path:
    """A new journal, behind all that `folder` has. It appears whole, and of two that come at once each gets its own number."""
    folder.mkdir(parents=True, exist_ok=True)
    new = folder / f".{os.urandom(6).hex()}.new"
    try:
        new.write_text(text, encoding="utf-8", errors="surrogateescape")
        number = 1 + max((order(name)[0] for name in names(folder)), default=0)
        while not _appears(new, path := folder / f"{number:06}.tsv"):
            number += 1  # others were quicker, or a network file system has not shown theirs yet
        return path
    finally:
        new.unlink(missing_ok=True)


def _appears(new: Path, path: Path) -> bool:
    """Show the file `new` as `path` as well; False if there is a `path` already."""
    try:
        try:
            os.link(new, path)
        except FileExistsError:
            return os.stat(new).st_nlink > 1  # NFS may have done it, lost its answer, and tried again
        except OSError:  # a file system without links
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
            os.replace(new, path)
    except FileExistsError:
        return False
    return True
