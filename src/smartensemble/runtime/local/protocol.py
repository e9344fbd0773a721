"""What a launcher is: the seam between the experiment and whatever starts programs."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from smartensemble.command import Command
from smartensemble.status import Run

#: A command, and the record of its run that the launcher keeps up to date.
Job = tuple[Command, Run]


class Launcher(Protocol):
    """Starts commands, watches them, ends them."""

    @property
    def alive(self) -> bool:
        """It can start, watch and end."""

    @property
    def sentinel(self) -> int:
        """The number of the process that ends everything if the one that runs the members is killed."""

    def start(
        self, jobs: Sequence[Job], journal: Path, max_running: int | None = None, service: bool = False, more: bool = False
    ) -> None:
        """Begin to run `jobs`, at most `max_running` of them at a time. `journal` records how they end.

        A `service` is a server, which runs beside members. With `more`, other jobs of the same journal follow.
        """

    def stop(self, runs: Sequence[Run], grace: float) -> list[int]:
        """End `runs` and all that they started; the processes that did not end."""

    def wait(self, until: Callable[[], bool], timeout: float | None = None) -> bool:
        """Read news until `until` holds; False if that takes more than `timeout` seconds."""
