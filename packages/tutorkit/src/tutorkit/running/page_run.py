"""Run the blocks of a page in a process of its own, and see that each ends."""

from __future__ import annotations

import atexit
import os
import pickle
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from tutorkit.config import Config
from tutorkit.errors import PageError
from tutorkit.reading.blocks import Block, Page
from tutorkit.running import compare
from tutorkit.running.evaluate import Result
from tutorkit.running.page_process import Setup, descendants, main

HOME = "/home/you"  #: what a page shows for the directory that it runs in


class PageRun:
    """A page that runs. It is to be closed."""

    def __init__(self, page: Page, config: Config, images: Path, trace: bool = False, impl: str = "") -> None:
        self.page = page
        self.config = config
        self.results: dict[str, Result] = {}
        self.seen: Any = None  #: what it was made from, if it was traced and closed
        self._ended = ""  #: why its process is no more
        self._scratch = Path(tempfile.mkdtemp(prefix="tutorkit-")).resolve()
        directory = self._scratch / page.path.stem.replace(" ", "-")
        for folder in (directory, self._scratch / "tmp", self._scratch / "trace"):
            folder.mkdir()
        for file in page.files:
            _copy(page, file, directory)
        self._names = {str(directory): HOME, sys.prefix: f"{HOME}/.venv", str(config.root): f"{HOME}/project"}
        self._terminal = self._scratch / "terminal"
        setup = Setup(
            str(page.path),
            str(config.root),
            str(directory),
            str(self._scratch / "tmp"),
            str(self._terminal),
            str(images),
            str(config.root / config.ledger),
            config.source,
            config.output_limit,
            config.api,
            _module(page, config) if page.docstrings else "",
            str(self._scratch / "trace") if trace else "",
            impl,
        )
        self._pid, self._channel = fork(setup)
        self._send(page.blocks)
        self._place = {block.id: place for place, block in enumerate(page.blocks)}
        self._asked = 0  #: blocks that its process was told to run

    def run(self, block: Block, last: Block | None = None) -> Result:
        """What comes of `block`, after those before it. Each is run once; those up to `last` need not wait to be asked for."""
        end = self._place[block.id] + 1
        if not self._ended:
            self._ask(max(end, self._place[last.id] + 1 if last else 0))
        for each in self.page.blocks[len(self.results) : end]:
            self.results[each.id] = self._run(each)
        return self.results[block.id]

    def close(self) -> str:
        """End the page; what it left behind, "" if nothing."""
        found = ""
        if not self._ended:
            self._send(None)
            answer = self._answer()
            while isinstance(answer, Result):  # of a block that nobody wanted to know of
                answer = self._answer()
            if answer is not None:
                found, pictures, self.seen = answer
                missing = sorted(set(self.page.pictures) - set(pictures))
                found = f"leaves behind {found}" if found else ""
                if missing and len(self.results) == len(self.page.blocks):
                    found = "; ".join(filter(None, [found, f"no block saves the picture {', '.join(missing)}"]))
            self._kill()
        self._channel.close()
        shutil.rmtree(self._scratch, ignore_errors=True)
        return found

    def _run(self, block: Block) -> Result:
        """Run one block, and compare."""
        if self._ended:
            return Result([], f"{block.place}: was not run: {self._ended}", block.line)
        began = time.perf_counter()
        result = self._answer()
        if result is None:
            self._ended = f"{block.place} {self._ended}"
            return Result([], self._ended, block.line, time.perf_counter() - began)
        assert isinstance(result, Result)
        for step, outcome in zip(block.steps, result.outcomes, strict=False):
            problem = compare.problem(step, outcome, self.config, block.page, block.kind, self._names)
            if problem and outcome.error is None:
                outcome.other = compare.normalise(outcome.output, replace(self.config, normalise=("paths",)), self._names)
            if problem and not result.problem:
                result.problem, result.line = problem + self._end_of_terminal(), step.line
        if len(result.outcomes) < len(block.steps) and not result.problem:
            result.problem = f"{block.place}: ended early"
        for outcome in result.outcomes:
            outcome.output = compare.normalise(outcome.output, self.config, self._names)
        return result

    def _ask(self, end: int) -> None:
        """Have the blocks before `end` run. They are numbers, so that this never waits for a process that itself waits."""
        if end > self._asked:
            self._send((self._asked, end))
            self._asked = end

    def _send(self, request: Any) -> None:
        with suppress(OSError):  # its end is noticed when it does not answer
            self._channel.send(request)

    def _answer(self) -> Any:
        """The next answer of the page's process; None if there is none, and why not is noted."""
        limit = self.config.time_limit
        try:
            if self._channel.poll(limit):
                return self._channel.recv()
            self._kill()
            self._ended = f"did not end within {limit:g} s, and was killed with all that it had started"
        except (EOFError, OSError):
            code = status(self._pid)
            how = f"by {signal.Signals(-code).name}" if code < 0 else f"with code {code}"
            self._ended = "\n".join(filter(None, [f"ended the process that the page runs in, {how}", self._end_of_terminal()]))
        return None

    def _kill(self) -> None:
        for pid in [self._pid, *descendants(self._pid)]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _end_of_terminal(self) -> str:
        text = self._terminal.read_text(errors="replace")[-1000:] if self._terminal.exists() else ""
        return f"its processes wrote:\n{text}\n" if text.strip() else ""


