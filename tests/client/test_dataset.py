"""A dataset in memory: what was added is what is found, and nothing is shared with the caller.

Tests arguments.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from smartensemble.client import Dataset
from smartensemble.client.dataset import contents, restored
from smartensemble.client.errors import RedisKeyError, RedisReplyError, RedisRuntimeError
from smartensemble.errors import InputTypeError, InputValueError

NUMBER_TYPES = ["float64", "float32", "int32", "int64", "uint32", "uint64"]


@pytest.fixture
def melt() -> Dataset:
    made = Dataset("melt")
    made.add_tensor("energy", np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]))
    made.add_tensor("step", np.array([1], "uint16"))
    made.add_meta_scalar("seed", 7)
    made.add_meta_string("unit", "K")
    return made


def test_a_dataset_tells_what_it_has(melt: Dataset) -> None:
    assert melt.get_name() == "melt"
    assert melt.get_tensor_names() == ["energy", "step"]
    assert melt.get_tensor_dims("energy") == [3, 2]
    assert [melt.get_tensor_type(name) for name in melt.get_tensor_names()] == [np.float64, np.uint16]
    assert melt.get_metadata_field_names() == ["seed", "unit"]
    assert [melt.get_metadata_field_type(name) for name in melt.get_metadata_field_names()] == [np.int64, str]
    assert repr(melt) == "Dataset('melt', tensors=['energy', 'step'], metadata=['seed', 'unit'])"
    assert str(melt).splitlines() == [
        "Dataset melt",
        "tensors:",
        "  energy: float64 (3, 2)",
        "  step: uint16 (1,)",
        "metadata:",
        "  seed: int64 [1]",
        "  unit: str [1]",
    ]
    assert str(Dataset("empty")).splitlines() == ["Dataset empty", "tensors:", "  none", "metadata:", "  none"]


def test_a_change_of_an_array_that_was_added_or_found_changes_no_dataset(melt: Dataset) -> None:
    array = np.array([1, 2])

    melt.add_tensor("array", array)
    array[0] = 9
    melt.get_tensor("array")[1] = 9

    assert melt.get_tensor("array").tolist() == [1, 2]


@pytest.mark.parametrize(
    "array",
    [
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.arange(6.0).reshape(2, 3).T,
        np.arange(9)[::2],
        np.arange(9)[::-1],
        np.arange(3, dtype=">i4"),
    ],
    ids=["fortran", "transposed", "strided", "reversed", "big-endian"],
)
def test_elements_keep_their_places_whatever_the_order_in_memory(array: Any) -> None:
    made = Dataset("order")
    made.add_tensor("x", array)

    np.testing.assert_array_equal(made.get_tensor("x"), array)
    assert made.get_tensor("x").flags.c_contiguous
    assert made.get_tensor_type("x") is array.dtype.type


@pytest.mark.parametrize("dtype", NUMBER_TYPES)
def test_numbers_keep_their_type_and_their_order(dtype: str) -> None:
    made = Dataset("numbers")
    largest = np.finfo(dtype).max if dtype.startswith("float") else np.iinfo(dtype).max
    values = np.array([0, largest, 3], dtype)

    for value in values:
        made.add_meta_scalar("n", value)

    np.testing.assert_array_equal(made.get_meta_scalars("n"), values, strict=True)
    assert made.get_metadata_field_type("n") is np.dtype(dtype).type


@pytest.mark.parametrize(("value", "dtype"), [(1, "int64"), (1.5, "float64"), (2**63, "uint64"), ([4], "int64"), (-1, "int64")])
def test_a_number_of_python_has_a_type_too(value: Any, dtype: str) -> None:
    made = Dataset("numbers")

    made.add_meta_scalar("n", value)

    np.testing.assert_array_equal(made.get_meta_scalars("n"), np.array([value], dtype).reshape(1), strict=True)


def test_texts_are_a_list_of_their_own(melt: Dataset) -> None:
    melt.add_meta_string("unit", "\u00c5ngstr\u00f6m")

    melt.get_meta_strings("unit").append("more")

    assert melt.get_meta_strings("unit") == ["K", "\u00c5ngstr\u00f6m"]


#: What raises which error; SmartRedis 0.6.1 raises the class of this name, or TypeError, where it does not crash.
WRONG: dict[str, tuple[type[Exception], Callable[[Dataset], object]]] = {
    "unknown tensor": (RedisKeyError, lambda d: d.get_tensor("energi")),
    "unknown tensor's type": (RedisKeyError, lambda d: d.get_tensor_type("energi")),
    "unknown tensor's shape": (RedisKeyError, lambda d: d.get_tensor_dims("energi")),
    "tensor of a taken name": (RedisRuntimeError, lambda d: d.add_tensor("energy", np.zeros(1))),
    "tensor without a name": (RedisRuntimeError, lambda d: d.add_tensor("", np.zeros(1))),
    "tensor that is no array": (InputTypeError, lambda d: d.add_tensor("x", [[1], [1, 2]])),
    "tensor whose name is a number": (InputTypeError, lambda d: d.add_tensor(1, np.zeros(1))),  # type: ignore[arg-type]
    "tensor of objects": (InputTypeError, lambda d: d.add_tensor("x", np.array([None]))),
    "tensor without elements": (InputValueError, lambda d: d.add_tensor("x", np.zeros((2, 0)))),
    "unknown field of numbers": (RedisRuntimeError, lambda d: d.get_meta_scalars("sed")),
    "unknown field of texts": (RedisRuntimeError, lambda d: d.get_meta_strings("sed")),
    "unknown field's type": (RedisKeyError, lambda d: d.get_metadata_field_type("sed")),
    "numbers that are texts": (RedisRuntimeError, lambda d: d.get_meta_scalars("unit")),
    "texts that are numbers": (RedisRuntimeError, lambda d: d.get_meta_strings("seed")),
    "number in a field of texts": (RedisRuntimeError, lambda d: d.add_meta_scalar("unit", 1)),
    "text in a field of numbers": (RedisRuntimeError, lambda d: d.add_meta_string("seed", "a")),
    "float in a field of ints": (RedisRuntimeError, lambda d: d.add_meta_scalar("seed", 1.5)),
    "bool as a number": (InputTypeError, lambda d: d.add_meta_scalar("b", True)),
    "text as a number": (InputTypeError, lambda d: d.add_meta_scalar("b", "1")),  # type: ignore[arg-type]
    "no number": (InputTypeError, lambda d: d.add_meta_scalar("b", [])),  # type: ignore[arg-type]
    "two numbers": (InputTypeError, lambda d: d.add_meta_scalar("b", [1, 2])),  # type: ignore[arg-type]
    "nested lists of two lengths": (InputTypeError, lambda d: d.add_meta_scalar("b", [[1], [1, 2]])),  # type: ignore[arg-type]
    "number too large": (InputTypeError, lambda d: d.add_meta_scalar("b", 2**64)),
    "int8": (InputTypeError, lambda d: d.add_meta_scalar("b", np.int8(1))),  # type: ignore[arg-type]
    "number as a text": (InputTypeError, lambda d: d.add_meta_string("b", 1)),  # type: ignore[arg-type]
    "field of the client's own": (InputValueError, lambda d: d.add_meta_string(".tensor_names", "x")),
    "mark of the client's own": (InputValueError, lambda d: d.add_meta_scalar(".COMPLETE", 1)),
    "name that is a number": (InputTypeError, lambda d: Dataset(3)),  # type: ignore[arg-type]
    "data that is no dataset": (InputTypeError, lambda d: d.set_data("melt")),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_an_error_and_changes_nothing(what: str, melt: Dataset) -> None:
    kind, call = WRONG[what]
    before = str(melt)

    with pytest.raises(kind, match=r"(?s)^Dataset.*: .+; .+"):
        call(melt)

    assert str(melt) == before


def test_errors_of_a_dataset_are_what_except_lines_for_smartredis_catch(melt: Dataset) -> None:
    with pytest.raises(RedisReplyError):
        melt.get_tensor("missing")
    with pytest.raises(RuntimeError):
        melt.get_meta_strings("missing")


def test_an_unknown_name_is_answered_with_the_likely_one(melt: Dataset) -> None:
    with pytest.raises(
        RedisKeyError, match=r"^Dataset 'melt'.get_tensor: there is no tensor 'energi'; did you mean 'energy'\?"
    ):
        melt.get_tensor("energi")
    with pytest.raises(RedisKeyError, match=r"there is no tensor 'x'; add it first: there is none$"):
        Dataset("empty").get_tensor("x")


def test_a_dataset_is_made_from_what_another_has(melt: Dataset) -> None:
    made = Dataset.from_pybind(melt.get_data())
    other = Dataset("other")
    other.add_tensor("old", np.zeros(1))
    other.set_data(melt)
    made.add_meta_string("unit", "mK")
    made.add_tensor("more", np.zeros(1))

    assert str(other) == str(melt) != str(made)
    assert made.get_name() == other.get_name() == "melt"
    assert melt.get_meta_strings("unit") == ["K"]


def test_what_is_stored_is_the_metadata_with_the_names_of_the_tensors(melt: Dataset) -> None:
    fields, tensors = contents(melt)

    assert {name: list(values) for name, values in fields.items()} == {
        "seed": [7],
        "unit": ["K"],
        ".tensor_names": ["energy", "step"],
    }
    assert list(tensors) == ["energy", "step"]
    assert str(restored("melt", fields, tensors)) == str(melt)
    assert ".tensor_names" not in contents(Dataset("none"))[0]
