"""What is put out agrees with what is shown, as far as the page says."""

import doctest
from dataclasses import replace
from pathlib import Path

import pytest

from tutorkit.config import Config
from tutorkit.errors import ConfigError
from tutorkit.reading.blocks import Block, Kind, Step
from tutorkit.reading.steps import NUMBER
from tutorkit.running.compare import agrees, normalize, problem
from tutorkit.running.evaluate import Outcome


def block(kind: Kind) -> Block:
    """A block of a page."""
    return Block("p.rst", "p-1", 7, kind, "", "")


@pytest.mark.parametrize(
    ("want", "got", "same"),
    [
        ("3.14", "3.14159", True),
        ("3.14", "3.15", False),
        ("3.0", "3", True),
        ("3", "4", False),
        ("3", "3.2", False),
        ("1e-3", "0.0021", False),
        ("1.0e-3", "0.00101", True),
        ("T = 0.667 (2)", "T = 0.66666 (2)", True),
        ("T = 0.667 (2)", "T = 0.66666 (3)", False),
        ("[0.50, -1.25]", "[0.499, -1.2512]", True),
        ("1.5 2.5", "1.5", False),
        ("v1.2.3", "v1.2.4", False),
    ],
)
def test_numbers_agree_as_far_as_they_are_written(want: str, got: str, same: bool) -> None:
    assert agrees(f"{want}\n", f"{got}\n", NUMBER) is same


def test_without_the_flag_numbers_are_text(project: Config) -> None:
    assert not agrees("3.14\n", "3.1415\n", doctest.ELLIPSIS)


@pytest.mark.parametrize(
    ("kind", "expected", "outcome", "message"),
    [
        (Kind.DOCTEST, "a...c\n", Outcome("abbc\n"), ""),
        (Kind.DOCTEST, "a   b\n", Outcome("a b\n"), ""),
        (Kind.DOCTEST, "a\n<BLANKLINE>\nb\n", Outcome("a\n\nb\n"), ""),
        (Kind.DOCTEST, "1\n", Outcome("2\n"), "p.rst:7: the output differs from the page\n--- expected\n+++ got\n"),
        (Kind.DOCTEST, "", Outcome("2\n"), "p.rst:7: the output differs from the page"),
        (Kind.PYTHON, None, Outcome("2\n"), ""),
        (Kind.PYTHON, None, Outcome(error="ValueError: no\n", line=9), "p.rst:9: raised ValueError: no"),
        (Kind.DOCTEST, "1\n", Outcome(error="ValueError: no\n"), "p.rst:7: raised ValueError: no"),
        (Kind.DOCTEST, "Traceback (most recent call last):\nValueError: n...\n", Outcome(error="ValueError: no\n"), ""),
        (
            Kind.DOCTEST,
            "Traceback (most recent call last):\n  File 'x'\nValueError: no\n",
            Outcome(error="ValueError: no\n"),
            "",
        ),
        (
            Kind.DOCTEST,
            "Traceback (most recent call last):\nKeyError: no\n",
            Outcome(error="ValueError: no\n"),
            "p.rst:7: the output differs from the page",
        ),
        (
            Kind.DOCTEST,
            "Traceback (most recent call last):\nValueError: no\n",
            Outcome("fine\n"),
            "p.rst:7: the output differs from the page",
        ),
        (Kind.CONSOLE, "a\n", Outcome("a\n[1]\n"), "p.rst:7: the output differs from the page"),
    ],
)
def test_an_outcome_is_held_against_the_page(kind: Kind, expected: str | None, outcome: Outcome, message: str) -> None:
    found = problem(Step(7, "f()\n", expected), outcome, block(kind), Config(root=Path()), {})

    assert found.startswith(message) if message else found == ""


def test_a_skip_without_a_condition_is_a_problem(project: Config) -> None:
    step = Step(7, "f()\n", "", flags=doctest.SKIP)

    assert "is skipped by a flag; say what it needs" in problem(step, Outcome(), block(Kind.DOCTEST), project, {})


def test_long_differences_are_cut(project: Config) -> None:
    step = Step(7, "f()\n", "x\n")

    found = problem(step, Outcome("".join(f"{n}\n" for n in range(10_000))), block(Kind.DOCTEST), project, {})

    assert found.count("\n") < 70
    assert "lines more" in found


def test_what_differs_from_run_to_run_is_normalized(project: Config) -> None:
    config = replace(
        project, normalize=("paths", "times", "pids", "address"), normalizers={"address": ("0x[0-9a-f]+", "ADDRESS")}
    )
    text = "/tmp/x1/a in 0.12 s at 2026-11-23T03:04:05Z, 0:00:01, by process 4711, <object at 0x7f12>"

    found = normalize(text, config, {"/tmp/x1": "/home/you"})

    assert found == "/home/you/a in TIME at TIME, TIME, by process PID, <object at ADDRESS>"


def test_a_misspelt_flag_or_normalizer_is_an_error(project: Config) -> None:
    with pytest.raises(ConfigError, match="no flag 'ELLIPSE'; there are"):
        problem(Step(1, "x"), Outcome(), block(Kind.PYTHON), replace(project, flags=("ELLIPSE",)), {})
    with pytest.raises(ConfigError, match="no normalizer 'time'; there are paths, times, pids"):
        normalize("x", replace(project, normalize=("time",)), {})
