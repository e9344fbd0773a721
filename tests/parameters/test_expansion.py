from itertools import product

import pytest

from smartensemble import Ensemble, RunSettings
from smartensemble.errors import EntityExistsError, InputTypeError, ParameterError, StrategyError
from smartensemble.model import Model
from smartensemble.parameters import expansion

RUN = RunSettings("true")
LISTS = {"T": [1, 2, 3], "P": [5, 6]}
RANGES = {"T": (1.0, 3.0), "N": (1, 10)}


def sets(ensemble: Ensemble) -> list[tuple[object, ...]]:
    return [tuple(member.values.values()) for member in ensemble]


@pytest.mark.parametrize("name", expansion.NAMES)
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
