"""What came of a cell is decided from what is known when the kernel has ended."""

from pathlib import Path

import pytest

from tutorkit.config import Config
from tutorkit.reading.blocks import Block, Kind, Page, Step
from tutorkit.running.evaluate import Outcome
from tutorkit.running.kernel import Execution
from tutorkit.running.notebook import Cell, beside, line_of, problem

FAILED = Execution(last=1, failure="Cell In[2], line 3\nValueError: no\n")
ENDED = Execution(last=2)
LEFT = Execution(last=2, left=["sleep 9 (pid 7)"])


def cell(number: int, output: str = "", shown: str | None = None, *, raises: bool = False, raised: bool = False) -> Cell:
    """The cell of this number, ten lines below the one before it."""
    line = 10 * number + 5
    steps = (Step(line, "f()\n", shown),)
    block = Block("a.md", f"a-{number + 1}", line, Kind.CELL, "", "f()\n", steps, raises=raises)
    return Cell(number, block, output, raised)


@pytest.mark.parametrize(
    ("execution", "one", "message"),
    [
        (ENDED, cell(0, "1\n"), ""),
        (ENDED, cell(0, "1\n", "1\n"), ""),
        (ENDED, cell(0, "1\n", "2\n"), "a.md:5: the output differs from the page"),
        (ENDED, cell(1, raises=True, raised=True), ""),
        (ENDED, cell(1, raises=True), "a.md:15: is to raise an exception, and raised none"),
        (LEFT, cell(1), ""),
        (LEFT, cell(2), "a.md: leaves behind processes: sleep 9 (pid 7)"),
        (LEFT, cell(2, raises=True), "a.md:25: is to raise an exception, and raised none"),
        (FAILED, cell(0, "1\n", "1\n"), ""),
        (FAILED, cell(0, "1\n", "2\n"), "a.md:5: the output differs from the page"),
        (FAILED, cell(1), "a.md:17: Cell In[2], line 3\nValueError: no"),
        (FAILED, cell(2), "a.md:25: was not run: the cell at a.md:15 failed"),
        (Execution(failure="the kernel died"), cell(0), "a.md:5: was not run: the kernel died"),
    ],
)
def test_what_is_wrong_with_a_cell(execution: Execution, one: Cell, message: str) -> None:
    last = cell(execution.last).block if execution.last >= 0 else None

    found = problem(one, Outcome(one.output), execution, last, Config(root=Path()))

    assert found.partition("\n---")[0] == message


@pytest.mark.parametrize(
    ("failure", "line"),
    [("Cell In[3], line 2\nKeyError", 6), ("  line 4\nSyntaxError", 8), ("a cell timed out", 5)],
)
def test_a_failure_speaks_of_a_line_of_the_page(failure: str, line: int) -> None:
    assert line_of(failure, cell(0).block) == line


def test_a_block_that_is_no_cell_shows_a_file_beside_the_notebook(tmp_path: Path) -> None:
    (tmp_path / "same.txt").write_text("1\n")
    (tmp_path / "other.txt").write_text("2\n")
    names = ("same.txt", "other.txt", "none.txt")
    files = [Block("a.md", name, 1, Kind.FILE, "", "1\n", name=name) for name in names]
    blocks = (cell(0).block, *files, Block("a.md", "python", 9, Kind.PYTHON, "python", ""))

    found = beside(Page(tmp_path / "a.md", "a.md", "", blocks, notebook=True))

    assert {name: result.problem for name, result in found.items()} == {
        "same.txt": "",
        "other.txt": "a.md:1: the file other.txt beside the notebook is another one; show that",
        "none.txt": "a.md:1: the file none.txt beside the notebook is another one; show that",
        "python": "a.md:9: is no cell, and a notebook runs cells; make it a {code-cell}",
    }
