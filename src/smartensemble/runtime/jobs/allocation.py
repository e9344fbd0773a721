"""Members as steps inside an allocation: the one that this program runs in, or one that its settings name."""

import os
import shutil
from collections.abc import Sequence
from dataclasses import replace

from smartensemble.command import Command, Need
from smartensemble.errors import InputValueError, StateError
from smartensemble.runtime.jobs.query import query
from smartensemble.schedulers import SCHEDULERS
from smartensemble.schedulers.base import Scheduler
from smartensemble.settings.executable import find_program


def detect_launcher() -> str:
    """What ``Experiment(launcher="auto")`` chooses: the scheduler of this allocation, or one that answers, or local.

    :returns: the name of a launcher, ``"slurm"`` or ``"local"``.
    """
    cluster = {scheduler.name: scheduler.control for scheduler in SCHEDULERS.values() if scheduler.control}
    for name, control in cluster.items():
        if control.allocation_variable in os.environ:
            return name
    for name, control in cluster.items():
        if shutil.which(control.submit[0]) and query(control.partitions, "", timeout_s=5.0):
            return name
    return "local"


class Allocation:
    """The room that this program has on a cluster. On this machine alone, commands stay as they are."""

    def __init__(self, name: str, scheduler: Scheduler) -> None:
        self.name, self.scheduler = name, scheduler
        self.room = scheduler.control.cpus_per_node(os.environ) if scheduler.control else []

    def check(self, commands: Sequence[Command], max_running: int | None) -> int | None:
        """How many of `commands` may run at once.

        :raises StateError: this program runs in no allocation, and a member names none.
        :raises InputValueError: the allocation has no room for one of them.
        """
        inside = [command for command in commands if "--jobid" not in " ".join(command.argv[: command.launcher_prefix])]
        if not inside:
            return max_running
        if not self.room:
            raise StateError(
                f"{self.name}: {inside[0].name} has no batch_settings, and this program runs in no allocation of "
                f"{self.scheduler.name}; give batch_settings, or run it in one (salloc, sbatch)"
            )
        for command in inside:
            check_room(command.name, command.need, self.room)
        most = most_at_once([command.need for command in inside], self.room)
        return min(max_running or most, most) if len(commands) > most else max_running

    def step(self, command: Command) -> Command:
        """`command`, as a step of its own."""
        if not self.scheduler.control:
            return command.whole
        program, *arguments = self.scheduler.step(command, node_cpus=min(self.room, default=1))
        return replace(command, argv=(find_program(program), *arguments)).whole  # a supervisor looks for no program on PATH


def check_room(name: str, need: Need, room: Sequence[int]) -> None:
    """An error, unless nodes with so many CPUs each have room for what `name` needs."""
    nodes = need.nodes or 1
    if nodes > len(room) or need.total > sum(room):
        raise InputValueError(
            f"{name}: needs {nodes} nodes and {need.total} CPUs, and this allocation has {len(room)} and {sum(room)}; "
            "ask for a larger one"
        )
    if need.cpus > max(room):
        raise InputValueError(
            f"{name}: needs {need.cpus} CPUs on one node, and the nodes of this allocation have {max(room)}; "
            "give each process fewer, or ask for other nodes"
        )


def most_at_once(needs: Sequence[Need], room: Sequence[int]) -> int:
    """How many steps may be started at once. The scheduler holds back those without room, and retries: few should wait.

    >>> most_at_once([Need(1, 4), Need(1, 2)], [8, 8])
    8
    """
    smallest = min(need.total for need in needs)
    return max(1, sum(cpus // smallest for cpus in room))
