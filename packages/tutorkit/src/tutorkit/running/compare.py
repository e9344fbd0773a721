"""Whether an output is the one that the page shows; if not, what differs."""

from __future__ import annotations

import doctest
import re
import sys
from collections.abc import Mapping
from difflib import unified_diff
from pathlib import Path

from tutorkit.config import Config
from tutorkit.errors import ConfigError
from tutorkit.reading.blocks import Block, Kind, Step
from tutorkit.reading.steps import NUMBER
from tutorkit.running.evaluate import Outcome

HOME = "/home/you"  #: what a page shows for the directory that it runs in
DIFFERS = "the output differs from the page"
DIFFERENCE_LINES = 60  #: of a difference that are shown
LINE_LENGTH = 400  #: characters of each of them
NUMERAL = re.compile(r"(?<![\w.])[-+]?(?:\d+\.\d*|\.\d+|\d+(?=[eE]))(?:[eE][-+]?\d+)?(?![\w.]*\w)")
ANY_NUMERAL = re.compile(r"(?<![\w.])[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?!\w)")
#: Patterns for what differs from run to run, and what is read in their place.
NORMALIZERS: Mapping[str, tuple[str, str]] = {
    "times": (
        r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?"
        r"|\b\d+:\d\d:\d\d\b|\b\d+(?:\.\d+)?\s?(?:ms|s|seconds)\b",
        "TIME",
    ),
    "pids": (r"\b(pid|process|PID)[ =:]+\d+", r"\1 PID"),
}
TRACEBACK = "Traceback (most recent call last)"
EXCEPTION = re.compile(
    r"Traceback \((?:most recent call last|innermost last)\):\s*\n(?:[ \t]+[^\n]*\n)*(?P<message>\w.*)", re.DOTALL
)


def flags_of(config: Config, step: Step) -> int:
    """Doctest's options for a step: those of the project, and its own."""
    found = step.flags
    for name in config.flags:
        flag = doctest.OPTIONFLAGS_BY_NAME.get(name)
        if flag is None:
            raise ConfigError(f"[tool.tutorkit]: flags: no flag {name!r}; there are {', '.join(doctest.OPTIONFLAGS_BY_NAME)}")
        found |= flag
    return found & ~step.off


def directories(working: Path, root: Path) -> dict[str, str]:
    """Directories whose names differ from machine to machine, and what a page shows for each."""
    return {str(working): HOME, sys.prefix: f"{HOME}/.venv", str(root): f"{HOME}/project"}


def problem(step: Step, outcome: Outcome, block: Block, config: Config, directories: Mapping[str, str]) -> str:
    """What is wrong with the outcome of a step of `block`: "" if nothing."""
    flags = flags_of(config, step)
    if flags & doctest.SKIP:
        return f"{block.page}:{step.line}: is skipped by a flag; say what it needs, in a comment 'needs: ...'"
    if outcome.error is not None and block.kind is not Kind.CONSOLE:
        found = EXCEPTION.search(step.expected or "")
        if block.kind is not Kind.DOCTEST or not found:
            *before, last = outcome.error.rstrip().split("\n")
            place = f"{block.page}:{outcome.line or step.line}"
            frames = outcome.traceback + "".join(f"{line}\n" for line in before)
            return f"{place}: raised {last}\n{frames}{_also(outcome)}"
        want, got = found["message"], outcome.error
        if flags & doctest.IGNORE_EXCEPTION_DETAIL:
            want, got = want.partition(":")[0].rpartition(".")[2], got.partition(":")[0].rpartition(".")[2]
    else:
        want, got = step.expected or "", outcome.output
        if step.expected is None:
            return ""
    want, got = normalize(want, config, directories), normalize(got, config, directories)
    if agrees(want, got, flags):
        return ""
    return f"{block.page}:{step.line}: {DIFFERS}\n{difference(want, got)}{_also(outcome)}"


def agrees(want: str, got: str, flags: int) -> bool:
    """Whether `got` is what `want` describes, by doctest's rules and those of NUMBER."""
    checker = doctest.OutputChecker()
    if want and not want.endswith("\n"):
        want += "\n"
    if got and not got.endswith("\n"):
        got += "\n"
    if checker.check_output(want, got, flags & ~NUMBER):
        return True
    return bool(flags & NUMBER) and checker.check_output(want, as_written(want, got), flags & ~NUMBER)


def as_written(want: str, got: str) -> str:
    """`got`, with each number that agrees with its counterpart in `want` written like that one."""
    for start, end, new in reversed(agreeing(want, got)):
        got = got[:start] + new + got[end:]
    return got


def agreeing(want: str, got: str) -> list[tuple[int, int, str]]:
    """Where `got` has a number that agrees with its counterpart in `want`, and how that one is written."""
    wanted, found = list(ANY_NUMERAL.finditer(want)), list(ANY_NUMERAL.finditer(got))
    if len(wanted) != len(found):
        return []
    spans = {numeral.span() for numeral in NUMERAL.finditer(want)}
    return [
        (right.start(), right.end(), left[0])
        for left, right in zip(wanted, found, strict=True)
        if left.span() in spans and abs(float(left[0]) - float(right[0])) <= precision(left[0])
    ]


def precision(numeral: str) -> float:
    """Half of what the last digit of a number counts.

    >>> precision("3.14")
    0.005
    """
    digits, _, exponent = numeral.lower().partition("e")
    return 0.5 * 10.0 ** (int(exponent or 0) - len(digits.partition(".")[2]))


def normalize(text: str, config: Config, directories: Mapping[str, str]) -> str:
    """A text without what differs from run to run."""
    for name in config.normalize:
        if name == "paths":
            text = located(text, directories)
            continue
        pattern, replacement = normalizer(name, config)
        text = re.sub(pattern, replacement, text)
    return text


def located(text: str, directories: Mapping[str, str]) -> str:
    """A text with the names that a page shows for directories."""
    for directory in sorted(directories, key=len, reverse=True):
        text = text.replace(directory, directories[directory])
    return text


def normalizer(name: str, config: Config) -> tuple[str, str]:
    """The pattern of a normalizer, and what is read in its place.

    :raises ConfigError: there is none of this name.
    """
    found = config.normalizers.get(name) or NORMALIZERS.get(name)
    if found is None:
        known = ", ".join(["paths", *NORMALIZERS, *config.normalizers])
        raise ConfigError(f"[tool.tutorkit]: normalize: no normalizer {name!r}; there are {known}")
    return found


def shown(outcome: Outcome, directories: Mapping[str, str]) -> str:
    """What a reader sees of a step: what it printed, and how its exception would end at the prompt."""
    error = "" if outcome.error is None else f"{TRACEBACK}:\n{outcome.stack}{outcome.error}"
    return located(outcome.output + error, directories)


def difference(want: str, got: str) -> str:
    """What was expected, with "-", and what came, with "+"."""
    lines = list(unified_diff(want.splitlines(), got.splitlines(), "expected", "got", lineterm="", n=2))
    if len(lines) > DIFFERENCE_LINES:
        middle = DIFFERENCE_LINES // 2
        lines = [*lines[:middle], f"... {len(lines) - DIFFERENCE_LINES} lines more ...", *lines[-middle:]]
    return "".join(f"{line[:LINE_LENGTH]}\n" for line in lines)


def _also(outcome: Outcome) -> str:
    return f"it also wrote:\n{outcome.stderr[-2000:]}\n" if outcome.stderr.strip() else ""
