"""A frozen Keras model computes in a database's backend what it computes in Keras."""

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from smartensemble.compat.ml import tf as smartsim
from smartensemble.databases.keras import freeze_model, serialize_model
from smartensemble.errors import InputTypeError, InputValueError
from smartensemble.inference import backends

pytestmark = pytest.mark.needs("tensorflow")


@pytest.fixture(scope="module")
def keras() -> Any:
    backends.backend_module("TF")  # quietens it
    return import_module("keras")


def one(keras: Any) -> Any:
    """A model with convolution, dropout and normalization, which behave otherwise while a model is trained."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(2, 3),
            layers.BatchNormalization(),
            layers.Dropout(0.5),
            layers.Flatten(),
            layers.Dense(3, activation="softmax"),
        ]
    )


def two(keras: Any) -> Any:
    """A model with two inputs and two outputs."""
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    both = keras.layers.Concatenate()([a, b])
    return keras.Model([a, b], [keras.layers.Dense(2)(both), keras.layers.Dense(1)(both)])


@pytest.mark.parametrize("make", [one, two])
def test_a_frozen_model_computes_what_keras_does(keras: Any, make: Any) -> None:
    model = make(keras)
    random = np.random.default_rng(1)
    given = [random.normal(size=(5, *tensor.shape[1:])).astype("float32") for tensor in model.inputs]

    blob, inputs, outputs = serialize_model(model)
    assert inputs == (["x"] if len(given) == 1 else ["x_0", "x_1"])
    loaded = backends.load("TF", blob, "CPU", [name.encode() for name in inputs], [name.encode() for name in outputs])
    results = loaded.run(given)

    expected = model(given if len(given) > 1 else given[0], training=False)
    for result, tensor in zip(results, expected if isinstance(expected, list) else [expected], strict=True):
        np.testing.assert_allclose(result, np.asarray(tensor), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["model", "model.pb"])
def test_the_file_has_the_same_bytes(keras: Any, tmp_path: Path, name: str) -> None:
    model = one(keras)

    path, inputs, outputs = freeze_model(model, str(tmp_path / "models"), name)

    assert path == str(tmp_path / "models" / "model.pb")
    blob, *names = serialize_model(model)
    assert [inputs, outputs] == names == [["x"], ["Identity"]]
    loaded = [backends.load("TF", data, "CPU", [b"x"], [b"Identity"]) for data in (Path(path).read_bytes(), blob)]
    x = np.ones((1, 8, 8, 1), "float32")
    np.testing.assert_array_equal(loaded[0].run([x]), loaded[1].run([x]))


def test_what_is_no_keras_model_is_refused(keras: Any) -> None:
    with pytest.raises(InputTypeError, match=r"model: Dense is no Keras model; give a keras\.Model"):
        serialize_model(keras.layers.Dense(1))


def test_a_model_without_inputs_is_refused_with_the_remedy(keras: Any) -> None:
    with pytest.raises(InputValueError, match=r"has no inputs yet; begin it with keras\.Input"):
        serialize_model(keras.Sequential([keras.layers.Dense(1)]))


def test_smartsim_has_them_where_drivers_look() -> None:
    assert (smartsim.freeze_model, smartsim.serialize_model) == (freeze_model, serialize_model)
