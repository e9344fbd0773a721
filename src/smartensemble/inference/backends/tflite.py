"""TensorFlow Lite models, by LiteRT."""

from collections.abc import Sequence
from typing import Any

from ai_edge_litert.interpreter import Interpreter

from smartensemble.errors import CommandError
from smartensemble.inference.backends import Array, Device


class TFLiteModel:
    """An interpreter."""

    def __init__(self, interpreter: Any) -> None:
        self.interpreter = interpreter
        self.details = interpreter.get_input_details()
        self.results = [detail["index"] for detail in interpreter.get_output_details()]
        self.shapes: list[tuple[int, ...]] = [tuple(detail["shape"].tolist()) for detail in self.details]
        self.inputs = tuple(detail["name"].encode() for detail in self.details)
        self.outputs = tuple(detail["name"].encode() for detail in interpreter.get_output_details())
        self.indices = [detail["index"] for detail in self.details]

    def run(self, tensors: Sequence[Array]) -> list[Array]:
        """The outputs of the model for `tensors`; if their shapes differ from the last ones, it is resized first."""
        if [tensor.shape for tensor in tensors] != self.shapes:
            self._fit(tensors)
        for index, tensor in zip(self.indices, tensors, strict=True):
            self.interpreter.set_tensor(index, tensor)
        self.interpreter.invoke()
        return [self.interpreter.get_tensor(index) for index in self.results]

    def _fit(self, tensors: Sequence[Array]) -> None:
        self.shapes = []  # unknown until all of them are taken
        for index, tensor in zip(self.indices, tensors, strict=True):
            self.interpreter.resize_tensor_input(index, tensor.shape)
        self.interpreter.allocate_tensors()
        self.shapes = [tensor.shape for tensor in tensors]


def load(
    blob: bytes | memoryview, device: Device, _inputs: Sequence[bytes], _outputs: Sequence[bytes], threads: int
) -> TFLiteModel:
    """The model in the flat buffer that a converter has made."""
    if device.gpu:
        raise CommandError("GPU requested but TFLITE runs on the CPU; store the model with device CPU")
    if not blob:
        raise CommandError("The model is empty")
    interpreter = Interpreter(model_content=bytes(blob), num_threads=threads)
    interpreter.allocate_tensors()
    return TFLiteModel(interpreter)
