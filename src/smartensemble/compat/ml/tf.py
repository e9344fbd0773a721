"""SmartSim's functions for Keras models, and its data loaders for TensorFlow, which are not provided."""

from smartensemble.compat.missing import TENSORFLOW, Missing
from smartensemble.databases.keras import freeze_model, serialize_model

__all__ = ["DynamicDataGenerator", "StaticDataGenerator", "freeze_model", "serialize_model"]


class StaticDataGenerator(Missing):
    """Loads a data set once."""

    why = TENSORFLOW


class DynamicDataGenerator(Missing):
    """Loads a data set as it grows."""

    why = TENSORFLOW
