"""A number from a user is taken as the Python number that it is, or refused."""

from collections.abc import Callable

import numpy as np
import pytest

from smartensemble.checks import plain, positive, whole
from smartensemble.errors import InputTypeError, ParameterError


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
