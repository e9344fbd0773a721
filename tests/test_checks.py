"""A number from a user is taken as the Python number that it is, or refused."""

from collections.abc import Callable
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from smartensemble.checks import FOREVER_S, empty, flag, listed, plain, positive, read, span, whole, writable
from smartensemble.errors import (
    AccessError,
    InputTypeError,
    InputValueError,
    MissingFileError,
    ParameterError,
    SmartEnsembleError,
)
from worlds.strangers import NO_FILES


@pytest.mark.parametrize("value", [1, 4, 10**30, np.int64(4), np.uint8(4)])
def test_a_count_is_a_python_int(value: int) -> None:
    assert type(positive("replicas", value)) is int
    assert positive("replicas", value) == value


@pytest.mark.parametrize("value", [0, -1, True, False, -(10**30)])
def test_a_whole_number_that_is_no_count_is_a_value_error(value: int) -> None:
    with pytest.raises(ParameterError) as caught:
        positive("replicas", value)

    assert str(caught.value) == f"replicas: {value!r} is not a whole number above zero; for example replicas=4"


@pytest.mark.parametrize("check", [positive, whole])
@pytest.mark.parametrize("value", [2.0, "2", None, [2], float("nan"), b"2", np.float64(2), np.array([1, 2])])
def test_what_is_no_whole_number_is_a_type_error(check: Callable[[str, object], int], value: object) -> None:
    with pytest.raises(InputTypeError, match=r"^replicas: .* is not a whole number"):
        check("replicas", value)


def test_a_seed_may_be_zero_but_neither_negative_nor_a_claim() -> None:
    assert [whole("seed", value) for value in (0, 7, np.int64(7), 10**30)] == [0, 7, 7, 10**30]
    for value in (-1, True, False):
        with pytest.raises(ParameterError, match=f"^seed: {value} is not a whole number, zero or more; for example seed=7"):
            whole("seed", value)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_a_numpy_float_becomes_the_number_that_prints_the_same(dtype: Callable[[float], object]) -> None:
    value = dtype(0.1)

    number = plain(value)

    assert type(number) is float
    assert str(number) == str(value)


# --- words, flags, times ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("check", [positive, whole])
def test_a_number_that_nobody_can_write_down_is_no_count(check: Callable[[str, object], int]) -> None:
    with pytest.raises(ParameterError, match=r"^replicas: an int that cannot be shown is larger than anything"):
        check("replicas", 10**5000)


@pytest.mark.parametrize("value", [True, np.True_, 1, np.int64(1), np.array(True)])
def test_a_flag_is_taken_as_the_truth_value_that_it_is(value: object) -> None:
    assert flag("block", value) is True
    assert flag("block", False) is flag("block", 0) is False


@pytest.mark.parametrize("value", ["no", "", None, 2, -1, 1.0, [], [True], np.array([True, False]), float("nan")])
def test_what_is_neither_true_nor_false_is_no_flag(value: object) -> None:
    with pytest.raises(InputTypeError, match=r"^block: .* is neither True nor False; give one of them"):
        flag("block", value)


@pytest.mark.parametrize("value", [0, 1, 0.5, np.float32(0.5), np.int8(3), 10**400, float("inf")])
def test_a_time_to_wait_is_any_number_from_zero_on(value: float) -> None:
    assert type(span("timeout", value)) is float
    assert span("timeout", value) == min(float(str(value)) if not isinstance(value, int) else value, FOREVER_S)


@pytest.mark.parametrize("value", [float("nan"), -1, -0.5, float("-inf"), pytest.param(-(10**5000), id="huge")])
def test_a_number_that_is_no_time_is_a_value_error(value: float) -> None:
    with pytest.raises(InputValueError, match=r"^timeout: .* is no time; give seconds, zero or more"):
        span("timeout", value)


@pytest.mark.parametrize("value", ["x", "10", True, None, b"1", [1], 1j, np.array([1])])
def test_what_is_no_number_of_seconds_is_a_type_error(value: object) -> None:
    with pytest.raises(InputTypeError, match=r"^timeout: .* is no number of seconds; for example"):
        span("timeout", value)


@pytest.mark.parametrize(
    ("value", "items"), [([1], [1]), ((1, 2), [1, 2]), (iter("ab"), ["a", "b"]), (range(2), [0, 1]), ([], [])]
)
def test_a_list_is_whatever_has_items_in_order(value: object, items: list[object]) -> None:
    assert listed(value) == items


@pytest.mark.parametrize("value", ["ab", b"ab", {1}, {1: 2}, 1, None, np.array(1), range(10**18), count()])
def test_what_has_no_items_or_no_order_or_no_end_is_no_list(value: object) -> None:
    assert listed(value) is None


@pytest.mark.parametrize("value", [None, "", 0, False, [], ()])
def test_what_says_that_nothing_is_given_is_empty(value: object) -> None:
    assert empty(value)


@pytest.mark.parametrize("value", ["x", 1, [0], np.array([0]), np.array([]), object()])
def test_what_may_say_something_is_not_empty(value: object) -> None:
    assert not empty(value)


def test_a_masked_value_and_a_scalar_of_another_library_stay_what_they_are() -> None:
    class Elsewhere:
        ndim = 0

        def item(self) -> float:
            raise RuntimeError("its value is on another device")

    assert plain(np.ma.masked) is np.ma.masked
    assert plain(made := Elsewhere()) is made
    assert plain(np.ma.masked_equal([1, 2], 2)[0]) == 1  # type: ignore[no-untyped-call]


# --- files --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", NO_FILES)
def test_what_is_no_file_is_not_read(tmp_path: Path, kind: str) -> None:
    NO_FILES[kind](path := tmp_path / "it")

    with pytest.raises((AccessError, MissingFileError), match=f"^hosts: .*{path}.*; (give|move)"):
        read(path, "hosts")


@pytest.mark.parametrize("name", ["a\0b", "\ud800", "x" * 300, "/no/such/file", "/dev/null/x"])
def test_what_names_no_file_is_not_read(name: str) -> None:
    with pytest.raises(SmartEnsembleError, match=r"^hosts: .*; (give|move)"):
        read(name, "hosts")


def test_what_is_no_place_for_a_file_is_not_written(tmp_path: Path) -> None:
    for kind in ("directory", "fifo", "socket"):
        NO_FILES[kind](tmp_path / kind)
        with pytest.raises(AccessError, match=r"^preview: .* is a .*; give the path of a file"):
            writable("preview", tmp_path / kind)

    assert writable("preview", "/dev/null") == "/dev/null"
    assert writable("preview", tmp_path / "new") == str(tmp_path / "new")
