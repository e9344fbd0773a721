"""What a page may not leave behind: processes, files, variables, another working directory."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

VOLATILE = ("PWD", "OLDPWD", "_", "COLUMNS", "LINES")  #: variables whose change is nobody's fault
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
NAMED_AT_MOST = 5  #: files of one kind that a message names


def path_written(event: str, arguments: tuple[Any, ...]) -> str | None:
    """The path that an audited event writes to; None if it writes nothing, or something that has no path."""
    opened = event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITES
    if not (opened or event in ("os.mkdir", "os.rename")):
        return None
    path = arguments[1] if event == "os.rename" else arguments[0]
    text = os.fspath(path) if isinstance(path, (str, os.PathLike)) else None
    return text if isinstance(text, str) else None


def changed(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """The variables that were set, removed or given another value.

    >>> changed({"HOME": "/", "T": "1", "PWD": "/a"}, {"HOME": "/", "P": "2", "PWD": "/b"})
    ['P', 'T']
    """
    return sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name) and name not in VOLATILE)


def leftovers(
    *, processes: Sequence[str], temporary: Sequence[str], written: Sequence[str], variables: Sequence[str], directory: str
) -> str:
    """What a page leaves behind, in words; "" if nothing."""
    found = {
        "processes": processes,
        "temporary files": temporary[:NAMED_AT_MOST],
        "files in the project": written[:NAMED_AT_MOST],
        "environment variables": variables,
        "another working directory": [directory] if directory else [],
    }
    return "; ".join(f"{what}: {', '.join(names)}" for what, names in found.items() if names)
