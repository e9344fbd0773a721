"""SmartSim's data loaders for TensorFlow, which are not provided."""

from smartensemble.compat.missing import TENSORFLOW, Missing


class StaticDataGenerator(Missing):
    """Loads a data set once."""

    why = TENSORFLOW


class DynamicDataGenerator(Missing):
    """Loads a data set as it grows."""

    why = TENSORFLOW
