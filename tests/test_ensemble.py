"""An ensemble is made in five ways and no other; each member knows its parameters, its command and its place."""

import inspect
import os
from collections.abc import Callable, Iterable, Mapping
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from smartensemble import BatchSettings, Ensemble, Model, RunSettings, Status
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


def test_a_model_by_position_is_in_the_order_of_smartsim(tmp_path: Path) -> None:
    model = Model("melt", {"T": 1.5}, ECHO, tmp_path / "here", ["T"], BATCH)

    assert (model.name, model.params, model.path) == ("melt", {"T": "1.5"}, f"{tmp_path}/here")
    assert (arguments(model), model.batch_settings) == (("hello", "-T", "1.5"), BATCH)


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


MAKE: list[Callable[[Any], Model | Ensemble]] = [
    lambda name: Ensemble(name, run_settings=ECHO, replicas=1),
    lambda name: Model(name, None, ECHO),
]


@pytest.mark.parametrize("make", MAKE)
@pytest.mark.parametrize("name", ["melt", "a b", "é漢😀", "a-b.c", "-rf", "$(x)", "a'b", "x" * 200])
def test_a_name_is_whatever_can_name_a_directory(make: Callable[[Any], Model | Ensemble], name: str) -> None:
    assert make(name).path == f"{os.getcwd()}/{name}"


@pytest.mark.parametrize("make", MAKE)
@pytest.mark.parametrize("name", ["", " ", "a/b", "/", ".", "..", ".a", " a", "a ", "a\nb", "a\0b", "a\tb", "\ud800"])
def test_a_name_that_names_no_directory_is_an_error(make: Callable[[Any], Model | Ensemble], name: str) -> None:
    with pytest.raises(InputValueError) as caught:
        make(name)

    assert f": {name!r} cannot name a directory; use a name without '/', leading dot or outer blanks" in str(caught.value)


@pytest.mark.parametrize("make", MAKE)
@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        *((name, InputTypeError, f"name is {name!r}; a name is text") for name in (None, 1, b"x", Path("x"))),
        ("x" * 201, InputValueError, "has 201 bytes; a name may have 200"),
        ("é" * 101, InputValueError, "has 202 bytes; a name may have 200"),
    ],
)
def test_a_name_is_text_of_a_length_that_file_systems_take(
    make: Callable[[Any], Model | Ensemble], name: object, error: type[Exception], message: str
) -> None:
    with pytest.raises(error) as caught:
        make(name)

    assert message in str(caught.value)


def test_the_text_of_a_parameter_goes_to_the_program_and_its_type_stays() -> None:
    (member,) = Ensemble("e", {"T": [1.50]}, params_as_args=["T"], run_settings=ECHO)

    assert member.params == {"T": "1.5"}
    assert member.values == {"T": 1.5}
    assert arguments(member) == ("hello", "-T", "1.5")


@pytest.mark.parametrize("value", ["a b", "", "a 'b\n", "é漢", "-1", "$HOME"])
def test_one_argument_stays_one_argument(value: str) -> None:
    (member,) = Ensemble("e", params_as_args={"T": [value], "THERMO": [value]}, run_settings=ECHO)

    assert arguments(member) == ("hello", "-T", value, f"--THERMO={value}")


def test_a_parameter_that_is_changed_is_told_as_it_is() -> None:
    model = Model("m", {"T": 1, "P": 2}, ECHO, params_as_args="T")

    model.params.update({"T": "7", "N": "None"})

    assert model.values == {"T": "7", "P": 2, "N": "None"}
    assert arguments(model) == ("hello", "-T", "7")


def test_every_member_has_run_settings_of_its_own() -> None:
    settings = RunSettings("echo", env_vars={"A": 1})
    ensemble = Ensemble("e", run_settings=settings, replicas=3)

    settings.add_exe_args("later")
    ensemble["e_1"].run_settings.add_exe_args("own")
    ensemble["e_1"].run_settings.update_env({"A": 2})

    assert [arguments(member) for member in ensemble] == [(), ("own",), ()]
    assert [member.command.env["A"] for member in ensemble] == ["1", "2", "1"]


