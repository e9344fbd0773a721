"""A page as a notebook: its text, its blocks with what they printed, and a cell to fill for each exercise.

See https://nbformat.readthedocs.io/en/latest/format_description.html
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from tutorkit.config import Config
from tutorkit.reading.blocks import Block, Exercise, Kind, Page
from tutorkit.running.compare import EXCEPTION
from tutorkit.teaching.statements import Part, commented, literal, parts

Cell = dict[str, Any]


class PieceKind(Enum):
    """What a piece of a page is."""

    TEXT = "text"  #: Markdown
    BLOCK = "block"  #: the id of a block
    EXERCISE = "exercise"  #: the name of an exercise


Piece = tuple[PieceKind, str]


@dataclass(frozen=True)
class Ran:
    """What is on record of a block."""

    outputs: tuple[str, ...] = ()  #: of its steps
    images: tuple[bytes, ...] = ()
    displayed: tuple[Mapping[str, Any], ...] = ()  #: the outputs of a notebook's cell, as they are on record
    reason: str = ""  #: why it did not run, "" if it passed


def notebook(page: Page, config: Config, pieces: Sequence[Piece], ran: Mapping[str, Ran], first: Sequence[str]) -> Cell:
    """A notebook in nbformat 4. Its cells begin with those of `first`: what to install, and what all others need."""
    install, *needed = first
    cells = [text(install), *(code(each) for each in needed if each)]
    for kind, content in complete(page, pieces):
        if kind is PieceKind.TEXT:
            cells.append(text(content))
        elif kind is PieceKind.BLOCK:
            cells += of_block(next(block for block in page.blocks if block.id == content), config, ran)
        else:
            cells += of_exercise(next(each for each in page.exercises if each.name == content))
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    language = {"name": "python"}
    return {"cells": cells, "metadata": {"kernelspec": kernel, "language_info": language}, "nbformat": 4, "nbformat_minor": 5}


def complete(page: Page, pieces: Sequence[Piece]) -> Iterator[Piece]:
    """Pieces in the order of the page, with the blocks that its text does not show: those after them may need them."""
    order = {block.id: number for number, block in enumerate(page.blocks)}
    known = {exercise.name for exercise in page.exercises}
    after = 0
    for kind, content in pieces:
        if kind is PieceKind.BLOCK:
            number = order.get(content, -1)
            yield from ((PieceKind.BLOCK, block.id) for block in page.blocks[after : number + 1])
            after = max(after, number + 1)
        elif kind is PieceKind.TEXT or content in known:
            yield kind, content
    yield from ((PieceKind.BLOCK, block.id) for block in page.blocks[after:])


def of_block(block: Block, config: Config, ran: Mapping[str, Ran]) -> Iterator[Cell]:
    """The cells of a block: one for each output, since a notebook shows the value of the last expression of a cell."""
    if not block.runs:
        yield text(f"```\n{block.source.rstrip()}\n```")
        return
    if reason := left_out(block, config, ran):
        yield code(not_run(block, reason))
        return
    known, source, first = ran.get(block.id, Ran()), "", True
    for part in parts(block, prompt=True):
        source += part.source
        if part.steps:
            images = known.images if first else ()
            yield code(source, outputs=[*printed(part, known), *map(drawn, images)] if not known.displayed else known.displayed)
            source, first = "", False
    if source:
        yield code(source, outputs=[drawn(each) for each in known.images] if first else [])


def left_out(block: Block, config: Config, ran: Mapping[str, Ran]) -> str:
    """Why a block is no code for the reader: the page did not run it, or only where a variable is set; "" if it is."""
    conditions = [config.conditions[name] for name in block.needs if name in config.conditions]
    switched = next((condition.reason for condition in conditions if condition.env), "")
    return switched or (ran[block.id].reason if block.id in ran else "")


def not_run(block: Block, reason: str) -> str:
    """A block that the page did not run, as a comment."""
    shown = block.source if block.kind in (Kind.CONSOLE, Kind.DOCTEST) else "".join(part.source for part in parts(block))
    return commented(f"Not run on its page: {reason}.\n{shown}")


def printed(part: Part, ran: Ran) -> list[Cell]:
    """What a part has printed, as its cell does: of an exception it prints the last lines."""
    shown = "".join(ran.outputs[step] for step in part.steps if step < len(ran.outputs))
    raised = EXCEPTION.search(shown) if "format_exception_only(error)" in part.source else None
    if raised:
        shown = shown[: raised.start()] + raised["message"]
    return [{"output_type": "stream", "name": "stdout", "text": shown.splitlines(keepends=True)}] if shown.strip() else []


def drawn(image: bytes) -> Cell:
    """A picture that a block has drawn."""
    return {"output_type": "display_data", "data": {"image/png": base64.b64encode(image).decode() + "\n"}, "metadata": {}}


CHECK = """\
import doctest

checks = {checks}
doctest.run_docstring_examples(checks, globals(), name={name!r}, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
"""


def of_exercise(exercise: Exercise) -> Iterator[Cell]:
    """A cell to fill, one that checks the answer, the hints, and the solution, folded."""
    yield code(exercise.starter.source, tags=["raises-exception"])
    checks = "\n".join(check.source for check in exercise.checks)
    if "NUMBER" in checks:  # which doctest alone does not know
        yield text(f"Your answer is to pass these checks:\n\n```pycon\n{checks.rstrip()}\n```")
    else:
        yield text("Run the next cell to check your answer. It prints nothing if all is right.")
        yield code(CHECK.format(checks=literal(checks), name=exercise.name), tags=["raises-exception"])
    hints = [("Hint", check.hint) for check in exercise.checks if check.hint]
    for name, content in [*hints, ("Solution", f"```python\n{exercise.solution.source.rstrip()}\n```")]:
        yield text(f"<details><summary>{name}</summary>\n\n{content}\n\n</details>")


def text(content: str) -> Cell:
    """A cell of Markdown."""
    return {"cell_type": "markdown", "metadata": {}, "source": lines(content)}


def code(content: str, outputs: Sequence[Mapping[str, Any]] = (), tags: Sequence[str] = ()) -> Cell:
    """A cell of code, with what it has printed."""
    metadata = {"tags": list(tags)} if tags else {}
    return {
        "cell_type": "code",
        "execution_count": None,
        "metadata": metadata,
        "outputs": list(outputs),
        "source": lines(content),
    }


def lines(content: str) -> list[str]:
    """A text as nbformat keeps it."""
    return content.rstrip("\n").splitlines(keepends=True)
