"""Arrays that are no tensors, and bytes that are none.

Tests strings.
"""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from smartensemble.errors import InputTypeError, InputValueError, NotATensorError
from smartensemble.wire.tensor import decode, encode

GOOD = encode(np.array([1, 2], dtype="int8"))


ARRAYS = [np.array(["a", "b"]), np.array(2.5), np.array([[1], [2]], dtype=">i4"), np.arange(6).reshape(2, 3).T, np.array("")]


@pytest.mark.parametrize("array", ARRAYS)
def test_an_array_comes_back_in_c_order_whatever_its_own(array: NDArray[Any]) -> None:
    found = decode(encode(array))

    assert found.shape == array.shape
    assert found.tolist() == array.tolist()


def test_a_decoded_tensor_is_a_view() -> None:
    assert np.shares_memory(decode(GOOD), np.frombuffer(GOOD, "int8"))


@pytest.mark.parametrize("array", ARRAYS)
def test_a_tensor_is_read_from_memory_that_is_shared(array: NDArray[Any]) -> None:
    np.testing.assert_array_equal(decode(memoryview(bytearray(encode(array)))), array)


@pytest.mark.parametrize("dtype", ["float16", "uint32", "uint64", "complex64", "datetime64[s]", "object", "S3"])
def test_a_type_that_redisai_does_not_have_is_refused(dtype: str) -> None:
    with pytest.raises(InputTypeError, match=r"cannot be stored; there are float32, float64, int8"):
        encode(np.zeros(2, dtype))


def test_a_shape_that_redisai_does_not_have_is_refused() -> None:
    with pytest.raises(InputValueError, match=r"shape \(0,\)"):
        encode([])


def test_a_string_with_a_zero_byte_inside_is_refused() -> None:
    with pytest.raises(InputValueError, match="zero byte"):
        encode(["a\0b"])


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"TENSOR",
        GOOD[1:],
        b"x" + GOOD,
        GOOD[:-1] + b"r",
        GOOD[:-8] + b"z\x01TENSOR",
        GOOD[:-8] + b"b\x02TENSOR",
        GOOD[:-8] + b"b\x21TENSOR",
        GOOD[:-8] + b"s\x01TENSOR",
        b"b\x00TENSOR",
        bytes(8) + b"b\x01TENSOR",
        (-1).to_bytes(8, "little", signed=True) * 2 + b"b\x02TENSOR",
        (2**32).to_bytes(8, "little") * 2 + b"b\x02TENSOR",
    ],
)
def test_bytes_that_are_no_tensor_are_refused(value: bytes) -> None:
    with pytest.raises(NotATensorError, match=r"bytes: are no tensor"):
        decode(value)