@pytest.mark.parametrize("look", [True, False])
def test_a_model_keeps_the_settings_that_it_was_made_with(look: bool) -> None:
    settings = RunSettings("echo")
    model = Model("m", None, settings)
    if look:
        assert model.run_settings.exe_args == []

    settings.add_exe_args("later")

    assert arguments(model) == ()


@pytest.mark.parametrize("given", [[1], (1,), range(1), np.array([1])])
def test_a_model_takes_one_value_not_a_list(given: object) -> None:
    with pytest.raises(ParameterError, match=r"^m: parameter 'T' has a list of values; a Model takes one, an Ensemble expands"):
        Model("m", {"T": given}, ECHO)


def test_a_model_needs_run_settings() -> None:
    with pytest.raises(InputTypeError, match=r"^m: a Model needs run_settings; for example"):
        Model("m", None, None)  # type: ignore[arg-type]


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


def test_models_are_equal_by_name() -> None:
    assert Model("m", {"T": 1}, ECHO) == Model("m", {"T": 2}, ECHO)
    assert Model("m", None, ECHO) != Model("n", None, ECHO)
    assert Model("m", None, ECHO) != "m"
    assert len({Model("m", None, ECHO), Model("m", None, ECHO)}) == 1


# --- data that members share --------------------------------------------------------------------------------------------


def test_generated_members_have_prefixes_and_others_only_when_told() -> None:
    made = Ensemble("made", replicas=2, run_settings=RunSettings("true"))
    job = Ensemble("job", batch_settings=BatchSettings())
    added, alone = (Model(name, None, RunSettings("true")) for name in ("added", "alone"))
    job.add_model(added)

    assert (made.query_key_prefixing(), made[0].query_key_prefixing()) == (True, True)
    assert (job.query_key_prefixing(), added.query_key_prefixing(), alone.query_key_prefixing()) == (False, False, False)


def test_a_prefix_is_on_if_the_members_own_or_the_ensembles_setting_is() -> None:
    job = Ensemble("job", batch_settings=BatchSettings())
    own, plain = (Model(name, None, RunSettings("true")) for name in ("own", "plain"))
    own.enable_key_prefixing()
    job.add_model(own)
    job.add_model(plain)
    assert (own.query_key_prefixing(), plain.query_key_prefixing(), job.query_key_prefixing()) == (True, False, False)

    job.enable_key_prefixing()
    later = Model("later", None, RunSettings("true"))
    job.add_model(later)

    assert [member.query_key_prefixing() for member in job] == [True, True, True]
    own.disable_key_prefixing()
    assert (own.query_key_prefixing(), job.query_key_prefixing()) == (False, False)
    job.enable_key_prefixing()
    assert job.query_key_prefixing()


def test_members_read_from_models_and_from_all_members_of_ensembles() -> None:
    producers = Ensemble("p", replicas=2, run_settings=RunSettings("true"))
    reference = Model("reference", None, RunSettings("true"))
    consumers = Ensemble("c", replicas=2, run_settings=RunSettings("true"))
    consumers.register_incoming_entity(producers)
    consumers[1].register_incoming_entity(reference)
    producers.add_model(Model("late", None, RunSettings("true")))
    consumers.add_model(Model("later", None, RunSettings("true")))

    assert [member.incoming_entities for member in consumers] == [
        ["p_0", "p_1", "late"],
        ["p_0", "p_1", "late", "reference"],
        ["p_0", "p_1", "late"],
    ]


def test_a_producer_is_registered_once() -> None:
    producers = Ensemble("p", replicas=2, run_settings=RunSettings("true"))
    consumers = Ensemble("c", replicas=2, run_settings=RunSettings("true"))
    consumers[1].register_incoming_entity(producers[0])

    with pytest.raises(EntityExistsError, match="c_1: reads from 'p_0' already; register each once"):
        consumers.register_incoming_entity(producers)
    assert consumers[0].incoming_entities == []
    consumers[0].register_incoming_entity(producers)
    with pytest.raises(EntityExistsError, match="c_0: reads from 'p_1' already"):
        consumers[0].register_incoming_entity(producers[1])
    with pytest.raises(InputTypeError, match="c: 'p_0' is neither a Model nor an Ensemble"):
        consumers.register_incoming_entity("p_0")  # type: ignore[arg-type]
