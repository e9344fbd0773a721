"""SmartSim's settings: how a program is run, and how a batch of them is."""

from smartensemble.compat.settings.alpsSettings import AprunSettings
from smartensemble.compat.settings.base import BatchSettings, RunSettings, SettingsBase
from smartensemble.compat.settings.containers import Container, Singularity
from smartensemble.compat.settings.dragonRunSettings import DragonRunSettings
from smartensemble.compat.settings.lsfSettings import BsubBatchSettings, JsrunSettings
from smartensemble.compat.settings.mpiSettings import MpiexecSettings, MpirunSettings, OrterunSettings
from smartensemble.compat.settings.palsSettings import PalsMpiexecSettings
from smartensemble.compat.settings.pbsSettings import QsubBatchSettings
from smartensemble.compat.settings.sgeSettings import SgeQsubBatchSettings
from smartensemble.compat.settings.slurmSettings import SbatchSettings, SrunSettings

__all__ = [
    "AprunSettings",
    "BatchSettings",
    "BsubBatchSettings",
    "Container",
    "DragonRunSettings",
    "JsrunSettings",
    "MpiexecSettings",
    "MpirunSettings",
    "OrterunSettings",
    "PalsMpiexecSettings",
    "QsubBatchSettings",
    "RunSettings",
    "SbatchSettings",
    "SettingsBase",
    "SgeQsubBatchSettings",
    "Singularity",
    "SrunSettings",
]
