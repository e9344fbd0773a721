"""Schedulers whose jobs can be described and shown, and not yet started."""

from smartensemble.schedulers.base import Scheduler
from smartensemble.schedulers.slurm import SLURM

#: By name, with what begins a line of options in a script.
DIRECTIVES = {"pbs": "#PBS", "pals": "#PBS", "lsf": "#BSUB", "sge": "#$"}

UNBUILT: dict[str, Scheduler] = {
    **{name: Scheduler(name, directive) for name, directive in DIRECTIVES.items()},
    "dragon": Scheduler("dragon", SLURM.directive, SLURM.options),  # which runs in a job of Slurm's
}
