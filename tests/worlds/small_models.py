"""Small models of each framework, made once; each computes what a line of numpy does."""

import io
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from smartensemble.inference import backends
from smartensemble.inference.backends import LoadedModel

Array = NDArray[Any]

#: The backends, each with what a test of it needs; TensorFlow makes the models of TensorFlow Lite.
BACKENDS = [
    pytest.param("TORCH", marks=pytest.mark.needs("torch")),
    pytest.param("ONNX", marks=pytest.mark.needs("onnx")),
    pytest.param("TF", marks=pytest.mark.needs("tensorflow")),
    pytest.param("TFLITE", marks=pytest.mark.needs("tflite", "tensorflow")),
]
DTYPES = ["float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "bool"]

#: The weights of the multilayer perceptron that every framework gets.
RANDOM = np.random.default_rng(1)
FIRST = RANDOM.normal(size=(10, 32)).astype("float32")
SECOND = RANDOM.normal(size=(32, 1)).astype("float32")


def mlp(x: Array) -> Array:
    """What the multilayer perceptron computes."""
    y: Array = np.maximum(x @ FIRST, 0) @ SECOND
    return y


def torch_model(source: str, **buffers: Array) -> bytes:
    """A TorchScript module with this ``forward``."""
    torch: Any = import_module("torch")

    class Module(torch.jit.ScriptModule):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            for name, values in buffers.items():
                self.register_buffer(name, torch.from_numpy(values))
            self.define(source)

    written = io.BytesIO()
    torch.jit.save(Module(), written)
    return written.getvalue()


def onnx_model(text: str, **constants: Array) -> bytes:
    """An ONNX model, in the language of ``onnx.parser``."""
    onnx: Any = import_module("onnx")
    import_module("onnx.parser")
    model = onnx.parser.parse_model(f'<ir_version: 9, opset_import: ["" : 17]> {text}')
    model.graph.initializer.extend(onnx.numpy_helper.from_array(values, name) for name, values in constants.items())
    return bytes(model.SerializeToString())


def tf_model(build: Callable[[Any], None]) -> bytes:
    """A graph of TensorFlow's, as `build` makes it."""
    backends.backend_module("TF")  # quietens it
    tf = import_module("tensorflow")
    with tf.Graph().as_default() as graph:
        build(tf)
    return bytes(graph.as_graph_def().SerializeToString())


def tflite_model(function: Callable[..., Any], *inputs: tuple[list[int | None], str]) -> bytes:
    """A TensorFlow Lite model of a function of tensors."""
    backends.backend_module("TF")
    tf = import_module("tensorflow")
    traced = tf.function(function, autograph=False).get_concrete_function(
        *(tf.TensorSpec(shape, dtype) for shape, dtype in inputs)
    )
    return bytes(tf.lite.TFLiteConverter.from_concrete_functions([traced]).convert())


def _tf_mlp(tf: Any) -> None:
    x = tf.compat.v1.placeholder("float32", [None, 10], name="x")
    tf.matmul(tf.nn.relu(tf.matmul(x, FIRST)), SECOND, name="y")


def _tflite_mlp(x: Any) -> Any:
    tf = import_module("tensorflow")
    return tf.matmul(tf.nn.relu(tf.matmul(x, FIRST)), SECOND)


MLP: dict[str, Callable[[], bytes]] = {
    "TORCH": lambda: torch_model(
        "def forward(self, x):\n  return torch.relu(x @ self.first) @ self.second\n", first=FIRST, second=SECOND
    ),
    "ONNX": lambda: onnx_model(
        "mlp (float[n, 10] x) => (float[n, 1] y) { h = MatMul(x, first) r = Relu(h) y = MatMul(r, second) }",
        first=FIRST,
        second=SECOND,
    ),
    "TF": lambda: tf_model(_tf_mlp),
    "TFLITE": lambda: tflite_model(_tflite_mlp, ([None, 10], "float32")),
}


@cache
def mlp_model(backend: str) -> bytes:
    """The multilayer perceptron in the format of a backend."""
    return MLP[backend]()


def load(backend: str, blob: bytes, device: str = "CPU", inputs: str = "x", outputs: str = "y") -> LoadedModel:
    """A model that is ready to run."""
    return backends.load(backend, blob, device, inputs.encode().split(), outputs.encode().split())
