"""An exercise is proved by its tests; an answer gets what is wrong with it, and a hint, on one screen.

Tests download.
"""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from tutorkit.config import Config
from tutorkit.errors import PageError
from tutorkit.reading.blocks import Exercise
from tutorkit.teaching.download import starter
from tutorkit.teaching.exercises import check, find, limits, prove
from worlds.projects import Command, Write

REST = """
Means
=====

.. exercise:: The mean of a list
   :name: mean

   Write ``mean(values)``.

   The mean of an empty list is None.

   .. starter::

      def mean(values):
          ...

   .. checks::
      :hint: Add them up, and divide.

      >>> mean([1.0, 2.0, 6.0])
      3.0

   .. checks::
      :hint: Nothing to divide by.

      >>> mean([])

   .. solution::

      def mean(values):
          return sum(values) / len(values) if values else None

   .. wrong:: it divides by zero
      :hint: Nothing to

      def mean(values):
          return sum(values) / len(values)
"""
MARKDOWN = """
# Means

::::{exercise} The mean of a list
:name: mean

Write `mean(values)`.

The mean of an empty list is None.

```{starter}
def mean(values):
    ...
```

:::{checks}
:hint: Add them up, and divide.
>>> mean([1.0, 2.0, 6.0])
3.0
:::

:::{checks}
:hint: Nothing to divide by.
>>> mean([])
:::

:::{solution}
def mean(values):
    return sum(values) / len(values) if values else None
:::

:::{wrong} it divides by zero
:hint: Nothing to
def mean(values):
    return sum(values) / len(values)
:::
::::
"""


@pytest.fixture(params=[("page.rst", REST), ("page.md", MARKDOWN)], ids=["rst", "md"])
def exercise(request: pytest.FixtureRequest, write: Write) -> Exercise:
    name, text = request.param
    page = write(text, f"docs/{name}")
    assert page.blocks == ()
    return page.exercises[0]


def test_an_exercise_that_holds_is_proved(exercise: Exercise, project: Config) -> None:
    assert list(prove(exercise, project)) == []
    assert (
        exercise.task.split()
        == "Write mean(values). The mean of an empty list is None.".replace(
            "mean(values)", "``mean(values)``" if exercise.page.endswith("rst") else "`mean(values)`"
        ).split()
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("if values else None", "if values else 0", "the solution does not pass"),
        ("    ...\n", "    return sum(values) / len(values) if values else None\n", "the starter passes already; check more"),
        (":hint: Nothing to\n", ":hint: Add\n", "gets the hint 'Nothing to divide by.', and is to get 'Add'"),
    ],
)
def test_an_exercise_that_does_not_hold_is_told(write: Write, project: Config, old: str, new: str, message: str) -> None:
    page = write(MARKDOWN.replace(old, new, 1), "docs/page.md")

    problems = list(prove(page.exercises[0], project))

    assert any(message in problem and problem.startswith("docs/page.md:") for problem in problems)


@pytest.mark.parametrize(
    ("answer", "right", "problem", "hint"),
    [
        ("def mean(v): return sum(v) / len(v) if v else None", 2, "", ""),
        ("def mean(v): return sum(v) / len(v)", 1, ">>> mean([])\nraised ZeroDivisionError", "Nothing to divide by."),
        ("def mean(v): return 2.0 if v else None", 1, "-3.0\n+2.0", "Add them up, and divide."),
        ("x = 1", 0, "NameError: name 'mean' is not defined", "Add them up, and divide."),
        ("def mean(v", 0, "answer.py:1: raised SyntaxError", ""),
        ("import sys; sys.exit()", 0, "answer.py:1: raised SystemExit", ""),
        ("raise ValueError('no')", 0, "answer.py:1: raised ValueError: no", ""),
        ("import os; os._exit(0)", 0, "answer.py:1: ended the process", ""),
        ("print('x' * 10_000_000)", 0, "printed more than", ""),
    ],
)
def test_an_answer_gets_what_is_wrong_and_a_hint(
    exercise: Exercise, project: Config, answer: str, right: int, problem: str, hint: str
) -> None:
    report = check(exercise, answer, "answer.py", project)

    assert (report.passed, report.right, report.hint) == (not problem, right, hint)
    assert problem in report.problem
    assert "@@" not in report.problem
    assert len(str(report).split("\n")) <= 30


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ("while True: pass", r"answer\.py:1: used [\d.]+ s of CPU time \(at most 0\.5 s\); look for a loop that never ends"),
        (
            "import threading\nthreading.Event().wait()",
            r"answer\.py:1: waited [\d.]+ s \(at most 2 s\); look for what it waits for",
        ),
        ("def mean(v):\n    while v: pass", r"used [\d.]+ s of CPU time"),
    ],
)
def test_an_endless_answer_is_stopped(exercise: Exercise, project: Config, answer: str, problem: str) -> None:
    report = check(exercise, answer, "answer.py", replace(project, time_limit=0.5, wait_limit=2.0))

    assert not report.passed
    assert re.search(problem, report.problem)


def test_an_answer_has_seconds_where_a_page_has_minutes(project: Config) -> None:
    given = limits(replace(project, time_limit=60.0, wait_limit=600.0))

    assert (given.compute, given.wait) == (10.0, 60.0)


def test_the_starter_file_says_which_exercise_it_is(exercise: Exercise, write: Write) -> None:
    text = starter(exercise)

    page = write(MARKDOWN, "docs/other.md")
    assert find(page.exercises, text, Path("anything.py")).name == "mean"
    assert find(page.exercises, "", Path("mean.py")).name == "mean"
    assert find(page.exercises, "", Path("x.py"), "mean").name == "mean"
    with pytest.raises(PageError, match="no exercise 'maen'; did you mean 'mean'"):
        find(page.exercises, "", Path("maen.py"))


def test_the_command_checks_an_answer(write: Write, command: Command, project: Config) -> None:
    write(MARKDOWN, "docs/page.md")
    (project.root / "mean.py").write_text("def mean(v): return sum(v) / len(v)\n")

    done = command("tutorkit", "check", "mean.py")

    assert done.returncode == 1
    assert done.stdout.startswith("The mean of a list: not yet. 1 of 2 checks pass; the first that fails:\n\n>>> mean([])\n")
    assert done.stdout.endswith("Hint: Nothing to divide by.\n")
