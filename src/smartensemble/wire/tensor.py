"""A tensor as the bytes that the database stores, and back.

The bytes are those of the array in C order, and behind them a trailer: the dimensions (8 bytes each), the type (a character of
`struct <https://docs.python.org/3/library/struct.html#format-characters>`_, or ``s`` for strings, each ended by a zero byte),
the rank, and ``TENSOR``. All numbers are little-endian. ``inference/module.c`` writes and reads the same.
"""

from functools import lru_cache
from math import prod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from smartensemble.errors import InputTypeError, InputValueError, NotATensorError, public, shown
from smartensemble.wire.strings import join, split

__all__ = ["decode", "encode"]  # what a user calls; the client uses more

MAGIC = b"TENSOR"
MAX_RANK = 32
TYPES = {ord(code): np.dtype(f"<{code}") for code in "fdbhiqBH?"}
CODES = {dtype.str: code for code, dtype in TYPES.items()}
STRING = ord("s")


@public
def encode(array: ArrayLike) -> bytes:
    """The bytes of a tensor.

    :param array: an array with elements, of at most 32 dimensions, or nested lists of one length. Its dtype is float32,
        float64, int8, int16, int32, int64, uint8, uint16 or bool, in any byte order; or text.
    :returns: its elements in C order, little-endian, and behind them its shape and dtype.
    :raises InputTypeError: it is no array, or has another dtype.
    :raises InputValueError: it has no elements, too many dimensions, or text that cannot be stored.

    >>> encode(np.array([[1, 2, 3]], dtype="uint8")).hex(" ", 8)
    '010203 0100000000000000 0300000000000000 420254454e534f52'
    """
    try:
        tensor = np.asarray(array)
    except (ValueError, TypeError, MemoryError) as error:
        raise InputTypeError(f"encode: {shown(array)} is no array ({error}); give one, or nested lists of one length") from None
    if not tensor.size or tensor.ndim > MAX_RANK:
        raise InputValueError(f"tensor of shape {tensor.shape}: cannot be stored; give elements, in at most 32 dimensions")
    data: bytes | memoryview
    if tensor.dtype.kind == "U":
        code, data = STRING, join(tensor, "tensor of strings")
    else:
        little = tensor.dtype.newbyteorder("<")
        if little.str not in CODES:
            known = ", ".join(dtype.name for dtype in TYPES.values())
            raise InputTypeError(f"tensor of {tensor.dtype}: cannot be stored; there are {known}, str")
        code, data = CODES[little.str], np.asarray(tensor, little, order="C").data
    # One join copies a large array once: it is the largest part of what a run of a small model on it costs.
    return b"".join((data, _trailer(code, tensor.shape)))


@public
def decode(value: bytes | memoryview) -> NDArray[Any]:
    """The tensor that bytes hold: a view of them, which cannot be written to. Strings are copied.

    :param value: what `encode` or the database returned.
    :returns: an array of the shape and dtype that was encoded.
    :raises InputTypeError: it is no bytes.
    :raises NotATensorError: the bytes are no tensor, or not a whole one.

    >>> decode(encode([[1.5, 2.5]]))
    array([[1.5, 2.5]])
    >>> decode(b"written by SET")
    Traceback (most recent call last):
    smartensemble.errors.NotATensorError: 14 bytes: are no tensor; read what AI.TENSORSET or encode wrote
    """
    if not isinstance(value, (bytes, bytearray, memoryview)):
        raise InputTypeError(f"decode: {shown(value)} is no bytes; give what encode or the database returned")
    if len(value) >= 8:
        end = max(0, len(value) - 8 - 8 * value[-7])
        shape, dtype, size = _form(bytes(value[end:]))
        if size == end:
            return np.ndarray(shape, dtype, value)
        if dtype.kind == "U" and (data := bytes(value[:end])).count(b"\0") == prod(shape) and data.endswith(b"\0"):
            return split(data[:-1], shape)
    raise NotATensorError(f"{len(value)} bytes: are no tensor; read what AI.TENSORSET or encode wrote")


# Trailers repeat from run to run of a model, and to read one takes as long as to run a small model.
@lru_cache(maxsize=256)
def _form(trailer: bytes) -> tuple[tuple[int, ...], np.dtype[Any], int | None]:
    """The shape, the type and the bytes of the tensor before a trailer; of strings, and if it is no trailer, no bytes."""
    code, rank = trailer[-8], trailer[-7]
    if trailer[-6:] == MAGIC and len(trailer) == 8 + 8 * rank and rank <= MAX_RANK and (code in TYPES or code == STRING):
        shape = tuple(np.frombuffer(trailer, "<q", rank).tolist())
        if all(dimension > 0 for dimension in shape):
            dtype = TYPES.get(code, np.dtype(np.str_))
            return shape, dtype, prod(shape) * dtype.itemsize if code in TYPES else None
    return (), np.dtype(np.void), None


@lru_cache(maxsize=256)
def _trailer(code: int, shape: tuple[int, ...]) -> bytes:
    return np.array(shape, "<q").tobytes() + bytes([code, len(shape)]) + MAGIC
