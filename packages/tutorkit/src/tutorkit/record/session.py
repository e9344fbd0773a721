"""Run a page, and write down what became of its blocks: the one way, for pytest and for the command."""

from __future__ import annotations

import platform
import subprocess
import tomllib
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from tutorkit.config import Config
from tutorkit.reading.blocks import Block, Exercise, Kind, Page
from tutorkit.record import cache as page_cache
from tutorkit.record import ledger
from tutorkit.record.ledger import DISPLAY, EXERCISE, FAILED, NOT_RUN, PASSED, SKIPPED, Entry, Record
from tutorkit.running import notebook
from tutorkit.running.conditions import lacking
from tutorkit.running.evaluate import Result
from tutorkit.running.page_run import PageRun


class Session:
    """A page that is being run."""

    def __init__(self, page: Page, config: Config, *, trace: bool = False, implementation: str = "") -> None:
        self.page = page
        self.config = config
        self.trace = trace
        self.implementation = implementation
        self.ledger = config.ledger_path
        self.images = ledger.images_of(self.ledger, page.name)
        self.lacking = {block.id: missing for block in page.blocks if (missing := lacking(block.needs, config, block.place))}
        self.skipped = {block: condition.reason for block, condition in self.lacking.items()}
        self.results: dict[str, Result] = {}
        self.ran_at = ""  #: when it ended
        self.proofs: dict[str, str] = {}  #: of exercises, by their names: what is wrong, "" if nothing
        self._runnable = [block for block in page.blocks if block.runs and block.id not in self.skipped]
        self._run: PageRun | None = None
        self._last: Block | None = None  #: the last block that will be asked for, if that is known

    def expect(self, block: Block) -> None:
        """`block` will be asked for: those before it need not wait until they are."""
        if block in self._runnable:
            self._last = block

    def run(self, block: Block) -> Result:
        """What comes of `block`, after those before it. Each is run once."""
        if block.id in self.results:
            return self.results[block.id]
        if block.kind is Kind.UNKNOWN:
            return Result.failed(f"{block.place}: {block.reason}", block.line)
        if (reason := self.skipped.get(block.id)) is not None:
            return Result.failed(f"{block.place}: {reason}", block.line)
        if self.page.notebook:
            self.results |= notebook.execute(self.page, self.config, self.images, trace=self.trace, skipped=self.skipped)
            return self.results[block.id]
        if self._run is None:
            page = replace(self.page, blocks=tuple(self._runnable))
            self._run = PageRun(page, self.config, self.images, trace=self.trace, implementation=self.implementation)
        result = self._run.run(block, self._last)
        self.results |= self._run.results
        return result

    def close(self) -> str:
        """End the page and write its record; what it left behind, "" if nothing."""
        problem = self._run.close() if self._run else ""
        if not self.implementation:  # what another implementation does is not on record
            self.ran_at = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
            record = self._record(problem)
            ledger.write(self.ledger, record)
            if self._run and self._run.seen is not None:
                page_cache.save(self.page, self._run.seen, self.config)
        return problem

    def _record(self, problem: str) -> Record:
        """What is known of the page now: of this run, and of an earlier one for the blocks that were not run."""
        before = ledger.load(self.ledger, self.page.name)
        entries = [self._entry(block, before) for block in self.page.blocks]
        return Record(
            self.page.name,
            entries,
            seconds=round(sum(entry.seconds for entry in entries), 3),
            python=platform.python_version(),
            platform=f"{platform.system()} {platform.machine()}",
            versions=versions(self.config.root),
            problem=problem,
            pictures=list(self.page.pictures),
            exercises=[self._exercise(exercise, before) for exercise in self.page.exercises],
        )

    def _exercise(self, exercise: Exercise, before: Record | None) -> Entry:
        """What became of an exercise."""
        entry = Entry(exercise.name, exercise.line, EXERCISE, "", exercise.digest)
        if (problem := self.proofs.get(exercise.name)) is not None:
            entry.result, entry.reason = (FAILED, problem) if problem else (PASSED, "")
            entry.commit, entry.ran_at = commit(self.config.root), self.ran_at
        elif before is not None and (old := before.entry(exercise.name, exercise.digest)) is not None:
            old.line = exercise.line
            return old
        return entry

    def _entry(self, block: Block, before: Record | None) -> Entry:
        """What became of a block."""
        entry = Entry(block.id, block.line, str(block.kind), block.language, block.digest, checked=block.checked)
        if block.kind is Kind.DISPLAY:
            entry.result, entry.reason = DISPLAY, block.reason
        elif (result := self.results.get(block.id)) is not None:
            entry.result, entry.reason = _verdict(result)
            entry.seconds, entry.output, entry.commit = round(result.seconds, 3), result.output, commit(self.config.root)
            entry.images, entry.entered = result.images, sorted(result.entered)
            entry.outputs, entry.ran_at = result.shown, self.ran_at
        elif block.id in self.skipped:
            entry.result, entry.reason = SKIPPED, self.skipped[block.id]
        elif before is not None and (old := before.entry(block.id, block.digest)) is not None:
            old.line = block.line
            return old
        return entry


def _verdict(result: Result) -> tuple[str, str]:
    """What became of a block, and why."""
    if result.missed:
        return NOT_RUN, result.missed
    return (FAILED, result.problem) if result.problem else (PASSED, "")


@cache
def versions(root: Path) -> dict[str, str]:
    """The version of the project, if it is installed."""
    try:
        name = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["name"]
        return {name: version(name)}
    except (OSError, KeyError, PackageNotFoundError):
        return {}


@cache
def commit(root: Path) -> str:
    """The commit that the project is at, with "+" if files were changed since, and its date: ``1f2e3d4+ of 2026-11-23``."""
    try:
        hash_and_date = _git(root, "show", "-s", "--format=%h %cs")
        changed = _git(root, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.CalledProcessError):
        return ""
    short, _, date = hash_and_date.strip().partition(" ")
    return f"{short}{'+' if changed else ''} of {date}"


def _git(root: Path, *arguments: str) -> str:
    return subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=True).stdout
