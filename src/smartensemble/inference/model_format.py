"""A model or a script as the string that its key holds: the bytes as they were given, then a trailer with all options.

A plain string is saved, replicated, renamed and copied by the server itself. Its parts are the blob, the options, the version
(16 bytes), the length of the blob (8), the length of all behind the blob (4), and six letters that say what it is. Numbers
are little-endian.

Options are words, each behind its length in 4 bytes. Lists are words of words. Whoever reads the last 10 bytes knows where the
trailer begins, and whoever has the trailer knows all but the blob: a value may be read from its end.
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
class Stored:
    """All that is known of a stored model or script but its blob."""

    kind: Kind
    backend: str
    device: str
    tag: bytes = b""
    batch_size: int = 0
    min_batch_size: int = 0
    min_batch_timeout: int = 0
    #: The names of what goes in and comes out; none where the backend does not know.
    inputs: tuple[bytes, ...] = ()
    outputs: tuple[bytes, ...] = ()
    entry_points: tuple[bytes, ...] = ()
    #: Another one for each time that something is stored: what is loaded can be kept by it.
    version: bytes = field(default_factory=lambda: secrets.token_bytes(16))


def encode(stored: Stored, blob: bytes) -> bytes:
    """The value of the key of `stored`."""
    numbers = (stored.batch_size, stored.min_batch_size, stored.min_batch_timeout)
    lists = (stored.inputs, stored.outputs, stored.entry_points)
    words = [stored.backend.encode(), stored.device.encode(), stored.tag, *(b"%d" % number for number in numbers)]
    options = _pack([*words, *map(_pack, lists)])
    return b"".join((blob, options, TAIL.pack(stored.version, len(blob), len(options) + TAIL.size, stored.kind.value)))


def decode(value: Buffer) -> Stored:
    """What `value`, or its end, says of the model or script in it.

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
    """The model or the source itself, if `value` is a whole one and not only its end."""
    _, size, length, _ = TAIL.unpack(value[-TAIL.size :])
    return memoryview(value)[:size] if len(value) == size + length else None


@lru_cache(maxsize=256)  # each run of a model brings its trailer again
def _decode(trailer: bytes) -> Stored:
    version, _, _, magic = TAIL.unpack(trailer[-TAIL.size :])
    backend, device, tag, *numbers, inputs, outputs, entry_points = _unpack(trailer[: -TAIL.size])
    names = (_unpack(inputs), _unpack(outputs), _unpack(entry_points))
    batch_size, min_batch_size, min_batch_timeout = map(int, numbers)
    texts = (backend.decode(), device.decode())
    kind = {Kind.MODEL.value: Kind.MODEL, Kind.SCRIPT.value: Kind.SCRIPT}[magic]
    return Stored(kind, *texts, tag, batch_size, min_batch_size, min_batch_timeout, *names, version=version)


def _pack(words: Iterable[bytes]) -> bytes:
    return b"".join(LENGTH.pack(len(word)) + word for word in words)


def _unpack(packed: bytes) -> tuple[bytes, ...]:
    words: list[bytes] = []
    at = 0
    while at < len(packed):
        (length,) = LENGTH.unpack_from(packed, at)
        at += LENGTH.size + length
        words.append(packed[at - length : at])
    if at != len(packed):
        raise ValueError("words end within one")
    return tuple(words)
