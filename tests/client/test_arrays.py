"""What a database stores is checked before it is sent, and the message says what to do instead."""

from typing import Any

import numpy as np
import pytest

from smartensemble.client.arrays import as_array
from smartensemble.errors import InputTypeError, InputValueError


def masked(mask: list[int]) -> Any:
    """An array of two elements, some of them masked."""
    module: Any = np.ma
    return module.array([1, 2], mask=mask)


REFUSED: dict[str, tuple[Any, type[Exception], str]] = {
    "complex": (np.array([1j]), InputTypeError, "x: complex128 cannot be stored; put x.real and x.imag"),
    "complex64": (np.array([1j], "complex64"), InputTypeError, "x: complex64 .* put x.real and x.imag"),
    "half": (np.array([1], "float16"), InputTypeError, "x: float16 .* put x.astype"),
    "long": (np.array([1], "longdouble"), InputTypeError, "put x.astype"),
    "unsigned": (np.array([1], "uint32"), InputTypeError, "x: uint32 .* put x.astype"),
    "unsigned 64": (np.array([2**63]), InputTypeError, "x: uint64 .* put x.astype"),
    "bytes of an array": (np.array([b"a"]), InputTypeError, "put x.astype.str., or np.frombuffer"),
    "objects": (np.array([object()]), InputTypeError, "put arrays of numbers"),
    "times": (np.array(["2020-01-01"], "datetime64[s]"), InputTypeError, "put x.astype"),
    "records": (np.zeros(2, [("a", "f8")]), InputTypeError, "put arrays of numbers"),
    "None": (None, InputTypeError, "put arrays of numbers"),
    "ragged": ([[1], [1, 2]], InputTypeError, "x: .* is no array"),
    "masked": (masked([0, 1]), InputTypeError, "x: has masked elements; put x.filled"),
    "empty": (np.zeros((3, 0)), InputValueError, r"x: has shape \(3, 0\); give an array with elements"),
    "an empty list": ([], InputValueError, r"x: has shape \(0,\); give"),
    "no bytes": (b"", InputValueError, r"x: has shape \(0,\); give"),
}


@pytest.mark.parametrize(("data", "error", "message"), REFUSED.values(), ids=REFUSED)
def test_what_no_database_stores_is_refused(data: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        as_array("x", data)


def test_an_array_that_can_be_sent_is_not_copied() -> None:
    array = np.arange(10.0)

    assert as_array("x", array) is array
    assert as_array("x", masked([0, 0])).tolist() == [1, 2]
