"""The processes that pages run in: a clean one, which forks another for each page.

The clean process is started once, with nothing imported but what is needed here. A page's process is its copy: it costs a few
milliseconds, knows nothing of the tests that run beside it, and may exit, hang or be killed without harm to anybody. Both
are *subreapers* where there are such: whatever a page starts stays below it, so that it can be found, and ended.
"""

from __future__ import annotations

import atexit
import ctypes
import importlib
import os
import pickle
import re
import shutil
import signal
import socket
import sys
import threading
import time
import traceback
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from tutorkit.errors import ConfigError
from tutorkit.reading.blocks import Block
from tutorkit.running.evaluate import Evaluator, Result

PR_SET_CHILD_SUBREAPER = 36
MOMENT = 4.0  #: seconds that processes have to end after the page's last block
SWEEP = 0.2  #: seconds between two looks for what killed pages have left
HELPER = re.compile(r"multiprocessing\.(resource_tracker|forkserver)")  #: processes that Python keeps, and ends itself
QUIET = ("PWD", "OLDPWD", "_", "COLUMNS", "LINES")  #: variables whose change is nobody's fault


@dataclass(frozen=True)
class Setup:
    """What a page's process begins with."""

    path: str  #: of the page
    root: str  #: of the project
    directory: str  #: where it runs
    temporary: str  #: for temporary files
    terminal: str  #: the file that takes what is written to the terminal
    images: str
    ledger: str
    source: tuple[str, ...]
    limit: int
    api: tuple[str, ...] = ()
    module: str = ""  #: whose docstrings these are
    trace: str = ""  #: the folder of the trace's reports
    impl: str = ""


def main(descriptor: int) -> None:
    """Fork a process for each page that is asked for, until nobody asks any more."""
    _become_subreaper()
    asked = socket.socket(fileno=descriptor)
    asked.settimeout(SWEEP)
    pages: set[int] = set()
    ended: dict[int, int] = {}
    while True:
        try:
            data, descriptors, _, _ = socket.recv_fds(asked, 1 << 20, 1)
        except TimeoutError:
            sweep(pages, ended)
            continue
        if not data:
            break
        kind, value = pickle.loads(data)  # noqa: S301 - from our own parent
        if kind == "status":
            while value not in ended:
                sweep(pages, ended, wait=True)
            answer = ended.pop(value)
        else:
            answer = os.fork()
            if answer == 0:
                asked.close()
                serve(Connection(descriptors[0]), value)
            pages.add(answer)
            os.close(descriptors[0])
        asked.sendall(answer.to_bytes(8, "little", signed=True))
    for pid in descendants(os.getpid()):
        kill(pid)


def sweep(pages: set[int], ended: dict[int, int], wait: bool = False) -> None:
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


def serve(asked: Connection, setup: Setup) -> None:
    """Be a page's process."""
    _become_subreaper()
    try:
        page = PageProcess(setup)
    except ConfigError as error:
        os.write(2, f"{error}\n".encode())
        os._exit(1)
    try:
        blocks: tuple[Block, ...] = asked.recv()
        while (request := asked.recv()) is not None:
            for block in blocks[slice(*request)]:
                asked.send(page.run(block))
        asked.send(page.leaves())
    except (EOFError, OSError):
        pass
    for pid in descendants(os.getpid()):
        kill(pid)
    os._exit(0)


