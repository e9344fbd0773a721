"""What a reader takes along: a page as a script and as a notebook, that run by themselves, and the file of an exercise."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tutorkit.config import Condition, Config
from tutorkit.reading.blocks import Block, Exercise, Kind, Page

RUN = "subprocess.run({!r}, shell=True)"


def downloadable(page: Page) -> bool:
    """It has Python to take along."""
    return any(block.kind in (Kind.PYTHON, Kind.DOCTEST, Kind.CELL) for block in page.blocks) and not page.docstrings


def script(page: Page, config: Config) -> str:
    """A Python script that does what the blocks of the page do, and says in its head what it needs."""
    blocks = [block for block in page.blocks if block.runs]
    head = f"{header(page, config)}# The code of {page.name}, made by tutorkit.\n"
    parts = [head, "".join(imports(page)), *beside(page)]
    return "\n".join(part for part in [*parts, *(python(block, config) for block in blocks)] if part)


def header(page: Page, config: Config) -> str:
    """What uv, pipx and others install before they run the script: https://packaging.python.org/specifications/inline-script-metadata/"""
    names = dict.fromkeys(name for block in page.blocks if block.runs for name in block.needs)
    conditions = [config.conditions[name] for name in names if name in config.conditions]
    pythons = dict.fromkeys([config.requires_python, *(each.requires_python for each in conditions)])
    python = [f"# requires-python = {json.dumps(','.join(filter(None, pythons)))}"] if any(pythons) else []
    needs = [f"#   {json.dumps(each)}," for each in requirements(config, conditions)]
    return "\n".join(["# /// script", *python, "# dependencies = [", *needs, "# ]", "# ///"]) + "\n"


def requirements(config: Config, conditions: Iterable[Condition]) -> list[str]:
    """What to install for a page that needs `conditions`; a distribution with an extra stands for itself too.

    >>> from pathlib import Path
    >>> requirements(Config(Path(), requires=("area",)), [Condition("needs a plot", requires=("area[plot]", "rich"))])
    ['area[plot]', 'rich']
    """
    found = dict.fromkeys([*config.requires, *(each for condition in conditions for each in condition.requires)])
    return [each for each in found if not any(other.startswith(f"{each}[") for other in found)]


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


def python(block: Block, config: Config) -> str:
    """A block as statements, below what it needs; in a comment, where an environment variable says whether it is run."""
    needs = f"# needs: {' '.join(block.needs)}\n" if block.needs else ""
    if any(name in config.conditions and config.conditions[name].env for name in block.needs):
        return needs + "".join(f"# {line}" for line in code(block).splitlines(keepends=True))
    return needs + code(block)


def code(block: Block) -> str:
    """A block as statements."""
    if block.kind is Kind.FILE:
        content = block.steps[0].source if block.steps else ""
        folder = f"Path({block.name!r}).parent.mkdir(parents=True, exist_ok=True)\n" if "/" in block.name else ""
        return f"{folder}Path({block.name!r}).write_text({content!r})\n"
    if block.kind is Kind.CONSOLE:
        return "".join(RUN.format(step.source.rstrip("\n")) + "\n" for step in block.steps)
    return "".join(statements(block))


def statements(block: Block) -> Iterator[str]:
    """The statements of a block. What must fail in the page is caught here: the script goes on."""
    for step in block.steps:
        fails = (step.expected or "").startswith("Traceback (most recent call last)") or block.raises
        if fails:
            body = "".join(f"    {line}\n" for line in step.source.splitlines())
            yield f"try:\n{body}except Exception as error:\n    print(type(error).__name__, error, sep=': ')\n"
        else:
            yield step.source


def notebook(page: Page, config: Config) -> dict[str, Any]:
    """The same as a notebook, in nbformat 4: https://nbformat.readthedocs.io/en/latest/format_description.html"""
    cells = [_cell("markdown", f"The code of `{page.name}`.")]
    cells += [_cell("code", text) for text in [*imports(page), *beside(page)]]
    cells += [_cell("code", python(block, config)) for block in page.blocks if block.runs]
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}


def _cell(kind: str, source: str) -> dict[str, Any]:
    more: dict[str, Any] = {"execution_count": None, "outputs": []} if kind == "code" else {}
    return {"cell_type": kind, "metadata": {}, "source": source.rstrip("\n").splitlines(keepends=True), **more}


def write(page: Page, config: Config, folder: Path) -> tuple[str, str]:
    """Write both into `folder`; their names."""
    stem = page.name.replace("/", "-").rpartition(".")[0]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{stem}.py").write_text(script(page, config), encoding="utf-8")
    (folder / f"{stem}.ipynb").write_text(json.dumps(notebook(page, config), indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return f"{stem}.py", f"{stem}.ipynb"


def starter_name(exercise: Exercise) -> str:
    """What the file that a learner begins with is called."""
    return f"{exercise.name.replace('-', '_')}.py"


def starter(exercise: Exercise) -> str:
    """The file that a learner begins with."""
    task = "".join(f"# {line}".rstrip() + "\n" for line in exercise.task.split("\n"))
    head = f"# {exercise.title}\n# exercise: {exercise.name}\n#\n"
    return f"{head}{task}# Check it: tutorkit check THIS_FILE\n\n{exercise.starter.source}"
