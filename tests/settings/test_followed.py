"""Settings that are changed after a model was created reach it, unless it has changed the same itself."""

from copy import copy

import pytest

from smartensemble import BatchSettings, Ensemble, Model, RunSettings
from smartensemble.errors import InputValueError


def arguments(model: Model) -> tuple[str, ...]:
    """What a model passes to its program."""
    return model.command.argv[1:]


@pytest.mark.parametrize("look", [True, False])
def test_a_later_change_reaches_a_model(look: bool) -> None:
    settings = RunSettings("echo", time_limit=1)
    model = Model("m", None, settings)
    own = model.run_settings if look else None

    settings.add_exe_args("later")
    settings.update_env({"A": 1})
    settings.add_preamble("date")
    settings.time_limit = 7.0

    assert (arguments(model), model.command.env, model.command.preamble, model.time_limit) == (
        ("later",),
        {"A": "1"},
        ("date",),
        7,
    )
    assert own in (None, model.run_settings)


def test_a_later_change_reaches_members_and_their_own_stay() -> None:
    settings = RunSettings("echo", env_vars={"A": 1})
    ensemble = Ensemble("e", run_settings=settings, replicas=3)
    ensemble["e_1"].run_settings.add_exe_args("own")
    assert ensemble["e_2"].run_settings.exe_args == []

    assert ensemble.run_settings is settings
    settings.update_env({"A": 2})
    settings.time_limit = 7.0

    assert [arguments(member) for member in ensemble] == [(), ("own",), ()]
    assert [(member.command.env["A"], member.time_limit) for member in ensemble] == [("2", 7)] * 3


def test_two_changes_of_one_thing_are_an_error() -> None:
    settings = RunSettings("echo")
    model = Model("m", None, settings)
    model.run_settings.add_exe_args("own")

    settings.add_exe_args("later")

    with pytest.raises(InputValueError, match=r"m: exe_args is \['own'\] in its own .*, and was changed to \['later'\] in"):
        arguments(model)
    settings.exe_args.clear()
    assert arguments(model) == ("own",)


def test_a_later_change_of_the_job_reaches_it() -> None:
    batch = BatchSettings()
    ensemble = Ensemble("e", run_settings=RunSettings("echo"), replicas=1, batch_settings=batch)

    batch.add_preamble("date")

    assert ensemble.batch_settings is batch


def test_a_copy_changes_nothing_in_what_it_was_copied_from() -> None:
    batch, settings = BatchSettings(nodes=1), RunSettings("echo")
    for copied in (copy(batch), copy(settings)):
        copied.add_preamble("date")
    copy(batch).set_tasks(2)

    assert (batch.preamble, batch.batch_options, settings.preamble) == ([], {}, [])
