"""A model has one value for each parameter, and knows its command, its directory and its run."""

import os
import pickle
from collections.abc import Callable
from copy import copy, deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from smartensemble import BatchSettings, Ensemble, Experiment, Model, RunSettings, Status
from smartensemble.errors import (
    InputTypeError,
    InputValueError,
    ParameterError,
    UnsupportedError,
)

ECHO = RunSettings("echo", ["hello"])


BATCH = BatchSettings(nodes=2)


def arguments(member: Model) -> tuple[str, ...]:
    """What its program is called with."""
    return member.command.argv[1:]


def test_a_model_by_position_is_in_the_order_of_smartsim(tmp_path: Path) -> None:
    model = Model("melt", {"T": 1.5}, ECHO, tmp_path / "here", ["T"], BATCH)

    assert (model.name, model.params, model.path) == ("melt", {"T": "1.5"}, f"{tmp_path}/here")
    assert (arguments(model), model.batch_settings) == (("hello", "-T", "1.5"), BATCH)


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


@pytest.mark.parametrize("given", [[1], (1,), range(1), np.array([1])])
def test_a_model_takes_one_value_not_a_list(given: object) -> None:
    with pytest.raises(ParameterError, match=r"^m: parameter 'T' has a list of values; a Model takes one, an Ensemble expands"):
        Model("m", {"T": given}, ECHO)


def test_a_model_needs_run_settings() -> None:
    with pytest.raises(InputTypeError, match=r"^m: a Model needs run_settings; for example"):
        Model("m", None, None)  # type: ignore[arg-type]


def test_models_are_equal_by_name() -> None:
    assert Model("m", {"T": 1}, ECHO) == Model("m", {"T": 2}, ECHO)
    assert Model("m", None, ECHO) != Model("n", None, ECHO)
    assert Model("m", None, ECHO) != "m"
    assert len({Model("m", None, ECHO), Model("m", None, ECHO)}) == 1


def test_members_that_never_ran_share_no_record() -> None:
    ensemble = Ensemble("e", run_settings=RunSettings("true"), replicas=2)

    ensemble[0].run.cause = "changed"

    assert (ensemble[0].run.cause, ensemble[1].run.cause, ensemble[0].run is ensemble[0].run) == ("changed", "", True)


def test_a_copy_of_a_model_changes_nothing_in_it() -> None:
    model = Model("m", {"T": 1}, RunSettings("echo"))
    assert (model.params, model.run_settings.exe_args) == ({"T": "1"}, [])
    twin = copy(model)

    twin.params["T"] = "2"
    twin.run_settings.add_exe_args("twin")

    assert (model.params, arguments(model), arguments(twin)) == ({"T": "1"}, (), ("twin",))


@pytest.mark.parametrize("twin", [copy, deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_a_copy_knows_how_the_run_ended_and_nothing_of_what_ran_it(exp: Experiment, twin: Callable[[Any], Any]) -> None:
    ens = exp.create_ensemble("ens", {"T": [1, 2]}, run_settings=exp.create_run_settings("true"))
    runs = exp.create_model("runs", exp.create_run_settings("sleep", "1000"))
    exp.start(ens, runs, block=False)
    exp.wait(ens)

    assert [twin(member).status for member in ens] == [Status.COMPLETED, Status.COMPLETED]
    assert twin(ens[0]).params == {"T": "1"}
    assert twin(ens).table()[0]["seconds"] == ens.table()[0]["seconds"]
    assert exp.get_status(twin(runs)) == [Status.RUNNING]  # by what the experiment knows of its directory
    with pytest.raises(
        UnsupportedError, match=r"^study: is not to be copied or pickled; make another by Experiment\('study', "
    ):
        twin(exp)


# --- what is set after a model was made ---------------------------------------------------------------------------------------


def test_parameters_are_replaced_and_checked_as_at_first() -> None:
    model = Model("melt", {"T": 1, "P": 2}, RunSettings("echo"), params_as_args=["T"])

    model.params = {"T": 2.5}

    assert (model.params, model.values, model.command.argv[1:]) == ({"T": "2.5"}, {"T": 2.5}, ("-T", "2.5"))
    for wrong in ({"T": [1, 2]}, {"T": None}, {"P": 1}, "T"):
        with pytest.raises(ParameterError, match="melt: "):
            model.params = wrong
    assert model.params == {"T": "2.5"}


def test_a_member_of_an_ensemble_gets_parameters_of_its_own() -> None:
    ens = Ensemble("ens", {"T": [1, 2]}, run_settings=RunSettings("echo"))

    ens[0].params = {"T": 3}

    assert [member.params for member in ens] == [{"T": "3"}, {"T": "2"}]


def test_the_names_of_arguments_are_set_and_must_be_parameters() -> None:
    model = Model("melt", {"T": 1, "P": 2}, RunSettings("echo"))

    model.params_as_args = ["P"]

    assert (list(model.params_as_args), model.command.argv[1:]) == (["P"], ("-P", "2"))
    with pytest.raises(ParameterError, match="parameter 'X' has no values"):
        model.params_as_args = ["X"]


def test_other_run_settings_are_followed_from_then_on() -> None:
    model = Model("melt", None, RunSettings("echo", "one"))
    model.run_settings.update_env({"A": 1})
    other = RunSettings("echo", "two")

    model.run_settings = other
    other.add_exe_args("three")

    assert (model.command.argv[1:], dict(model.command.env)) == (("two", "three"), {})
    with pytest.raises(InputTypeError, match="melt: "):
        model.run_settings = "echo"  # type: ignore[assignment]


def test_another_directory_is_where_the_model_runs(tmp_path: Path) -> None:
    exp = Experiment("exp", tmp_path)
    model = exp.create_model("melt", RunSettings("pwd"))

    model.path = tmp_path / "elsewhere"
    exp.start(model)

    assert (tmp_path / "elsewhere" / "melt.out").read_text().strip() == str(tmp_path / "elsewhere")
