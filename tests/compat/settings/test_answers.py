"""Settings answer as SmartSim's do, for each scheduler.

Tests alpsSettings, dragonRunSettings, lsfSettings, palsSettings, pbsSettings and sgeSettings.
"""

import json
import os
import subprocess
from pathlib import Path

import pytest

from worlds import smartsim_settings

ROOT = Path(__file__).parents[3]
#: What SmartSim 0.8.0 answered, written by ``smartsim_settings.py`` with the package from PyPI on Python 3.11.
RECORDED = ROOT / "tests/samples/smartsim/settings.json"
#: Answers that differ on purpose: SmartSim keeps a list as a number of nodes or tasks.
DIFFERENT = {"DragonRunSettings.set_nodes([4],)", "DragonRunSettings.set_tasks_per_node([4],)"}


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A PATH with an Open MPI, and nothing else."""
    smartsim_settings.install_programs(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))


def test_settings_answer_as_smartsims_do(programs: None) -> None:
    recorded = json.loads(RECORDED.read_text())

    ours = json.loads(json.dumps(smartsim_settings.answers("smartensemble.compat")))

    assert len(recorded) > 1000
    assert ours.keys() == recorded.keys()
    assert {name for name, answer in recorded.items() if ours[name] != answer} == DIFFERENT


def smartsims_python() -> str | None:
    """A Python that has SmartSim: the one that a variable names, or this one's neighbor."""
    found = os.environ.get("SMARTSIM_PYTHON", str(ROOT / ".nox/smartsim/bin/python"))
    return found if os.access(found, os.X_OK) else None


@pytest.mark.skipif(smartsims_python() is None, reason="needs a Python with SmartSim 0.8.0: SMARTSIM_PYTHON, or .nox/smartsim")
def test_what_is_recorded_is_what_smartsim_answers() -> None:
    script = str(Path(smartsim_settings.__file__))

    done = subprocess.run([str(smartsims_python()), script, "smartsim"], capture_output=True, text=True, check=True)

    assert json.loads(done.stdout) == json.loads(RECORDED.read_text())
