"""Names and values are taken from params and params_as_args by one rule; what breaks it is answered with a remedy."""

import http
import math
import re
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum, StrEnum
from fractions import Fraction
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from smartensemble import Ensemble, RunSettings
from smartensemble.errors import InputTypeError, InputValueError, ParameterError, SmartEnsembleError
from smartensemble.parameters.resolve import Constant, Params, argument, resolve

STRING = "a name is a string, as in {'T': [1.5, 3.0]}"
NOTHING = "give a dictionary of names and values, a name, or a list of names"


@pytest.mark.parametrize(
    ("params", "params_as_args", "values", "arguments"),
    [
        ({"T": [1, 2]}, None, {"T": [1, 2]}, ()),
        ({"T": [1, 2], "P": 5}, None, {"T": [1, 2], "P": [5]}, ()),
        ({"T": [1, 2]}, "T", {"T": [1, 2]}, ("T",)),
        ({"T": [1, 2], "P": [5]}, ["P"], {"T": [1, 2], "P": [5]}, ("P",)),
        ({"T": [1, 2]}, {"P": [5]}, {"T": [1, 2], "P": [5]}, ("P",)),
        ("THERMO", {"THERMO": [1, 2, 3, 4]}, {"THERMO": [1, 2, 3, 4]}, ("THERMO",)),
        (["T", "P"], {"P": [5], "T": [1]}, {"T": [1], "P": [5]}, ("P", "T")),
        (("T",), {"T": 1}, {"T": [1]}, ("T",)),
        (None, {"T": [1, 2]}, {"T": [1, 2]}, ("T",)),
        ({}, {"T": [1, 2]}, {"T": [1, 2]}, ("T",)),
        ({"T": 1}, ["T", "T"], {"T": [1]}, ("T",)),
        ({"T": 1}, iter(["T"]), {"T": [1]}, ("T",)),
        (None, None, {}, ()),
        ([], {}, {}, ()),
    ],
)
def test_each_parameter_takes_its_values_from_where_they_are(
    params: Params, params_as_args: Params, values: dict[str, list[object]], arguments: tuple[str, ...]
) -> None:
    parameters = resolve("melt", params, params_as_args)

    assert {name: list(column) for name, column in parameters.values.items()} == values
    assert list(parameters.values) == list(values)
    assert parameters.arguments == arguments


@pytest.mark.parametrize(
    ("params", "params_as_args", "message"),
    [
        ("T", None, "parameter 'T' has no values; give them as params_as_args={'T': [...]}"),
        (None, "T", "parameter 'T' has no values; give them as params={'T': [...]}"),
        ("T", "T", "parameter 'T' has no values; give them as params={'T': [...]}"),
        ({"T": 1}, "P", "parameter 'P' has no values; give them as params={'P': [...]}"),
        (["T", "P"], {"T": 1}, "parameter 'P' has no values; give them as params_as_args={'P': [...]}"),
        (
            {"T": [1]},
            {"T": [1]},
            "parameter 'T' has values in params and in params_as_args; "
            "keep one, and only the name in the other: params_as_args='T'",
        ),
    ],
)
def test_values_nowhere_or_in_two_places_are_an_error_with_its_remedy(
    params: Params, params_as_args: Params, message: str
) -> None:
    with pytest.raises(ParameterError) as caught:
        resolve("melt", params, params_as_args)

    assert str(caught.value) == f"melt: {message}"


