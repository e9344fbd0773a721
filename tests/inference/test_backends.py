"""Each backend computes what its framework computes, from read-only arrays, and says on one line what is wrong.

Tests backends.onnx, backends.tensorflow, backends.tflite and backends.torch.
"""

import logging
import subprocess
import sys
from importlib import import_module
from typing import Any

import numpy as np
import pytest

from smartensemble.errors import CommandError
from smartensemble.inference import backends
from smartensemble.inference.backends import Device
from worlds.small_models import (
    BACKENDS,
    DTYPES,
    RANDOM,
    Array,
    load,
    mlp,
    mlp_model,
    onnx_model,
    tf_model,
    tflite_model,
    torch_model,
)


def read_only(array: Array) -> Array:
    """The array as a view of bytes that came from the database."""
    return np.frombuffer(array.tobytes(), array.dtype).reshape(array.shape)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_model_computes_what_numpy_does_for_batches_of_any_size(backend: str) -> None:
    model = load(backend, mlp_model(backend), "cpu")

    for rows in (1, 5, 2, 2):
        x = RANDOM.normal(size=(rows, 10)).astype("float32")
        (y,) = model.run([read_only(x)])
        assert y.flags.c_contiguous
        np.testing.assert_allclose(y, mlp(x), rtol=1e-4, atol=1e-5)


@pytest.mark.needs("torch")
def test_a_torch_model_may_compute_gradients_inside_and_keep_what_it_has_counted() -> None:
    source = """
def forward(self, x):
    torch.set_grad_enabled(True)
    place = x.clone().requires_grad_(True)
    slope = torch.autograd.grad([(place * place).sum()], [place])[0]
    assert slope is not None
    return slope
"""
    potential = load("TORCH", torch_model(source), "cpu")
    counting = "def forward(self, x):\n    self.n += 1\n    return x * self.n\n"
    counter = load("TORCH", torch_model(counting, n=np.zeros(1, "float32")), "cpu")
    x = read_only(np.array([1, 2], "float32"))

    results = [[model.run([x])[0].tolist() for model in (potential, counter)] for _ in range(2)]

    assert results == [[[2, 4], [1, 2]], [[2, 4], [2, 4]]]


@pytest.mark.parametrize(
    ("backend", "inputs", "outputs"),
    [
        pytest.param(*backend.values, [b"x"], outputs, marks=backend.marks)
        for backend, outputs in zip(BACKENDS, ([b""], [b"y"], [b"y"], [b"Identity"]), strict=True)
    ],
)
def test_a_model_tells_its_inputs_and_outputs(backend: str, inputs: list[bytes], outputs: list[bytes]) -> None:
    model = load(backend, mlp_model(backend), "CPU:0")

    assert (list(model.inputs), list(model.outputs)) == (inputs, outputs)


def identity(backend: str, dtype: str) -> bytes:
    """A model whose two outputs are its two inputs, the other way round."""
    if backend == "TORCH":
        return torch_model("def forward(self, x, y):\n  return y, x\n")
    if backend == "ONNX":
        kind = {"float32": "float", "float64": "double"}.get(dtype, dtype)
        types = f"{kind} x, {kind} y", f"{kind} a, {kind} b"
        return onnx_model(f"swap ({types[0]}) => ({types[1]}) {{ a = Identity(y) b = Identity(x) }}")
    if backend == "TFLITE":
        return tflite_model(lambda x, y: (y, x), ([2, 3], dtype), ([2, 3], dtype))

    def swap(tf: Any) -> None:
        x, y = (tf.compat.v1.placeholder(dtype, name=name) for name in "xy")
        tf.identity(y, name="a")
        tf.identity(x, name="b")

    return tf_model(swap)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("backend", BACKENDS)
def test_every_type_goes_in_and_comes_out_as_it_is(backend: str, dtype: str) -> None:
    model = load(backend, identity(backend, dtype), "CPU", "x y", "a:0 b")
    x, y = (RANDOM.integers(0, 2, size=(2, 3)).astype(dtype) for _ in "xy")

    outputs = model.run([read_only(x), read_only(y)])

    assert [output.dtype for output in outputs] == [x.dtype, y.dtype]
    np.testing.assert_array_equal(outputs, [y, x])


def total(backend: str) -> bytes:
    """A model that sums a tensor, of any shape, up to one without dimensions."""
    if backend == "TORCH":
        return torch_model("def forward(self, x):\n  return x.sum()\n")
    if backend == "ONNX":
        return onnx_model("total (float x) => (float y) { y = ReduceSum<keepdims = 0>(x) }")
    if backend == "TFLITE":
        tf: Any = import_module("tensorflow")
        return tflite_model(tf.reduce_sum, ([2, 3], "float32"))
    return tf_model(lambda tf: tf.reduce_sum(tf.compat.v1.placeholder("float32", name="x"), name="y"))


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_tensor_without_dimensions_comes_out_and_goes_in(backend: str) -> None:
    model = load(backend, total(backend))

    (one,) = model.run([np.ones((2, 3), "float32")])
    (two,) = model.run([one]) if backend != "TFLITE" else (one,)  # whose graph has its dimensions

    assert (one.shape, two.shape, float(one), float(two)) == ((), (), 6.0, 6.0)


