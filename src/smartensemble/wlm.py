"""What a program can ask about the allocation that it runs in."""

import os

from smartensemble.errors import StateError, UnsupportedError, public, shown
from smartensemble.runtime.jobs.allocation import detect_launcher as detect_launcher
from smartensemble.schedulers import SCHEDULERS
from smartensemble.schedulers.base import Control


@public
def get_hosts(launcher: str | None = None) -> list[str]:
    """The names of the nodes of the allocation that this program runs in.

    :param launcher: the scheduler, ``"slurm"``; by default the one in whose allocation this program runs.
    :returns: the names, sorted.
    :raises StateError: this program runs in no allocation.
    :raises UnsupportedError: there is no such scheduler in this version.
    """
    return sorted(_allocation(launcher).node_names(os.environ))


@public
def get_queue(launcher: str | None = None) -> str:
    """The queue of the allocation.

    :param launcher: the scheduler, ``"slurm"``; by default the one in whose allocation this program runs.
    :returns: its name.
    :raises StateError: this program runs in no allocation.
    :raises UnsupportedError: there is no such scheduler in this version.
    """
    return _allocation(launcher).queue(os.environ)


@public
def get_tasks(launcher: str | None = None) -> int:
    """The number of processes that the allocation was requested for.

    :param launcher: the scheduler, ``"slurm"``; by default the one in whose allocation this program runs.
    :returns: how many, on all nodes together.
    :raises StateError: this program runs in no allocation.
    :raises UnsupportedError: there is no such scheduler in this version.
    """
    return sum(_allocation(launcher).tasks_per_node(os.environ))


@public
def get_tasks_per_node(launcher: str | None = None) -> dict[str, int]:
    """The number of processes on each node of the allocation.

    :param launcher: the scheduler, ``"slurm"``; by default the one in whose allocation this program runs.
    :returns: the names of the nodes, each with its number of processes.
    :raises StateError: this program runs in no allocation, or is itself a step of one, which sees only its own processes.
    :raises UnsupportedError: there is no such scheduler in this version.
    """
    control = _allocation(launcher)
    nodes, tasks = control.node_names(os.environ), control.tasks_per_node(os.environ)
    if len(nodes) != len(tasks):
        raise StateError(
            f"wlm: the allocation has {len(nodes)} nodes, and this program is told of processes on {len(tasks)}, as inside a "
            "step; run it in the allocation itself, without srun"
        )
    return dict(zip(nodes, tasks, strict=True))


def _allocation(launcher: str | None) -> Control:
    """The scheduler in whose allocation this program runs."""
    known = {scheduler.name: scheduler.control for scheduler in SCHEDULERS.values() if scheduler.control}
    if launcher is not None and (not isinstance(launcher, str) or launcher not in known):
        raise UnsupportedError(f"wlm: no scheduler {shown(launcher)} in this version; there is {', '.join(known)}")
    for name, control in known.items():
        if launcher in (None, name) and control.allocation_variable in os.environ:
            return control
    raise StateError("wlm: this program runs in no allocation; run it with salloc or sbatch")
