"""What has no effect has a name and a reason, for a start and a preview to say."""

from smartensemble import RunSettings
from smartensemble.settings.effect import NO_RUN_COMMAND, notes, without_effect


def test_each_reason_has_a_line() -> None:
    assert notes({"a": "x", "b": "y", "c": "x"}) == ["a, c: no effect, because x", "b: no effect, because y"]
    assert notes({}) == []


def test_only_settings_without_a_run_command_have_options_without_effect() -> None:
    settings = RunSettings("true", run_args={"n": 2})
    settings.set_tasks(2)

    assert without_effect(settings) == {"n": NO_RUN_COMMAND, "tasks": NO_RUN_COMMAND}
    assert without_effect(RunSettings("true", run_command="env", run_args={"n": 2})) == {}
