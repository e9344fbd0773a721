"""The way out where a machine is gone, from a shell.

Tests abandon.
"""

import json
from pathlib import Path

import pytest

from smartensemble import Experiment, Status
from smartensemble.cli import main
from smartensemble.runtime.journal.files import publish
from smartensemble.runtime.journal.journal import FOLDER

STAMP = "2026-11-22T22:10:05.123Z"
DRIVER = {"pid": 4711, "host": "node7", "began": 8123, "boot": "0" * 36, "namespace": "pid:[1]", "sign": "lock-node7"}


def test_what_ran_on_a_machine_that_is_gone_is_abandoned(exp: Experiment, capsys: pytest.CaptureFixture[str]) -> None:
    model = exp.create_model("model", exp.create_run_settings("true"))
    asked = {"path": model.path, "params": {}}
    lines = [(0, "-", "driver", json.dumps(DRIVER)), (1, "model", "asked", json.dumps(asked)), (1, "model", "started", "1")]
    publish(Path("study", FOLDER), "".join("\t".join([STAMP, *map(str, line)]) + "\n" for line in lines))
    Path("study", FOLDER, "lock-node7").write_text(json.dumps(DRIVER))
    assert exp.get_status(model) == [Status.RUNNING]

    assert [main(["abandon", "study"]) for _ in range(2)] == [0, 0]

    assert capsys.readouterr().out.splitlines() == [
        "study: abandoned pid 4711 on node7",
        "study: these count as Unknown: model",
        "study: nothing to abandon",
    ]
    assert exp.get_status(model) == [Status.UNKNOWN]
    exp.start(model, progress=False)
    assert model.status is Status.COMPLETED


def test_what_runs_here_is_named_and_left_alone(exp: Experiment, capsys: pytest.CaptureFixture[str]) -> None:
    exp.start(exp.create_model("night", exp.create_run_settings("sleep", ["1000"])), detach=True, block=False)

    assert main(["abandon", "study"]) == 0

    nothing, who = capsys.readouterr().out.splitlines()
    assert nothing == "study: nothing to abandon"
    assert who.startswith("study: pid ")
    assert who.endswith(" lives, and runs night; stop it instead")


def test_what_is_no_experiment_is_an_error(exp: Experiment, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["abandon", "."]) == 2

    assert ".: has no directory 'journal'; give the directory of an experiment" in capsys.readouterr().err
    assert not Path("journal").exists()
