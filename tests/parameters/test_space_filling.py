import numpy as np
import pytest

from smartensemble.errors import StrategyError
from smartensemble.parameters.space_filling import latin_hypercube, sobol

NAMES = ["T", "P", "Q"]
UNIT = [(0.0, 1.0)] * 3


def points(members: object) -> "np.ndarray[tuple[int, int], np.dtype[np.float64]]":
    return np.array([list(member.values()) for member in members])  # type: ignore[attr-defined]


@pytest.mark.parametrize("count", [1, 5, 64])
def test_each_point_of_a_latin_hypercube_is_alone_in_its_stratum(count: int) -> None:
    strata = np.floor(points(latin_hypercube(NAMES, UNIT, [count], seed=2)) * count)

    for column in strata.T:
        assert sorted(column) == list(range(count))


@pytest.mark.parametrize("sizes", [[4, 4], [5, 1, 6], [1, 30]])
def test_a_grown_latin_hypercube_fills_strata_that_were_empty(sizes: list[int]) -> None:
    batches = [points(latin_hypercube(NAMES, UNIT, sizes[: end + 1], seed=2)) for end in range(len(sizes))]
    total = sum(sizes)
    old, new = np.floor(np.concatenate(batches[:-1]) * total), np.floor(batches[-1] * total)

    for before, after in zip(old.T, new.T, strict=True):
        assert len(set(after)) == sizes[-1]
        assert not set(before) & set(after)


def test_a_doubled_latin_hypercube_stays_near_to_one() -> None:
    from scipy.stats import qmc  # which takes a second to load

    grown = np.concatenate([points(latin_hypercube(NAMES, UNIT, sizes, seed=2)) for sizes in ([16], [16, 16])])
    random = np.random.default_rng(2).random((32, 3))

    assert qmc.discrepancy(grown) < qmc.discrepancy(random)


def test_sobol_points_are_scipys_and_grow_along_the_sequence() -> None:
    from scipy.stats import qmc  # which takes a second to load

    whole = qmc.Sobol(3, scramble=True, rng=5).random(16)

    assert np.allclose(points(sobol(NAMES, UNIT, [16], seed=5)), whole)
    assert np.allclose(points(sobol(NAMES, UNIT, [4, 8, 4], seed=5)), whole[12:])


@pytest.mark.parametrize("design", [latin_hypercube, sobol])
def test_values_stay_in_their_ranges_and_lists(design: object) -> None:
    values = [(-2.5, 4.0), (1, 3), ["a", "b"], ("x", "y", "z"), (7,), [0.5, 1.5]]
    members = list(design([*"abcdef"], values, [64], seed=1))  # type: ignore[operator]

    assert all(-2.5 <= member["a"] < 4.0 for member in members)
    assert {member["b"] for member in members} == {1, 2, 3}
    assert {member["c"] for member in members} == {"a", "b"}
    assert {member["d"] for member in members} == {"x", "y", "z"}
    assert {member["e"] for member in members} == {7}
    assert {member["f"] for member in members} == {0.5, 1.5}


@pytest.mark.parametrize("range_", [(3.0, 1.0), (1, 1), (float("nan"), 1.0), (0.0, float("inf"))])
def test_a_range_that_is_none_is_named(range_: tuple[float, float]) -> None:
    with pytest.raises(StrategyError, match="sobol: 'T' is the range"):
        list(sobol(["T"], [range_], [4], seed=1))
