"""An ensemble is made in five ways and no other; its members are in order, and found by name and number."""

import inspect
import os
from collections.abc import Iterable, Mapping
from copy import copy
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from smartensemble import BatchSettings, Ensemble, Experiment, Model, RunSettings, Status
from smartensemble.ensemble import CASES, set_home
from smartensemble.errors import (
    CaseError,
    EntityExistsError,
    InputTypeError,
    InputValueError,
    ParameterError,
    StrategyError,
    UnknownMemberError,
)
from smartensemble.model import track
from smartensemble.status import Run

ECHO = RunSettings("echo", ["hello"])


BATCH = BatchSettings(nodes=2)


GIVEN = {"run_settings": ECHO, "batch_settings": BATCH, "params": {"T": [1, 2, 3]}, "replicas": 2}


def values(ensemble: Iterable[Model]) -> list[tuple[object, ...]]:
    """The values of each member."""
    return [tuple(member.values.values()) for member in ensemble]


def arguments(member: Model) -> tuple[str, ...]:
    """What its program is called with."""
    return member.command.argv[1:]


#: The combinations of arguments that make an ensemble, and its number of members. With params, replicas are clones of each set.
MEMBERS = {
    frozenset({"run_settings", "params"}): 3,
    frozenset({"run_settings", "params", "replicas"}): 6,
    frozenset({"run_settings", "replicas"}): 2,
    frozenset({"batch_settings"}): 0,
    frozenset({"run_settings", "batch_settings", "params"}): 3,
    frozenset({"run_settings", "batch_settings", "params", "replicas"}): 6,
    frozenset({"run_settings", "batch_settings", "replicas"}): 2,
}


OTHERS = [words for count in range(5) for words in map(frozenset, combinations(GIVEN, count)) if words not in MEMBERS]


def given(words: Iterable[str]) -> dict[str, Any]:
    """These arguments."""
    return {word: GIVEN[word] for word in words}


def plus(words: frozenset[str]) -> str:
    """The name of a combination."""
    return "+".join(sorted(words)) or "nothing"


@pytest.mark.parametrize("words", MEMBERS, ids=plus)
def test_the_five_cases_make_an_ensemble(words: frozenset[str]) -> None:
    ensemble = Ensemble("e", **given(words))

    assert len(ensemble) == MEMBERS[words]
    assert ensemble.batch == ("batch_settings" in words)


@pytest.mark.parametrize("words", OTHERS, ids=plus)
def test_every_other_combination_is_an_error_that_lists_the_five(words: frozenset[str]) -> None:
    with pytest.raises(CaseError) as caught:
        Ensemble("e", **given(words))

    named = " and ".join(word for word in GIVEN if word in words) or "nothing but a name"
    assert str(caught.value) == f"e: {named} given; {CASES}"


def test_together_these_are_all_sixteen_combinations() -> None:
    assert (len(MEMBERS), len(OTHERS)) == (7, 9)


@pytest.mark.parametrize(
    "empty", [{"params": {}}, {"params": []}, {"params_as_args": ()}, {"params": {}, "params_as_args": {}}]
)
def test_no_parameters_are_no_case(empty: dict[str, Any]) -> None:
    with pytest.raises(CaseError, match=r"^e: run_settings given; there are five ways"):
        Ensemble("e", run_settings=ECHO, **empty)


def test_n_models_is_not_dropped_where_nothing_is_made() -> None:
    with pytest.raises(CaseError, match=r"^e: batch_settings and n_models given"):
        Ensemble("e", batch_settings=BATCH, n_models=3)


def test_arguments_by_position_are_in_the_order_of_smartsim(tmp_path: Path) -> None:
    ensemble = Ensemble("e", {"T": [1, 2], "P": [5, 6]}, tmp_path, ["T"], BATCH, ECHO, "step")

    assert values(ensemble) == [(1, 5), (2, 6)]
    assert (ensemble.path, ensemble.batch_settings, ensemble.run_settings) == (str(tmp_path), BATCH, ECHO)
    assert arguments(ensemble[1]) == ("hello", "-T", "2")


def test_what_smartsim_does_not_order_is_by_keyword() -> None:
    kinds = inspect.signature(Ensemble).parameters.values()

    by_keyword = {parameter.name for parameter in kinds if parameter.kind is parameter.KEYWORD_ONLY}

    assert by_keyword == {"replicas", "n_models", "perm_strategy", "seed"}


