"""Ensembles of simulations: describe them, generate their input, run them, and know which was which."""

from typing import TYPE_CHECKING

from smartensemble.ensemble import Ensemble
from smartensemble.experiment import Experiment
from smartensemble.model import Model
from smartensemble.settings.batch import BatchSettings
from smartensemble.settings.container import Singularity
from smartensemble.settings.named import MpiexecSettings, MpirunSettings, SbatchSettings, SrunSettings
from smartensemble.settings.run import RunSettings
from smartensemble.status import Status
from smartensemble.version import __version__ as __version__

if TYPE_CHECKING:
    from smartensemble.databases.orchestrator import Orchestrator

__all__ = [
    "BatchSettings",
    "Ensemble",
    "Experiment",
    "Model",
    "MpiexecSettings",
    "MpirunSettings",
    "Orchestrator",
    "RunSettings",
    "SbatchSettings",
    "Singularity",
    "SrunSettings",
    "Status",
]


def __getattr__(name: str) -> object:
    """Load a name on first use, so an ensemble without a database does not wait for that import."""
    if name == "Orchestrator":
        from smartensemble.databases.orchestrator import Orchestrator

        globals()[name] = Orchestrator
        return Orchestrator
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
