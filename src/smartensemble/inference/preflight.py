"""A run of a model or script: what is checked before it, and what is written after it."""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

from smartensemble.errors import CommandError, InputTypeError, InputValueError, NotATensorError
from smartensemble.inference import model_format as stored
from smartensemble.inference.arguments import one_line, text
from smartensemble.inference.backends import Array
from smartensemble.inference.batching import ALONE, Run
from smartensemble.inference.commands import RunModel, RunScript
from smartensemble.inference.jobs import OK, Answer, Job, Statistics
from smartensemble.inference.model_format import Buffer, Kind, Stored
from smartensemble.wire import tensor

WRONG_TYPE = "WRONGTYPE Operation against a key holding the wrong kind of value"
EMPTY = {Kind.MODEL: "ERR model key is empty", Kind.SCRIPT: "ERR script key is empty"}

#: What keys hold; a key that is not there is missing, and None is what is no string.
Values = Mapping[bytes, Buffer | None]


class Ready(NamedTuple):
    """A run whose inputs have been read and checked."""

    job: Job
    command: RunModel | RunScript
    known: Stored
    tensors: list[Array]
    run: Run

    @property
    def limit(self) -> float:
        """Until when it may wait; what has begun then is not interrupted."""
        return self.job.came + self.command.timeout / 1000 if self.command.timeout else math.inf


def find(key: bytes, values: Values, kind: Kind) -> Stored:
    """What `key` says of the model or script in it."""
    if key not in values:
        raise CommandError(EMPTY[kind])
    try:
        known = stored.decode(values[key] or b"")
    except InputValueError as error:
        raise CommandError(WRONG_TYPE) from error
    if known.kind is not kind:
        raise CommandError(WRONG_TYPE)
    return known


def find_any(key: bytes, values: Values) -> Stored:
    """What `key` says of the model or script in it, whichever it is."""
    try:
        return find(key, values, Kind.SCRIPT if Kind.of(values.get(key)) is Kind.SCRIPT else Kind.MODEL)
    except CommandError as error:
        raise CommandError("ERR cannot find run info for key") from error


def find_all(values: Values, kind: Kind) -> Iterator[tuple[bytes, Stored]]:
    """The keys that hold models, or scripts, and what they say of them; others are left out."""
    for key in values:
        with suppress(CommandError):
            yield key, find(key, values, kind)


def ready(job: Job, command: RunModel | RunScript) -> Ready:
    """A run, if all that can be checked before it is right."""
    if isinstance(command, RunScript):
        known = find(command.key, job.values, Kind.SCRIPT)
    else:
        known = find(command.key, job.values, Kind.MODEL)
        _counted("IN", command.inputs, known.inputs)
        _counted("OUT", command.outputs, known.outputs)
    tensors = [_tensor(key, job.values) for key in command.inputs]
    for key in command.outputs:
        if job.kinds.get(key, Kind.TENSOR) is not Kind.TENSOR:
            raise CommandError(WRONG_TYPE)
    if not known.batch_size:
        return Ready(job, command, known, tensors, ALONE)
    firsts = {array.shape[0] if array.ndim else 0 for array in tensors}
    rows = firsts.pop() if len(firsts) == 1 else 0
    form = tuple((array.dtype.str, array.shape[1:]) for array in tensors)
    batch = (known.batch_size, known.min_batch_size, known.min_batch_timeout)
    return Ready(job, command, known, tensors, Run(job.came, known.version, *batch, rows, form))


def _counted(side: str, keys: Sequence[bytes], names: Sequence[bytes]) -> None:
    if names and len(keys) != len(names):
        raise CommandError(f"Number of keys given as {side}PUTS here does not match model definition")


def _tensor(key: bytes, values: Values) -> Array:
    """The tensor in `key`, for a framework."""
    if key not in values:
        raise CommandError("ERR tensor key is empty or in a different shard")
    value = values[key]
    try:
        array = tensor.decode(value or b"")
    except NotATensorError as error:
        raise CommandError(WRONG_TYPE) from error
    if array.dtype.kind == "U":
        raise CommandError(f"ERR tensor {text(key)} holds strings, and models take numbers; encode them as numbers first")
    return array


def written(member: Ready, arrays: list[Array], duration: int) -> Answer:
    """The answer to a run that has made `arrays`."""
    command = member.command
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
