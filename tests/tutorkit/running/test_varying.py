"""What a page leaves open of an output is found in what was printed, exactly."""

import doctest
from pathlib import Path

import pytest

from tutorkit.config import Config
from tutorkit.reading.blocks import Kind, Step
from tutorkit.reading.steps import NUMBER
from tutorkit.running.varying import FIRST_LINES, LAST_LINES, LONGEST_PART, VARIES, Part, output

RAISED = 'Traceback (most recent call last):\n  File "<stdin>", line 1, in <module>\n'
FRAME = '  File "<stdin>", line 1, in <module>\n'


def parts(want: str, got: str, flags: int = 0, *normalizers: str) -> list[str]:
    config = Config(Path(), normalize=("paths", *normalizers))
    text, found = output(Step(1, "f()\n", want, flags=flags), got, Kind.DOCTEST, config)
    assert text == got
    return [text[part.start : part.end] for part in found]


@pytest.mark.parametrize(
    ("want", "got", "varies"),
    [
        ("the same\n", "the same\n", []),
        ("", "", []),
        ("...\n", "", []),
        ("...\n", "one\ntwo\n", ["one\ntwo"]),
        ("Completed  ...  0  ...melt_0\n", "Completed  7.34  0  /home/you/melt_0\n", ["7.34", "/home/you/"]),
        ("-----...\na  b\n", "-------  ----\na     b\n", ["--  ----"]),
        ("a ... 1\nb ... 1\n", "a 21 1\nb 1 1 1\n", ["21", "1 1"]),
        ("first\n...\nlast ...\n", "first\n1\n2\nlast 3\n", ["1\n2", "3"]),
        ("a ...\n...\nb ...\n", "a 1\nb 2\n", ["1", "2"]),
        ("took 1... s\n", "took 1.52 s\n", [".52"]),
        ("a\n<BLANKLINE>\nb ...\n", "a\n\nb 1\n", ["1"]),
        ("[1, ..., 9]\n", "[1, 2, 3, 9]\n", ["2, 3"]),
        ("{'a': 1,\n ...}\n", "{'a': 1, 'b': 2}\n", ["'b': 2"]),
        ("été ... ü\n", "été naïve ü\n", ["naïve"]),
    ],
)
def test_what_an_ellipsis_stands_for(want: str, got: str, varies: list[str]) -> None:
    assert parts(want, got) == varies


@pytest.mark.parametrize(
    ("want", "got", "varies"),
    [
        ("Traceback (most recent call last):\n  ...\nValueError: no\n", RAISED + "ValueError: no\n", [FRAME]),
        ("Traceback (most recent call last):\nValueError: ... 'x'\n", RAISED + "ValueError: no 'x'\n", [FRAME, "no"]),
        ("Traceback (most recent call last):\n  ...\nE: 1 ...\nmore\n", RAISED + "E: 1 2\nmore\n", [FRAME, "2"]),
        ("Traceback (most recent call last):\nE: no\n", f"printed\n{RAISED}E: no\n", ["printed\n", FRAME]),
    ],
)
def test_of_a_traceback_the_calls_differ_and_what_the_message_leaves_open(want: str, got: str, varies: list[str]) -> None:
    assert parts(want, got) == varies


def test_where_details_of_an_exception_are_not_compared_they_differ() -> None:
    want = "Traceback (most recent call last):\nError: x\n"

    assert parts(want, f"{RAISED}a.b.Error: y\n", doctest.IGNORE_EXCEPTION_DETAIL) == [FRAME, "a.b.", " y"]


def test_a_number_that_agrees_as_far_as_it_is_written_says_how_it_is_compared() -> None:
    step = Step(1, "f()\n", "0.67 1.5 2\n", flags=NUMBER)

    text, found = output(step, "0.6666 1.5 2\n", Kind.DOCTEST, Config(Path()))

    assert (text, found) == ("0.6666 1.5 2\n", [Part(0, 6, "compared as 0.67")])


def test_what_a_normalizer_takes_out_differs() -> None:
    assert parts("took 1.2 s, pid 7 ...\n", "took 31.25 s, pid 12345 x\n", 0, "times", "pids") == ["31.25 s", "pid 12345", "x"]


def test_a_long_part_is_shown_without_its_middle() -> None:
    lines = [f"line {number}\n" for number in range(LONGEST_PART + 30)]
    step = Step(1, "f()\n", "begin\n...\nend ...\n")

    text, found = output(step, "".join(["begin\n", *lines, "end 1\n"]), Kind.CONSOLE, Config(Path()))

    shown = text.splitlines()
    assert shown[: FIRST_LINES + 1] == ["begin", *(f"line {number}" for number in range(FIRST_LINES))]
    assert shown[FIRST_LINES + 1] == f"[{len(lines) - FIRST_LINES - LAST_LINES} lines are left out here]"
    assert shown[-2:] == [f"line {len(lines) - 1}", "end 1"]
    assert [text[part.start : part.end] for part in found][1:] == ["1"]
    assert {part.title for part in found} == {VARIES}
