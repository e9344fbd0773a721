"""SmartSim's data loaders for TensorFlow, which are not provided."""

from smartensemble.compat.missing import FREEZE, TENSORFLOW, Missing, missing


class StaticDataGenerator(Missing):
    """Loads a data set once."""

    why = TENSORFLOW


class DynamicDataGenerator(Missing):
    """Loads a data set as it grows."""

    why = TENSORFLOW


freeze_model = missing("freeze_model", FREEZE)
serialize_model = missing("serialize_model", FREEZE)