@pytest.mark.parametrize("word", ["params", "params_as_args"])
@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        (1, InputTypeError, f"is 1; {NOTHING}"),
        (1.5, InputTypeError, f"is 1.5; {NOTHING}"),
        (True, InputTypeError, f"is True; {NOTHING}"),
        (b"T", InputTypeError, f"is b'T'; {NOTHING}"),
        ({"T"}, InputTypeError, f"is {{'T'}}; {NOTHING}"),
        (np.array(3), InputTypeError, f"is array(3); {NOTHING}"),
        (np.array([1]), InputTypeError, f"names a parameter {np.int64(1)!r}; {STRING}"),
        ([1], InputTypeError, f"names a parameter 1; {STRING}"),
        ([None], InputTypeError, f"names a parameter None; {STRING}"),
        ([["T", 1]], InputTypeError, f"names a parameter ['T', 1]; {STRING}"),
        ({1: 2}, InputTypeError, f"names a parameter 1; {STRING}"),
        ({b"T": 2}, InputTypeError, f"names a parameter b'T'; {STRING}"),
        ("", ParameterError, "names a parameter ''; use a word without blanks around it"),
        (" T", ParameterError, "names a parameter ' T'; use a word without blanks around it"),
        ({"T\n": 1}, ParameterError, "names a parameter 'T\\n'; use a word without blanks around it"),
        ({"a\nb": 1}, ParameterError, "names a parameter 'a\\nb'; use a word without blanks around it"),
        ({"a\0b": 1}, ParameterError, "names a parameter 'a\\x00b'; use a word without blanks around it"),
    ],
)
def test_what_names_no_parameter_is_an_error(word: str, given: Params, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        resolve("melt", **{word: given, **({"params": None} if word == "params_as_args" else {})})

    assert str(caught.value) == f"melt: {word} {message}"


@pytest.mark.parametrize(
    ("given", "values"),
    [
        ([1, 2], [1, 2]),
        ((1, 2), [1, 2]),
        (range(3), [0, 1, 2]),
        ({"a": 1, "b": 2}.values(), [1, 2]),
        (iter("ab"), ["a", "b"]),
        ((letter for letter in "ab"), ["a", "b"]),
        (np.arange(3), [0, 1, 2]),
        (np.array([0.1, 0.2], dtype=np.float32), [0.1, 0.2]),
        (np.linspace(0, 1, 3), [0.0, 0.5, 1.0]),
        (np.array(["a", "b"]), ["a", "b"]),
        (np.array([True]), [True]),
        ([1, "1", 1.0], [1, "1", 1.0]),
        ([1, 1], [1, 1]),
        ([10**30], [10**30]),
        (["", "a b", "a\nb", "é;"], ["", "a b", "a\nb", "é;"]),
        ([Path("a")], [Path("a")]),
    ],
)
def test_values_come_from_any_iterable_in_its_order(given: object, values: list[object]) -> None:
    column = resolve("melt", {"T": given}).values["T"]

    assert list(column) == values
    assert [type(value) for value in column] == [type(value) for value in values]
    assert not isinstance(column, Constant)


@pytest.mark.parametrize(
    ("given", "value"),
    [
        (1, 1),
        (1.5, 1.5),
        (True, True),
        ("text", "text"),
        ("", ""),
        (Path("a/b"), Path("a/b")),
        (Fraction(1, 3), Fraction(1, 3)),
        (10**30, 10**30),
        (np.array(3), 3),
        (np.float32(0.1), 0.1),
        (np.int64(3), 3),
        (np.str_("a"), "a"),
    ],
)
def test_what_is_no_iterable_is_one_value_for_all(given: object, value: object) -> None:
    column = resolve("melt", {"T": given}).values["T"]

    assert isinstance(column, Constant)
    assert column == (value,)
    assert type(column[0]) is type(value)


def numbers() -> Iterator[int]:
    yield from ()


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        (None, ParameterError, "is None, which is no value; leave the parameter out, or write 'None'"),
        ([], ParameterError, "is an empty list, which makes no members; give at least one value"),
        (range(0), ParameterError, "is an empty list"),
        (numbers(), ParameterError, "is an empty list"),
        (np.array([]), ParameterError, "is an empty list"),
        (range(10**30), ParameterError, "more values than can be counted; give a shorter range"),
        ("a\0b", ParameterError, "a NUL character, which no program can receive; take it out"),
        (["a", "\0"], ParameterError, "a NUL character, which no program can receive; take it out"),
        (b"x", InputTypeError, "is bytes; parameters are text or numbers: decode it"),
        (bytearray(b"x"), InputTypeError, "is bytes"),
        (memoryview(b"x"), InputTypeError, "is bytes"),
        ([b"x"], InputTypeError, "holds a bytes; each value is text, a number or a truth value"),
        ([{"a": 1}], InputTypeError, "holds a dict; each value is text, a number or a truth value"),
        ({1, 2}, InputTypeError, "is a set, which has no order of values; give a list"),
        (frozenset([1]), InputTypeError, "is a frozenset, which has no order of values; give a list"),
        ({"a": 1}, InputTypeError, "is a dict, which has no order of values; give a list"),
        (np.array([[1, 2], [3, 4]]), InputTypeError, "is a ndarray of rows and columns; give one column, or a list of values"),
    ],
)
def test_what_holds_no_values_is_an_error_that_names_the_parameter(given: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        resolve("melt", {"T": given})

    assert str(caught.value).startswith("melt: params['T'] ")
    assert message in str(caught.value)


def test_a_range_is_not_expanded() -> None:
    values = range(10**12)

    assert resolve("melt", {"T": values}).values["T"] is values


def test_the_callers_list_can_change_without_effect() -> None:
    values = [1, 2]

    parameters = resolve("melt", {"T": values})
    values.append(3)

    assert list(parameters.values["T"]) == [1, 2]


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("T", "1", ("-T", "1")),
        ("é", "1", ("-é", "1")),
        ("THERMO", "1", ("--THERMO=1",)),
        ("-var", "1", ("-var", "1")),
        ("--steps", "1", ("--steps=1",)),
        ("T", "a b", ("-T", "a b")),
        ("THERMO", "a 'b\n", ("--THERMO=a 'b\n",)),
        ("T", "", ("-T", "")),
        ("T", "-1", ("-T", "-1")),
    ],
)
def test_a_parameter_is_spelled_as_smartsim_spells_it_and_its_value_stays_whole(
    name: str, value: str, words: tuple[str, ...]
) -> None:
    assert argument(name, value) == words