class PageProcess:
    """What a page's process knows."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        null, terminal = os.open(os.devnull, os.O_RDONLY), os.open(setup.terminal, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        for target, descriptor in ((0, null), (1, terminal), (2, terminal)):
            os.dup2(descriptor, target)
        sources = [os.path.join(setup.root, folder) for folder in setup.source]
        sys.path[:0] = sources
        sys.argv = [setup.path]
        os.environ["PATH"] = os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", os.defpath)])
        os.environ["PYTHONPATH"] = os.pathsep.join([*sources, *filter(None, [os.environ.get("PYTHONPATH")])])
        os.environ["TMPDIR"] = setup.temporary
        os.environ.setdefault("MPLBACKEND", "agg")
        os.chdir(setup.directory)
        self.evaluator = Evaluator(setup.path, setup.limit, Path(setup.images))
        self.object = ""  #: whose docstring is run
        self.elsewhere: list[str] = []  #: exceptions of threads, which nobody sees
        threading.excepthook = lambda told: self.elsewhere.append(
            "".join(traceback.format_exception(told.exc_type, told.exc_value, told.exc_traceback))
        )
        self.evaluator.fresh({})
        self.written: set[str] = set()
        self.watch()
        self.tracer: Any = None
        if setup.trace:
            from tutorkit.running import trace

            os.environ |= trace.environment(tuple(sources), setup.trace, setup.root)
            self.tracer = trace.start(tuple(sources), setup.trace, setup.root)
        if setup.impl:
            from tutorkit.running import conformance

            conformance.replace(setup.impl, setup.api)
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
        root, ours = self.setup.root + os.sep, (self.setup.ledger, self.setup.images)

        def hook(event: str, arguments: tuple[Any, ...]) -> None:
            if (
                event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
            ) or event == "os.mkdir":
                path = arguments[0]
            elif event == "os.rename":
                path = arguments[1]
            else:
                return
            if isinstance(path, (str, os.PathLike)):
                whole = os.path.abspath(os.fspath(path)) if isinstance(os.fspath(path), str) else ""
                measured = os.path.basename(whole).startswith(".coverage")  # by coverage.py, where the tests were started
                if whole.startswith(root) and not whole.startswith(ours) and "__pycache__" not in whole and not measured:
                    self.written.add(whole)

        sys.addaudithook(hook)

    def leaves(self) -> tuple[str, list[str], Any]:
        """What the page leaves behind, the pictures that it has saved, and what it was made from."""
        atexit._run_exitfuncs()  # what libraries end when the interpreter ends is not left behind
        found = []
        limit = time.monotonic() + MOMENT  # for processes that are about to end
        while (alive := [said for pid in descendants(os.getpid()) if not HELPER.search(said := command(pid))]) and (
            time.monotonic() < limit
        ):
            time.sleep(0.02)
        if alive:
            found.append(f"processes: {', '.join(alive)}")
        if left := sorted(os.listdir(self.setup.temporary)):
            found.append(f"temporary files: {', '.join(left[:5])}")
        if written := sorted(path for path in self.written if os.path.lexists(path)):
            found.append(f"files in the project: {', '.join(os.path.relpath(path, self.setup.root) for path in written[:5])}")
        before, now = self.environment, dict(os.environ)
        changed = sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name) and name not in QUIET)
        if changed:
            found.append(f"environment variables: {', '.join(changed)}")
        if os.getcwd() != os.path.realpath(self.setup.directory):
            found.append(f"another working directory: {os.getcwd()}")
        pictures = [path.name for path in Path(self.setup.directory).glob("*.png")]
        for name in pictures:
            os.makedirs(self.setup.images, exist_ok=True)
            shutil.copy(os.path.join(self.setup.directory, name), self.setup.images)
        seen = self.tracer.seen() if self.tracer else None
        return "; ".join(found), pictures, seen


def descendants(pid: int) -> list[int]:
    """The processes below `pid` that live."""
    found = children(pid)
    for each in found:
        found += children(each)
    return found


def children(pid: int) -> list[int]:
    """The children of a process that live. See proc_pid_stat(5), and proc_tid_children(5), which not every kernel has."""
    found: list[int] = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children", "rb") as file:
                found += [each for each in map(int, file.read().split()) if parent(each) == pid]
    except OSError:  # it ended meanwhile, or there is no such file: look at all
        return [each for each in map(int, filter(str.isdecimal, _processes())) if parent(each) == pid]
    return found


def parent(pid: int) -> int:
    """The parent of a process; 0 if it does not live."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            state, number, *_ = file.read().rpartition(b")")[2].split()
    except OSError:  # it ended meanwhile
        return 0
    return 0 if state in (b"Z", b"X") else int(number)


def _processes() -> list[str]:
    return os.listdir("/proc") if os.path.isdir("/proc") else []


def command(pid: int) -> str:
    """What a process runs, and its number."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        words = "?"
    return f"{words[:100]} (pid {pid})"


def kill(pid: int) -> None:
    """End a process, if it is there."""
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGKILL)


def _become_subreaper() -> None:
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
