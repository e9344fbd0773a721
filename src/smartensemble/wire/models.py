"""A model or a script as the command that stores it.

The commands and the names of keys are those of SmartRedis: ``name``, and on several GPUs ``name.GPU:0`` and so on as well.
"""

import ast
import inspect
from dataclasses import dataclass
from itertools import pairwise
from textwrap import dedent
from typing import Any

from smartensemble.checks import whole
from smartensemble.errors import InputTypeError, InputValueError, shown

#: Backends, and what each takes for a model.
MODEL_FORMATS = {
    "TORCH": "what torch.jit.save writes",
    "ONNX": "an .onnx file",
    "TF": "a frozen graph, which freeze_model writes",
    "TFLITE": "a .tflite file",
}
MAX_ARGUMENT_BYTES = 511 << 20  #: of one argument of a command


@dataclass(frozen=True)
class Batching:
    """How to batch the runs of several clients, as :meth:`Model.add_ml_model` takes it."""

    batch_size: int = 0  #: rows of several runs that are run at once; 0: each run alone
    min_batch_size: int = 0  #: rows to wait for
    min_batch_timeout: int = 0  #: milliseconds to wait for them; 0: for ever


@dataclass(frozen=True)
class MLModel:
    """A trained model, and how to run it."""

    name: str
    backend: str
    content: bytes
    devices: tuple[str, ...] = ("CPU",)
    batching: Batching = Batching()
    tag: str = ""
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()

    @property
    def takes(self) -> str:
        """What its content must be, for the message that it is not."""
        return f"{self.backend} takes {MODEL_FORMATS[self.backend]}"

    def command(self, key: bytes, device: str, part_bytes: int = MAX_ARGUMENT_BYTES) -> list[bytes]:
        """AI.MODELSTORE key backend device [TAG tag] [BATCHSIZE n ...] [INPUTS n name ... OUTPUTS n name ...] BLOB part ..."""
        arguments: list[object] = ["AI.MODELSTORE", key, self.backend, device]
        options = {
            "TAG": self.tag,
            "BATCHSIZE": self.batching.batch_size,
            "MINBATCHSIZE": self.batching.min_batch_size,
            "MINBATCHTIMEOUT": self.batching.min_batch_timeout,
        }
        arguments += [argument for option, value in options.items() if value for argument in (option, value)]
        for side, names in (("INPUTS", self.inputs), ("OUTPUTS", self.outputs)):
            arguments += [side, len(names), *names] if names else []
        parts = [self.content[start : start + part_bytes] for start in range(0, len(self.content), part_bytes)]
        return [*map(_argument, arguments), b"BLOB", *parts]


@dataclass(frozen=True)
class Script:
    """Functions in TorchScript, as text."""

    name: str
    source: str
    devices: tuple[str, ...] = ("CPU",)

    takes = "a script holds functions in TorchScript"

    def command(self, key: bytes, device: str) -> list[bytes]:
        """AI.SCRIPTSET key device SOURCE source."""
        return [b"AI.SCRIPTSET", key, device.encode(), b"SOURCE", self.source.encode()]


Upload = MLModel | Script


def keys(upload: Upload) -> list[str]:
    """The keys of `upload`, one for each of its devices."""
    if len(upload.devices) == 1:
        return [upload.name]
    return [f"{upload.name}.{device}" for device in upload.devices[:-1]] + [upload.name]


def checked_batching(subject: str, backend: str, options: Batching) -> Batching:
    """How to batch runs, checked; each option needs the one before it."""
    checked = Batching(**{option: whole(option, value) for option, value in vars(options).items()})
    for (before, value_before), (option, value) in pairwise(vars(checked).items()):
        if value and not value_before:
            raise InputValueError(f"{subject}: {option} without {before} has no effect; give both")
    size, least = checked.batch_size, checked.min_batch_size
    if size and backend == "TFLITE":
        raise InputValueError(f"{subject}: the backend TFLITE runs no batches; leave batch_size out")
    if least > size:
        raise InputValueError(f"{subject}: min_batch_size is {least}, and batch_size {size}; give a smaller min_batch_size")
    return checked


def function_source(subject: str, function: Any) -> str:
    """The text of a Python function."""
    if not inspect.isfunction(function):
        raise InputTypeError(f"{subject}: function is {shown(function)}; give a function, def f(x): ...")
    if function.__name__ == "<lambda>":
        raise InputValueError(f"{subject}: a lambda has no name to run it by; give a function, def f(x): ...")
    try:
        source = dedent(inspect.getsource(function))
        own = getattr(ast.parse(source).body[0], "name", "") == inspect.unwrap(function).__name__
    except (OSError, TypeError, SyntaxError, IndexError):
        own = False
    if not own:  # Python 3.13 takes the text after ``python -c`` for the source of everything that `exec` made
        raise InputValueError(f"{subject}: {function.__name__} has no source; write it into a file, or give its text")
    return source


def _argument(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()
