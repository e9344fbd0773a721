"""SmartSim's data loaders for PyTorch, which are not provided."""

from smartensemble.compat.missing import TORCH, Missing


class StaticDataGenerator(Missing):
    """Loads a data set once."""

    why = TORCH


class DynamicDataGenerator(Missing):
    """Loads a data set as it grows."""

    why = TORCH


class DataLoader(Missing):
    """Loads batches."""

    why = TORCH
