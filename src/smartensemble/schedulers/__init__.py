"""Schedulers, which give out nodes: a description of each one, and the batch script for it."""

from smartensemble.schedulers.base import LOCAL, Scheduler
from smartensemble.schedulers.slurm import SLURM

#: By name. This is the line that a new scheduler adds.
SCHEDULERS: dict[str, Scheduler] = {scheduler.name: scheduler for scheduler in (LOCAL, SLURM)}
