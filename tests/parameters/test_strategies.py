"""Strategies expand parameters exactly: as itertools and zip would, and the same on every Python."""

import json
import os
import shutil
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import product
from math import prod
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import smartensemble
from smartensemble.errors import InputTypeError, StrategyError
from smartensemble.parameters import strategies
from smartensemble.parameters.resolve import Constant

SRC = Path(smartensemble.__file__).parents[1]
columns = st.lists(st.lists(st.integers(), min_size=1, max_size=5), min_size=1, max_size=4)
seeds = st.integers(min_value=0, max_value=2**40)


def names(values: Sequence[object]) -> list[str]:
    """A name for each column."""
    return [f"p{number}" for number in range(len(values))]


def points(members: Iterable[Mapping[str, object]]) -> list[tuple[object, ...]]:
    """The values of each member."""
    return [tuple(member.values()) for member in members]


@given(columns)
def test_all_perm_is_the_product(values: list[list[int]]) -> None:
    members = list(strategies.all_perm(names(values), values))

    assert points(members) == list(product(*values))
    assert all(list(member) == names(values) for member in members)


@given(
    st.integers(1, 20).flatmap(lambda length: st.lists(st.lists(st.integers(), min_size=length, max_size=length), min_size=1))
)
def test_step_is_zip(values: list[list[int]]) -> None:
    members = list(strategies.step(names(values), values))

    assert points(members) == list(zip(*values, strict=True))


@pytest.mark.parametrize(
    ("values", "members"),
    [
        ([[1, 2, 3], Constant((5,))], [(1, 5), (2, 5), (3, 5)]),
        ([Constant((5,)), range(2), Constant((6,))], [(5, 0, 6), (5, 1, 6)]),
        ([Constant((5,)), Constant((6,))], [(5, 6)]),
        ([[1], Constant((5,))], [(1, 5)]),
        ([[1], [5]], [(1, 5)]),
        ([], [()]),
    ],
)
def test_step_repeats_a_value_that_is_not_in_a_list(values: list[Sequence[object]], members: list[tuple[object, ...]]) -> None:
    assert points(strategies.step(names(values), values)) == members


@pytest.mark.parametrize(
    ("values", "longest", "shortest"),
    [
        ([[1, 2, 3], [5, 6]], "'p0' has 3 values", "'p1' has 2"),
        ([[1], [5, 6]], "'p1' has 2 values", "'p0' has 1"),
        ([[1, 2], [1, 2], range(10**12)], "'p2' has 1000000000000 values", "'p0' has 2"),
        ([Constant((1,)), [1, 2], [3]], "'p1' has 2 values", "'p2' has 1"),
    ],
)
def test_step_names_both_lists_and_lengths_that_differ(values: list[Sequence[int]], longest: str, shortest: str) -> None:
    with pytest.raises(StrategyError) as caught:
        strategies.step(names(values), values)

    assert str(caught.value) == f"step: {longest} and {shortest}; give lists of one length, or one value alone"


@given(columns, st.integers(1, 700), seeds)
def test_random_draws_different_combinations_of_the_product(values: list[list[int]], count: int, seed: int) -> None:
    unequal = [list(enumerate(column)) for column in values]

    drawn = points(strategies.random(names(values), unequal, [count], seed))

    assert len(set(drawn)) == len(drawn) == min(count, prod(map(len, values)))
    assert set(drawn) <= set(product(*unequal))


@given(columns, seeds)
def test_random_gives_the_whole_product_where_it_is_small_enough(values: list[list[int]], seed: int) -> None:
    drawn = points(strategies.random(names(values), values, [5**4], seed))

    assert sorted(drawn) == sorted(product(*values))


@given(columns, st.integers(1, 30), st.integers(1, 30), seeds)
def test_a_larger_sample_begins_with_the_smaller_one(values: list[list[int]], few: int, more: int, seed: int) -> None:
    smaller = list(strategies.random(names(values), values, [few], seed))
    larger = list(strategies.random(names(values), values, [few + more], seed))

    assert larger[: len(smaller)] == smaller


def test_random_shuffles_what_it_gives_whole() -> None:
    drawn = points(strategies.random(["T"], [range(1000)], [1000], seed=1))

    assert drawn != [(number,) for number in range(1000)]


def test_every_order_is_about_as_likely() -> None:
    """1,200 seeds, 6 orders: 200 each. Fixed seeds, so that this passes always or never."""
    orders = [tuple(points(strategies.random(["T"], ["abc"], [3], seed))) for seed in range(1200)]

    counts = [orders.count(order) for order in set(orders)]

    assert len(counts) == 6
    assert min(counts) > 150
    assert max(counts) < 250


def test_another_seed_gives_another_sample() -> None:
    samples = {str(list(strategies.random(["T"], [range(10**6)], [5], seed))) for seed in range(100)}

    assert len(samples) == 100


