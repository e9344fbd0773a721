"""The lines of a page, each with its place in the file, so a test names it and ``--fix`` writes there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Line:
    """A line of a page, or what is left of it inside of a list or a directive."""

    number: int  #: in the file, from 1
    text: str  #: without indentation and line end
    start: int  #: where it begins in the file's text, with its indentation
    end: int  #: where the next one begins
    indent: str = ""  #: what was before `text`


@dataclass(frozen=True)
class Directive:
    """A directive as a page writes it."""

    at: Line  #: the line that opens it
    name: str  #: in lower case, without its domain
    argument: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    content: Sequence[Line] = ()


def lines_of(text: str) -> list[Line]:
    """The lines of a file; a byte-order mark is part of the first one's indentation."""
    found, offset = [], 0
    for number, raw in enumerate(re.findall(r"[^\n]*\n|[^\n]+", text), 1):
        bare = raw.rstrip("\r\n")
        mark = "\ufeff" if number == 1 and bare.startswith("\ufeff") else ""
        found.append(Line(number, bare.removeprefix(mark), offset, offset + len(raw), mark))
        offset += len(raw)
    return found


def dedent(lines: Sequence[Line]) -> list[Line]:
    """Lines without the indentation that they have in common, and without empty ones around."""
    filled = [number for number, line in enumerate(lines) if line.text.strip()]
    if not filled:
        return []
    lines = lines[filled[0] : filled[-1] + 1]
    depth = min(len(line.text) - len(line.text.lstrip()) for line in lines if line.text.strip())
    return [replace(line, text=line.text[depth:], indent=line.indent + line.text[:depth]) for line in lines]


def joined(lines: Iterable[Line]) -> str:
    """Their text."""
    return "".join(f"{line.text}\n" for line in lines)
