"""The processes that pages run in: a clean one, which forks another for each page.

The clean process is started once, with nothing imported but what is needed here. A page's process is its copy: it costs a few
milliseconds, knows nothing of the tests that run beside it, and may exit, hang or be killed without harm to anybody. Both
are *subreapers* where there are such: whatever a page starts stays below it, so it can be found, and ended.
"""

from __future__ import annotations

import atexit
import importlib
import os
import pickle
import re
import shutil
import socket
import sys
import tempfile
import threading
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from tutorkit.config import Config
from tutorkit.errors import ConfigError
from tutorkit.reading.blocks import Block
from tutorkit.running.evaluate import Evaluator, Result
from tutorkit.running.leftovers import changed, leftovers, path_written
from tutorkit.running.limits import lasting
from tutorkit.running.processes import become_subreaper, children, command_line, descendants, kill, words

SWEEP_EVERY_S = 0.2  #: the clean process looks for what killed pages have left
PYTHONS_OWN = re.compile(r"multiprocessing\.(resource_tracker|forkserver)")  #: processes that Python keeps, and ends itself


@dataclass(frozen=True)
class Scratch:
    """The folders of a page that runs, outside of the project."""

    root: Path
    directory: Path  #: the page's working directory

    @property
    def temporary(self) -> Path:
        """For temporary files, which the page is to remove."""
        return self.root / "tmp"

    @property
    def reports(self) -> Path:
        """Where processes that the page starts report what they enter."""
        return self.root / "trace"

    @property
    def terminal(self) -> Path:
        """The file that takes what is written to the terminal."""
        return self.root / "terminal"

    @classmethod
    def made(cls, stem: str) -> Scratch:
        """New and empty folders for the page of this name."""
        root = Path(tempfile.mkdtemp(prefix="tutorkit-")).resolve()
        scratch = cls(root, root / stem.replace(" ", "-"))
        for folder in (scratch.directory, scratch.temporary, scratch.reports):
            folder.mkdir()
        return scratch


@dataclass(frozen=True)
class Setup:
    """What a page's process begins with."""

    path: str  #: of the page
    config: Config
    scratch: Scratch
    images: Path
    module: str = ""  #: whose docstrings these are
    trace: bool = False
    implementation: str = ""  #: the module that stands in for the documented one


@dataclass(frozen=True)
class Seen:
    """What a page was made from."""

    executed: Sequence[tuple[str, str]]  #: functions: the file, and the qualified name
    opened: Sequence[str]  #: files and folders of the project
    started: bool  #: other processes, of which not all is known


@dataclass(frozen=True)
class PageEnd:
    """What a page's process says when it ends."""

    leaves: str  #: what it leaves behind, "" if nothing
    pictures: Sequence[str]  #: that its blocks have saved
    seen: Seen | None  #: if it was traced


# --- the clean process ------------------------------------------------------------------------------------------------------


def main(descriptor: int) -> None:
    """Fork a process for each :class:`Setup`, and give the exit code for each pid, until nobody asks any more."""
    become_subreaper()
    channel = socket.socket(fileno=descriptor)
    channel.settimeout(SWEEP_EVERY_S)
    pages: set[int] = set()
    ended: dict[int, int] = {}
    while True:
        try:
            data, descriptors, _, _ = socket.recv_fds(channel, 1 << 20, 1)
        except TimeoutError:
            sweep(pages, ended)
            continue
        if not data:
            break
        request = pickle.loads(data)  # noqa: S301 - from our own parent
        if isinstance(request, Setup):
            answer = os.fork()
            if answer == 0:
                channel.close()
                serve(Connection(descriptors[0]), request)
            pages.add(answer)
            os.close(descriptors[0])
        else:
            while request not in ended:
                sweep(pages, ended, wait=True)
            answer = ended.pop(request)
        channel.sendall(answer.to_bytes(8, "little", signed=True))
    channel.close()
    for pid in descendants(os.getpid()):
        kill(pid)


def sweep(pages: set[int], ended: dict[int, int], *, wait: bool = False) -> None:
    """Take the ends of processes, and kill those that lost their page."""
    try:
        while (found := os.waitpid(-1, 0 if wait else os.WNOHANG))[0]:
            wait = False
            if found[0] in pages:
                pages.discard(found[0])
                ended[found[0]] = os.waitstatus_to_exitcode(found[1])
    except ChildProcessError:
        pass
    for pid in children(os.getpid()):
        if pid not in pages:
            kill(pid)


# --- a page's process -------------------------------------------------------------------------------------------------------


