"""Runs of one model go together as its batch sizes say, none is lost, and none waits longer than it has to."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartensemble.inference.batching import Batches, Candidate, Form, batches

ONE: Form = (("<f4", (3,)),)
TWO: Form = (("<f4", (4,)),)


def run(
    rows: int, model: str = "m", size: int = 4, least: int = 0, timeout: int = 0, arrived: float = 0.0, form: Form = ONE
) -> Candidate:
    return Candidate(arrived, model.encode(), size, least, timeout, rows, form)


@pytest.mark.parametrize(
    ("runs", "groups"),
    [
        ([], []),
        ([run(1)], [[0]]),
        ([run(1), run(1)], [[0, 1]]),
        ([run(1, size=0), run(1, size=0)], [[0], [1]]),
        ([run(4), run(4)], [[0], [1]]),
        ([run(9), run(1)], [[0], [1]]),
        ([run(0), run(1), run(0)], [[0], [1], [2]]),
        ([run(1), run(1), run(1), run(1), run(1)], [[0, 1, 2, 3], [4]]),
        ([run(3), run(3), run(1)], [[0, 1], [2]]),
        ([run(1), run(9)], [[0, 1]]),
        ([run(1), run(1, "n"), run(1)], [[0, 2], [1]]),
        ([run(1), run(1, form=TWO), run(1)], [[0, 2], [1]]),
        ([run(1), Candidate(0.0), run(1)], [[0, 2], [1]]),
    ],
)
def test_the_oldest_takes_others_along_until_the_batch_is_full(runs: list[Candidate], groups: list[list[int]]) -> None:
    assert batches(runs, now=0.0) == Batches(groups, {})


@pytest.mark.parametrize(
    ("runs", "now", "planned"),
    [
        ([run(1, least=2)], 1e9, Batches([], {0: math.inf})),
        ([run(1, least=2, timeout=300)], 0.2, Batches([], {0: 0.3})),
        ([run(1, least=2, timeout=300)], 0.3, Batches([[0]], {})),
        ([run(2, least=2, timeout=300)], 0.0, Batches([[0]], {})),
        ([run(1, least=2), run(1, least=2)], 0.0, Batches([[0, 1]], {})),
        ([run(5, least=9)], 0.0, Batches([[0]], {})),
        ([run(1, least=3, timeout=300), run(1, least=3, timeout=300, arrived=0.1)], 0.2, Batches([], {0: 0.3, 1: 0.3})),
        ([run(1, least=3, timeout=300), run(1, least=3, timeout=300, arrived=0.1)], 0.3, Batches([[0, 1]], {})),
        ([run(1, least=2), run(1, "n"), run(2, "n")], 0.0, Batches([[1, 2]], {0: math.inf})),
    ],
)
def test_a_batch_below_the_least_waits_until_its_oldest_has_waited_enough(
    runs: list[Candidate], now: float, planned: Batches
) -> None:
    assert batches(runs, now) == planned


any_run = st.builds(
    run,
    rows=st.integers(0, 6),
    model=st.sampled_from("mn"),
    size=st.integers(0, 5),
    least=st.integers(0, 3),
    timeout=st.integers(0, 2),
    arrived=st.floats(0, 0.01),
    form=st.sampled_from([ONE, TWO]),
)


@given(st.lists(any_run, max_size=20), st.floats(0, 0.02))
def test_every_run_goes_once_or_waits(runs: list[Candidate], now: float) -> None:
    planned = batches(runs, now)

    assert sorted([*(number for group in planned.groups for number in group), *planned.waits]) == list(range(len(runs)))
    assert all(until > now for until in planned.waits.values())
    for first, *others in planned.groups:
        size = runs[first].batch_size
        assert first < min(others, default=math.inf)
        assert not others or sum(runs[number].rows for number in [first, *others[:-1]]) < size
        assert {(runs[number].model, runs[number].form) for number in others} <= {(runs[first].model, runs[first].form)}
