"""Who gives nodes: one record for each scheduler, and the script that is handed to it."""

from smartensemble.schedulers.base import LOCAL, Scheduler
from smartensemble.schedulers.slurm import SLURM

#: By name. This is the line that a new scheduler adds.
SCHEDULERS: dict[str, Scheduler] = {scheduler.name: scheduler for scheduler in (LOCAL, SLURM)}