def serve(channel: Connection, setup: Setup) -> None:
    """Be a page's process."""
    become_subreaper()
    try:
        page = PageProcess(setup)
    except ConfigError as error:
        os.write(2, f"{error}\n".encode())
        os._exit(1)
    try:
        blocks: tuple[Block, ...] = channel.recv()
        while (request := channel.recv()) is not None:
            for block in blocks[slice(*request)]:
                channel.send(page.run(block))
        channel.send(page.end())
    except (EOFError, OSError):
        pass
    for pid in descendants(os.getpid()):
        kill(pid)
    os._exit(0)


class PageProcess:
    """What a page's process knows."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        sources = setup.config.sources
        redirect(setup.scratch.terminal)
        sys.path[:0] = sources
        sys.argv = [setup.path]
        os.environ |= {**setup.config.environment, **variables(sources, setup.scratch.temporary)}
        os.chdir(setup.scratch.directory)
        self.evaluator = Evaluator(setup.path, setup.config.output_limit, setup.images)
        self.object = ""  #: whose docstring is run
        self.elsewhere: list[str] = []  #: exceptions of threads, which nobody sees
        threading.excepthook = lambda hook: self.elsewhere.append(
            "".join(traceback.format_exception(hook.exc_type, hook.exc_value, hook.exc_traceback))
        )
        self.evaluator.fresh({})
        self.written: set[str] = set()
        self.watch()
        self.tracer: Any = None
        if setup.trace:
            from tutorkit.running import trace

            reports, root = str(setup.scratch.reports), str(setup.config.root)
            os.environ |= trace.environment(sources, reports, root)
            self.tracer = trace.start(sources, reports, root)
        if setup.implementation:
            from tutorkit.running import conformance

            conformance.replace(setup.implementation, setup.config.api)
        self.environment = dict(os.environ)

    def run(self, block: Block) -> Result:
        """What comes of a block."""
        owner = block.id.rpartition("-")[0]
        if self.setup.module and owner != self.object:
            self.object = owner
            self.evaluator.fresh(vars(importlib.import_module(self.setup.module)))
        if self.tracer:
            self.tracer.block(block.id)
        result = self.evaluator.run(block)
        if self.elsewhere:
            result.problem = f"{block.place}: an exception was raised in a thread\n{''.join(self.elsewhere)}"
            self.elsewhere.clear()
        if self.tracer:
            result.entered = sorted(self.tracer.entered())
        return result

    def watch(self) -> None:
        """Note what is written into the project."""
        config = self.setup.config
        root, ours = f"{config.root}{os.sep}", (str(config.ledger_path), str(self.setup.images))

        def hook(event: str, arguments: tuple[Any, ...]) -> None:
            path = path_written(event, arguments)
            if path is None:
                return
            whole = os.path.abspath(path)
            measured = os.path.basename(whole).startswith(".coverage")  # by coverage.py, where the tests were started
            if whole.startswith(root) and not whole.startswith(ours) and "__pycache__" not in whole and not measured:
                self.written.add(whole)

        sys.addaudithook(hook)

    def end(self) -> PageEnd:
        """What the page leaves behind, the pictures that it has saved, and what it was made from."""
        atexit._run_exitfuncs()  # what libraries end when the interpreter ends is not left behind; there is no public name
        scratch, images, root = self.setup.scratch, self.setup.images, self.setup.config.root
        alive = lasting(lambda: [pid for pid in descendants(os.getpid()) if not PYTHONS_OWN.search(words(pid))])
        leaves = leftovers(
            processes=[command_line(pid) for pid in alive],
            temporary=sorted(set(os.listdir(scratch.temporary)) - {"__pycache__"}),  # Python's own, of a module that lay there
            written=sorted(os.path.relpath(path, root) for path in self.written if os.path.lexists(path)),
            variables=changed(self.environment, os.environ),
            directory="" if os.getcwd() == os.path.realpath(scratch.directory) else os.getcwd(),
        )
        pictures = [path.name for path in scratch.directory.glob("*.png")]
        for name in pictures:
            images.mkdir(parents=True, exist_ok=True)
            shutil.copy(scratch.directory / name, images)
        return PageEnd(leaves, pictures, Seen(**self.tracer.seen()) if self.tracer else None)


def redirect(terminal: Path) -> None:
    """Read nothing, and write what goes to the terminal into a file."""
    null, file = os.open(os.devnull, os.O_RDONLY), os.open(terminal, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for target, descriptor in ((0, null), (1, file), (2, file)):
        os.dup2(descriptor, target)


def variables(sources: Sequence[str], temporary: Path) -> dict[str, str]:
    """The variables of the environment that a page's process sets."""
    return {
        "PATH": os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", os.defpath)]),
        "PYTHONPATH": os.pathsep.join([*sources, *filter(None, [os.environ.get("PYTHONPATH")])]),
        "TMPDIR": str(temporary),
        "MPLBACKEND": os.environ.get("MPLBACKEND", "agg"),
    }
