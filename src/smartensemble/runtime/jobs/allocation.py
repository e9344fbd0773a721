"""Members as steps inside an allocation: the one that this program runs in, or one that its settings name."""

import os
import shutil
from collections.abc import Sequence
from dataclasses import replace

from smartensemble.command import Command
from smartensemble.errors import InputValueError, StateError
from smartensemble.runtime.jobs.queue import ask
from smartensemble.schedulers import SCHEDULERS
from smartensemble.schedulers.base import Scheduler


def detect_launcher() -> str:
    """What ``Experiment(launcher="auto")`` chooses: whose allocation this runs in, or who answers, or local."""
    cluster = {scheduler.name: scheduler.control for scheduler in SCHEDULERS.values() if scheduler.control}
    for name, control in cluster.items():
        if control.allocation in os.environ:
            return name
    for name, control in cluster.items():
        if shutil.which(control.submit[0]) and ask(control.partitions, "", patience=5.0):
            return name
    return "local"


class Allocation:
    """The room that this program has on a cluster. On this machine alone, commands stay as they are."""

    def __init__(self, name: str, scheduler: Scheduler) -> None:
        self.name, self.scheduler = name, scheduler
        self.room = scheduler.control.room(os.environ) if scheduler.control else []

    def check(self, commands: Sequence[Command], at_once: int | None) -> int | None:
        """How many of `commands` may run at once; an error if there is no room for one of them.

        :raises StateError: this program runs in no allocation, and a member names none.
        """
        outside = [command for command in commands if "--jobid" in " ".join(command.argv[: command.launcher_prefix])]
        inside = [command for command in commands if command not in outside]
        if inside and not self.room:
            raise StateError(
                f"{self.name}: {inside[0].name} has no batch_settings, and this program runs in no allocation of "
                f"{self.scheduler.name}; give batch_settings, or run it in one (salloc, sbatch)"
            )
        for command in inside:
            nodes = command.need.nodes or 1
            if nodes > len(self.room) or command.need.total > sum(self.room):
                raise InputValueError(
                    f"{command.name}: needs {nodes} nodes and {command.need.total} CPUs, and this allocation has "
                    f"{len(self.room)} and {sum(self.room)}; ask for a larger one"
                )
            if command.need.cpus > max(self.room):
                raise InputValueError(
                    f"{command.name}: needs {command.need.cpus} CPUs on one node, and the nodes of this allocation have "
                    f"{max(self.room)}; give each process fewer, or ask for other nodes"
                )
        if not inside:
            return at_once
        # The scheduler holds back steps for which there is no room; it asks for them again and again, so few are to wait.
        smallest = min(command.need.total for command in inside)
        most = max(1, sum(cpus // smallest for cpus in self.room))
        return min(at_once or most, most) if len(commands) > most else at_once

    def step(self, command: Command) -> Command:
        """`command`, as a step of its own."""
        if not self.scheduler.control:
            return command.whole
        return replace(command, argv=self.scheduler.step(command, min(self.room, default=1), False)).whole
