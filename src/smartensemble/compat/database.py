"""SmartSim's database, which is not in this version."""

from smartensemble.compat.missing import DATABASE, Missing


class Orchestrator(Missing):
    """A database that an experiment starts."""

    why = DATABASE
