"""What became of each block, in a file for each page: the test command writes it, Sphinx reads it."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

PASSED, FAILED, SKIPPED, DISPLAY, NOT_RUN = "passed", "failed", "skipped", "display-only", "not run"
EXERCISE = "exercise"  #: the kind of an entry that is no block


@dataclass
class Entry:
    """What became of a block, or of an exercise, whose name is its id."""

    id: str
    line: int
    kind: str
    language: str
    digest: str
    result: str = NOT_RUN  #: PASSED, FAILED, SKIPPED, DISPLAY or NOT_RUN
    reason: str = "not run yet"  #: in words, unless it passed
    seconds: float = 0.0
    output: str = ""  #: what it printed, and the value of its last expression if it is a cell
    outputs: list[str] = field(default_factory=list)  #: what a reader sees of each of its steps, tracebacks too
    images: list[str] = field(default_factory=list)  #: names of files beside this one, in the folder that `Record.images` gives
    entered: list[str] = field(default_factory=list)  #: functions of the project that it entered, as ``module:qualname``
    checked: bool = False  #: its result is compared, or it asserts
    ran_at: str = ""  #: when its page ran, such as ``2026-11-28T13:05:12Z``
    commit: str = ""  #: that the project was at when it ran, with "+" if there were changes, and its date


@dataclass
class Record:
    """What became of a page."""

    page: str
    blocks: list[Entry]
    seconds: float = 0.0
    python: str = ""
    platform: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    problem: str = ""  #: what was wrong with the page as a whole: what it left behind
    pictures: list[str] = field(default_factory=list)
    exercises: list[Entry] = field(default_factory=list)  #: what became of their proofs

    @property
    def failed(self) -> list[Entry]:
        """The blocks and the exercises that failed."""
        return [entry for entry in (*self.blocks, *self.exercises) if entry.result == FAILED]

    def entry(self, block: str, digest: str) -> Entry | None:
        """What became of a block, or of an exercise, if it is the same as then."""
        known = (*self.blocks, *self.exercises)
        return next((entry for entry in known if (entry.id, entry.digest) == (block, digest)), None)


def file_of(ledger: Path, page: str) -> Path:
    """Where the record of a page is: that of ``docs/start.rst`` is ``docs/start.rst.json``."""
    return ledger / f"{page}.json"


def images_of(ledger: Path, page: str) -> Path:
    """The folder of a page's images, and of the executed notebook if it is one: ``docs/start.rst.files``."""
    return ledger / f"{page}.files"


def write(ledger: Path, record: Record) -> None:
    """Write a record: whole or not at all."""
    file = file_of(ledger, record.page)
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_name(f".{file.name}.{os.getpid()}.new")
    lists = {"blocks": record.blocks, "exercises": record.exercises}
    lines = [f'"{name}": {_line(value)}' for name, value in sorted(vars(record).items()) if name not in lists]
    for name, entries in lists.items():
        shown = ",\n".join(_line(vars(entry)) for entry in entries)
        lines.append(f'"{name}": [\n{shown}\n]')
    text = ",\n".join(lines)
    new.write_text(f"{{\n{text}\n}}\n", encoding="utf-8")
    new.replace(file)


def _line(value: object) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def load(ledger: Path, page: str) -> Record | None:
    """The record of a page; None if there is none that can be read."""
    try:
        data = json.loads(file_of(ledger, page).read_text(encoding="utf-8"))
        lists = {name: [Entry(**entry) for entry in data.get(name, [])] for name in ("blocks", "exercises")}
        return Record(**{**data, **lists})
    except (OSError, ValueError, TypeError, KeyError):
        return None
