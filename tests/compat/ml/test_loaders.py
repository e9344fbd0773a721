"""What loads data for training can be imported, and says what does it instead.

Tests data, ml, tf, tf.data, tf.utils, torch and torch.data.
"""

from collections.abc import Callable

import pytest

from smartensemble.compat import ml
from smartensemble.compat.ml import tf, torch
from smartensemble.databases import keras
from smartensemble.errors import UnsupportedError

LOADERS: list[tuple[Callable[..., object], str]] = [
    *[(made, "Client.put_tensor") for made in (ml.DataInfo, ml.DataDownloader, ml.TrainingDataUploader)],
    *[(made, "torch.utils.data.Dataset") for made in (torch.DataLoader, torch.StaticDataGenerator, torch.DynamicDataGenerator)],
    *[(made, "tf.data.Dataset.from_generator") for made in (tf.StaticDataGenerator, tf.DynamicDataGenerator)],
]


@pytest.mark.parametrize(("made", "why"), LOADERS, ids=lambda value: getattr(value, "__name__", ""))
def test_a_loader_says_what_loads_instead(made: Callable[..., object], why: str) -> None:
    with pytest.raises(UnsupportedError, match=f"^{made.__name__}: ") as caught:
        made("anything", at="all")

    assert why in str(caught.value)


def test_models_of_keras_are_frozen_by_our_functions() -> None:
    assert (tf.freeze_model, tf.serialize_model) == (keras.freeze_model, keras.serialize_model)
