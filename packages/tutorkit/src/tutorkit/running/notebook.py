"""Execute a notebook as myst-nb does, with its reader and its client, and keep what came of each cell."""

from __future__ import annotations

import os
import re
import shutil
import sys
import time
from collections.abc import Container, Iterator, Mapping, Sequence
from functools import reduce
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tutorkit.config import Config
from tutorkit.reading.blocks import Block, Kind, Page
from tutorkit.running import compare
from tutorkit.running.evaluate import Outcome, Result
from tutorkit.running.page_process import MOMENT, command, descendants, kill, parent
from tutorkit.running.page_run import HOME

EXECUTED = "executed.ipynb"  #: in the folder of a page's images
SKIP = "skip-execution"  #: a tag that nbclient knows
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def execute(page: Page, config: Config, images: Path, trace: bool = False, skipped: Container[str] = ()) -> dict[str, Result]:
    """What comes of each block of a notebook. It runs in a copy of its folder, and its outputs are written to `images`."""
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    book = read(page)
    blocks = [block for block in page.blocks if block.kind is Kind.CELL]
    cells = [cell for cell in book.cells if cell.cell_type == "code"]
    for block, cell in zip(blocks, cells, strict=True):
        if block.id in skipped:
            cell.metadata["tags"] = [*cell.metadata.get("tags", []), SKIP]
    results: dict[str, Result] = {}
    below: list[int] = []  #: processes below the kernel, after the last cell
    began: dict[int, float] = {}
    failure = ""
    with TemporaryDirectory() as scratch:
        directory = Path(scratch).resolve() / page.path.parent.name
        shutil.copytree(page.path.parent, directory)
        reports = Path(scratch, "trace")
        reports.mkdir()
        environment = os.environ | {"PATH": os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", "")])}
        if trace:
            from tutorkit.running.trace import environment as traced

            (reports / "block").write_text("start")
            sources = tuple(str(config.root / folder) for folder in config.source)
            environment |= traced(sources, str(reports), str(config.root))
        client = NotebookClient(
            book, timeout=int(config.time_limit), kernel_name="python3", resources={"metadata": {"path": str(directory)}}
        )

        def begin(cell: Any, **_: Any) -> None:
            if cell.cell_type == "code":
                began[cells.index(cell)] = time.perf_counter()
                if trace and client.kc:
                    name = blocks[cells.index(cell)].id
                    client.kc.execute(
                        f"import sys; sys.modules['_tutorkit_trace'].switch({name!r})", silent=True, store_history=False
                    )

        def end(cell: Any, **_: Any) -> None:
            block = blocks[cells.index(cell)]
            results[block.id] = Result([], seconds=time.perf_counter() - began[cells.index(cell)])
            kernel = getattr(client.km.provisioner, "pid", None) if client.km else None
            below[:] = descendants(kernel) if kernel else ()

        client.on_cell_execute, client.on_cell_executed = begin, end
        try:
            client.execute(env=environment)
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            failure = COLOUR.sub("", str(error))
        left = survivors(below)
        names = {str(directory): HOME, sys.prefix: f"{HOME}/.venv", str(config.root): f"{HOME}/project"}
        for cell in cells:
            for output in cell.get("outputs", []):
                rename(output, names)
        entered = _entered(reports, config) if trace else {}
    last = max(began, default=-1)
    for number, (block, cell) in enumerate(zip(blocks, cells, strict=True)):
        if block.id in skipped:
            cell.metadata["tags"].remove(SKIP)
            continue
        result = results.setdefault(block.id, Result([]))
        result.entered = entered.get(block.id, [])
        result.outcomes = [Outcome("".join(text(cell)))]
        if failure and number == last:
            result.problem = f"{block.page}:{_line(failure, block)}: {failure.strip()[-3000:]}"
        elif failure and number > last:
            result.problem = f"{block.place}: was not run: the cell at {blocks[last].place} failed"
        elif block.raises and not any(output.output_type == "error" for output in cell.outputs):
            result.problem = f"{block.place}: is to raise an exception, and raised none"
        elif left and number == last:
            result.problem = f"{block.page}: leaves behind processes: {', '.join(left)}"
        elif block.steps:
            result.problem = compare.problem(block.steps[-1], result.outcomes[0], config, block.page, block.kind, {})
    for block in page.blocks:
        if block.kind is not Kind.CELL and block.runs:
            results[block.id] = _other(block, page)
    for cell in book.cells:
        cell.get("metadata", {}).pop("execution", None)
    book.metadata.pop("source_map", None)
    images.mkdir(parents=True, exist_ok=True)
    json = nbformat.writes(book)  # type: ignore[no-untyped-call]
    (images / EXECUTED).write_text(f"{json}\n", encoding="utf-8")
    return results


def read(page: Page) -> Any:
    """The notebook of a page, as myst-nb reads it."""
    from myst_nb.core.read import read_myst_markdown_notebook

    return read_myst_markdown_notebook(page.text, add_source_map=True, path=page.path)


def text(cell: Any) -> Iterator[str]:
    """What a cell put out, as text."""
    for output in cell.get("outputs", []):
        if output.output_type == "stream" and output.name == "stdout":
            yield output.text
        elif output.output_type in ("execute_result", "display_data"):
            shown = output.data.get("text/plain", "")
            yield shown + "\n" * (not shown.endswith("\n"))


def rename(output: Any, names: Mapping[str, str]) -> None:
    """Replace directories in all that a cell has printed or shown."""
    for holder in (output, output.get("data", {})):
        for key, value in holder.items():
            if isinstance(value, str):
                holder[key] = reduce(lambda shown, old: shown.replace(old, names[old]), names, value)


def survivors(pids: Sequence[int]) -> list[str]:
    """Which processes have not ended with their kernel, after a moment; they are killed."""
    limit = time.monotonic() + MOMENT
    while (alive := [pid for pid in pids if parent(pid)]) and time.monotonic() < limit:
        time.sleep(0.02)
    said = [command(pid) for pid in alive]
    for pid in alive:
        kill(pid)
    return said


def _entered(reports: Path, config: Config) -> dict[str, list[str]]:
    """The functions that each block has entered."""
    from tutorkit.running.trace import Tracer

    sources = tuple(str(config.root / folder) for folder in config.source)
    tracer = Tracer(sources, str(reports), str(config.root))
    found: dict[str, set[str]] = {}
    for report in tracer.reports():
        for block, entered in report["blocks"].items():
            names = {f"{tracer.module(file)}:{name}" for file, name in entered if name != "<module>"}
            found.setdefault(block, set()).update(names)
    return {block: sorted(names) for block, names in found.items()}


def _line(failure: str, block: Block) -> int:
    """The line of the page that an error speaks of."""
    found = re.findall(r"(?:Cell In\[\d+\], line |line )(\d+)", failure)
    return block.line + int(found[0]) - 1 if found else block.line


def _other(block: Block, page: Page) -> Result:
    """A block of a notebook that is no cell."""
    if block.kind is Kind.FILE:
        shown = page.path.parent / block.name
        same = shown.is_file() and shown.read_text(encoding="utf-8").rstrip() == block.source.rstrip()
        return Result([], "" if same else f"{block.place}: the file {block.name} beside the notebook is another one; show that")
    return Result([], f"{block.place}: is no cell, and a notebook runs cells; make it a {{code-cell}}", block.line)