#: What random drew when this test was written. Whoever changes it breaks the repetition of old studies.
RECORDED = [
    ([[1, 2, 3], [10, 20]], 4, 0, [[2, 20], [3, 10], [2, 10], [1, 20]]),
    ([range(10**6), range(10**6)], 3, 7, [[434439, 589175], [54335, 349841], [902254, 243637]]),
    ([range(10**4)] * 3, 2, 2**32 - 1, [[6813, 3367, 2201], [2370, 9593, 8370]]),
    ([range(10**18)], 2, 10**30, [[563957110084502150], [142851013953094430]]),
]
PROGRAM = """
import json, sys
from smartensemble.parameters.strategies import random
cases = [(eval(values), count, seed) for values, count, seed in json.loads(sys.argv[1])]
samples = [[list(point.values()) for point in random(list("abc")[:len(v)], v, [n], seed)] for v, n, seed in cases]
print(json.dumps(["%d.%d" % sys.version_info[:2], samples]))
"""


def interpreters() -> list[str]:
    """Every Python of 3.11 to 3.14 that runs here: the one of the tests, on PATH, and pyenv's."""
    minors = range(11, 15)
    homes = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = [sys.executable, *filter(None, (shutil.which(f"python3.{minor}") for minor in minors))]
    found += [str(path) for minor in minors for path in sorted(homes.glob(f"3.{minor}.*/bin/python"))]
    return [python for python in found if _version(python) in {f"3.{minor}" for minor in minors}]


def _version(python: str) -> str:
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        return subprocess.run([python, "-c", code], capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ""


def test_a_seed_gives_the_recorded_members_on_every_python() -> None:
    cases = json.dumps([(repr(values), count, seed) for values, count, seed, _ in RECORDED])

    for python in interpreters():
        done = subprocess.run(
            [python, "-S", "-c", PROGRAM, cases], env={"PYTHONPATH": str(SRC)}, capture_output=True, text=True, check=True
        )
        assert json.loads(done.stdout)[1] == [members for *_, members in RECORDED], python


def test_a_hundred_of_a_million_million_take_no_memory() -> None:
    tracemalloc.start()

    members = list(strategies.random(["T", "P"], [range(10**6), range(10**6)], [100], seed=1))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert len(set(points(members))) == 100
    assert peak < 200_000


def test_a_strategy_of_ones_own_is_called_as_by_smartsim() -> None:
    calls: list[object] = []

    def first(*arguments: object) -> list[dict[str, object]]:
        calls.append(arguments)
        return [{"T": "1"}]

    strategies.custom(first, {"T": [1, 2.5], "P": Constant(("a",))}, 3)

    assert calls == [(["T", "P"], [["1", "2.5"], ["a"]], 3)]


def test_what_it_returns_gets_the_types_that_were_given() -> None:
    def twisted(names: list[str], values: list[list[str]], n_models: int) -> Iterable[Mapping[str, object]]:
        return ({names[0]: values[0][number], names[1]: values[1][-number]} for number in (0, 1))

    members = strategies.custom(twisted, {"T": [1, 2.5], "P": ["a", Path("b")]}, 0)

    assert members == [{"T": 1, "P": "a"}, {"T": 2.5, "P": Path("b")}]


def test_values_and_parameters_of_its_own_stay_as_they_are_but_are_python() -> None:
    members = strategies.custom(lambda *_: [{"T": np.int64(7), "X": "new"}, {}], {"T": [1]}, 0)

    assert members == [{"T": 7, "X": "new"}, {}]
    assert type(members[0]["T"]) is int


@pytest.mark.parametrize(
    ("answer", "error", "message"),
    [
        (None, StrategyError, "returned None; a strategy returns a list of dictionaries, one for each member"),
        ("abc", StrategyError, "returned 'abc'; a strategy returns a list of dictionaries, one for each member"),
        ({"T": 1}, StrategyError, "returned {'T': 1}; a strategy returns a list of dictionaries, one for each member"),
        (5, StrategyError, "returned 5; a strategy returns a list of dictionaries, one for each member"),
        ([1], StrategyError, "returned 1 for a member; give a dictionary of names and values"),
        ([["T", 1]], StrategyError, "returned ['T', 1] for a member; give a dictionary of names and values"),
        ([], StrategyError, "returned no members; return at least one dictionary"),
        (iter([]), StrategyError, "returned no members; return at least one dictionary"),
        ([{"T": None}], InputTypeError, "returned 'T': None; names are text, values text or numbers"),
        ([{"T": [1]}], InputTypeError, "returned 'T': [1]; names are text, values text or numbers"),
        ([{1: "a"}], InputTypeError, "returned 1: 'a'; names are text, values text or numbers"),
    ],
)
def test_a_strategy_that_returns_no_members_is_named(answer: object, error: type[Exception], message: str) -> None:
    def mine(names: list[str], values: list[list[str]], n_models: int) -> object:
        return answer

    strategy: Callable[..., Iterable[Mapping[str, object]]] = mine  # type: ignore[assignment]
    with pytest.raises(error) as caught:
        strategies.custom(strategy, {"T": [1, 2]}, 0)

    assert str(caught.value) == f"mine: {message}"


def test_an_error_inside_a_strategy_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        strategies.custom(lambda *_: [{"T": 1 / 0}], {"T": [1]}, 0)
