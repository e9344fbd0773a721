"""Requests of other processes to end members: files beside a journal, ``....stop-*``, and SIGUSR1.

Each request is a file of its own, so two processes do not overwrite each other's. Its first line is the grace in seconds, the
others are numbers in the journal. Whatever else lies there under such a name is left alone.
"""

from __future__ import annotations

import os
import stat

TYPE_CHECKING = False  # importing typing would cost a third of the time that a program here takes to start
if TYPE_CHECKING:
    from collections.abc import Iterable

LARGEST = 1 << 24  #: bytes of a request; a number takes ten at most


def write(journal: str, numbers: Iterable[int], grace: float) -> None:
    """Request that members of a journal end."""
    name = f"{_beginning(journal)}-{os.urandom(8).hex()}"
    new = f"{os.path.dirname(name)}/.{os.path.basename(name)}.new"
    with open(new, "x") as file:
        file.write("".join(f"{word:.17g}\n" for word in (grace, *numbers)))
    os.rename(new, name)


def take(journals: Iterable[str]) -> list[tuple[str, float, list[int]]]:
    """The requests beside journals, which are removed: the journal of each, its grace, and the numbers of its members."""
    beginnings = {_beginning(journal): journal for journal in journals}
    found = []
    for folder in {os.path.dirname(beginning) for beginning in beginnings}:
        for path in _named(folder):
            journal = beginnings.get(path[: path.rindex(".stop") + len(".stop")])
            if journal and (request := parse(_content(path))):
                found.append((journal, *request))
                try:
                    os.unlink(path)
                except OSError:  # then it is read again, and ends nothing new
                    pass
    return found


def _named(folder: str) -> list[str]:
    """The paths in a folder that may be requests."""
    try:
        return [f"{folder}/{name}" for name in sorted(os.listdir(folder)) if ".stop" in name]
    except OSError:
        return []


def parse(text: bytes) -> tuple[float, list[int]] | None:
    r"""The grace and the numbers of a request; None for what is none, or was cut.

    >>> parse(b"5\n1\n2\n"), parse(b"inf\n7\n"), parse(b"5\n1\n2"), parse(b"x"), parse(b"nan\n1\n"), parse(b"")
    ((5.0, [1, 2]), (inf, [7]), None, None, None, None)
    """
    grace, *numbers = text.split() or [b""]
    try:
        request = float(grace), [int(number) for number in numbers]
    except ValueError:
        return None
    return request if text.endswith(b"\n") and request[0] >= 0 else None


def _content(path: str) -> bytes:
    """What is in a file; nothing for what is no plain file, such as a pipe, whose reader would wait."""
    try:
        if not stat.S_ISREG(os.lstat(path).st_mode):
            return b""
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
        try:
            return os.read(descriptor, LARGEST)
        finally:
            os.close(descriptor)
    except OSError:
        return b""


def _beginning(journal: str) -> str:
    return f"{journal.removesuffix('.tsv')}.stop"
