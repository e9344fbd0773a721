"""Run the cells of a notebook in a kernel, by the client that myst-nb uses, and note what cannot be read from its outputs."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from tutorkit.config import Config
from tutorkit.running import trace
from tutorkit.running.processes import command_line, descendants, kill, lasting, parent

COLOR = re.compile(r"\x1b\[[0-9;]*m")
SWITCH = "import sys; sys.modules['_tutorkit_trace'].switch({!r})"  #: what a traced kernel runs before each cell


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

    def execute(self, directory: Path, reports: Path | None) -> Execution:
        """Run the cells in `directory`, up to the first that fails; with `reports`, a folder, it is traced."""
        self._reports = reports
        limit = int(self.config.time_limit)
        self._client = NotebookClient(
            self.book, timeout=limit, kernel_name="python3", resources={"metadata": {"path": str(directory)}}
        )
        self._client.on_cell_execute, self._client.on_cell_executed = self._begin, self._end
        failure = ""
        try:
            self._client.execute(env=os.environ | self._variables())
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            failure = COLOR.sub("", str(error))
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

    def _begin(self, cell: Any, **_: Any) -> None:
        if cell.cell_type != "code":
            return
        number = self._cells.index(cell)
        self._began[number] = time.perf_counter()
        if self._reports is not None and self._client.kc:
            self._client.kc.execute(SWITCH.format(self.ids[number]), silent=True, store_history=False)

    def _end(self, cell: Any, **_: Any) -> None:
        number = self._cells.index(cell)
        self._seconds[number] = time.perf_counter() - self._began[number]
        kernel = getattr(self._client.km.provisioner, "pid", None) if self._client.km else None
        self._below = descendants(kernel) if kernel else []

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
