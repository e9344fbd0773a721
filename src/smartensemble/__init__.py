"""Ensembles of simulations: describe them, generate their input, run them, and know which was which."""

from smartensemble.database import Orchestrator
from smartensemble.entities import Ensemble, Model
from smartensemble.experiment import Experiment
from smartensemble.settings import BatchSettings, RunSettings, Singularity
from smartensemble.status import Status
from smartensemble.version import __version__ as __version__

__all__ = ["BatchSettings", "Ensemble", "Experiment", "Model", "Orchestrator", "RunSettings", "Singularity", "Status"]
