"""SmartSim's functions for Keras models and data loaders for TensorFlow, as ``smartsim.ml.tf`` has them."""

from smartensemble.compat.ml.tf.data import DynamicDataGenerator, StaticDataGenerator
from smartensemble.compat.ml.tf.utils import freeze_model, serialize_model

__all__ = ["DynamicDataGenerator", "StaticDataGenerator", "freeze_model", "serialize_model"]
