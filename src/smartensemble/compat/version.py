"""The version, where SmartSim has its own."""

from smartensemble import __version__

__all__ = ["__version__"]