def _copy(page: Page, file: str, directory: Path) -> None:
    source = (page.path.parent / file).resolve()
    if not source.exists():
        raise PageError(f"{page.name}: files: no file {file!r} beside the page; give a path from the page's folder")
    if source.is_dir():
        shutil.copytree(source, directory / source.name)
    else:
        shutil.copy(source, directory)


def _module(page: Page, config: Config) -> str:
    """The dotted name of a module."""
    for folder in config.source:
        base = (config.root / folder).resolve()
        if page.path.is_relative_to(base):
            return ".".join(page.path.relative_to(base).with_suffix("").parts).removesuffix(".__init__")
    raise PageError(f"{page.name}: is below none of the folders of the project's code, {', '.join(config.source)}; add its own")


# --- the process that all pages are copies of -----------------------------------------------------------------------------

_zygote: tuple[int, socket.socket, subprocess.Popen[bytes]] | None = None


def fork(setup: Setup) -> tuple[int, Connection]:
    """A new process for a page: its pid, and a channel to it."""
    ours, theirs = socket.socketpair()
    zygote = _start()
    socket.send_fds(zygote, [pickle.dumps(("page", setup))], [theirs.fileno()])
    theirs.close()
    return _number(zygote), Connection(ours.detach())


def warm() -> None:
    """Start the process that pages are copies of, so that it is there when the first one is to run."""
    _start()


def status(pid: int) -> int:
    """How a page's process ended: its exit code, or a signal as a negative number."""
    zygote = _start()
    zygote.sendall(pickle.dumps(("status", pid)))
    return _number(zygote)


def _number(zygote: socket.socket) -> int:
    return int.from_bytes(zygote.recv(8), "little", signed=True)


def _start() -> socket.socket:
    """The channel to this process's own clean process, which is started when it is first needed."""
    global _zygote
    if _zygote is None or _zygote[0] != os.getpid():
        ours, theirs = socket.socketpair()
        program = f"import sys; sys.path[:] = {sys.path!r}; from {main.__module__} import main; main({theirs.fileno()})"
        argv = [sys.executable, "-c", program]
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()], start_new_session=True)
        theirs.close()
        _zygote = os.getpid(), ours, process
        atexit.register(_stop, os.getpid())
    return _zygote[1]


def _stop(pid: int) -> None:
    if _zygote is not None and _zygote[0] == pid == os.getpid():
        _zygote[1].close()
        _zygote[2].wait()