@pytest.mark.parametrize("blob", [b"", b"garbage", bytes(range(256)) * 10])
@pytest.mark.parametrize("backend", BACKENDS)
def test_bytes_that_are_no_model_are_refused(backend: str, blob: bytes) -> None:
    with pytest.raises(Exception, match=r"\w"):
        load(backend, blob)


@pytest.mark.parametrize("theirs", BACKENDS)
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_model_of_another_backend_is_refused(backend: str, theirs: str) -> None:
    if backend == theirs:
        return
    with pytest.raises(Exception, match=r"\w"):
        load(backend, mlp_model(theirs))


@pytest.mark.parametrize("cut", [10, 100, 1000])
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_model_that_was_cut_short_is_refused(backend: str, cut: int) -> None:
    with pytest.raises(Exception, match=r"\w"):
        load(backend, mlp_model(backend)[:-cut]).run([np.zeros((1, 10), "float32")])


@pytest.mark.parametrize("shape", [(2, 3), (), (7,)])
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_wrong_shape_is_an_error_and_the_model_still_runs(backend: str, shape: tuple[int, ...]) -> None:
    model = load(backend, mlp_model(backend))

    with pytest.raises(Exception, match=r"\w"):
        model.run([np.zeros(shape, "float32")])
    (y,) = model.run([np.zeros((1, 10), "float32")])

    assert y.tolist() == [[0.0]]


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_wrong_type_is_an_error(backend: str) -> None:
    model = load(backend, mlp_model(backend))

    if backend != "TF":  # whose sessions convert
        with pytest.raises(Exception, match=r"\w"):
            model.run([np.zeros((1, 10), "float64")])


@pytest.mark.needs("tensorflow")
@pytest.mark.parametrize(
    ("inputs", "outputs", "message"),
    [
        ("z", "y", 'ERR Input node named "z" not found in TF graph.'),
        ("y", "y", 'ERR Input node named "y" not found in TF graph.'),
        ("x", "z", 'ERR Output node named "z" not found in TF graph'),
    ],
)
def test_a_graph_has_the_nodes_that_its_client_names(inputs: str, outputs: str, message: str) -> None:
    with pytest.raises(CommandError) as caught:
        load("TF", mlp_model("TF"), "CPU", inputs, outputs)

    assert str(caught.value) == message


GPU = {
    "TORCH": "GPU requested but Torch couldn't find CUDA",
    "ONNX": "GPU requested but ONNX Runtime couldn't find CUDA; pip install onnxruntime-gpu",
    "TF": "GPU requested but TensorFlow couldn't find CUDA",
    "TFLITE": "GPU requested but TFLITE runs on the CPU; store the model with device CPU",
}


@pytest.mark.parametrize("device", ["GPU", "gpu:1"])
@pytest.mark.parametrize("backend", BACKENDS)
def test_without_a_gpu_a_model_for_one_is_refused(backend: str, device: str) -> None:
    with pytest.raises(CommandError) as caught:
        load(backend, mlp_model(backend), device)

    assert str(caught.value) == GPU[backend]


@pytest.mark.parametrize(
    ("text", "device"),
    [("CPU", (False, None)), ("cpu:3", (False, 3)), ("GPU", (True, None)), ("Gpu:12", (True, 12))],
)
def test_a_device_is_a_kind_and_a_number(text: str, device: tuple[bool, int | None]) -> None:
    assert Device.parse(text) == device


@pytest.mark.needs("onnx")
def test_an_onnx_output_that_is_no_tensor_is_named() -> None:
    model = load("ONNX", onnx_model("split (float[4] x) => (seq(float[2]) y) { y = SplitToSequence(x) }"))

    with pytest.raises(CommandError, match="Output y is a list and no tensor; give the graph another output"):
        model.run([np.zeros(4, "float32")])


def test_a_framework_that_is_not_there_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    monkeypatch.delitem(sys.modules, "smartensemble.inference.backends.onnx", raising=False)

    with pytest.raises(CommandError, match=r"^ERR Could not load backend ONNX: .*; pip install 'smartensemble\[onnx\]'"):
        load("ONNX", b"")


@pytest.mark.needs("onnx")
def test_an_import_is_a_line_of_progress(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "smartensemble.inference.backends.onnx", raising=False)

    with caplog.at_level(logging.INFO, "smartensemble.inference"):
        first, again = backends.backend_module("ONNX"), backends.backend_module("ONNX")

    assert first is again
    assert [record.getMessage().split(" in ")[0] for record in caplog.records] == [
        "ONNX: importing onnxruntime",
        "ONNX: imported onnxruntime",
    ]


def test_no_framework_is_imported_before_a_model_needs_it() -> None:
    program = (
        "import sys, smartensemble.inference.engine; "
        "print([name for name in ('torch', 'onnxruntime', 'tensorflow', 'ai_edge_litert') if name in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"