@pytest.mark.parametrize(("word", "meant"), [("replica", "replicas"), ("perm_stratgy", "perm_strategy"), ("param", "params")])
def test_a_misspelt_keyword_is_answered_with_the_right_one(word: str, meant: str) -> None:
    wrong: dict[str, Any] = {word: 2}
    with pytest.raises(TypeError, match=rf"^Ensemble: no argument '{word}'; did you mean '{meant}'\? There are name, params"):
        Ensemble("e", run_settings=ECHO, **wrong)


@pytest.mark.parametrize(
    ("given", "members"),
    [
        ({"params": {"T": [1, 2], "P": [5, 6]}}, [(1, 5), (1, 6), (2, 5), (2, 6)]),
        ({"params": {"T": [1, 2], "P": 5}}, [(1, 5), (2, 5)]),
        ({"params": {"T": [1, 2], "P": [5, 6]}, "perm_strat": "step"}, [(1, 5), (2, 6)]),
        ({"params": {"T": [1, 2], "P": [5, 6]}, "perm_strategy": "step"}, [(1, 5), (2, 6)]),
        ({"params": {"T": [1, 2]}, "perm_strat": "step", "perm_strategy": "step"}, [(1,), (2,)]),
        ({"params": {"T": [1, 2], "P": 5}, "perm_strategy": "step"}, [(1, 5), (2, 5)]),
        ({"params": {"T": [1, 2]}, "replicas": 2}, [(1,), (1,), (2,), (2,)]),
        ({"params": {"T": [1, 2], "P": [5, 6]}, "perm_strategy": "step", "replicas": 2}, [(1, 5), (1, 5), (2, 6), (2, 6)]),
        ({"params": {"T": [1]}, "perm_strategy": lambda *_: [{"T": 7}, {"X": 8}], "replicas": 2}, [(7,), (7,), (8,), (8,)]),
        ({"params": "T", "params_as_args": {"T": [1, 2]}}, [(1,), (2,)]),
        ({"params_as_args": {"T": [1, 2]}}, [(1,), (2,)]),
        ({"params": {"T": np.arange(2)}}, [(0,), (1,)]),
        ({"params": {"T": 1}}, [(1,)]),
        ({"replicas": 3}, [(), (), ()]),
    ],
)  # fmt: skip
def test_parameters_become_members_in_order(given: dict[str, Any], members: list[tuple[object, ...]]) -> None:
    ensemble = Ensemble("e", run_settings=ECHO, **given)

    assert values(ensemble) == members
    assert [member.name for member in ensemble] == [f"e_{number}" for number in range(len(members))]


def test_clones_are_numbered() -> None:
    ensemble = Ensemble("e", {"T": [1, 2]}, run_settings=ECHO, replicas=3)

    assert [member.replica for member in ensemble] == [0, 1, 2, 0, 1, 2]


@pytest.mark.parametrize("count", [{"replicas": 5}, {"n_models": 5}, {"replicas": 5, "n_models": 5}])
def test_random_draws_as_many_as_either_count_says(count: dict[str, Any]) -> None:
    params = {"T": range(10**6), "P": range(10**6)}

    first = Ensemble("e", params, run_settings=ECHO, perm_strategy="random", seed=7, **count)
    again = Ensemble("e", params, run_settings=ECHO, perm_strategy="random", seed=7, **count)

    assert len(set(values(first))) == 5
    assert values(first) == values(again)
    assert first.seed == 7


def test_a_seed_that_was_chosen_is_recorded_and_repeats() -> None:
    params = {"T": range(10**6)}
    first = Ensemble("e", params, run_settings=ECHO, perm_strategy="random", replicas=5)

    again = Ensemble("e", params, run_settings=ECHO, perm_strategy="random", replicas=5, seed=first.seed)

    assert isinstance(first.seed, int)
    assert values(first) == values(again)


def test_a_strategy_of_ones_own_gets_n_models() -> None:
    counts: list[int] = []

    def mine(names: list[str], values: list[list[str]], n_models: int) -> Iterable[Mapping[str, object]]:
        counts.append(n_models)
        return [{"T": values[0][0]}]

    for count in (None, 4):
        Ensemble("e", {"T": [1]}, run_settings=ECHO, perm_strategy=mine, n_models=count)

    assert counts == [0, 4]


