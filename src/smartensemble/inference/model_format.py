"""A model or a script as the string that its key holds: the bytes that the client sent, then a trailer with all options.

The server itself saves, replicates, renames and copies a plain string. Its parts are the blob, the options, the version
(16 bytes), the length of the blob (8), the length of all behind the blob (4), and six letters that say what it is. Numbers
are little-endian.

An option is a byte string behind its length in 4 bytes; a list is such a string of such strings. The last 10 bytes say where
the trailer begins, and the trailer says everything but the blob, so a value may be read from its end.
"""

import secrets
import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache

from smartensemble.errors import InputValueError

#: The end of every value: version, length of the blob, length of the trailer, magic.
TAIL = struct.Struct("<16sQI6s")
LENGTH = struct.Struct("<I")

Buffer = bytes | memoryview


class Kind(Enum):
    """What a key holds, by the last 6 bytes of its value."""

    TENSOR = b"TENSOR"
    MODEL = b"MODEL_"
    SCRIPT = b"SCRIPT"
    OTHER = b""

    @classmethod
    def of(cls, value: Buffer | None) -> "Kind":
        """The kind of a value, or of its end; of a key that holds no string, where there is none.

        >>> Kind.of(b"plain text")
        <Kind.OTHER: b''>
        """
        return KINDS.get(bytes(value[-6:]), cls.OTHER) if value is not None else cls.OTHER


KINDS = {kind.value: kind for kind in Kind if kind is not Kind.OTHER}


@dataclass(frozen=True, slots=True)
class Metadata:
    """What the database knows of a stored model or script, except its blob."""

    kind: Kind
    backend: str
    device: str
    tag: bytes = b""
    batch_size: int = 0
    min_batch_size: int = 0
    min_batch_timeout: int = 0
    #: The names of the inputs and outputs; none where the backend does not know them.
    inputs: tuple[bytes, ...] = ()
    outputs: tuple[bytes, ...] = ()
    entry_points: tuple[bytes, ...] = ()
    #: Different each time that something is stored, so a loaded model can be kept under it.
    version: bytes = field(default_factory=lambda: secrets.token_bytes(16))


def encode(metadata: Metadata, blob: bytes) -> bytes:
    """The string that holds `metadata` and `blob`."""
    numbers = (metadata.batch_size, metadata.min_batch_size, metadata.min_batch_timeout)
    lists = (metadata.inputs, metadata.outputs, metadata.entry_points)
    options = [metadata.backend.encode(), metadata.device.encode(), metadata.tag, *(b"%d" % number for number in numbers)]
    packed = _pack([*options, *map(_pack, lists)])
    return b"".join((blob, packed, TAIL.pack(metadata.version, len(blob), len(packed) + TAIL.size, metadata.kind.value)))


def decode(value: Buffer) -> Metadata:
    """The metadata in `value`, or in its end.

    Anybody may set a string that only looks like one:

    >>> decode(bytes(30) + b"MODEL_")
    Traceback (most recent call last):
    smartensemble.errors.InputValueError: 36 bytes: no model and no script; store it by AI.MODELSTORE or AI.SCRIPTSTORE
    """
    try:
        (length,) = LENGTH.unpack(value[-10:-6])
        if not TAIL.size <= length <= len(value):
            raise ValueError("no trailer of this length")
        return _decode(bytes(value[-length:]))
    except (ValueError, KeyError, struct.error) as error:
        raise InputValueError(
            f"{len(value)} bytes: no model and no script; store it by AI.MODELSTORE or AI.SCRIPTSTORE"
        ) from error


def blob(value: Buffer) -> memoryview | None:
    """The model or the source itself, if `value` is complete and not only its end."""
    _, size, length, _ = TAIL.unpack(value[-TAIL.size :])
    return memoryview(value)[:size] if len(value) == size + length else None


@lru_cache(maxsize=256)  # each request for a model brings its trailer again
def _decode(trailer: bytes) -> Metadata:
    version, _, _, magic = TAIL.unpack(trailer[-TAIL.size :])
    backend, device, tag, *numbers, inputs, outputs, entry_points = _unpack(trailer[: -TAIL.size])
    names = (_unpack(inputs), _unpack(outputs), _unpack(entry_points))
    batch_size, min_batch_size, min_batch_timeout = map(int, numbers)
    texts = (backend.decode(), device.decode())
    kind = {Kind.MODEL.value: Kind.MODEL, Kind.SCRIPT.value: Kind.SCRIPT}[magic]
    return Metadata(kind, *texts, tag, batch_size, min_batch_size, min_batch_timeout, *names, version=version)


def _pack(options: Iterable[bytes]) -> bytes:
    return b"".join(LENGTH.pack(len(option)) + option for option in options)


def _unpack(packed: bytes) -> tuple[bytes, ...]:
    options: list[bytes] = []
    at = 0
    while at < len(packed):
        (length,) = LENGTH.unpack_from(packed, at)
        at += LENGTH.size + length
        options.append(packed[at - length : at])
    if at != len(packed):
        raise ValueError("the options end within one")
    return tuple(options)
