"""Metadata as bytes."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from smartensemble.client.errors import RedisRuntimeError
from smartensemble.client.metadata import NUMBERS, arguments, decode, encode, fields

#: What SmartRedis 0.6.1 writes, as a server got it.
WRITTEN: dict[str, Any] = {
    "01 000000000000f83f": np.array([1.5]),
    "02 0000c03f 000020c0": np.array([1.5, -2.5], "float32"),
    "03 ffffffff": np.array([-1], "int32"),
    "04 0100000000000000 0200000000000000": np.array([1, 2]),
    "05 ffffffff": np.array([2**32 - 1], "uint32"),
    "06 ffffffffffffffff": np.array([2**64 - 1], "uint64"),
    "07 0100000000000000 78 0100000000000000 79": ["x", "y"],
    "07 0200000000000000 c385": ["\u00c5"],
    "07 0000000000000000": [""],
}

NUMBER_FIELDS = st.sampled_from(list(NUMBERS.values())).flatmap(lambda dtype: hnp.arrays(dtype, st.integers(1, 9)))


@pytest.mark.parametrize("written", WRITTEN)
def test_a_field_is_written_as_smartredis_writes_it(written: str) -> None:
    field = WRITTEN[written]

    assert encode(field) == bytes.fromhex(written)
    np.testing.assert_array_equal(decode(bytes.fromhex(written)), field, strict=isinstance(field, np.ndarray))


@given(field=NUMBER_FIELDS | st.lists(st.text(st.characters(codec="utf-8"))))
def test_what_was_written_is_read(field: Any) -> None:
    found = decode(encode(field))

    assert type(found) is type(field)
    np.testing.assert_array_equal(found, field)


def test_numbers_of_another_byte_order_are_written_in_the_order_of_the_wire() -> None:
    assert encode(np.array([1], ">i8")) == encode(np.array([1]))


@pytest.mark.parametrize(
    "value",
    ["", "01", "00 00", "08 0100000000000000", "01 00000000", "03 0000000000", "07 02", "07 0200000000000000 78", "2a"],
)
def test_bytes_that_are_no_field_are_an_error(value: str) -> None:
    with pytest.raises(RedisRuntimeError, match=r"^\d+ bytes: are no metadata of a dataset; "):
        decode(bytes.fromhex(value))


def test_the_mark_of_a_complete_dataset_is_no_field() -> None:
    hashed = [*arguments({"unit": ["K"], "step": np.array([7])}), b".COMPLETE", b"1"]

    assert fields(hashed) == {"unit": ["K"], "step": np.array([7])}


def test_names_that_are_no_text_survive() -> None:
    assert arguments(fields([b"\xff", encode(["K"])])) == [b"\xff", encode(["K"])]
