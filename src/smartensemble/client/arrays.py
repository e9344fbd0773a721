"""Arrays as a database takes them, and what it answers as arrays: pure, but for the memory that a reply is received into."""

import re
from functools import lru_cache
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from smartensemble.client.connection import APART_BYTES, Argument, Buffer, Connection, pack
from smartensemble.client.errors import RedisBadAllocError, RedisInternalError
from smartensemble.errors import InputTypeError, InputValueError, shown
from smartensemble.wire.strings import join, split
from smartensemble.wire.tensor import MAX_RANK

#: The types of the wire, and what they are in memory.
TYPES: dict[str, np.dtype[Any]] = {
    "FLOAT": np.dtype("<f4"),
    "DOUBLE": np.dtype("<f8"),
    "INT8": np.dtype("i1"),
    "INT16": np.dtype("<i2"),
    "INT32": np.dtype("<i4"),
    "INT64": np.dtype("<i8"),
    "UINT8": np.dtype("u1"),
    "UINT16": np.dtype("<u2"),
    "BOOL": np.dtype("?"),
}
NAMES = {dtype: name for name, dtype in TYPES.items()}
STRING = "STRING"
#: What to do about a type that no database stores.
INSTEAD = {
    "c": "put x.real and x.imag, each under a name of its own",
    "f": "put x.astype('float32'), or 'float64'",
    "u": "put x.astype('int64'), if no element is too large for it",
    "S": "put x.astype(str), or np.frombuffer(x, 'uint8') for bytes that are no text",
    "M": "put x.astype('int64'), and the unit beside it",
    "m": "put x.astype('int64'), and the unit beside it",
}

#: What precedes the elements in the reply to AI.TENSORGET name META BLOB.
HEAD = re.compile(
    rb"\*6\r\n\$5\r\ndtype\r\n\$\d+\r\n(\w+)\r\n\$5\r\nshape\r\n\*\d+\r\n((?::\d+\r\n)*)\$4\r\nblob\r\n\$(\d+)\r\n"
)


class Form(NamedTuple):
    """The type and shape of a stored tensor; of strings, no type."""

    dtype: np.dtype[Any] | None
    shape: tuple[int, ...]


def as_array(name: str, data: ArrayLike) -> NDArray[Any]:
    """`data` as an array in C order of a type that a database stores.

    >>> as_array("rho", [1, 2]).dtype, as_array("raw", b"ab"), as_array("t", np.eye(2, order="F")).flags.c_contiguous
    (dtype('int64'), array([97, 98], dtype=uint8), True)
    """
    if isinstance(data, (bytes, bytearray, memoryview)):
        data = np.frombuffer(data, np.uint8)
    if getattr(getattr(data, "mask", None), "any", bool)():
        raise InputTypeError(f"{name}: has masked elements; put x.filled(...), or x.data and x.mask")
    try:
        array = np.asarray(data, order="C")
    except Exception as error:
        raise InputTypeError(f"{name}: {shown(data)} is no array ({error}); give one, or nested lists of one length") from None
    if not array.size or array.ndim > MAX_RANK:
        raise InputValueError(f"{name}: has shape {array.shape}; give an array with elements, in at most {MAX_RANK} dimensions")
    if array.dtype not in NAMES and array.dtype.kind != "U":
        little = array.dtype.newbyteorder("<")
        if little not in NAMES:
            instead = INSTEAD.get(array.dtype.kind, "put arrays of numbers, of True and False, or of text")
            raise InputTypeError(f"{name}: {array.dtype} cannot be stored; {instead}")
        array = array.astype(little)
    return array


def store(name: str, key: bytes, array: NDArray[Any]) -> list[Buffer]:
    """The command that stores an array of `as_array`, as bytes; the elements are not copied if they are many."""
    if array.dtype.kind == "U":
        return pack(command(name, key, array))
    before = begin(key, NAMES[array.dtype], array.shape, array.nbytes)
    if array.nbytes < APART_BYTES:
        return [b"".join((before, array.data, b"\r\n"))]
    return [before, array.data.cast("B") if array.ndim else array.data, b"\r\n"]


