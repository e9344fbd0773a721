"""What a reader takes along: a page as a script and as a notebook, that run by themselves, and the file of an exercise."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from tutorkit.config import Condition, Config
from tutorkit.reading.blocks import Exercise, Kind, Page
from tutorkit.running.conditions import needs
from tutorkit.teaching.cells import Piece, PieceKind, Ran, left_out, not_run, notebook
from tutorkit.teaching.statements import FUTURE, file, imports, parts, silent

LARGEST_FILE = 64_000  #: bytes of a file that is no text, and that a script holds


def downloadable(page: Page) -> bool:
    """It has Python to take along."""
    return any(block.kind in (Kind.PYTHON, Kind.DOCTEST, Kind.CELL) for block in page.blocks) and not page.docstrings


def script(page: Page, config: Config, ran: Mapping[str, Ran] | None = None) -> str:
    """A Python script that prints what the page shows, and says in its head what it needs.

    What is on record of the blocks, `ran`, says which the page did not run: they are comments.
    """
    ran = ran or {}
    made = []
    for block in (block for block in page.blocks if block.runs):
        reason = left_out(block, config, ran)
        made.append(not_run(block, reason) if reason else "".join(part.source for part in parts(block)))
    future = "".join(dict.fromkeys(line for each in made for line in FUTURE.findall(each)))
    made = [*beside(page), *(FUTURE.sub("", each) for each in made)]
    head = f"{header(page, config)}{comments(page, config)}"
    return "\n".join(part for part in [head, future + "".join(imports("".join(made))), *made] if part)


def header(page: Page, config: Config) -> str:
    """What uv, pipx and others install before they run the script: https://packaging.python.org/specifications/inline-script-metadata/"""
    python = [f"# requires-python = {json.dumps(wanted)}"] if (wanted := pythons(page, config)) else []
    needs = [f"#   {json.dumps(each)}," for each in required(page, config)]
    return "\n".join(["# /// script", *python, "# dependencies = [", *needs, "# ]", "# ///"]) + "\n"


def comments(page: Page, config: Config) -> str:
    """What a reader does before running the script."""
    lines = [f"The code of {page.name}, made by tutorkit.", *preparations(page, config, "")]
    if required(page, config):
        lines.append(f"Or have all that installed, and the script run: {config.script_command} {stem(page)}.py")
    return "".join(f"# {line}\n" for line in lines)


def preparations(page: Page, config: Config, mark: str) -> Iterator[str]:
    """What to install for a page, and what else it needs; `mark` stands around what is code."""
    packages = " ".join(f'"{each}"' if set(each) & set("[<>=;'! ") else each for each in required(page, config))
    if packages:
        yield f"Install what it needs: {mark}{config.install_command} {packages}{mark}"
    if wanted := pythons(page, config):
        yield f"It needs Python {wanted}."
    if words := needs(page, config):
        yield f"It needs {'; '.join(words)}."


def conditions(page: Page, config: Config) -> list[Condition]:
    """The conditions of the blocks of a page, each once."""
    names = dict.fromkeys(name for block in page.blocks if block.runs for name in block.needs)
    return [config.conditions[name] for name in names if name in config.conditions]


def pythons(page: Page, config: Config) -> str:
    """The Pythons that a page runs with; "" if all do."""
    found = dict.fromkeys([config.requires_python, *(each.requires_python for each in conditions(page, config))])
    return ",".join(filter(None, found))


def required(page: Page, config: Config) -> list[str]:
    """What to install for a page."""
    return requirements(config, conditions(page, config))


def requirements(config: Config, conditions: Iterable[Condition]) -> list[str]:
    """What to install for a page that needs `conditions`; a distribution with an extra stands for itself too.

    >>> from pathlib import Path
    >>> requirements(Config(Path(), requires=("area",)), [Condition("needs a plot", requires=("area[plot]", "rich"))])
    ['area[plot]', 'rich']
    """
    found = dict.fromkeys([*config.requires, *(each for condition in conditions for each in condition.requires)])
    return [each for each in found if not any(other.startswith(f"{each}[") for other in found)]


def beside(page: Page) -> Iterator[str]:
    """Statements that write the files which the page finds beside it; a large one that is no text is named."""
    for name in page.files:
        path = page.path.parent / name
        content = path.read_bytes() if path.is_file() else b""
        text = _text(content)
        if path.is_file() and text is not None:
            yield file(path.name, text)
        elif 0 < len(content) <= LARGEST_FILE:
            encoded = base64.b64encode(content).decode()
            yield f"import base64\n\nPath({path.name!r}).write_bytes(base64.b64decode({encoded!r}))\n"
        else:
            yield f"# It needs {path.name} beside it.\n"


def _text(content: bytes) -> str | None:
    """Bytes as text; None if they are none."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return None


def book(page: Page, config: Config, pieces: Sequence[Piece] = (), ran: Mapping[str, Ran] | None = None) -> str:
    """The same as a notebook, with the text of the page, its exercises, and what its blocks printed, as JSON."""
    ran = ran or {}
    files = silent("".join(beside(page)))
    made = "".join(part.source for block in page.blocks if block.runs and not left_out(block, config, ran)
                   for part in parts(block, prompt=True))  # fmt: skip
    said = "  \n".join([f"This notebook is the page `{page.name}`.", *preparations(page, config, "`")])
    title = [] if pieces else [(PieceKind.TEXT, f"# {page.name}")]
    first = [said, "".join(imports(files + made)), files]
    return json.dumps(notebook(page, config, [*title, *pieces], ran, first), indent=1, sort_keys=True) + "\n"


def write(
    page: Page, config: Config, folder: Path, pieces: Sequence[Piece] = (), ran: Mapping[str, Ran] | None = None
) -> tuple[str, str]:
    """Write both into `folder`; their names."""
    names = files_of(page)
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in zip(names, (script(page, config, ran), book(page, config, pieces, ran)), strict=True):
        (folder / name).write_text(content, encoding="utf-8")
    return names


def files_of(page: Page) -> tuple[str, str]:
    """What the script and the notebook of a page are called."""
    return f"{stem(page)}.py", f"{stem(page)}.ipynb"


def stem(page: Page) -> str:
    """What both are called, without their endings."""
    return page.name.replace("/", "-").rpartition(".")[0]


def starter_name(exercise: Exercise) -> str:
    """What the file that a learner begins with is called."""
    return f"{exercise.name.replace('-', '_')}.py"


def starter(exercise: Exercise) -> str:
    """The file that a learner begins with."""
    task = "".join(f"# {line}".rstrip() + "\n" for line in exercise.task.split("\n"))
    head = f"# {exercise.title}\n# exercise: {exercise.name}\n#\n"
    return f"{head}{task}# Check it: tutorkit check THIS_FILE\n\n{exercise.starter.source}"
