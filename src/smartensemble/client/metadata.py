"""The metadata of a dataset as the bytes that the database stores, and back.

A dataset ``d`` keeps its metadata in the hash ``{d}.meta``, one field for each name. The first byte of a value is the kind of
its elements; behind it numbers lie back to back, and each text lies behind its length. All numbers are little-endian.
SmartRedis 0.6.1 writes and reads the same.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smartensemble.client.errors import RedisRuntimeError

#: The elements of one field: numbers of one type, or texts.
Field = NDArray[Any] | list[str]

NUMBERS = {kind: np.dtype(f"<{code}") for kind, code in enumerate(("f8", "f4", "i4", "i8", "u4", "u8"), start=1)}
KINDS = {dtype.str: kind for kind, dtype in NUMBERS.items()}
TEXT = 7

#: Fields that no user adds: the names of the tensors, and what is written last, when all of the dataset is there.
TENSOR_NAMES, COMPLETE = ".tensor_names", ".COMPLETE"


def encode(field: NDArray[Any] | Sequence[str]) -> bytes:
    """The bytes of a field.

    >>> encode(np.array([1, 2])).hex(" ", 8)
    '04 0100000000000000 0200000000000000'
    >>> encode(["x"]).hex(" ", 8)
    '0701 0000000000000078'
    """
    if isinstance(field, np.ndarray):
        little = field.dtype.newbyteorder("<")
        return bytes([KINDS[little.str]]) + np.asarray(field, little).tobytes()
    texts = [text.encode("utf-8", "surrogateescape") for text in field]
    return bytes([TEXT]) + b"".join(len(text).to_bytes(8, "little") + text for text in texts)


def decode(value: bytes) -> Field:
    """The field that `value` holds; of numbers a view, which cannot be written to.

    >>> decode(encode(np.array([1.5, 2.5], "float32")))
    array([1.5, 2.5], dtype=float32)
    >>> decode(encode(["x", "y"]))
    ['x', 'y']
    """
    kind, data = value[:1], value[1:]
    dtype = NUMBERS.get(kind[0]) if kind else None
    if dtype and data and len(data) % dtype.itemsize == 0:
        return np.frombuffer(data, dtype)
    if kind == bytes([TEXT]) and (texts := _texts(data)) is not None:
        return texts
    raise RedisRuntimeError(f"{len(value)} bytes: are no metadata of a dataset; read what put_dataset wrote")


def _texts(data: bytes) -> list[str] | None:
    """The texts that `data` holds, or None if it ends within one."""
    found, start = [], 0
    while start < len(data):
        begin = start + 8
        start = begin + int.from_bytes(data[start:begin], "little")
        found.append(data[begin:start].decode("utf-8", "surrogateescape"))
    return found if start == len(data) else None


def fields(reply: Sequence[bytes]) -> dict[str, Field]:
    """The fields of the hash of a dataset, from the reply to HGETALL: names and values in turn.

    >>> fields([b"unit", encode(["K"]), b".COMPLETE", b"1"])
    {'unit': ['K']}
    """
    pairs = zip(reply[::2], reply[1::2], strict=True)
    return {name.decode("utf-8", "surrogateescape"): decode(value) for name, value in pairs if name != COMPLETE.encode()}


def arguments(fields: Mapping[str, Field]) -> list[bytes]:
    """What HSET is given to store the fields: names and values in turn.

    >>> arguments({"unit": ["K"]})
    [b'unit', b'\\x07\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00K']
    """
    return [part for name, field in fields.items() for part in (name.encode("utf-8", "surrogateescape"), encode(field))]