def command(name: str, key: bytes, array: NDArray[Any]) -> tuple[Argument, ...]:
    """The command that stores an array of `as_array`, to be sent with others.

    >>> command("x", b"k", np.array([[1, 2]], "uint8"))[:6]
    ('AI.TENSORSET', b'k', 'UINT8', 1, 2, 'BLOB')
    """
    if array.dtype.kind == "U":
        return ("AI.TENSORSET", key, STRING, *array.shape, "BLOB", join(array, name))
    return ("AI.TENSORSET", key, NAMES[array.dtype], *array.shape, "BLOB", array.reshape(-1).data.cast("B"))


@lru_cache(maxsize=256)
def begin(key: bytes, dtype: str, shape: tuple[int, ...], size: int) -> bytes:
    """What precedes the elements of a tensor in the command that stores it: often the same, and longer to make than to send."""
    words = (b"AI.TENSORSET", key, dtype.encode(), *(b"%d" % dimension for dimension in shape), b"BLOB")
    return b"*%d\r\n%s$%d\r\n" % (len(words) + 1, b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words), size)


@lru_cache(maxsize=256)
def form_of(dtype: bytes, dimensions: bytes) -> Form:
    """The type and shape that the head of a reply names."""
    shape = tuple(int(dimension[1:]) for dimension in dimensions.split())
    return Form(TYPES.get(dtype.decode()), shape)


class Receiver:
    """Reads the reply to AI.TENSORGET into an array: a new one, or `out` if that has its type and shape."""

    array: NDArray[Any]
    form: Form
    memory: memoryview
    unfit: bytes

    def __init__(self, name: str, out: NDArray[Any] | None = None) -> None:
        self.name, self.out = name, out

    def __call__(self, connection: Connection) -> NDArray[Any]:
        """The array."""
        self.unfit = b""
        connection.read_into(HEAD, self.place)
        if self.unfit:
            raise RedisInternalError(f"{self.name}: has {self.unfit.decode()}; read it with another client")
        if self.form.dtype is None:
            self.array = split(bytes(self.memory[:-1]), self.form.shape)
        if self.out is not None and self.array is not self.out:
            found = f"{self.array.dtype} of shape {self.array.shape}"
            raise InputValueError(
                f"{self.name}: is {found}, and out is {self.out.dtype} of shape {self.out.shape}; give an array that fits"
            )
        return self.array

    def place(self, match: re.Match[bytes]) -> memoryview:
        """The memory for what follows the head of a reply."""
        dtype, dimensions, size = match.groups()
        self.form, count = form_of(dtype, dimensions), int(size)
        known, shape = self.form
        if known is not None and prod(shape) * known.itemsize == count:
            fits = self.out is not None and (self.out.dtype, self.out.shape) == (known, shape)
            self.array = self.out if fits and self.out is not None else self._new(shape, known)
            return self.array.reshape(-1).data.cast("B")
        self.unfit = b"" if dtype == STRING.encode() else b"%d bytes of %s" % (count, dtype)
        self.memory = self._new((count,), np.dtype(np.uint8)).data
        return self.memory

    def _new(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
        try:
            return np.empty(shape, dtype)
        except MemoryError as error:
            raise RedisBadAllocError(f"{self.name}: {error}; read it where there is more memory") from None


def check_out(out: object) -> NDArray[Any] | None:
    """`out`, if a tensor can be received into it."""
    if out is None:
        return None
    if not isinstance(out, np.ndarray):
        raise InputTypeError(f"out: {shown(out)} is no array; give one of NumPy's, or leave it out")
    if not out.flags.c_contiguous or not out.flags.writeable or out.dtype not in NAMES:
        why = (
            "cannot be written to"
            if not out.flags.writeable
            else "is not in C order"
            if out.dtype in NAMES
            else "has another type"
        )
        raise InputValueError(f"out: {why}; give np.empty(shape, dtype), of the tensor's type and shape")
    return out
