"""Execute a notebook as myst-nb does, say what came of each cell, and keep the outputs for the site."""

from __future__ import annotations

import importlib.util
import re
import shutil
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from tutorkit.config import Config
from tutorkit.reading.blocks import Block, Kind, Page
from tutorkit.reading.kinds import SKIP_EXECUTION
from tutorkit.running import compare
from tutorkit.running.evaluate import Outcome, Result

if TYPE_CHECKING:
    from tutorkit.running.kernel import Execution

EXECUTED = "executed.ipynb"  #: in the folder of a page's images
FAILURE_LENGTH = 3000  #: characters of a failure that are shown


@dataclass(frozen=True)
class Cell:
    """A cell of a notebook that was executed."""

    number: int
    block: Block
    output: str = ""
    raised: bool = False  #: one of its outputs is an error

    @classmethod
    def of(cls, number: int, block: Block, cell: Any) -> Cell:
        """From a cell of nbformat, with its outputs."""
        return cls(number, block, "".join(text(cell)), any(output.output_type == "error" for output in cell.outputs))


def execute(
    page: Page, config: Config, images: Path, *, trace: bool = False, skipped: Container[str] = ()
) -> dict[str, Result]:
    """What comes of each block of a notebook. It runs in a copy of its folder, and its outputs are written to `images`."""
    if importlib.util.find_spec("myst_nb") is None:
        return _lacking(page)
    book = read(page)
    blocks = [block for block in page.blocks if block.kind is Kind.CELL]
    pairs = list(zip(blocks, (cell for cell in book.cells if cell.cell_type == "code"), strict=True))
    with _left_out([cell for block, cell in pairs if block.id in skipped]):
        execution = _run(page, book, [block.id for block in blocks], config, trace=trace)
    last = blocks[execution.last] if execution.last >= 0 else None
    executed = (Cell.of(number, block, cell) for number, (block, cell) in enumerate(pairs) if block.id not in skipped)
    results = {cell.block.id: result(cell, execution, last, config) for cell in executed}
    _write(book, images)
    return results | beside(page)


def _lacking(page: Page) -> dict[str, Result]:
    """What comes of the blocks of a notebook where nothing can execute it."""
    remedy = "is a notebook's, which needs the package myst-nb; pip install 'tutorkit[sphinx]'"
    return {block.id: Result.failed(f"{block.place}: {remedy}", block.line) for block in page.blocks}


@contextmanager
def _left_out(cells: Sequence[Any]) -> Iterator[None]:
    """Have nbclient leave out some cells."""
    for cell in cells:
        cell.metadata["tags"] = [*cell.metadata.get("tags", []), SKIP_EXECUTION]
    yield
    for cell in cells:
        cell.metadata["tags"].remove(SKIP_EXECUTION)


def _run(page: Page, book: Any, ids: list[str], config: Config, *, trace: bool) -> Execution:
    """Run the cells of `book`, which gets their outputs, in a copy of the page's folder."""
    from tutorkit.running.kernel import Kernel  # which needs the extra: myst-nb brings nbclient

    with TemporaryDirectory() as scratch:
        directory = Path(scratch).resolve() / page.path.parent.name
        shutil.copytree(page.path.parent, directory)
        reports = Path(scratch, "trace")
        reports.mkdir()
        execution = Kernel(book, ids, config).execute(directory, reports if trace else None)
        names = compare.directories(directory, config.root)
        for output in (output for cell in book.cells for output in cell.get("outputs", [])):
            rename(output, names)
        return execution


def result(cell: Cell, execution: Execution, last: Block | None, config: Config) -> Result:
    """What came of a cell; `last` is the block of the last cell that began."""
    outcome = Outcome(cell.output, shown=cell.output)
    missed = bool(execution.failure) and cell.number > max(execution.last, 0)
    return Result(
        [outcome],
        problem(cell, outcome, execution, last, config),
        missed=(f"the page ended at {last.place}" if last else "the kernel did not start") if missed else "",
        seconds=execution.seconds.get(cell.number, 0.0),
        entered=execution.entered.get(cell.block.id, []),
    )


def problem(cell: Cell, outcome: Outcome, execution: Execution, last: Block | None, config: Config) -> str:
    """What is wrong with a cell, "" if nothing."""
    block = cell.block
    if execution.failure and cell.number == execution.last:
        failure = execution.failure
        first, _, more = failure.strip().partition("\n")
        return f"{block.page}:{line_of(failure, block)}: {first}\n{more[-FAILURE_LENGTH:]}".rstrip()
    if execution.failure and cell.number > execution.last:
        why = f"the cell at {last.place} failed" if last else execution.failure
        return f"{block.place}: was not run: {why}"
    if block.raises and not cell.raised:
        return f"{block.place}: is to raise an exception, and raised none"
    if execution.left and cell.number == execution.last:
        return f"{block.page}: leaves behind processes: {', '.join(execution.left)}"
    return compare.problem(block.steps[-1], outcome, block, config, {}) if block.steps else ""


def line_of(failure: str, block: Block) -> int:
    """The line of the page that an error speaks of."""
    found = re.findall(r"(?:Cell In\[\d+\], line |line )(\d+)", failure)
    return block.line + int(found[0]) - 1 if found else block.line


def beside(page: Page) -> dict[str, Result]:
    """What comes of the blocks of a notebook that are no cells: they show files beside the notebook, or are mistakes."""
    return {block.id: _beside(block, page) for block in page.blocks if block.runs and block.kind is not Kind.CELL}


def _beside(block: Block, page: Page) -> Result:
    if block.kind is not Kind.FILE:
        return Result.failed(f"{block.place}: is no cell, and a notebook runs cells; make it a {{code-cell}}", block.line)
    shown = page.path.parent / block.name
    if shown.is_file() and shown.read_text(encoding="utf-8").rstrip() == block.source.rstrip():
        return Result([])
    return Result.failed(f"{block.place}: the file {block.name} beside the notebook is another one; show that")


# --- notebooks of nbformat --------------------------------------------------------------------------------------------------


def read(page: Page) -> Any:
    """The notebook of a page, as myst-nb reads it."""
    from myst_nb.core.read import read_myst_markdown_notebook

    return read_myst_markdown_notebook(page.text, add_source_map=True, path=page.path)


def text(cell: Any) -> Iterator[str]:
    """The outputs of a cell, as text."""
    for output in cell.get("outputs", []):
        if output.output_type == "stream" and output.name == "stdout":
            yield output.text
        elif output.output_type in ("execute_result", "display_data"):
            shown = output.data.get("text/plain", "")
            yield shown if shown.endswith("\n") else f"{shown}\n"


def rename(output: Any, names: Mapping[str, str]) -> None:
    """Replace directories in everything that a cell has printed or shown."""
    for holder in (output, output.get("data", {})):
        for key, value in holder.items():
            if isinstance(value, str):
                holder[key] = reduce(lambda shown, old: shown.replace(old, names[old]), names, value)


def _write(book: Any, images: Path) -> None:
    """Keep a notebook with its outputs, without what differs from run to run."""
    import nbformat

    for cell in book.cells:
        cell.get("metadata", {}).pop("execution", None)
    book.metadata.pop("source_map", None)
    images.mkdir(parents=True, exist_ok=True)
    json = nbformat.writes(book)  # type: ignore[no-untyped-call]
    (images / EXECUTED).write_text(f"{json}\n", encoding="utf-8")
