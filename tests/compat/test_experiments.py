"""An experiment has SmartSim's names, places and switches.

Tests experiment.
"""

from pathlib import Path
from typing import Any

import pytest

from smartensemble.compat import Experiment
from smartensemble.compat.error.errors import PreviewFormatError
from smartensemble.compat.settings import RunSettings
from smartensemble.errors import InputTypeError, InputValueError, StateError
from smartensemble.results import no_effect


def test_the_name_of_an_experiment_may_be_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for number in (1, 2):
        theirs = Experiment(f"results/infer/run-{number}")
        model = theirs.create_model("model", theirs.create_run_settings("pwd"))
        theirs.generate(model, overwrite=True)
        theirs.generate(model, overwrite=True)
        theirs.start(model)

        assert Path(model.path, "model.out").read_text().strip() == f"{tmp_path}/results/infer/run-{number}/model"
        assert theirs.name == str(theirs) == f"results/infer/run-{number}"
        assert theirs.exp_path == str(tmp_path / theirs.name)


@pytest.mark.parametrize("name", ["/abs/run", "a//b", "a/", "../a", "a/../b", "./a", "", "a/ b", 3])
def test_a_name_that_leads_elsewhere_is_an_error(name: Any) -> None:
    with pytest.raises((InputValueError, InputTypeError), match="Experiment: "):
        Experiment(name)


def test_an_experiment_is_moved_before_anything_runs_in_it(tmp_path: Path) -> None:
    theirs = Experiment("exp", tmp_path)
    db = theirs.create_database()

    theirs.exp_path = str(tmp_path / "elsewhere")
    model = theirs.create_model("model", RunSettings("true"))
    theirs.start(model)

    assert (model.path, *theirs.db_identifiers) == (f"{tmp_path}/elsewhere/model", db.db_identifier)
    assert theirs._launcher == "local"
    with pytest.raises(StateError, match="has run something"):
        theirs.exp_path = tmp_path
    assert theirs.exp_path == f"{tmp_path}/elsewhere"


def test_telemetry_is_switched_and_its_lack_is_said_once(theirs: Experiment) -> None:
    assert not theirs.telemetry.is_enabled
    for _ in range(2):
        theirs.telemetry.enable()

    assert (theirs.telemetry.is_enabled, theirs.create_database().telemetry.is_enabled) == (True, False)
    assert len(no_effect.said()) == 1
    theirs.telemetry.disable()
    assert not theirs.telemetry.is_enabled


def test_the_rows_of_a_summary_are_numbered(theirs: Experiment) -> None:
    for name in ("first", "second"):
        theirs.start(theirs.create_model(name, RunSettings("true")), progress=False)

    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in theirs.summary().splitlines()]

    assert cells[0] == ["", "Name", "Entity-Type", "JobID", "RunID", "Time", "Status", "Returncode"]
    assert [row[:3] for row in cells[2:]] == [["0", "first", "Model"], ["1", "second", "Model"]]


def test_a_preview_of_nothing_says_where_it_would_be(theirs: Experiment, capsys: pytest.CaptureFixture[str]) -> None:
    theirs.preview()

    assert capsys.readouterr().out == f"exp in {theirs.exp_path}\n"
    with pytest.raises(PreviewFormatError, match="no output_format 'html'"):
        theirs.preview(output_format="html")
    with pytest.raises(ValueError, match="there is no 'much'"):
        theirs.preview(verbosity_level="much")


@pytest.mark.needs("database")
def test_a_database_is_found_where_smartsim_would_have_its_file(theirs: Experiment, tmp_path: Path) -> None:
    db = theirs.create_database()
    theirs.start(db)

    again = Experiment("again", tmp_path).reconnect_orchestrator(f"{db.path}/smartsim_db.dat")

    assert (type(again), again.get_address()) == (type(db), db.get_address())
    assert theirs.reconnect_orchestrator(db.checkpoint_file) is db
    theirs.stop(db)
