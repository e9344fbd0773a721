from itertools import product
from typing import Any

import pytest

from smartensemble import Ensemble, RunSettings
from smartensemble.errors import EntityExistsError, InputTypeError, ParameterError, StrategyError
from smartensemble.model import Model
from smartensemble.parameters import expansion
from smartensemble.parameters.resolve import resolve
from smartensemble.parameters.strategies import Strategy

RUN = RunSettings("true")
LISTS = {"T": [1, 2, 3], "P": [5, 6]}
RANGES = {"T": (1.0, 3.0), "N": (1, 10)}


def custom(_names: list[str], _values: list[list[str]], _n_models: int) -> list[dict[str, object]]:
    """A strategy of the user's."""
    return [{"T": 1}]


def expand(
    params: dict[str, Any],
    strategy: str | Strategy,
    replicas: int | None = None,
    n_models: int | None = None,
    seed: int | None = None,
) -> expansion.Expansion:
    return expansion.expansion("e", resolve("e", params), strategy, replicas, n_models, seed)


def sets(ensemble: Ensemble) -> list[tuple[object, ...]]:
    return [tuple(member.values.values()) for member in ensemble]


@pytest.mark.parametrize("name", expansion.STRATEGIES)
def test_a_built_in_strategy_is_known_by_its_name_and_itself(name: str) -> None:
    assert expansion.named(name) == name
    assert expansion.named((expansion.EXHAUSTIVE | expansion.SAMPLED)[name]) == name


