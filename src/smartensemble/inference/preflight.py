"""Preflight checks: what is checked before a model or script runs, and the answer that is written after it."""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

from smartensemble.errors import CommandError, InputTypeError, InputValueError, NotATensorError
from smartensemble.inference import model_format
from smartensemble.inference.arguments import one_line, text
from smartensemble.inference.backends import Array
from smartensemble.inference.batching import ALONE, Candidate
from smartensemble.inference.commands import RunModel, RunScript
from smartensemble.inference.model_format import Buffer, Kind, Metadata
from smartensemble.inference.requests import OK, Answer, Request, Statistics
from smartensemble.wire import tensor

WRONG_TYPE = "WRONGTYPE Operation against a key holding the wrong kind of value"
EMPTY = {Kind.MODEL: "ERR model key is empty", Kind.SCRIPT: "ERR script key is empty"}

#: The values of keys; a key that does not exist is missing, and None is a value that is no string.
KeyValues = Mapping[bytes, Buffer | None]


class Ready(NamedTuple):
    """A request whose inputs have been read and checked, so it can run."""

    request: Request
    command: RunModel | RunScript
    metadata: Metadata
    tensors: list[Array]
    candidate: Candidate

    @property
    def limit(self) -> float:
        """Until when it may wait; a run that has begun by then is not interrupted."""
        return self.request.arrived + self.command.timeout / 1000 if self.command.timeout else math.inf


def read_metadata(key: bytes, values: KeyValues, kind: Kind) -> Metadata:
    """The metadata of the model or script in `key`."""
    if key not in values:
        raise CommandError(EMPTY[kind])
    try:
        metadata = model_format.decode(values[key] or b"")
    except InputValueError as error:
        raise CommandError(WRONG_TYPE) from error
    if metadata.kind is not kind:
        raise CommandError(WRONG_TYPE)
    return metadata


def read_any_metadata(key: bytes, values: KeyValues) -> Metadata:
    """The metadata in `key`, of a model or of a script."""
    try:
        return read_metadata(key, values, Kind.SCRIPT if Kind.of(values.get(key)) is Kind.SCRIPT else Kind.MODEL)
    except CommandError as error:
        raise CommandError("ERR cannot find run info for key") from error


def scan_metadata(values: KeyValues, kind: Kind) -> Iterator[tuple[bytes, Metadata]]:
    """The keys that hold models, or scripts, with their metadata; others are left out."""
    for key in values:
        with suppress(CommandError):
            yield key, read_metadata(key, values, kind)


def check(request: Request, command: RunModel | RunScript, sharded: bool = False) -> Ready:
    """`request`, ready to run, if everything that can be checked before is right; of a database of one server, or `sharded`."""
    if isinstance(command, RunScript):
        metadata = read_metadata(command.key, request.values, Kind.SCRIPT)
    else:
        metadata = read_metadata(command.key, request.values, Kind.MODEL)
        _counted("IN", command.inputs, metadata.inputs)
        _counted("OUT", command.outputs, metadata.outputs)
    tensors = [_tensor(key, request.values, sharded) for key in command.inputs]
    for key in command.outputs:
        if request.kinds.get(key, Kind.TENSOR) is not Kind.TENSOR:
            raise CommandError(WRONG_TYPE)
    if not metadata.batch_size:
        return Ready(request, command, metadata, tensors, ALONE)
    firsts = {array.shape[0] if array.ndim else 0 for array in tensors}
    rows = firsts.pop() if len(firsts) == 1 else 0
    form = tuple((array.dtype.str, array.shape[1:]) for array in tensors)
    batch = (metadata.batch_size, metadata.min_batch_size, metadata.min_batch_timeout)
    return Ready(request, command, metadata, tensors, Candidate(request.arrived, metadata.version, *batch, rows, form))


def _counted(side: str, keys: Sequence[bytes], names: Sequence[bytes]) -> None:
    if names and len(keys) != len(names):
        raise CommandError(f"Number of keys given as {side}PUTS here does not match model definition")


def missing(key: bytes, values: KeyValues, sharded: bool) -> str:
    """The error for an input `key` that is not there; the database adds the key of a member, if that has written one.

    >>> missing(b"x", {}, sharded=True)
    'ERR tensor key is empty or in a different shard: x'
    """
    error = f"ERR tensor key is empty{' or in a different shard' if sharded else ''}: {text(key)}"
    written = next((other for other in values if other.endswith(b"." + key)), None)
    if written is None:
        return error
    member = text(written[: -len(key) - 1])
    return (
        f"{error}; there is {text(written)}, which member {member} wrote with its key prefix: in the driver, call "
        f"register_incoming_entity with that member, and in the program set_data_source({member!r}); or call "
        "disable_key_prefixing in the driver"
    )


def _tensor(key: bytes, values: KeyValues, sharded: bool) -> Array:
    """The tensor in `key`, as a framework takes it."""
    if key not in values:
        raise CommandError(missing(key, values, sharded))
    value = values[key]
    try:
        array = tensor.decode(value or b"")
    except NotATensorError as error:
        raise CommandError(WRONG_TYPE) from error
    if array.dtype.kind == "U":
        raise CommandError(f"ERR tensor {text(key)} holds strings, and models take numbers; encode them as numbers first")
    return array


def answer(ready: Ready, arrays: list[Array], duration: int) -> Answer:
    """The answer to a request whose run returned `arrays`."""
    command = ready.command
    if isinstance(command, RunScript):
        if command.outputs and len(arrays) != len(command.outputs):
            function = command.function.decode(errors="replace")
            raise CommandError(f"Function returned unexpected number of outputs - {one_line(function)}")
    elif len(arrays) != len(command.outputs):
        raise CommandError("ERR Model did not generate the expected number of outputs")
    try:
        values = [tensor.encode(array) for array in arrays[: len(command.outputs)]]
    except (InputTypeError, InputValueError) as error:
        raise CommandError(f"ERR {one_line(error)}") from error
    samples = arrays[0].shape[0] if isinstance(command, RunModel) and arrays and arrays[0].ndim else 0
    return Answer(OK, dict(zip(command.outputs, values, strict=True)), Statistics(calls=1, samples=samples, duration=duration))
