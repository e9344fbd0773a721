"""What a page is made of: its blocks, each with a stable id and an exact place, and what they need."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from pathlib import Path


class Kind(StrEnum):
    """What is done with a block."""

    PYTHON = "python"  #: statements; what they print may be shown by an ``output`` block that follows
    DOCTEST = "doctest"  #: ``>>>`` examples
    CELL = "cell"  #: statements whose last expression is output too
    CONSOLE = "console"  #: ``$ command`` lines, each with its output
    FILE = "file"  #: a file that the page shows, and then uses
    DISPLAY = "display"  #: declared display-only
    UNKNOWN = "unknown"  #: nothing of all this: it fails tests and build


@dataclass(frozen=True)
class Step:
    """What is run at once: a doctest example, a command of a console block, or the whole of any other block.

    A block of statements expects no output (None) unless an ``output`` block follows; a doctest example and a command always
    expect what is written below them, which may be nothing ("").
    """

    line: int  #: of its first line in the file, from 1
    source: str  #: dedented, without prompts
    expected: str | None = None  #: dedented, ends with a line end unless it is empty
    start: int = 0  #: where the expected output begins in the file's text; where it would, if there is none
    end: int = 0  #: where it ends
    indent: str = ""  #: of its lines, in the file
    flags: int = 0  #: doctest's option flags, from a comment ``# doctest: +NUMBER``
    off: int = 0  #: those that it turns off, ``# doctest: -ELLIPSIS``


@dataclass(frozen=True)
class Block:
    """A literal block of a page."""

    page: str  #: path of its file from the project's root, with "/"
    id: str  #: of its section and its number there, or its name: ``install-2``; one of its kind on a page
    line: int  #: of the first line of its content, from 1
    kind: Kind
    language: str  #: as it is written; "" for a literal block without one
    source: str  #: its whole content as it is shown, dedented
    steps: tuple[Step, ...] = ()
    name: str = ""  #: of a file
    needs: tuple[str, ...] = ()  #: conditions, without which it is skipped
    reason: str = ""  #: why it is for display only; or why nobody knows what to do with it
    raises: bool = False  #: it ends with an exception (a cell tagged ``raises-exception``)
    options: Mapping[str, str] = field(default_factory=dict)  #: of its directive

    @property
    def place(self) -> str:
        """``file:line``, for messages."""
        return f"{self.page}:{self.line}"

    @property
    def runs(self) -> bool:
        """Something is done with it."""
        return self.kind not in (Kind.DISPLAY, Kind.UNKNOWN)

    @property
    def digest(self) -> str:
        """A fingerprint of what it says and expects: a record is of this block as long as they agree."""
        parts = [self.kind, self.language, self.name, self.source, *(str(step.expected) for step in self.steps)]
        return sha256("\0".join(parts).encode()).hexdigest()[:16]

    @property
    def checked(self) -> bool:
        """Its result is checked: by an output, or by an assertion."""
        shown = any((step.expected or "").strip(". \n") for step in self.steps)
        return shown or self.raises or (self.kind in PYTHON and any(asserts(step.source) for step in self.steps))


PYTHON = (Kind.PYTHON, Kind.DOCTEST, Kind.CELL)


def asserts(source: str) -> bool:
    """A piece of Python has an assertion in it: the statement, ``assert_allclose(...)``, or ``pytest.raises(...)``.

    >>> asserts("assert 1 + 1 == 2"), asserts("x = 1  # we assert nothing")
    (True, False)
    """
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return False
    called = [each.func for each in ast.walk(tree) if isinstance(each, ast.Call)]
    names = [each.attr if isinstance(each, ast.Attribute) else getattr(each, "id", "") for each in called]
    return any(isinstance(each, ast.Assert) for each in ast.walk(tree)) or any(
        name == "raises" or name.startswith("assert") for name in names
    )


@dataclass(frozen=True)
class Check:
    """Some of an exercise's checks, and what a learner reads when they fail."""

    line: int
    source: str  #: doctest examples
    hint: str = ""


@dataclass(frozen=True)
class Answer:
    """Code that answers an exercise: the starter, the solution, or a wrong one."""

    line: int
    source: str
    what: str = ""  #: what is wrong with it
    hint: str = ""  #: how the hint begins that it must be given


@dataclass(frozen=True)
class Exercise:
    """A task with its checks, and the proof that they tell right from wrong."""

    page: str
    name: str
    title: str
    line: int
    task: str  #: its prose, as it is written
    starter: Answer
    solution: Answer
    checks: tuple[Check, ...]
    wrong: tuple[Answer, ...] = ()
    needs: tuple[str, ...] = ()  #: conditions, without which it is skipped

    @property
    def place(self) -> str:
        """``file:line``, for messages."""
        return f"{self.page}:{self.line}"

    @property
    def digest(self) -> str:
        """A fingerprint of what it holds, wherever it stands: a record is of this exercise as long as they agree."""
        answers = (self.starter, self.solution, *self.wrong)
        parts = [*((each.source, each.hint) for each in answers), *((each.source, each.hint) for each in self.checks)]
        return sha256(repr(parts).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Page:
    """A file with blocks: a page, a notebook, or the docstrings of a module."""

    path: Path
    name: str  #: its path from the project's root, with "/"
    text: str  #: as it is in the file, with its line ends; offsets are into this
    blocks: tuple[Block, ...]
    files: tuple[str, ...] = ()  #: copied into its directory before the first block; from the page's folder
    pictures: tuple[str, ...] = ()  #: files that its blocks save, and that it shows
    exercises: tuple[Exercise, ...] = ()
    notebook: bool = False  #: it has a kernelspec, and is executed by a kernel
    docstrings: bool = False  #: a module
