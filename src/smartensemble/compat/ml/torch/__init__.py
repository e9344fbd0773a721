"""SmartSim's data loaders for PyTorch, as ``smartsim.ml.torch`` has them."""

from smartensemble.compat.ml.torch.data import DataLoader, DynamicDataGenerator, StaticDataGenerator

__all__ = ["DataLoader", "DynamicDataGenerator", "StaticDataGenerator"]
