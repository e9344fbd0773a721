"""Show how many members have ended, while they run: a bar on a terminal, a few lines elsewhere. Both on standard error."""

import sys
import time
from collections import Counter
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING

from smartensemble.status import Run, Status

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

FAILURES = 5  #: failures that are shown as they happen; the rest is in the table
INTERVAL = 0.05  #: seconds between two drawings of the bar


class Progress:
    """The progress of named runs. A context that says how they ended when it is left."""

    def __init__(self, title: str, runs: Sequence[tuple[str, Run]], shown: bool = True) -> None:
        self.title = title
        self.open = dict(runs)
        self.runs = [run for _, run in runs]
        self.shown = shown
        self.began = self.drawn = time.monotonic()
        self.failures = 0
        self.bar: Bar | None = None

    def __enter__(self) -> "Progress":
        if self.shown and sys.stderr is not None and sys.stderr.isatty():
            self.bar = _bar(self.title, len(self.runs))
            self.bar.start()
        else:
            self.say(f"{self.title}: started {_members(len(self.runs))}")
        return self

    def update(self) -> bool:
        """Show what is new; whether all have ended."""
        for name in [name for name, run in self.open.items() if run.status.final] if self.shown else []:
            run = self.open.pop(name)
            if run.status is Status.FAILED:
                self.failures += 1
                if self.failures <= FAILURES:
                    self.say(f"{name}: {run.reason}")
        if self.bar and self.open and time.monotonic() >= self.drawn + INTERVAL:  # the end draws by itself
            self._count()
            self.bar.refresh()
            self.drawn = time.monotonic()
        return not self.open if self.shown else all(run.status.final for run in self.runs)

    def _count(self) -> None:
        """Tell the bar how many have ended, and how many run; it shows that when it is drawn next."""
        if self.bar:
            running = sum(run.status is Status.RUNNING for run in self.open.values())
            self.bar.update(self.bar.task_ids[0], completed=len(self.runs) - len(self.open), running=running)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        counts = Counter(str(run.status) for run in self.runs)
        ends = ", ".join(f"{count} {status}" for status, count in counts.items())
        if self.bar:
            self._count()
            self.bar.stop()  # draws it a last time: 2 ms, for which start would return later if it were drawn twice
        self.say(f"{self.title}: {ends} in {time.monotonic() - self.began:.1f} s")

    def say(self, line: str) -> None:
        """Print a line, above the bar if there is one."""
        if self.bar and self.bar.live.is_started:
            self.bar.console.print(line, markup=False, highlight=False, soft_wrap=True)
        elif self.shown and sys.stderr is not None:
            print(line, file=sys.stderr, flush=True)


def _bar(title: str, total: int) -> "Bar":
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar
    from rich.text import Text

    running = TextColumn("{task.fields[running]} running")
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), running, TimeElapsedColumn())
    bar = Bar(*columns, console=Console(stderr=True), auto_refresh=False)
    bar.add_task(str(Text(title)), total=total, running=0)
    return bar


def _members(count: int) -> str:
    return f"{count} member{'s' * (count != 1)}"
