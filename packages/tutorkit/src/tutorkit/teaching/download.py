"""What a reader takes along: a page as a script and as a notebook, that run by themselves, and the file of an exercise."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tutorkit.reading.blocks import Block, Exercise, Kind, Page

RUN = "subprocess.run({!r}, shell=True)"


def downloadable(page: Page) -> bool:
    """It has Python to take along."""
    return any(block.kind in (Kind.PYTHON, Kind.DOCTEST, Kind.CELL) for block in page.blocks) and not page.docstrings


def script(page: Page) -> str:
    """A Python script that does what the blocks of the page do."""
    blocks = [block for block in page.blocks if block.runs]
    parts = [f"# The code of {page.name}, made by tutorkit.\n", "".join(imports(page)), *beside(page)]
    return "\n".join(part for part in [*parts, *(python(block) for block in blocks)] if part)


def imports(page: Page) -> Iterator[str]:
    """What the statements that are made here need."""
    if page.files or any(block.kind is Kind.FILE for block in page.blocks):
        yield "from pathlib import Path\n"
    if any(block.kind is Kind.CONSOLE and block.runs for block in page.blocks):
        yield "import subprocess\n"


def beside(page: Page) -> Iterator[str]:
    """Statements that write the files which the page finds beside it; one that is no text is named."""
    for name in page.files:
        file = page.path.parent / name
        try:
            yield f"Path({file.name!r}).write_text({file.read_text(encoding='utf-8')!r}, encoding='utf-8')\n"
        except (OSError, UnicodeDecodeError):
            yield f"# It needs {file.name} beside it.\n"


def python(block: Block) -> str:
    """A block as statements; what it needs is said."""
    needs = f"# needs: {' '.join(block.needs)}\n" if block.needs else ""
    if block.kind is Kind.FILE:
        content = block.steps[0].source if block.steps else ""
        folder = f"Path({block.name!r}).parent.mkdir(parents=True, exist_ok=True)\n" if "/" in block.name else ""
        return f"{needs}{folder}Path({block.name!r}).write_text({content!r})\n"
    if block.kind is Kind.CONSOLE:
        return needs + "".join(RUN.format(step.source.rstrip("\n")) + "\n" for step in block.steps)
    return needs + "".join(statements(block))


def statements(block: Block) -> Iterator[str]:
    """The statements of a block. What must fail in the page is caught here: the script goes on."""
    for step in block.steps:
        fails = (step.expected or "").startswith("Traceback (most recent call last)") or block.raises
        if fails:
            body = "".join(f"    {line}\n" for line in step.source.splitlines())
            yield f"try:\n{body}except Exception as error:\n    print(type(error).__name__, error, sep=': ')\n"
        else:
            yield step.source


def notebook(page: Page) -> dict[str, Any]:
    """The same as a notebook, in nbformat 4: https://nbformat.readthedocs.io/en/latest/format_description.html"""
    cells = [_cell("markdown", f"The code of `{page.name}`.")]
    cells += [_cell("code", text) for text in [*imports(page), *beside(page)]]
    cells += [_cell("code", python(block)) for block in page.blocks if block.runs]
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}


def _cell(kind: str, source: str) -> dict[str, Any]:
    more: dict[str, Any] = {"execution_count": None, "outputs": []} if kind == "code" else {}
    return {"cell_type": kind, "metadata": {}, "source": source.rstrip("\n").splitlines(keepends=True), **more}


def write(page: Page, folder: Any) -> tuple[str, str]:
    """Write both into `folder`; their names."""
    stem = page.name.replace("/", "-").rpartition(".")[0]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{stem}.py").write_text(script(page), encoding="utf-8")
    (folder / f"{stem}.ipynb").write_text(json.dumps(notebook(page), indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return f"{stem}.py", f"{stem}.ipynb"


def starter_name(exercise: Exercise) -> str:
    """What the file that a learner begins with is called."""
    return f"{exercise.name.replace('-', '_')}.py"


def starter(exercise: Exercise) -> str:
    """The file that a learner begins with."""
    task = "".join(f"# {line}".rstrip() + "\n" for line in exercise.task.split("\n"))
    head = f"# {exercise.title}\n# exercise: {exercise.name}\n#\n"
    return f"{head}{task}# Check it: tutorkit check THIS_FILE\n\n{exercise.starter.source}"
