"""SmartSim 0.8.0: what its public modules have, where it is installed, and what its drivers begin with."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from smartensemble.results import no_effect

ROOT = Path(__file__).parents[2]
#: The Python of an environment that has SmartSim 0.8.0: `nox -s benchmarks` makes one.
SMARTSIM = Path(os.environ.get("SMARTSIM_PYTHON", ROOT / ".nox/smartsim/bin/python"))
#: By module, class and name: what ``tests/compat/smartsim_names.py`` prints with that Python.
NAMES: dict[str, dict[str, Any]] = json.loads((ROOT / "tests/samples/smartsim/names-0.8.0.json").read_text())


@pytest.fixture
def anew() -> Iterator[None]:
    """A test hears again what has no effect."""
    no_effect.forget()
    yield
    no_effect.forget()


@pytest.fixture
def theirs(anew: None, tmp_path: Path) -> Any:
    """An experiment with SmartSim's methods."""
    from smartensemble.compat import Experiment  # few tests need all of it

    return Experiment("exp", tmp_path)