@pytest.mark.parametrize(
    ("strategy", "error", "message"),
    [
        ("stepp", StrategyError, "no strategy 'stepp'; did you mean 'step'? There are all_perm, step, random"),
        ("", StrategyError, "no strategy ''; there are all_perm, step, random"),
        (1, InputTypeError, "1 is no strategy; there are all_perm, step, random"),
        (b"step", InputTypeError, "b'step' is no strategy; there are all_perm, step, random"),
    ],
)
def test_what_is_no_strategy_is_answered_with_all_that_are(strategy: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        expansion.named(strategy)

    assert str(caught.value).startswith(f"perm_strategy: {message}")
    assert str(caught.value).endswith(", or any callable")


@pytest.mark.parametrize("strategy", list(expansion.SAMPLED))
def test_one_seed_gives_one_design_and_it_is_recorded(strategy: str) -> None:
    first = Ensemble("e", RANGES, run_settings=RUN, perm_strategy=strategy, replicas=8)
    again = Ensemble("e", RANGES, run_settings=RUN, perm_strategy=strategy, replicas=8, seed=first.seed)
    other = Ensemble("e", RANGES, run_settings=RUN, perm_strategy=strategy, replicas=2, seed=first.seed)

    assert first.seed is not None
    assert sets(first) == sets(again)
    assert len(other) == 2


@pytest.mark.parametrize("strategy", list(expansion.SAMPLED))
def test_growing_leaves_members_alone_and_names_the_new_ones_on(strategy: str) -> None:
    params = {"T": [1, 2, 3, 4, 5], "P": [1, 2, 3, 4, 5]}
    ensemble = Ensemble("e", params, run_settings=RUN, perm_strategy=strategy, replicas=4, seed=3)
    before = ensemble.models

    added = ensemble.extend(3)

    assert ensemble.models[:4] == before
    assert all(now is then for now, then in zip(ensemble, before, strict=False))
    assert [member.name for member in added] == ["e_4", "e_5", "e_6"]
    assert len(ensemble) == 7


def test_a_random_design_grows_along_its_sequence() -> None:
    small = Ensemble("e", LISTS, run_settings=RUN, perm_strategy="random", replicas=2, seed=3)
    large = Ensemble("e", LISTS, run_settings=RUN, perm_strategy="random", replicas=6, seed=3)

    small.extend(1)
    small.extend(3)

    assert sets(small) == sets(large)
    assert set(sets(small)) == set(product(*LISTS.values()))
    with pytest.raises(StrategyError, match="7 samples of 6 combinations; there are 0 left"):
        small.extend(1)


def test_growing_takes_the_files_along(tmp_path: "pytest.TempPathFactory") -> None:
    ensemble = Ensemble("e", LISTS, run_settings=RUN, perm_strategy="random", replicas=2)
    ensemble.attach_generator_files(to_copy=__file__)

    (added,) = ensemble.extend(1)

    assert added.files == ensemble[0].files


def test_growing_into_the_name_of_an_added_model_changes_nothing() -> None:
    ensemble = Ensemble("e", LISTS, run_settings=RUN, perm_strategy="random", replicas=2)
    ensemble.add_model(Model("e_3", None, RUN))

    with pytest.raises(EntityExistsError, match="'e_3'"):
        ensemble.extend(2)

    assert [member.name for member in ensemble] == ["e_0", "e_1", "e_3"]
    assert ensemble.extend(1)[0].name == "e_2"


@pytest.mark.parametrize("strategy", list(expansion.EXHAUSTIVE))
def test_what_was_not_sampled_does_not_grow(strategy: str) -> None:
    ensemble = Ensemble("e", {"T": [1, 2]}, run_settings=RUN, perm_strategy=strategy)

    with pytest.raises(StrategyError, match="was not sampled"):
        ensemble.extend(1)


@pytest.mark.parametrize(("replicas", "n_models"), [(2, 3), (None, None)])
@pytest.mark.parametrize("strategy", list(expansion.SAMPLED))
def test_samples_need_one_count(strategy: str, replicas: int | None, n_models: int | None) -> None:
    with pytest.raises(ParameterError, match="give"):
        Ensemble("e", RANGES, run_settings=RUN, perm_strategy=strategy, replicas=replicas, n_models=n_models)


@pytest.mark.parametrize(
    ("params", "strategy", "counts", "sizes", "replicas"),
    [
        (LISTS, "all_perm", {}, (), 1),
        (LISTS, "all_perm", {"replicas": 3}, (), 3),
        (LISTS, "step", {"replicas": 2}, (), 2),
        (LISTS, custom, {"n_models": 4}, (), 1),
        ({}, "all_perm", {"replicas": 5}, (), 5),
        ({}, "random", {"replicas": 5}, (), 5),
        (LISTS, "random", {"replicas": 4}, (4,), 1),
        (LISTS, "random", {"n_models": 4}, (4,), 1),
        (LISTS, "random", {"replicas": 4, "n_models": 4, "seed": 7}, (4,), 1),
        (LISTS, "random", {"replicas": 100}, (6,), 1),  # there are no more combinations
        (RANGES, "sobol", {"replicas": 100}, (100,), 1),
    ],
)
def test_each_count_makes_samples_or_replicas(
    params: dict[str, Any], strategy: str | Strategy, counts: dict[str, int], sizes: tuple[int, ...], replicas: int
) -> None:
    made = expand(params, strategy, **counts)

    assert (made.sizes, made.replicas, made.n_models) == (sizes, replicas, counts.get("n_models", 0))
    assert (made.seed is None) is not bool(sizes)
    assert counts.get("seed") in (None, made.seed)


@pytest.mark.parametrize(
    ("params", "strategy", "counts", "message"),
    [
        (LISTS, "all_perm", {"seed": 7}, "e: seed=7 where nothing is drawn; it counts for params with a strategy that samples"),
        ({}, "random", {"seed": 7}, "e: seed=7 where nothing is drawn"),
        ({}, "all_perm", {"n_models": 3}, "e: n_models=3 counts samples of params; replicas=3 makes clones"),
        ({}, "random", {"n_models": 3}, "e: n_models=3 counts samples of params; replicas=3 makes clones"),
        (LISTS, "step", {"n_models": 3}, "e: n_models=3 with perm_strategy='step', which makes as many as there are"),
        (LISTS, "random", {}, "e: perm_strategy='random' without a count; give replicas=, the number of samples"),
        (LISTS, "sobol", {"replicas": 2, "n_models": 3}, "e: n_models=3 and replicas=2 both count samples; give one"),
        (LISTS, "all_perm", {"replicas": 0}, "replicas: 0 is not a whole number above zero"),
        (LISTS, "random", {"n_models": -1}, "n_models: -1 is not a whole number above zero"),
        (LISTS, "random", {"n_models": 2, "seed": -1}, "seed: -1 is not a whole number, zero or more"),
        (LISTS, "all_perm", {"replicas": 10**6}, "e: 6,000,000 members, where 1,000,000 are the most"),
        (LISTS, "step", {"replicas": 10**6}, "e: 3,000,000 members, where 1,000,000 are the most"),
        (RANGES, "sobol", {"replicas": 10**6 + 1}, "e: 1,000,001 members, where 1,000,000 are the most"),
    ],
)
def test_a_count_without_a_meaning_is_an_error(
    params: dict[str, Any], strategy: str, counts: dict[str, int], message: str
) -> None:
    with pytest.raises(ParameterError) as caught:
        expand(params, strategy, **counts)

    assert str(caught.value).startswith(message)
