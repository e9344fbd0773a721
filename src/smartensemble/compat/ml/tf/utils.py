"""SmartSim's functions for Keras models."""

from smartensemble.databases.keras import freeze_model, serialize_model

__all__ = ["freeze_model", "serialize_model"]
