"""What every test needs: an experiment, programs, patience. Pages are collected by the plugin tutorkit."""

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from smartensemble.experiment import Experiment
from smartensemble.runtime import standalone
from tutorkit.blocks import Page
from tutorkit.config import Config
from tutorkit.pages import read
from tutorkit.run import PageRun

pytest_plugins = ["worlds.drivers", "worlds.servers", "worlds.site", "worlds.slurm"]

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


# --- projects of a few lines, for the tests of tutorkit -----------------------------------------------------------------

Write = Callable[..., Page]
Command = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def project(tmp_path: Path) -> Config:
    """A project with pages in docs/, and its code beside them."""
    (tmp_path / "pyproject.toml").write_text('[tool.tutorkit]\npages = ["docs/*"]\nsource = ["."]\n')
    (tmp_path / "docs").mkdir()
    return Config(root=tmp_path, pages=("docs/*",), source=(".",), time_limit=20.0)


@pytest.fixture
def write(project: Config) -> Write:
    """Write a page, and read it."""

    def write(text: str, name: str = "docs/page.rst") -> Page:
        path = project.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(textwrap.dedent(text).lstrip("\n").encode())
        return read(path, project.root)

    return write


def run(page: Page, config: Config) -> tuple[list[str], str]:
    """What is wrong with each block of a page, and what it leaves behind."""
    runs = PageRun(page, config, config.root / "images")
    try:
        problems = [runs.run(block).problem for block in page.blocks]
    finally:
        left = runs.close()
    return problems, left


@pytest.fixture
def command(project: Config) -> Command:
    """Run a Python module in the project, without what this run of pytest has set."""

    def command(*argv: str, **env: str) -> "subprocess.CompletedProcess[str]":
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith("PYTEST") and name != "REQUIRE_ALL"
        }
        return subprocess.run(
            [sys.executable, "-m", *argv], cwd=project.root, env=inherited | env, capture_output=True, text=True, check=False
        )

    return command
