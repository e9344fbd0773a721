"""ONNX models, by ONNX Runtime."""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # otherwise it reports to its makers what runs, and leaves a file behind

import onnxruntime

from smartensemble.errors import CommandError
from smartensemble.inference.backends import Array, Device

FATAL = 4  #: Errors are raised as well; logging them would say everything twice.


class OnnxModel:
    """A session of ONNX Runtime."""

    def __init__(self, session: Any) -> None:
        self.session = session
        self.names = [node.name for node in session.get_inputs()]
        self.results = [node.name for node in session.get_outputs()]
        self.inputs = tuple(name.encode() for name in self.names)
        self.outputs = tuple(name.encode() for name in self.results)

    def run(self, tensors: Sequence[Array]) -> list[Array]:
        """The outputs of the graph for `tensors`, in its own order of inputs and outputs."""
        results = self.session.run(self.results, dict(zip(self.names, tensors, strict=True)))
        for name, result in zip(self.results, results, strict=True):
            if not isinstance(result, np.ndarray):
                raise CommandError(f"Output {name} is a {type(result).__name__} and no tensor; give the graph another output")
        return list(results)


def load(
    blob: bytes | memoryview, device: Device, _inputs: Sequence[bytes], _outputs: Sequence[bytes], threads: int
) -> OnnxModel:
    """The model that ``SerializeToString`` of an ONNX model has made."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = FATAL
    providers: list[Any] = ["CPUExecutionProvider"]
    if device.gpu:
        if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
            raise CommandError("GPU requested but ONNX Runtime couldn't find CUDA; pip install onnxruntime-gpu")
        providers.insert(0, ("CUDAExecutionProvider", {"device_id": device.number or 0}))
    return OnnxModel(onnxruntime.InferenceSession(bytes(blob), options, providers=providers))
