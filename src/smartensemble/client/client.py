"""A client: the calls of all subjects, to one database."""

from types import TracebackType
from typing import Any, Self, overload

from smartensemble.client.address import ConfigOptions, Target, target
from smartensemble.client.calls.tensors import TensorCalls
from smartensemble.client.database import Database
from smartensemble.client.keys import Names
from smartensemble.errors import public


@public
class Client(TensorCalls):
    """A connection to a database."""

    def __init__(self, config_options: ConfigOptions | None = None, logger_name: str = "Default") -> None:
        wanted = target(config_options or ConfigOptions())
        self._names = Names(wanted.writes_as, wanted.reads_from)
        self._database = Database(wanted)
        self.name = logger_name
