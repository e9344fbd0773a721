"""The backends, which run models: one module for each framework, imported when the first model needs it."""

import logging
import sys
import time
from collections.abc import Sequence
from importlib import import_module
from typing import Any, NamedTuple, Protocol

from numpy.typing import NDArray

from smartensemble.errors import CommandError

logger = logging.getLogger(__name__)

Array = NDArray[Any]

#: The module and the framework of each backend; the extra of this package that brings a framework has the module's name.
FRAMEWORKS = {
    "TORCH": ("torch", "torch"),
    "ONNX": ("onnx", "onnxruntime"),
    "TF": ("tensorflow", "tensorflow"),
    "TFLITE": ("tflite", "ai_edge_litert"),
}


class LoadedModel(Protocol):
    """A model that is ready to run."""

    #: The names of the inputs and outputs; empty where the model does not say.
    inputs: tuple[bytes, ...]
    outputs: tuple[bytes, ...]

    def run(self, tensors: Sequence[Array]) -> list[Array]:
        """The outputs for `tensors`, in C order. Those may be read-only; errors of the framework are not caught."""
        ...


class CompiledScript(Protocol):
    """A script that is ready to run."""

    def run(self, function: str, tensors: Sequence[Array], keys: Sequence[bytes], args: Sequence[bytes]) -> list[Array]:
        """The outputs of a function of the script for `tensors`."""
        ...


class Device(NamedTuple):
    """Where a model runs: a CPU, or the GPU of a number."""

    gpu: bool
    number: int | None

    @classmethod
    def parse(cls, text: str) -> "Device":
        """The device that a client named.

        >>> Device.parse("gpu:1"), Device.parse("CPU")
        (Device(gpu=True, number=1), Device(gpu=False, number=None))
        """
        kind, _, number = text.upper().partition(":")
        return cls(kind == "GPU", int(number) if number else None)


def load(
    backend: str, blob: bytes | memoryview, device: str, inputs: Sequence[bytes], outputs: Sequence[bytes], threads: int = 1
) -> LoadedModel:
    """The model in `blob`; a backend that needs them gets the names of `inputs` and `outputs`."""
    model: LoadedModel = backend_module(backend).load(blob, Device.parse(device), inputs, outputs, threads)
    return model


def compile_script(
    source: bytes | memoryview, device: str, entry_points: Sequence[bytes] = (), threads: int = 1
) -> CompiledScript:
    """The script in `source`, whose `entry_points` have been checked."""
    script: CompiledScript = backend_module("TORCH").compile_script(source, Device.parse(device), entry_points, threads)
    return script


def backend_module(backend: str) -> Any:
    """The module of `backend`, with its framework; the first import of one can take seconds."""
    name, framework = FRAMEWORKS[backend]
    if f"{__name__}.{name}" in sys.modules:
        return sys.modules[f"{__name__}.{name}"]
    logger.info("%s: importing %s", backend, framework)
    began = time.monotonic()
    try:
        module = import_module(f"{__name__}.{name}")
    except ImportError as error:
        remedy = f"pip install 'smartensemble[{name}]' where the workers run"
        raise CommandError(f"ERR Could not load backend {backend}: {error}; {remedy}") from error
    logger.info("%s: imported %s in %.1f s", backend, framework, time.monotonic() - began)
    return module
