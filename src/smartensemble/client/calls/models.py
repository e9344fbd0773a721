"""Models: store, get, run, delete, and wait for them.

Each server of a sharded database has every model. For several GPUs there is one each, ``NAME.GPU:0`` and so on, and ``NAME``.
"""

import logging
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from smartensemble.checks import positive, read
from smartensemble.client.arguments import names, text
from smartensemble.client.calls.copies import copies, copy_for, delete, device_name, first_copy, gpus, tags
from smartensemble.client.calls.execution import execute
from smartensemble.client.calls.polling import poll
from smartensemble.client.connection import Argument
from smartensemble.client.descriptions import CALL, MODEL
from smartensemble.client.errors import RedisRuntimeError
from smartensemble.client.keys import key_in
from smartensemble.docstrings.described import calls_described_by, described_by
from smartensemble.errors import InputTypeError, InputValueError, ParameterError, did_you_mean, public, shown
from smartensemble.wire.models import MODEL_FORMATS, Batching, MLModel, checked_batching

if TYPE_CHECKING:
    from smartensemble.client.database import Database
    from smartensemble.client.keys import Names

logger = logging.getLogger(__name__)


@public
@calls_described_by(MODEL, CALL)
class ModelCalls:
    """The calls about models."""

    _database: "Database"
    _names: "Names"
    _chunk_bytes = 0  #: of one argument of a command with a model, once it was set

    def set_model(
        self,
        name: str,
        model: bytes,
        backend: str,
        device: str = "CPU",
        batch_size: int = 0,
        min_batch_size: int = 0,
        min_batch_timeout: int = 0,
        tag: str = "",
        inputs: str | list[str] | None = None,
        outputs: str | list[str] | None = None,
    ) -> None:
        """Store a trained model, in the place of what was there under its name.

        :param name: the name that it is run by.
        :param model: the bytes that its framework saves it as.
        :param backend: TORCH, ONNX, TF or TFLITE, in any case.
        :param batch_size: rows of several runs that are run at once; 0 runs each by itself.
        :param min_batch_size: the rows to wait for.
        :param min_batch_timeout: the most milliseconds to wait for them; 0 sets no limit.
        :param tag: a remark on it, such as its version.
        :param inputs: the names of its inputs; for TF only.
        :param outputs: the names of its outputs; for TF only.
        :raises RedisRuntimeError: the backend cannot load it, or `min_batch_timeout` comes without `min_batch_size`, or that
            without `batch_size`.
        """
        batching = Batching(batch_size, min_batch_size, min_batch_timeout)
        self._store_model(checked(name, model, backend, (device_name(device),), batching, tag, inputs, outputs))

    @described_by(set_model)
    def set_model_from_file(
        self,
        name: str,
        model_file: str,
        backend: str,
        device: str = "CPU",
        batch_size: int = 0,
        min_batch_size: int = 0,
        min_batch_timeout: int = 0,
        tag: str = "",
        inputs: str | list[str] | None = None,
        outputs: str | list[str] | None = None,
    ) -> None:
        """Store the model in a file, as :meth:`set_model` does.

        :raises MissingFileError: there is no such file.
        :raises AccessError: the system refuses to read it.
        """
        batching = Batching(batch_size, min_batch_size, min_batch_timeout)
        file = ModelFile(text("model_file", model_file))
        self._store_model(checked(name, file, backend, (device_name(device),), batching, tag, inputs, outputs))

    @described_by(set_model)
    def set_model_multigpu(
        self,
        name: str,
        model: bytes,
        backend: str,
        first_gpu: int,
        num_gpus: int,
        batch_size: int = 0,
        min_batch_size: int = 0,
        min_batch_timeout: int = 0,
        tag: str = "",
        inputs: str | list[str] | None = None,
        outputs: str | list[str] | None = None,
    ) -> None:
        """Store a model for several GPUs, in the place of what was there under its name."""
        batching = Batching(batch_size, min_batch_size, min_batch_timeout)
        self._store_model(checked(name, model, backend, gpus(first_gpu, num_gpus), batching, tag, inputs, outputs))

    @described_by(set_model_from_file)
    def set_model_from_file_multigpu(
        self,
        name: str,
        model_file: str,
        backend: str,
        first_gpu: int,
        num_gpus: int,
        batch_size: int = 0,
        min_batch_size: int = 0,
        min_batch_timeout: int = 0,
        tag: str = "",
        inputs: str | list[str] | None = None,
        outputs: str | list[str] | None = None,
    ) -> None:
        """Store the model in a file for several GPUs, as :meth:`set_model_multigpu` does."""
        batching = Batching(batch_size, min_batch_size, min_batch_timeout)
        file = ModelFile(text("model_file", model_file))
        self._store_model(checked(name, file, backend, gpus(first_gpu, num_gpus), batching, tag, inputs, outputs))

    def get_model(self, name: str) -> bytes:
        """The bytes that a model was stored as.

        :returns: the bytes.
        :raises RedisRuntimeError: there is none of this name.
        """
        key = first_copy(self._database, self._names.read("model", name))
        reply = self._database.call(key, "AI.MODELGET", key, "BLOB")
        return b"".join(reply) if isinstance(reply, list) else bytes(reply)

    def run_model(self, name: str, inputs: str | list[str] | None = None, outputs: str | list[str] | None = None) -> None:
        """Run a model on tensors of the database, and store its outputs as tensors.

        :raises RedisRuntimeError: there is no model or input of its name, or the model fails.
        :raises RedisTimeoutError: its turn did not come in time.
        """
        self._run_model(self._names.read("model", name), inputs, outputs)

    @described_by(run_model)
    def run_model_multigpu(
        self,
        name: str,
        offset: int,
        first_gpu: int,
        num_gpus: int,
        inputs: str | list[str] | None = None,
        outputs: str | list[str] | None = None,
    ) -> None:
        """Run a model, as :meth:`run_model` does, on one of several GPUs."""
        self._run_model(copy_for(self._names.read("model", name), offset, first_gpu, num_gpus), inputs, outputs)

    def delete_model(self, name: str) -> None:
        """Delete a model.

        :raises RedisRuntimeError: there is none of this name.
        """
        delete(self._database, "AI.MODELDEL", self._names.read("model", name))

    def delete_model_multigpu(self, name: str, first_gpu: int, num_gpus: int) -> None:
        """Delete a model that is stored for several GPUs.

        :raises RedisRuntimeError: there is none of this name.
        """
        delete(self._database, "AI.MODELDEL", self._names.read("model", name), gpus(first_gpu, num_gpus))

    def model_exists(self, name: str) -> bool:
        """Whether there is a model or a script of this name.

        :returns: True if there is one.
        """
        key = first_copy(self._database, self._names.read("model", name))
        return bool(self._database.call(key, "EXISTS", key))

    def poll_model(self, name: str, poll_frequency_ms: int, num_tries: int) -> bool:
        """Wait for a model or script: ask `num_tries` times, every `poll_frequency_ms` milliseconds.

        :returns: True if it is there.
        """
        return poll(lambda: self.model_exists(name), poll_frequency_ms, num_tries)

    def set_model_chunk_size(self, chunk_size: int) -> None:
        """Send models in parts, and have the database send and save them so, for all of its clients.

        :param chunk_size: the bytes of a part.
        """
        size = positive("chunk_size", chunk_size)
        self._database.each_shard("AI.CONFIG", "MODEL_CHUNK_SIZE", size)
        self._chunk_bytes = size

    def _store_model(self, model: MLModel) -> None:
        """Store a model on each server, for each of its devices."""
        key = self._names.written("model", model.name)
        size = self._chunk_bytes or int(self._database.call(key, "AI.CONFIG", "GET", "MODEL_CHUNK_SIZE"))
        for each, device in zip(copies(key, model.devices), model.devices, strict=True):
            at = [key_in(tag, each) for tag in tags(self._database)]
            self._database.call_many([(here, model.command(here, device, size)) for here in at])

    def _run_model(self, key: bytes, inputs: object, outputs: object) -> None:
        read_from = [self._names.read("tensor", each) for each in names("inputs", inputs)]
        write_to = [self._names.written("tensor", each) for each in names("outputs", outputs)]
        limit = round(1000 * self._database.limits.model)
        execute(self._database, key, read_from, write_to, partial(execution, limit))


