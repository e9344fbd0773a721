"""What every test needs: an experiment, programs, patience. Pages are collected by the plugin tutorkit."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from smartensemble.experiment import Experiment
from smartensemble.runtime import standalone

pytest_plugins = ["worlds.drivers", "worlds.projects", "worlds.servers", "worlds.site", "worlds.slurm"]

if "COVERAGE_RUN" in os.environ:
    standalone.FLAGS = ()  # coverage reaches a child by its site-packages


@pytest.fixture
def exp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Experiment]:
    """An experiment in an empty working directory, all of which is stopped in the end."""
    monkeypatch.chdir(tmp_path)
    experiment = Experiment("study")
    yield experiment
    experiment.stop(grace=0)


@pytest.fixture
def script(tmp_path: Path) -> Callable[[str], str]:
    """Write a shell script that can be executed; its path."""

    def write(text: str) -> str:
        path = tmp_path / f"script-{len(list(tmp_path.glob('script-*')))}"
        path.write_text(f"#!/bin/bash\n{text}\n")
        path.chmod(0o755)
        return str(path)

    return write
