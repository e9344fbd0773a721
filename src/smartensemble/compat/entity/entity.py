"""What models and the servers of a database have in common, and SmartSim's switch for telemetry."""

from pathlib import PurePath

from smartensemble.checks import absolute_path, check_name
from smartensemble.errors import public
from smartensemble.results.no_effect import no_effect
from smartensemble.settings import run


@public
class SmartSimEntity:
    """A name, a directory, and how the program is run.

    >>> from smartensemble.compat.settings import RunSettings
    >>> SmartSimEntity("node", "/scratch", RunSettings("echo")).type
    'SmartSimEntity'
    """

    name: str
    path: str
    run_settings: run.RunSettings

    def __init__(self, name: str, path: str | PurePath, run_settings: run.RunSettings) -> None:
        """An entity that nothing can start."""
        check_name("SmartSimEntity", name)
        self.name = name
        self.run_settings = run_settings
        self.set_path(path)

    @property
    def type(self) -> str:
        """The name of its class."""
        return type(self).__name__

    def set_path(self, path: str | PurePath) -> None:
        """Set its directory."""
        self.path = absolute_path(self.name, path)

    def __repr__(self) -> str:
        return self.name


class TelemetryConfiguration:
    """Telemetry can be switched on and off, and there is none.

    >>> telemetry = TelemetryConfiguration()
    >>> telemetry.enable()
    >>> telemetry.is_enabled
    True
    """

    def __init__(self, enabled: bool = False) -> None:
        """A switch, which is off at first."""
        self._enabled = enabled

    @property
    def is_enabled(self) -> bool:
        """It was switched on."""
        return self._enabled

    def enable(self) -> None:
        """Switch it on, which has no effect."""
        no_effect("telemetry.enable", "there is no telemetry; ens.table() and members.csv say what ran")
        self._enabled = True

    def disable(self) -> None:
        """Switch it off."""
        self._enabled = False


class ExperimentTelemetryConfiguration(TelemetryConfiguration):
    """An experiment's switch for telemetry."""
