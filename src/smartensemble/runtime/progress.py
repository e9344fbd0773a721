"""Show how many members have ended, while they run: a bar on a terminal, a few lines elsewhere, both on standard error."""

import sys
import time
from collections import Counter
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, TextIO, cast

from smartensemble.results.notes import Notes
from smartensemble.runtime.runner import Runner
from smartensemble.runtime.servers.registry import Databases
from smartensemble.status import Run, Status

if TYPE_CHECKING:
    from rich.live import Live
    from rich.text import Text

STROKE = "\u2501"  #: of the bar, where it can be printed
FAILURES = 5  #: failures that are shown as they happen; the rest is in the table
INTERVAL = 0.05  #: seconds between two drawings of the bar
WIDTH = 30  #: characters of the bar


class Progress:
    """The progress of named runs. On exit, this context prints how they ended."""

    def __init__(self, title: str, runs: Sequence[tuple[str, Run]], shown: bool = True) -> None:
        self.title = title
        self.open = dict(runs)
        self.runs = [run for _, run in runs]
        self.shown = shown
        self.began = self.drawn = time.monotonic()
        self.failures = 0
        self.notes = Notes(sys.stderr if shown else None)
        self.stroke = STROKE if self.notes.printable(STROKE) == STROKE else "-"
        self.bar: Live | None = None

    def __enter__(self) -> "Progress":
        if self.notes.isatty():
            from rich.console import Console
            from rich.live import Live

            self.bar = Live(self._line(), console=Console(file=cast(TextIO, self.notes)), auto_refresh=False)
            self.bar.start()
        else:
            self.say(f"{self.title}: started {_members(len(self.runs))}")
        return self

    def update(self) -> bool:
        """Show the news. True if all have ended."""
        for name in [name for name, run in self.open.items() if run.status.final] if self.shown else []:
            run = self.open.pop(name)
            if run.status is Status.FAILED:
                self.failures += 1
                if self.failures <= FAILURES:
                    self.say(f"{name}: {run.reason}")
        if self.bar and self.open and time.monotonic() >= self.drawn + INTERVAL:  # the end draws by itself
            self.bar.update(self._line(), refresh=True)
            self.drawn = time.monotonic()
        return not self.open if self.shown else all(run.status.final for run in self.runs)

    def _line(self) -> "Text":
        """What the bar shows now. One text: a table of columns, as rich's own bar is, takes three times as long to draw."""
        from rich.text import Text

        ended, total = len(self.runs) - len(self.open), len(self.runs)
        running = sum(run.status is Status.RUNNING for run in self.open.values())
        minutes, seconds = divmod(int(time.monotonic() - self.began), 60)
        full = WIDTH * ended // total
        done = self.stroke * full, "green" if ended == total else "magenta"
        rest = self.stroke * (WIDTH - full), "bright_black"
        counts = f" {ended}/{total} {running} running {minutes // 60}:{minutes % 60:02}:{seconds:02}"
        return Text.assemble(self.title, " ", done, rest, counts, no_wrap=True)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        counts = Counter(str(run.status) for run in self.runs)
        ends = ", ".join(f"{count} {status}" for status, count in counts.items())
        if self.bar:
            self.bar.update(self._line())
            self.bar.stop()  # draws it a last time
        self.say(f"{self.title}: {ends} in {time.monotonic() - self.began:.1f} s")

    def say(self, line: str) -> None:
        """Print a line, above the bar if there is one."""
        if self.bar and self.bar.is_started:
            self.bar.console.print(line, markup=False, highlight=False, soft_wrap=True)
        else:
            self.notes.say(line)


def _members(count: int) -> str:
    return f"{count} member{'s' * (count != 1)}"


def watch(
    runner: Runner, databases: Databases, title: str, runs: Sequence[tuple[str, Run]], grace: float | None, shown: bool
) -> None:
    """Wait for `runs`, and show their progress.

    :param grace: Ctrl-C ends them, with so many seconds between SIGTERM and SIGKILL; with None it leaves them alone.
    """
    with Progress(title, runs, shown) as progress:

        def ended() -> bool:
            databases.tell()
            return progress.update()

        try:
            runner.wait(ended)
        except KeyboardInterrupt:
            if grace is not None:
                runner.stop_own(grace)  # before the last line is shown, which is then true
            raise
