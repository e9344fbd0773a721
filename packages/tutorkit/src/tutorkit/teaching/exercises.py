"""Check answers to exercises, and prove that the checks tell right from wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

from tutorkit.config import Config
from tutorkit.errors import PageError
from tutorkit.reading.blocks import Answer, Block, Exercise, Kind, Page, Step
from tutorkit.reading.lines import lines_of
from tutorkit.reading.steps import steps
from tutorkit.running import compare
from tutorkit.running.evaluate import Result
from tutorkit.running.limits import Limits
from tutorkit.running.page_run import PageRun

NAMED = re.compile(r"^#\s*exercise:\s*(\S+)\s*$", re.MULTILINE)
HUNK = re.compile(r"^@@ .* @@\n", re.MULTILINE)  #: of a difference: says lines that a learner does not see
VERDICT_LINES = 24  #: one screen
COMPUTE_LIMIT_S, WAIT_LIMIT_S = 10.0, 60.0  #: for an answer, and for each group of checks


@dataclass(frozen=True)
class Verdict:
    """What came of an answer."""

    exercise: Exercise
    passed: bool
    right: int  #: checks that pass
    problem: str = ""  #: of the first that fails
    hint: str = ""

    def __str__(self) -> str:
        checks = f"{self.right} of {len(self.exercise.checks)} checks pass"
        if self.passed:
            return f"{self.exercise.title}: right. {checks}."
        lines = [f"{self.exercise.title}: not yet. {checks}; the first that fails:", "", *self.problem.rstrip().split("\n")]
        if len(lines) > VERDICT_LINES:
            lines = [*lines[:VERDICT_LINES], "..."]
        return "\n".join([*lines, "", f"Hint: {self.hint}"] if self.hint else lines)


def check(exercise: Exercise, source: str, file: str, config: Config) -> Verdict:
    """What comes of the answer `source`, from `file`: it is run, and then the checks, each in the same process."""
    answer = Block(file, "answer-1", 1, Kind.PYTHON, "python", source, (Step(1, source),))
    blocks = [answer, *(_block(exercise, number) for number in range(len(exercise.checks)))]
    page = Page(Path(file).resolve(), file, source, tuple(blocks))
    right, problem, hint = 0, "", ""
    run = PageRun(page, config, config.ledger_path, limits=limits(config))
    try:
        if problem := run.run(answer).problem:
            return Verdict(exercise, passed=False, right=0, problem=problem)
        for block, group in zip(blocks[1:], exercise.checks, strict=True):
            result = run.run(block)
            right += not result.problem
            if result.problem and not problem:
                problem, hint = _shown(block, result), group.hint
    finally:
        run.close()
    return Verdict(exercise, passed=not problem, right=right, problem=problem, hint=hint)


def limits(config: Config) -> Limits:
    """How long an answer may take: seconds, where a page has minutes."""
    compute, wait = min(config.time_limit, COMPUTE_LIMIT_S), min(config.wait_limit, WAIT_LIMIT_S)
    return Limits(compute, wait, "look for a loop that never ends", "look for what it waits for, which never comes")


def _block(exercise: Exercise, number: int) -> Block:
    """The checks of a group, as a block."""
    group = exercise.checks[number]
    lines = [replace(line, number=line.number + group.line - 1) for line in lines_of(group.source)]
    examples = steps(Kind.DOCTEST, lines, exercise.page)
    return Block(exercise.page, f"checks-{number + 1}", group.line, Kind.DOCTEST, "", group.source, examples)


def _shown(block: Block, result: Result) -> str:
    """The check that failed, and how."""
    step = next((step for step in block.steps if step.line == result.line), block.steps[0])
    typed = "".join(f"... {text}\n" for text in step.source.splitlines()).replace("... ", ">>> ", 1)
    first, _, rest = HUNK.sub("", result.problem).partition("\n")
    return typed + (rest if first.endswith(compare.DIFFERS) else f"{first.partition(': ')[2]}\n{rest}")


def prove(exercise: Exercise, config: Config) -> Iterator[str]:
    """What is wrong with an exercise: its solution must pass, its starter and its wrong answers fail, each with its hint."""
    solution = check(exercise, exercise.solution.source, "solution.py", config)
    if not solution.passed:
        yield f"{exercise.page}:{exercise.solution.line}: the solution does not pass\n{solution.problem}"
    if check(exercise, exercise.starter.source, "starter.py", config).passed:
        yield f"{exercise.page}:{exercise.starter.line}: the starter passes already; check more"
    for answer in exercise.wrong:
        yield from _caught(exercise, answer, config)


def _caught(exercise: Exercise, answer: Answer, config: Config) -> Iterator[str]:
    place = f"{exercise.page}:{answer.line}: the wrong answer ({answer.what})"
    verdict = check(exercise, answer.source, "wrong.py", config)
    if verdict.passed:
        yield f"{place} passes; check more"
    elif not verdict.hint.startswith(answer.hint):
        yield f"{place} gets the hint {verdict.hint!r}, and is to get {answer.hint!r}\n{verdict.problem}"


def find(exercises: Sequence[Exercise], source: str, file: Path, name: str | None = None) -> Exercise:
    """The exercise that a file answers: of this name, or of the one that the file says, or that it is called by.

    :raises PageError: there is none.
    """
    named = {exercise.name: exercise for exercise in exercises}
    named_in = NAMED.search(source)
    wanted = name or (named_in[1] if named_in else file.stem.replace("_", "-"))
    if wanted not in named:
        close = get_close_matches(wanted, named, n=1)
        guess = f"; did you mean {close[0]!r}?" if close else ";"
        known = ", ".join(named) or "none"
        raise PageError(f"{file}: no exercise {wanted!r}{guess} there are: {known}. Name it in a line '# exercise: NAME'")
    return named[wanted]
