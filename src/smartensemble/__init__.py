"""Ensembles of simulations: describe them, generate their input, run them, and know which was which."""

from typing import TYPE_CHECKING

from smartensemble import errors as errors
from smartensemble.version import __version__ as __version__

if TYPE_CHECKING:
    from smartensemble.client.client import Client
    from smartensemble.databases.orchestrator import Orchestrator
    from smartensemble.ensemble import Ensemble
    from smartensemble.experiment import Experiment
    from smartensemble.model import Model
    from smartensemble.settings.batch import BatchSettings
    from smartensemble.settings.container import Singularity
    from smartensemble.settings.named import MpiexecSettings, MpirunSettings, SbatchSettings, SrunSettings
    from smartensemble.settings.run import RunSettings
    from smartensemble.status import Status

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
#: Where each name is defined, which is imported when it is first asked for: who has a client only does not wait for the rest.
HOME = {
    "BatchSettings": "settings.batch",
    "Client": "client",
    "Ensemble": "ensemble",
    "Experiment": "experiment",
    "Model": "model",
    "Orchestrator": "databases.orchestrator",
    "RunSettings": "settings.run",
    "Singularity": "settings.container",
    "Status": "status",
    **dict.fromkeys(("MpiexecSettings", "MpirunSettings", "SbatchSettings", "SrunSettings"), "settings.named"),
}


def __getattr__(name: str) -> object:
    """Load a name on first use."""
    if name not in HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    globals()[name] = found = getattr(import_module(f"{__name__}.{HOME[name]}"), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
