"""What settings show after a start, as in SmartSim: the variables with which a program finds its databases."""

from collections.abc import Iterable, Sequence
from contextlib import suppress

from smartensemble.compat.settings.base import show_variables
from smartensemble.databases.orchestrator import Orchestrator
from smartensemble.errors import StateError
from smartensemble.model import Model
from smartensemble.runtime.servers.colocated import Environment
from smartensemble.schedulers.base import Scheduler


def show_databases(models: Iterable[object], databases: Sequence[Orchestrator], scheduler: Scheduler) -> None:
    """Have the run settings of each model among `models` show the variables of the running `databases`."""
    environment = Environment(databases, scheduler)
    for each in models if databases else ():
        if isinstance(each, Model):
            with suppress(StateError):  # a database may have died since
                show_variables(each.run_settings, environment.variables(each))
