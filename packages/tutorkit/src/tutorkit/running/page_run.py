"""Run the blocks of a page in a process of its own, and see that each ends."""

from __future__ import annotations

import shutil
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from tutorkit.config import Config
from tutorkit.errors import PageError
from tutorkit.reading.blocks import Block, Page
from tutorkit.running import compare
from tutorkit.running.clean_process import clean_process
from tutorkit.running.evaluate import Result
from tutorkit.running.limits import LOOK_EVERY_S, Limits, Watch
from tutorkit.running.page_process import PageEnd, Scratch, Seen, Setup
from tutorkit.running.processes import kill_tree


class PageRun:
    """A page that runs. It is to be closed."""

    def __init__(
        self,
        page: Page,
        config: Config,
        images: Path,
        *,
        limits: Limits | None = None,
        trace: bool = False,
        implementation: str = "",
    ) -> None:
        self.page = page
        self.config = config
        self.limits = limits or Limits.of(config)
        self.results: dict[str, Result] = {}
        self.seen: Seen | None = None  #: what it was made from, if it was traced and closed
        self._ended = ""  #: why its process is no more
        self._end = ""  #: the place of the block that has ended it
        self._scratch = Scratch.made(page.path.stem)
        for file in page.files:
            _copy(page, file, self._scratch.directory)
        self._directories = compare.directories(self._scratch.directory, config.root)
        module = module_of(page, config) if page.docstrings else ""
        setup = Setup(str(page.path), config, self._scratch, images, module, trace=trace, implementation=implementation)
        self._parent = clean_process()
        self._pid, self._channel = self._parent.fork(setup)
        self._send(page.blocks)
        self._numbers = {block.id: number for number, block in enumerate(page.blocks)}
        self._requested = 0  #: blocks that its process was told to run

    def run(self, block: Block, last: Block | None = None) -> Result:
        """What comes of `block`, after those before it. Each is run once; those up to `last` need not wait to be asked for."""
        end = self._numbers[block.id] + 1
        if not self._ended:
            self._request(max(end, self._numbers[last.id] + 1 if last else 0))
        for each in self.page.blocks[len(self.results) : end]:
            self.results[each.id] = self._run(each)
        return self.results[block.id]

    def close(self) -> str:
        """End the page; what it left behind, "" if nothing."""
        found = ""
        if not self._ended:
            self._send(None)
            unread = self._requested - len(self.results)
            while isinstance(answer := self._answer(), Result):  # of a block that nobody wanted to know of
                unread -= 1
            if answer is not None:
                found = self._said(answer)
            elif not unread:
                found = f"after its last block, it {self._ended}"
            kill_tree(self._pid)
        self._channel.close()
        shutil.rmtree(self._scratch.root, ignore_errors=True)
        return found

    def _said(self, end: PageEnd) -> str:
        """What is wrong with the page as a whole."""
        self.seen = end.seen
        missing = sorted(set(self.page.pictures) - set(end.pictures)) if len(self.results) == len(self.page.blocks) else []
        found = [f"leaves behind {end.leaves}"] if end.leaves else []
        found += [f"no block saves the picture {', '.join(missing)}"] if missing else []
        return "; ".join(found)

    def _run(self, block: Block) -> Result:
        """Run one block, and compare."""
        if self._ended:
            return Result.failed(f"{block.place}: was not run: {self._ended}", block.line, f"the page ended at {self._end}")
        began = time.perf_counter()
        result = self._answer()
        if result is None:
            self._ended, self._end = f"{block.place}: {self._ended}", block.place
            return replace(Result.failed(self._ended, block.line), seconds=time.perf_counter() - began)
        assert isinstance(result, Result)
        for step, outcome in zip(block.steps, result.outcomes, strict=False):
            problem = compare.problem(step, outcome, block, self.config, self._directories)
            if problem and outcome.error is None:
                outcome.other = compare.located(outcome.output, self._directories)
            if problem and not result.problem:
                result.problem, result.line = problem + self._end_of_terminal(), step.line
        if len(result.outcomes) < len(block.steps) and not result.problem:
            result.problem = f"{block.place}: ended early"
        for outcome in result.outcomes:
            outcome.shown = compare.shown(outcome, self._directories)
            outcome.output = compare.normalize(outcome.output, self.config, self._directories)
        return result

    def _request(self, end: int) -> None:
        """Have the blocks before `end` run. They are numbers, so this never waits for a process that itself waits."""
        if end > self._requested:
            self._send((self._requested, end))
            self._requested = end

    def _send(self, request: Any) -> None:
        with suppress(OSError):  # its end is noticed when it does not answer
            self._channel.send(request)

    def _answer(self) -> Any:
        """The next answer of the page's process; None if there is none, and why not is noted."""
        try:
            if self._comes():
                return self._channel.recv()
        except (EOFError, OSError):
            kill_tree(self._pid)  # it may have closed its channel, and live: then nobody would ever see its end
            how = f"ended the process that the page runs in, {self._parent.exit(self._pid)}"
            self._ended = "\n".join(filter(None, [how, self._end_of_terminal()]))
        return None

    def _comes(self) -> bool:
        """Wait for an answer; False if there is none within the limits, and the page is killed."""
        if self._channel.poll(0):
            return True
        watch = Watch(self._pid, self.limits)
        while not self._channel.poll(LOOK_EVERY_S):
            if excess := watch.excess():
                self._ended = excess
                kill_tree(self._pid)
                return False
        return True

    def _end_of_terminal(self) -> str:
        terminal = self._scratch.terminal
        text = terminal.read_text(errors="replace")[-1000:] if terminal.exists() else ""
        return f"its processes wrote:\n{text}\n" if text.strip() else ""


def _copy(page: Page, file: str, directory: Path) -> None:
    source = (page.path.parent / file).resolve()
    if not source.exists():
        raise PageError(f"{page.name}: files: no file {file!r} beside the page; give a path from the page's folder")
    if source.is_dir():
        shutil.copytree(source, directory / source.name)
    else:
        shutil.copy(source, directory)


def module_of(page: Page, config: Config) -> str:
    """The dotted name of the module whose docstrings a page is.

    :raises PageError: it is in none of the folders of the project's code.
    """
    for folder in config.source:
        base = (config.root / folder).resolve()
        if page.path.is_relative_to(base):
            return ".".join(page.path.relative_to(base).with_suffix("").parts).removesuffix(".__init__")
    raise PageError(f"{page.name}: is below none of the folders of the project's code, {', '.join(config.source)}; add its own")
