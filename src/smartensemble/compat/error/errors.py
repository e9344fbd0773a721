"""SmartSim's exceptions, by our own, so that its ``except`` lines hold.

One relation differs: here all that this package raises is a SmartSimError, also SSUnsupportedError.
"""

from smartensemble.errors import (
    EntityExistsError,
    SmartEnsembleError,
    StrategyError,
    TagError,
    UnsupportedError,
)

SmartSimError = SmartEnsembleError
SSUnsupportedError = UnsupportedError
UserStrategyError = StrategyError
ParameterWriterError = TagError
SSDBIDConflictError = EntityExistsError

__all__ = [
    "AllocationError",
    "EntityExistsError",
    "LauncherError",
    "LauncherUnsupportedFeature",
    "ParameterWriterError",
    "PreviewFormatError",
    "SSConfigError",
    "SSDBFilesNotParseable",
    "SSDBIDConflictError",
    "SSInternalError",
    "SSReservedKeywordError",
    "SSUnsupportedError",
    "ShellError",
    "SmartSimCLIActionCancelled",
    "SmartSimError",
    "TelemetryError",
    "UnproxyableStepError",
    "UserStrategyError",
]


class SSReservedKeywordError(SmartSimError):
    """Not raised here."""


class SSDBFilesNotParseable(SmartSimError):  # noqa: N818
    """Not raised in this version: files of a database that cannot be read."""


class SSInternalError(SmartSimError):
    """Not raised here."""


class SSConfigError(SSInternalError):
    """The resources of a job contradict each other, or are not enough."""


class LauncherError(SSInternalError):
    """A run command is not there."""


class LauncherUnsupportedFeature(LauncherError):  # noqa: N818
    """A scheduler has no such option."""


class AllocationError(LauncherError):
    """Not raised in this version: an allocation that cannot be had."""


class ShellError(LauncherError):
    """Not raised here."""


class TelemetryError(SSInternalError):
    """Not raised here."""


class UnproxyableStepError(TelemetryError):
    """Not raised here."""


class SmartSimCLIActionCancelled(SmartSimError):  # noqa: N818
    """Not raised here."""


class PreviewFormatError(SSUnsupportedError):
    """A format in which nothing can be previewed."""
