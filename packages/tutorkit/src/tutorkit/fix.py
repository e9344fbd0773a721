"""Write the outputs of blocks into their page, in place of those that it shows."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from difflib import SequenceMatcher, unified_diff
from pathlib import Path

from tutorkit.config import Config
from tutorkit.reading.blocks import Kind, Page, Step
from tutorkit.running.compare import agrees, flags_of


def rewrite(page: Page, got: Mapping[tuple[str, int], str], config: Config) -> str:
    """The text of `page` with the outputs `got`, by block and number of the step, where they are not those that it shows."""
    text = page.text
    changes: list[tuple[int, int, str]] = []
    for block in page.blocks:
        for number, step in enumerate(block.steps):
            output = got.get((block.id, number))
            if output is None or step.expected is None or step.start < 0:
                continue
            changes.append((step.start, step.end, _lines(step, output, block.kind, config, text)))
    for start, end, new in sorted(changes, reverse=True):
        text = text[:start] + new + text[end:]
    return text


def _lines(step: Step, output: str, kind: Kind, config: Config, text: str) -> str:
    """An output as it is written in the page: lines that still agree are kept as they are, with their ellipses."""
    old, new = (step.expected or "").splitlines(), output.splitlines()
    if kind is Kind.DOCTEST:
        new = [line or "<BLANKLINE>" for line in new]
    flags = flags_of(config, step)
    kept = _elided(old, new, flags)
    for tag, begin, end, left, right in SequenceMatcher(None, old, kept, autojunk=False).get_opcodes():
        if tag == "replace" and end - begin == right - left:  # line by line, keep what agrees
            kept[left:right] = [
                line if line.strip(" .") and agrees(f"{line}\n", f"{each}\n", flags) else each
                for line, each in zip(old[begin:end], kept[left:right], strict=True)
            ]
    eol = "\r\n" if "\r\n" in text else "\n"
    return "".join(f"{step.indent}{line}".rstrip() + eol for line in kept)


def _elided(old: list[str], new: list[str], flags: int) -> list[str]:
    """`new` with the lines of `old` that elide a part and still agree, each used once and in order."""
    elided = [line for line in old if "..." in line and line.strip(" .")]
    kept = []
    for each in new:
        found = next((number for number, line in enumerate(elided) if agrees(f"{line}\n", f"{each}\n", flags)), None)
        kept.append(each if found is None else elided[found])
        elided = elided if found is None else elided[found + 1 :]
    return kept


def diff(page: Page, new: str) -> str:
    """What changes in the page."""
    lines = unified_diff(page.text.splitlines(), new.splitlines(), page.name, f"{page.name}, fixed", lineterm="")
    return "\n".join(lines)


def uncommitted(path: Path) -> bool:
    """The file has changes that git does not have; False where there is no git."""
    try:
        done = subprocess.run(
            ["git", "-C", str(path.parent), "status", "--porcelain", "--", path.name],
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:
        return False
    return done.returncode == 0 and bool(done.stdout.strip())
