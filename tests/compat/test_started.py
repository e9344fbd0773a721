"""After a start, run settings show what their program was given."""

from pathlib import Path

import pytest

from smartensemble.compat import Experiment
from smartensemble.compat.settings import RunSettings


@pytest.mark.needs("database")
def test_after_a_start_the_variables_of_databases_are_shown_and_the_next_start_gives_others(tmp_path: Path) -> None:
    exp = Experiment("exp", tmp_path)
    model = exp.create_model("m", RunSettings("printenv", "SSDB", env_vars={"A": "1"}))
    db = exp.create_database(interface="lo")
    found = []

    for _ in range(2):
        exp.start(db)
        exp.start(model)
        found.append((model.run_settings.env_vars["SSDB"], Path(model.path, "m.out").read_text().strip()))
        exp.stop(db)

    assert [shown == given for shown, given in found] == [True, True]
    assert dict(model.run_settings.env_vars)["A"] == "1"