HUGE = range(10**6)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"params": {"T": [1, 2, 3], "P": [5, 6]}, "perm_strategy": "step"}, StrategyError, "'T' has 3 values"),
        ({"params": {"T": [1]}, "perm_strategy": "random"}, ParameterError, "without a count; give replicas="),
        ({"params": {"T": [1]}, "perm_strategy": "random", "replicas": 1, "n_models": 2}, ParameterError,
         "e: n_models=2 and replicas=1 both count samples; give one"),
        ({"params": {"T": [1]}, "n_models": 2}, ParameterError, "e: n_models=2 with perm_strategy='all_perm'"),
        ({"params": {"T": [1]}, "n_models": 2, "perm_strat": "step"}, ParameterError, "n_models=2 with perm_strategy="),
        ({"replicas": 2, "n_models": 2}, ParameterError, "e: n_models=2 counts samples of params; replicas=2 makes clones"),
        ({"params": {"T": [1]}, "perm_strategy": "stepp"}, StrategyError, "did you mean 'step'?"),
        ({"params": {"T": [1]}, "perm_strategy": ""}, StrategyError, "no strategy ''"),
        ({"params": {"T": [1]}, "perm_strategy": "step", "perm_strat": "random"}, InputValueError,
         "e: perm_strat='random' and perm_strategy='step' mean the same; give one"),
        ({"params": {"T": [1]}, "seed": 1}, ParameterError, "e: seed=1 where nothing is drawn"),
        ({"replicas": 2, "seed": 1}, ParameterError, "e: seed=1 where nothing is drawn"),
        ({"params": {"T": [1]}, "perm_strategy": "random", "replicas": 1, "seed": -1}, ParameterError, "seed: -1 is not"),
        ({"params": {"T": [1]}, "perm_strategy": "random", "replicas": 1, "seed": "7"}, InputTypeError, "seed: '7' is not"),
        ({"params": {"T": [1]}, "params_as_args": "T", "perm_strategy": lambda *_: [{"T": 1}, {"X": 1}]}, StrategyError,
         "e: the strategy returned {'X': 1} without 'T', an argument"),
        ({"params": {"T": []}}, ParameterError, "e: params['T'] is an empty list"),
        ({"replicas": 0}, ParameterError, "replicas: 0 is not a whole number above zero"),
        ({"replicas": "2"}, InputTypeError, "replicas: '2' is not a whole number above zero"),
        ({"params": {"T": HUGE, "P": HUGE}}, ParameterError, "e: 1,000,000,000,000 members, where 1,000,000 are the most"),
        ({"params": {"T": range(1_000_001)}, "perm_strategy": "step"}, ParameterError, "e: 1,000,001 members"),
        ({"params": {"T": HUGE, "P": HUGE}, "perm_strategy": "random", "replicas": 10**30}, ParameterError, "are the most"),
        ({"replicas": 10**30}, ParameterError, "where 1,000,000 are the most"),
        ({"replicas": 1, "path": 1}, InputTypeError, "e: path is 1; give text or a pathlib.Path"),
        ({"replicas": 1, "path": b"x"}, InputTypeError, "e: path is b'x'; give text or a pathlib.Path"),
        ({"replicas": 1, "path": ""}, InputValueError, "e: path '' cannot be a directory; give one, or leave it out"),
        ({"replicas": 1, "run_settings": "echo"}, InputTypeError, "e: run_settings is 'echo'; for example RunSettings("),
        ({"replicas": 1, "run_settings": RunSettings}, InputTypeError, "e: run_settings is <class"),
        ({"replicas": 1, "batch_settings": ECHO}, InputTypeError, "e: batch_settings is RunSettings("),
        ({"replicas": 1, "batch_settings": False}, InputTypeError, "e: batch_settings is False; for example BatchSettings("),
    ],
)  # fmt: skip
def test_what_cannot_be_honoured_is_an_error(given: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        Ensemble("e", **{"run_settings": ECHO, **given})

    assert message in str(caught.value)


def test_every_member_has_run_settings_of_its_own() -> None:
    ensemble = Ensemble("e", run_settings=RunSettings("echo", env_vars={"A": 1}), replicas=3)

    ensemble["e_1"].run_settings.add_exe_args("own")
    ensemble["e_1"].run_settings.update_env({"A": 2})

    assert [arguments(member) for member in ensemble] == [(), ("own",), ()]
    assert [member.command.env["A"] for member in ensemble] == ["1", "2", "1"]


def test_models_of_any_kind_are_added_to_a_batch() -> None:
    ensemble = Ensemble("e", batch_settings=BATCH)
    model = Model("melt", {"T": 1}, RunSettings("env"))

    ensemble.add_model(model)

    assert (len(ensemble), ensemble["melt"], model.ensemble) == (1, model, ensemble)
    assert model.path == f"{ensemble.path}/melt"
    assert arguments(model) == ()


def test_a_model_that_cannot_be_added_changes_nothing() -> None:
    ensemble, other = Ensemble("e", run_settings=ECHO, replicas=1), Ensemble("f", batch_settings=BATCH)
    model = Model("melt", None, ECHO)
    ensemble.add_model(model)

    with pytest.raises(EntityExistsError, match=r"^e: there is a member 'melt'; give the model another name$"):
        ensemble.add_model(Model("melt", None, ECHO))
    with pytest.raises(EntityExistsError, match=r"^f: 'melt' is a member of 'e'; make another model$"):
        other.add_model(model)
    for bad in (None, 1, "melt", other):
        with pytest.raises(InputTypeError, match=r"^e: .* is no Model; make one with create_model"):
            ensemble.add_model(bad)  # type: ignore[arg-type]

    assert ([member.name for member in ensemble], len(other)) == (["e_0", "melt"], 0)


def test_members_are_found_by_name_number_and_slice() -> None:
    ensemble = Ensemble("e", {"T": range(5)}, run_settings=ECHO)

    assert ensemble["e_3"] is ensemble[3] is ensemble[-2] is list(ensemble)[3] is ensemble.models[3]
    assert values(ensemble[1:3]) == [(1,), (2,)]
    assert ("e_3" in ensemble, ensemble[3] in ensemble, "e_5" in ensemble, 3 in ensemble) == (True, True, False, False)


def test_an_unknown_member_is_answered_with_those_there_are() -> None:
    ensemble = Ensemble("e", {"T": range(9)}, run_settings=ECHO)

    with pytest.raises(UnknownMemberError) as caught:
        ensemble["e_9"]

    assert str(caught.value) == "e: no member 'e_9'; there are e_0, e_1, e_2, e_3, e_4, ... e_8"
    with pytest.raises(IndexError):
        ensemble[9]


def test_a_change_of_the_list_of_models_changes_no_ensemble() -> None:
    ensemble = Ensemble("e", run_settings=ECHO, replicas=2)

    ensemble.models.clear()

    assert len(ensemble) == len(ensemble.entities) == 2


def test_an_ensemble_is_placed_below_a_home_unless_it_has_its_own(tmp_path: Path) -> None:
    free, fixed = Ensemble("e", run_settings=ECHO, replicas=1), Ensemble("f", path="own", run_settings=ECHO, replicas=1)

    for ensemble in (free, fixed):
        set_home(ensemble, str(tmp_path))

    assert (free[0].path, fixed[0].path) == (f"{tmp_path}/e/e_0", f"{os.getcwd()}/own/f_0")


@pytest.mark.parametrize("attach", ["attach_generator_files", "attach_generator_file"])
def test_files_are_for_every_member_and_replace_those_before(tmp_path: Path, attach: str) -> None:
    ensemble = Ensemble("e", run_settings=ECHO, replicas=2)
    for name in ("a", "b"):
        (tmp_path / name).touch()

    getattr(ensemble, attach)(to_copy=tmp_path / "a")
    getattr(ensemble, attach)(to_configure=[tmp_path / "b"])

    assert [list(member.files) for member in ensemble] == [[f"{tmp_path}/b"]] * 2


def test_the_table_has_a_row_for_each_member_with_the_given_types() -> None:
    ensemble = Ensemble("e", {"T": [1, 2.5], "name": "x"}, run_settings=ECHO)
    track(ensemble[1], Run(Status.FAILED, started=10.0, ended=12.0, exit_code=3))

    new, failed = ensemble.table()

    assert new == {"name": "e_0", "T": 1, "params.name": "x", "status": "New", "seconds": None, "exit code": None,
                   "path": ensemble[0].path}  # fmt: skip
    assert (failed["T"], failed["status"], failed["seconds"], failed["exit code"]) == (2.5, "Failed", 2.0, 3)
    assert str(ensemble.table()).splitlines()[0].split()[:3] == ["name", "T", "params.name"]


def test_a_table_of_unlike_models_has_every_parameter_in_every_row() -> None:
    ensemble = Ensemble("e", batch_settings=BATCH)
    for name in "TP":
        ensemble.add_model(Model(name, {name: 1}, ECHO))

    assert [(row["T"], row["P"]) for row in ensemble.table()] == [(1, None), (None, 1)]
    assert ensemble.table().columns == ["name", "T", "P", "status", "seconds", "exit code", "path"]


def test_a_copy_changes_nothing_in_what_it_was_copied_from() -> None:
    ensemble = Ensemble("e", {"T": [1, 2]}, run_settings=RunSettings("echo"), params_as_args="T")
    ensemble[0].run_settings.add_exe_args("own")
    twin = copy(ensemble)

    twin.add_model(Model("melt", None, ECHO))
    twin.attach_generator_files(to_copy=__file__)
    twin.register_incoming_entity(ensemble)
    twin[0].params["T"] = "7"
    twin[0].run_settings.add_exe_args("twin")
    twin[1].disable_key_prefixing()
    twin.params["P"] = [1]

    assert [member.name for member in ensemble] == ["e_0", "e_1"]
    assert [member.name for member in twin] == ["e_0", "e_1", "melt"]
    assert [arguments(member) for member in ensemble] == [("own", "-T", "1"), ("-T", "2")]
    assert arguments(twin[0]) == ("own", "twin", "-T", "7")
    assert {member.ensemble for member in ensemble} == {ensemble}
    assert {member.ensemble for member in twin} == {twin}
    assert (list(ensemble[0].files), ensemble[0].incoming_entities, list(ensemble.params)) == ([], [], ["T"])
    assert ensemble.query_key_prefixing()


@pytest.mark.parametrize("key", [3, -4, 10**30, "e_3", "", np.int64(7)])
def test_a_member_that_is_not_there_is_an_error_by_name_and_by_number(key: str | int) -> None:
    ensemble = Ensemble("e", replicas=3, run_settings=ECHO)

    with pytest.raises(UnknownMemberError) as caught:
        ensemble[key]

    assert str(caught.value) == f"e: no member {key!r}; there are e_0, e_1, e_2"
    assert isinstance(caught.value, LookupError)


@pytest.mark.parametrize(
    "key", [None, True, 1.5, float("nan"), b"e_0", [0], slice("a"), slice(None, None, 0), (0, 1), np.array([0])]
)
def test_what_names_no_member_is_a_type_error(key: Any) -> None:
    ensemble = Ensemble("e", replicas=3, run_settings=ECHO)

    with pytest.raises(InputTypeError, match=r"^e: .* names no member; give a name, a number or a slice"):
        ensemble[key]

    assert key not in ensemble


def test_other_run_settings_reach_each_member_that_has_the_ensembles() -> None:
    ens = Ensemble("ens", replicas=3, run_settings=RunSettings("echo", "one"))
    own, changed = RunSettings("true"), {"A": 1}
    ens.add_model(Model("other", None, own))
    ens[1].run_settings.update_env(changed)

    ens.run_settings = RunSettings("echo", "two")

    assert [member.run_settings.exe_args for member in ens] == [["two"], ["two"], ["two"], []]
    assert [member.run_settings.env_vars for member in ens] == [{}, {"A": "1"}, {}, {}]
    assert ens["other"].run_settings.exe == own.exe


def test_an_ensemble_that_is_put_elsewhere_takes_its_members_along(tmp_path: Path) -> None:
    exp = Experiment("exp", tmp_path)
    ens = exp.create_ensemble("ens", replicas=1, run_settings=RunSettings("true"))

    ens.path = tmp_path / "elsewhere"
    exp.start(ens)

    assert ens[0].path == str(tmp_path / "elsewhere" / "ens_0")
    assert (tmp_path / "elsewhere" / "ens_0" / "params.json").exists()
