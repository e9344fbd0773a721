"""SmartSim's database, as ``smartsim.database`` has it."""

from smartensemble.compat.database.orchestrator import Orchestrator

__all__ = ["Orchestrator"]