def execution(limit: int, key: bytes, inputs: Sequence[bytes], outputs: Sequence[bytes]) -> tuple[Argument, ...]:
    """AI.MODELEXECUTE key INPUTS n name ... OUTPUTS n name ... TIMEOUT milliseconds.

    >>> execution(100, b"net", [b"x"], [b"y"])
    ('AI.MODELEXECUTE', b'net', 'INPUTS', 1, b'x', 'OUTPUTS', 1, b'y', 'TIMEOUT', 100)
    """
    return ("AI.MODELEXECUTE", key, "INPUTS", len(inputs), *inputs, "OUTPUTS", len(outputs), *outputs, "TIMEOUT", limit)


class ModelFile(NamedTuple):
    """A model that is read from a file when all else is right."""

    path: str


def checked(
    name: str,
    model: bytes | ModelFile,
    backend: str,
    devices: tuple[str, ...],
    batching: Batching,
    tag: str,
    inputs: object,
    outputs: object,
) -> MLModel:
    """The model to store."""
    subject, kind = text("name", name), check_backend(backend)
    if not subject:
        raise InputValueError("name: is empty; give a name")
    sides = [tuple(names(side, value)) for side, value in (("inputs", inputs), ("outputs", outputs))]
    if kind != "TF" and any(sides):
        raise InputValueError(f"{subject}: {kind} takes no inputs and no outputs; its models know them, leave them out")
    batching, tag = _batching(subject, kind, batching), text("tag", tag)
    return MLModel(subject, kind, content(subject, model), devices, batching, tag, *sides)


def content(subject: str, model: object) -> bytes:
    """The bytes of a model."""
    saved = read(model.path, subject) if isinstance(model, ModelFile) else model
    if not isinstance(saved, (bytes, bytearray, memoryview)):
        raise InputTypeError(f"{subject}: model is {shown(model)}; give the bytes that it is saved as, or set_model_from_file")
    if not len(saved):
        raise InputValueError(f"{subject}: the model is empty; give the bytes that it is saved as")
    return bytes(saved)


def check_backend(backend: object) -> str:
    """The name of a backend, as the database has it."""
    kind = text("backend", backend).upper()
    if kind not in MODEL_FORMATS:
        raise InputTypeError(f"backend: there is none of the name {shown(backend)}{did_you_mean(kind, MODEL_FORMATS)}")
    return kind


def _batching(subject: str, backend: str, batching: Batching) -> Batching:
    try:
        checked = checked_batching(subject, backend, batching)
    except ParameterError:
        raise
    except InputValueError as error:
        raise RedisRuntimeError(str(error)) from None
    if checked.min_batch_size and not checked.min_batch_timeout:
        logger.warning("WARNING: %s: min_batch_size without min_batch_timeout lets a run wait for ever", subject)
    return checked
