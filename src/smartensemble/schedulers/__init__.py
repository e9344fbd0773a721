"""Schedulers, which give out nodes: a description of each one, and the batch script for it."""

from smartensemble.errors import UnsupportedError
from smartensemble.schedulers.base import LOCAL, Scheduler
from smartensemble.schedulers.slurm import SLURM
from smartensemble.schedulers.unbuilt import UNBUILT as UNBUILT

#: By name. This is the line that a new scheduler adds.
SCHEDULERS: dict[str, Scheduler] = {scheduler.name: scheduler for scheduler in (LOCAL, SLURM)}


def scheduler(launcher: str) -> Scheduler:
    """The scheduler of a launcher, which may not be built yet."""
    return SCHEDULERS.get(launcher) or UNBUILT[launcher]


def check_built(name: str, launcher: str) -> None:
    """An error, unless the scheduler of a launcher is built, so the jobs of `name` can be started."""
    if launcher in UNBUILT:
        raise UnsupportedError(
            f"{name}: launcher {launcher!r} is not built yet, so its jobs can be shown by preview and not started; "
            f"give one of {', '.join(SCHEDULERS)}"
        )
