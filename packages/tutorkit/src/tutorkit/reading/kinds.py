"""What is done with a literal block: its language decides, its caption, and whether it is a cell."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tutorkit.reading.blocks import Kind
from tutorkit.reading.lines import Line

PYTHON = {"python", "py", "python3"}
DOCTEST = {"pycon", "python-console", "doctest"}
IPYTHON = {"ipython", "ipython3"}
CONSOLE = {"console", "shell-session", "bash-session"}
SHELL = {"bash", "sh", "shell", "zsh", "fish"}
RUN = PYTHON | DOCTEST | IPYTHON | CONSOLE | SHELL  #: languages that may not be for display only
SKIP_EXECUTION = "skip-execution"  #: the tag of a cell, and of nbclient, that a page may not use


@dataclass(frozen=True)
class Literal:
    """A literal block as a page writes it."""

    at: Line  #: the line that opens it
    lines: Sequence[Line]  #: dedented
    language: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    cell: bool = False  #: it is a ``code-cell``

    @property
    def tags(self) -> list[str]:
        """Those of a cell."""
        return re.findall(r"[\w-]+", self.options.get("tags", ""))

    @property
    def prompted(self) -> bool:
        """It has ``>>>`` examples."""
        return any(line.text.startswith(">>>") for line in self.lines)

    @property
    def number(self) -> int:
        """The line of the page on which its content begins."""
        return self.lines[0].number if self.lines else self.at.number


def kind_of(literal: Literal) -> tuple[Kind, str]:
    """What is done with a block; if it is UNKNOWN, why."""
    language = literal.language.lower()
    if literal.cell and SKIP_EXECUTION in literal.tags:
        return Kind.UNKNOWN, "is not to be executed; say what it needs, in a comment 'needs: ...', not by a tag"
    if literal.cell and language in PYTHON | IPYTHON | {""}:
        return Kind.CELL, ""
    if "caption" in literal.options and not literal.cell:
        return Kind.FILE, ""
    if language in DOCTEST or (literal.prompted and language in PYTHON | {""}):
        return Kind.DOCTEST, ""
    if language in PYTHON:
        return Kind.PYTHON, ""
    if language in CONSOLE and literal.lines and literal.lines[0].text.startswith("$ "):
        return Kind.CONSOLE, ""
    return Kind.UNKNOWN, _remedy(language)


def _remedy(language: str) -> str:
    """Why a block of this language is not run, and what to do."""
    if language in CONSOLE:
        return "has no '$ ' before its commands; write '$ ' before each, and their output below"
    if language in SHELL:
        return f"is {language}, which is not run; call it console, and write '$ ' before each command"
    what = f"is {language}, which is not run" if language else "is in no language"
    return f"{what}; make it a file (:caption: its name), or write before it 'display-only:' and why"


def shown_only(literal: Literal, why: str) -> tuple[Kind, str]:
    """What is done with a block that a comment declares to be for display only, and why."""
    kind, _ = kind_of(literal)
    if kind is Kind.UNKNOWN and not literal.cell and literal.language.lower() not in RUN:
        return Kind.DISPLAY, why
    return Kind.UNKNOWN, f"is {literal.language or kind}, which is run, so it may not be for display only; say what it needs"
