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
    from smartensemble.client.client import Client
    from smartensemble.databases.orchestrator import Orchestrator

__all__ = [
    "BatchSettings",
    "Client",
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


#: Names that are loaded on first use, so an ensemble without a database does not wait for their imports.
LATER = {"Client": "smartensemble.client", "Orchestrator": "smartensemble.databases.orchestrator"}


def __getattr__(name: str) -> object:
    """Load a name on first use."""
    if name not in LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    globals()[name] = found = getattr(import_module(LATER[name]), name)
    return found
