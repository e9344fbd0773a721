"""Run the cells of a notebook in a kernel, by the client that myst-nb uses, and note what cannot be read from its outputs."""

from __future__ import annotations

import os
import re
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from traitlets.config import Config as Traits

from tutorkit.config import Config
from tutorkit.running import trace
from tutorkit.running.limits import LOOK_EVERY_S, Limits, Watch, lasting
from tutorkit.running.processes import SUBREAPER, command_line, descendants, kill, kill_tree, parent

COLOR = re.compile(r"\x1b\[[0-9;]*m")
SWITCH = "__import__('sys').modules['_tutorkit_trace'].switch({!r})"  #: what a traced kernel runs before each cell
START_S = 300  #: for a kernel to begin, which is none of the page's own work
SHUTDOWN_S = 60.0  #: for a kernel to end by itself, before it is killed, and what libraries end with it is left behind


@dataclass(frozen=True)
class Execution:
    """What is known of a notebook when its kernel has ended."""

    last: int = -1  #: the number of the last cell that began; -1 if none did
    failure: str = ""  #: the traceback of that cell, or why it did not end; "" if all cells ended
    left: Sequence[str] = ()  #: processes that have outlived the kernel
    seconds: Mapping[int, float] = field(default_factory=dict)  #: of each cell that ended, by its number
    entered: Mapping[str, list[str]] = field(default_factory=dict)  #: functions that each block has entered


class Kernel:
    """A kernel that runs the cells of a notebook, each of which belongs to the block of the same number."""

    def __init__(self, book: Any, ids: Sequence[str], config: Config) -> None:
        self.book = book
        self.ids = ids
        self.config = config
        self._cells = [cell for cell in book.cells if cell.cell_type == "code"]
        self._reports: Path | None = None  #: where it reports what it enters, if it is traced
        self._began: dict[int, float] = {}
        self._seconds: dict[int, float] = {}
        self._below: list[int] = []  #: processes below the kernel, after the last cell
        self._client: Any = None
        self._watch: Watch | None = None  #: of the cell that runs
        self._excess = ""  #: why the kernel was killed

    def execute(self, directory: Path, reports: Path | None) -> Execution:
        """Run the cells in `directory`, up to the first that fails; with `reports`, a folder, it is traced."""
        self._reports = reports
        patience = int(self.config.wait_limit)  # for what nbclient waits for itself; the cells are watched from here
        self._client = NotebookClient(
            self.book,
            timeout=None,
            startup_timeout=max(patience, START_S),
            iopub_timeout=patience,
            kernel_name="python3",
            resources={"metadata": {"path": str(directory)}},
            config=Traits({"KernelManager": {"shutdown_wait_time": SHUTDOWN_S}}),
        )
        self._client.on_notebook_start = self._start
        self._client.on_cell_execute, self._client.on_cell_executed = self._begin, self._end
        failure = ""
        try:
            with self._watched():
                self._client.execute(env={**os.environ, **self.config.environment, **self._variables()})
        except CellExecutionError as error:
            first = str(error.evalue).partition("\n")[0]
            failure = COLOR.sub("", f"raised {error.ename}: {first}\n{error}")
        except (DeadKernelError, RuntimeError) as error:  # the latter: it did not start
            failure = self._excess or str(error)
        left = lasting(lambda: [pid for pid in self._below if parent(pid)])
        command_lines = [command_line(pid) for pid in left]
        for pid in left:
            kill(pid)
        return Execution(max(self._began, default=-1), failure, command_lines, self._seconds, self._entered())

    def _variables(self) -> dict[str, str]:
        """The variables of the environment that are set for the kernel."""
        path = os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", "")])
        if self._reports is None:
            return {"PATH": path}
        (self._reports / "block").write_text("start")
        return {"PATH": path} | trace.environment(self.config.sources, str(self._reports), str(self.config.root))

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """See that each cell ends."""
        done = threading.Event()
        watcher = threading.Thread(target=self._look, args=[done], daemon=True)
        watcher.start()
        try:
            yield
        finally:
            done.set()
            watcher.join()

    def _look(self, done: threading.Event) -> None:
        """Kill the kernel when a cell goes beyond its limits: nbclient sees that it is dead."""
        while not done.wait(LOOK_EVERY_S):
            watch = self._watch
            if watch and (excess := watch.excess()) and watch is self._watch:
                self._excess = excess
                kill_tree(self._pid())
                return

    def _pid(self) -> int:
        """That of the kernel; 0 if there is none."""
        return getattr(self._client.km.provisioner, "pid", None) or 0 if self._client.km else 0

    def _start(self, **_: Any) -> None:
        """The kernel is there: what is started from it stays below it."""
        self._silently(SUBREAPER)

    def _begin(self, cell: Any, **_: Any) -> None:
        if cell.cell_type != "code":
            return
        number = self._cells.index(cell)
        self._began[number] = time.perf_counter()
        if self._reports is not None:
            self._silently(SWITCH.format(self.ids[number]))
        self._watch = Watch(self._pid(), Limits.of(self.config))

    def _end(self, cell: Any, **_: Any) -> None:
        self._watch = None
        number = self._cells.index(cell)
        self._seconds[number] = time.perf_counter() - self._began[number]
        kernel = self._pid()
        self._below = descendants(kernel) if kernel else []

    def _silently(self, code: str) -> None:
        """Have the kernel run a statement that leaves no trace in the notebook."""
        if self._client.kc:
            self._client.kc.execute(code, silent=True, store_history=False, stop_on_error=False)

    def _entered(self) -> dict[str, list[str]]:
        """The functions that each block has entered."""
        if self._reports is None:
            return {}
        tracer = trace.Tracer(self.config.sources, str(self._reports), str(self.config.root))
        found: dict[str, set[str]] = {}
        for report in tracer.reports():
            for block, entered in report["blocks"].items():
                names = {f"{tracer.module(file)}:{name}" for file, name in entered if name != "<module>"}
                found.setdefault(block, set()).update(names)
        return {block: sorted(names) for block, names in found.items()}
