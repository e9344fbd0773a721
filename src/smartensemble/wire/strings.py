"""Texts as the bytes of a tensor, each ended by a zero byte, and back."""

import numpy as np
from numpy.typing import NDArray

from smartensemble.errors import InputValueError


def join(tensor: NDArray[np.str_], subject: str) -> bytes:
    """The strings of a tensor, each with a zero byte at its end."""
    texts = [str(text) for text in tensor.flat]
    if any("\0" in text for text in texts):
        raise InputValueError(f"{subject}: a string has a zero byte; that is what ends a string")
    try:
        return b"".join(text.encode("utf-8", "surrogateescape") + b"\0" for text in texts)
    except UnicodeEncodeError:
        raise InputValueError(f"{subject}: a string has half of a surrogate pair; give whole characters") from None


def split(data: bytes, shape: tuple[int, ...]) -> NDArray[np.str_]:
    """The strings of a tensor, from their bytes without the last one."""
    return np.array([text.decode("utf-8", "surrogateescape") for text in data.split(b"\0")], dtype=np.str_).reshape(shape)
