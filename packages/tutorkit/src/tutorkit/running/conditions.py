"""What this machine lacks of what a block needs; pytest and Sphinx say it in the same words."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterable
from functools import cache

from tutorkit.config import Condition, Config
from tutorkit.errors import PageError
from tutorkit.reading.blocks import Page

LIMIT_S = 60.0  #: for the command of a condition: one that asks a server which never answers does not hold


def lacking(needs: Iterable[str], config: Config, place: str) -> Condition | None:
    """The first of the conditions `needs` that does not hold here; None if all hold.

    :raises PageError: there is no such condition.
    """
    for name in needs:
        if name not in config.conditions:
            known = ", ".join(sorted(config.conditions)) or "none"
            raise PageError(f"{place}: no condition {name!r}; [tool.tutorkit.conditions] of pyproject.toml has {known}")
        if not holds(config.conditions[name]):
            return config.conditions[name]
    return None


@cache
def holds(condition: Condition) -> bool:
    """This machine has everything that `condition` asks for."""
    return (
        (not condition.program or shutil.which(condition.program) is not None)
        and (not condition.module or importlib.util.find_spec(condition.module) is not None)
        and (not condition.env or bool(os.environ.get(condition.env)))
        and (not condition.command or _succeeds(condition.command))
    )


def _succeeds(command: str) -> bool:
    """It does within LIMIT_S. What it prints goes nowhere: a pipe would be waited for as long as its children hold it."""
    null = subprocess.DEVNULL
    try:
        done = subprocess.run(command, shell=True, stdin=null, stdout=null, stderr=null, timeout=LIMIT_S, check=False)  # noqa: S602
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def needs(page: Page, config: Config) -> list[str]:
    """What a page needs, in the words of the conditions: what all its blocks do, then what some do.

    >>> from pathlib import Path
    >>> from tutorkit.reading.blocks import Block, Kind
    >>> from tutorkit.config import Condition
    >>> one, two = [Block("a.rst", f"a-{n}", n, Kind.PYTHON, "python", "", needs=("redis", "gpu")[:n]) for n in (1, 2)]
    >>> conditions = {"redis": Condition("needs Redis"), "gpu": Condition("needs a GPU")}
    >>> needs(Page(Path("a.rst"), "a.rst", "", (one, two)), Config(Path(), conditions=conditions))
    ['Redis', 'for 1 of 2 blocks: a GPU']
    """
    blocks = [block for block in page.blocks if block.runs]
    counts = Counter(name for block in blocks for name in block.needs if name in config.conditions)
    reasons = {name: config.conditions[name].reason for name in counts}
    words = {name: reason.removeprefix("needs ") for name, reason in reasons.items() if reason.startswith("needs ")}
    every = [text for name, text in words.items() if counts[name] == len(blocks)]
    some = [f"for {counts[name]} of {len(blocks)} blocks: {text}" for name, text in words.items() if counts[name] < len(blocks)]
    return [*every, *some]
