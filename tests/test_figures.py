"""Each lesson and tutorial shows its own data, in words too; and the terminal is played without a script."""

import ast
import importlib.util
import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from types import ModuleType

import pytest

from tutorkit.reading.pages import read
from worlds.distributions import ROOT

LESSONS = sorted((ROOT / "docs" / "learn").glob("[0-9]*.rst"))
TUTORIALS = sorted((ROOT / "tutorials").glob("*/*.md"))
PICTURE = re.compile(r"^\.\. picture:: (\S+)\n((?:   :.*\n|      .*\n)+)\n((?:   \S.*\n)+)", re.MULTILINE)
#: The cells of a tutorial: their options, and their code.
CELL = re.compile(r"^```\{code-cell\}[^\n]*\n((?::[^\n]*\n)*)(.*?)^```$", re.MULTILINE | re.DOTALL)
DRAWING = ROOT / "docs" / "drawings" / "terminal.svg"


def in_words(alt: str) -> bool:
    """A sentence that says what is to be seen, and neither a file's name nor a label."""
    return len(alt.split()) >= 7 and alt[0].isupper() and alt.rstrip().endswith(".")


def test_there_are_eight_lessons_and_six_tutorials() -> None:
    assert (len(LESSONS), len(TUTORIALS)) == (8, 6)


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_draws_its_own_data_and_says_what_is_to_be_seen(lesson: Path) -> None:
    text = lesson.read_text()
    found = PICTURE.findall(text)

    assert [name for name, _, _ in found] == list(read(lesson, ROOT).pictures) != []
    for name, options, caption in found:
        alt = " ".join(re.split(r"   :\w+:", options.partition(":alt:")[2])[0].split())
        assert in_words(alt)
        assert caption.strip().endswith(".")
        (drawn,) = re.findall(
            rf"^\.\. code-cell:: python\n   :tags: \[hide-input\]\n(?:(?!^\S)[\s\S])*?savefig\(\"{name}\"", text, re.M
        )
        assert "xlabel=" in drawn


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_ends_in_three_lines_and_a_question(lesson: Path) -> None:
    short = lesson.read_text().partition("In short\n--------\n")[2]

    assert len(re.findall(r"^- ", short, re.MULTILINE)) == 3
    assert len(re.findall(r"^A question to think about: .*\?$", short, re.MULTILINE)) == 1


@pytest.mark.parametrize("tutorial", TUTORIALS, ids=lambda path: path.stem)
def test_a_tutorial_folds_what_only_draws_and_has_a_caption(tutorial: Path) -> None:
    drawn = [(options, code) for options, code in CELL.findall(tutorial.read_text()) if "figsize" in code]

    assert len(drawn) > 0
    for options, code in drawn:
        told = json.loads(re.findall(r":mystnb: (.*)", options)[0])
        assert "hide-input" in options
        assert in_words(told["image"]["alt"])
        assert told["figure"]["caption"].endswith(".")
        assert "label=" in code


@pytest.mark.parametrize("tutorial", TUTORIALS, ids=lambda path: path.stem)
def test_what_a_tutorial_says_of_its_numbers_is_asserted(tutorial: Path) -> None:
    cells = [ast.parse(code) for _, code in CELL.findall(tutorial.read_text())]

    assert any(isinstance(node, ast.Assert) for cell in cells for node in ast.walk(cell))


@pytest.mark.parametrize("tutorial", TUTORIALS, ids=lambda path: path.stem)
def test_a_tutorial_leads_on(tutorial: Path) -> None:
    end = tutorial.read_text().partition("## What to take away")[2]

    assert re.findall(r"Next: \{doc\}`/([\w/]+)`", end)
    assert ("10.1016/j.cpc.2021.108171" in end) == (tutorial.stem != "surrogate")


def test_lessons_and_tutorials_install_what_there_is() -> None:
    """There is no release: a line that asks an index for smartensemble fails on the reader's machine."""
    pages = [*LESSONS, *TUTORIALS, ROOT / "docs" / "learn" / "index.rst", *(ROOT / "docs" / "teach").glob("*.rst")]
    told = {(path.name, line) for path in pages for line in re.findall(r"pip install [^`\n]*", path.read_text())}

    assert [each for each in sorted(told) if re.search(r"(?<!packages/)\b(smartensemble|tutorkit)\b", each[1])] == []


# --- the terminal ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def terminal() -> ModuleType:
    spec = importlib.util.spec_from_file_location("terminal", DRAWING.with_suffix(".py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("pieces", "shown"),
    [
        (["1 of 2\r\n", "\x1b[1A\r\x1b[2K2 of 2\r\n"], [("1 of 2", ""), ("2 of 2", "")]),
        (["abc\rX"], [("Xbc",)]),
        (["a\x1b[31mb\x1b[0m"], [("ab",)]),
        (["a\r\nb\x1b[1A\x1b[K"], [("a", "b")]),
        (["a", "\x1b[?25l", "b"], [("a",), ("ab",)]),
        ([], []),
    ],
)
def test_a_terminal_shows_what_a_progress_bar_draws(
    terminal: ModuleType, pieces: list[str], shown: list[tuple[str, ...]]
) -> None:
    assert [*terminal.screens(pieces)] == shown


def test_a_few_moments_are_chosen_and_the_last_one_is(terminal: ModuleType) -> None:
    many = [(str(number),) for number in range(100)]

    assert terminal.chosen(many[:1]) == many[:1]
    assert len(terminal.chosen(many)) <= terminal.SHOWN + 1
    assert terminal.chosen(many)[-1] == ("99",)


def test_a_screen_has_no_long_line_and_its_end_is_shown(terminal: ModuleType) -> None:
    frame = terminal.fitted(("x" * 200, *map(str, range(99)), "", ""))

    assert frame[-1] == "98"
    assert len(frame) < terminal.ROWS
    assert [len(line) for line in terminal.fitted(("x" * 200,))] == [terminal.COLUMNS]


def test_the_drawing_is_of_a_whole_run_and_needs_no_script(terminal: ModuleType) -> None:
    text = DRAWING.read_text()
    groups = [each for each in ET.fromstring(text) if each.tag.endswith("}g")]
    *_, last = ["\n".join(line.text or "" for line in group) for group in groups]

    assert "script" not in text
    assert "prefers-reduced-motion: reduce" in text
    assert f"$ {terminal.COMMAND}" in text
    assert last.count("Completed") == 9
    assert "The plot is /home/you/demo/melt.png" in last
    ends = [float(delay) for delay in re.findall(r"animation-delay:([\d.]+)s", text)]
    assert ends == sorted(ends)
    assert max(ends) < 5  # what moves for longer must have a button that stops it
    assert "infinite" not in text


def test_the_demo_is_the_code_of_the_tutorial() -> None:
    spec = importlib.util.spec_from_file_location("demo", ROOT / "tutorials" / "demo.py")
    assert spec is not None
    assert spec.loader is not None
    demo = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(demo)

    program = demo.program(demo.TUTORIAL.read_text())

    assert ast.dump(ast.parse(program)) == ast.dump(
        ast.parse("\n".join(code for _, code in CELL.findall(demo.TUTORIAL.read_text())))
    )
    assert "exp.start(ens" in program
    assert demo.program("```{code-cell}\n:tags: [x]\na = 1\n```\n\nwords\n\n```{code-cell}\nb = 2\n```\n") == "a = 1\n\nb = 2\n"