def test_all_errors_are_of_one_tree() -> None:
    with pytest.raises(SmartEnsembleError):
        resolve("melt", 1)  # type: ignore[arg-type]


class Color(Enum):
    """Neither text nor a number."""

    RED = "red"


class Size(StrEnum):
    """Text."""

    BIG = "big"


class Silent:
    """Something that has no text."""

    def __str__(self) -> str:
        raise RuntimeError


class Wordless:
    """A value that says nothing of itself."""

    def __str__(self) -> str:
        raise RuntimeError("no word")

    __repr__ = __str__


STRANGE = [
    *(math.sqrt, print, object(), object, Silent(), lambda: 1, ValueError("x"), re.compile("x"), Path, np.float64, ...),
    *([1, 2], (1,), [[1]], {"a": 1}, {1}, b"x", range(2), iter([1]), np.array([1, 2])),
    *(date(2026, 1, 1), timedelta(1), np.datetime64("2026-01-01")),
]


@pytest.mark.parametrize("value", STRANGE, ids=[type(value).__name__ for value in STRANGE])
def test_what_is_neither_text_nor_number_nor_truth_value_is_an_error(value: object) -> None:
    with pytest.raises(InputTypeError, match=r"holds a .*; each value is text, a number or a truth value"):
        resolve("melt", {"T": [1, value]})


@pytest.mark.parametrize("value", [None, Color.RED, "a\0b"])
def test_a_value_among_others_is_checked_as_one_alone(value: object) -> None:
    for given in (value, [value], ["a", value], (value, 1)):
        with pytest.raises((InputTypeError, ParameterError), match=r"melt: params\['T'\] (holds|is) .*; "):
            resolve("melt", {"T": given})


NUMBERS = [1, True, 0.5, 1 + 2j, float("nan"), Decimal("0.1"), Fraction(1, 3), np.float32(0.5), np.True_, http.HTTPStatus.OK]


@pytest.mark.parametrize("value", [*NUMBERS, "x", Path("a/b"), np.str_("x"), Size.BIG])
def test_text_and_every_kind_of_number_is_a_value(value: object) -> None:
    assert len(resolve("melt", {"T": [value, value]}).values["T"]) == 2


class Frame:
    """A table, as those of pandas and polars: it has a shape, and iterating it gives the names of its columns."""

    shape = (3, 2)

    def __iter__(self) -> Iterator[str]:
        return iter(["T", "P"])


def test_a_frame_is_no_list_of_values() -> None:
    with pytest.raises(InputTypeError, match=r"T'\] is a Frame of rows and columns; give one column, or a list of values"):
        resolve("melt", {"T": Frame()})
    with pytest.raises(InputTypeError, match=r"holds a Frame; each value is text"):
        resolve("melt", {"T": [Frame()]})


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("\ud800", id="half a pair"),
        pytest.param(10**5000, id="huge"),
        pytest.param([1, -(10**5000)], id="huge in a list"),
        pytest.param(range(10**5000, 10**5000 + 2), id="huge range"),
        pytest.param(count(), id="no end"),
        pytest.param(np.ma.masked, id="masked"),
        pytest.param(np.ma.masked_equal([1, 2], 2), id="masked array"),  # type: ignore[no-untyped-call]
    ],
)
def test_a_value_that_cannot_be_written_is_an_error(value: object) -> None:
    with pytest.raises(ParameterError, match=r"^melt: params\['T'\] (holds|is|has) .*; (give|take|leave)"):
        resolve("melt", {"T": value})


def test_a_value_that_says_nothing_is_an_error_of_the_ensemble() -> None:
    for value in (Wordless(), [1, Wordless()]):
        with pytest.raises((InputTypeError, InputValueError), match=r"^.*: .*; (give|each)"):
            Ensemble("melt", {"T": value}, run_settings=RunSettings("true"))


@pytest.mark.needs("torch")
def test_a_tensor_of_one_number_is_that_number() -> None:
    import torch

    values = resolve("melt", {"T": torch.tensor(0.5), "N": [torch.tensor(3)], "P": torch.tensor([1, 2])}).values

    assert {name: list(column) for name, column in values.items()} == {"T": [0.5], "N": [3], "P": [1, 2]}
