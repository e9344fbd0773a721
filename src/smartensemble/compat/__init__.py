"""SmartSim 0.8.0's tree of modules. Its drivers run if you replace ``smartsim`` by ``smartensemble.compat`` in their imports.

What differs on purpose is in :doc:`/howto/smartsim`. The names are those of https://github.com/CrayLabs/SmartSim.
"""

from smartensemble.compat import database, entity, error, experiment, log, ml, servertype, settings, slurm, status, wlm
from smartensemble.compat.experiment import Experiment
from smartensemble.compat.version import __version__

__all__ = [
    "Experiment",
    "__version__",
    "database",
    "entity",
    "error",
    "experiment",
    "log",
    "ml",
    "servertype",
    "settings",
    "slurm",
    "status",
    "wlm",
]
