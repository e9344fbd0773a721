"""SmartSim's functions for Slurm, under the name that they had before 0.4."""

from smartensemble.compat.wlm.slurm import *  # noqa: F403
from smartensemble.compat.wlm.slurm import __all__ as __all__
