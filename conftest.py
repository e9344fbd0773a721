"""What every test needs: an experiment, programs, patience. Pages are collected by the plugin tutorkit."""

import os
import re
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from smartensemble.experiment import Experiment
from smartensemble.runtime import standalone
from worlds.patience import PATIENCE_S

WORLDS = ("clients", "drivers", "projects", "run_commands", "servers", "site", "slurm", "smartsim")
pytest_plugins = [f"worlds.{world}" for world in WORLDS]

# Members run ``python``, ``mpirun`` and others by their names: those of this environment, which need not be activated.
os.environ["PATH"] = os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", os.defpath)])

#: Tests of programs that run in processes of their own. Only theirs are measured by coverage, which costs each process 0.1 s.
PROGRAMS = ("tests/cli/", "tests/compat/", "tests/inference/", "tests/runtime/standalone/", "tests/tutorkit/")
MEASURE_CHILDREN = os.environ.get("COVERAGE_PROCESS_CONFIG", "")

#: Files and pages that take longest, most of them by waiting: they begin first, so none runs alone in the end.
LONGEST = (
    "tutorials/slurm/slurm.md",  # and all that is on the cluster
    "tests/runtime/jobs/test_accounting.py",
    "tutorials/surrogate/surrogate.md",
    "tests/runtime/jobs/test_jobs.py",
    "tests/inference/test_worker.py",
    "tutorials/sobol/sobol.md",
    "tests/runtime/servers/test_store.py",
    "docs/howto/models.rst",
    "tests/runtime/standalone/test_supervisor.py",
    "tests/tutorkit/test_pytest_plugin.py",
    "tutorials/producer/producer.md",
    "tests/tutorkit/test_sphinx_extension.py",
    "docs/learn/7-inference.rst",
    "docs/howto/colocated_inference.rst",
    "docs/tutorkit/first.rst",
)


@cache
def on_the_cluster(file: str) -> bool:
    """A page that uses the cluster which tests/cluster.py starts."""
    page = Path(__file__).parent / file
    return page.suffix in (".rst", ".md") and re.search(r"needs:.*\bcluster\b", page.read_text(encoding="utf-8")) is not None


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """One process runs a whole file, as by ``--dist=loadfile``, and all pages on the cluster.

    Side by side, each of these could hold nodes while it waits for those of another.
    """
    from xdist.scheduler import LoadFileScheduling
    from xdist.workermanage import NodeManager

    NodeManager.EXIT_TIMEOUT = PATIENCE_S  # on a busy machine, 10 s are too few to write what coverage has seen

    class OneCluster(LoadFileScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            file: str = super()._split_scope(nodeid)
            return "the cluster" if on_the_cluster(file) else file

    return OneCluster(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest begins first."""
    place = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.nodeid.partition("::")[0], len(LONGEST)))


@pytest.fixture(autouse=True)
def measured(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Coverage of the processes that a test starts, where they are its subject."""
    if MEASURE_CHILDREN and request.node.nodeid.startswith(PROGRAMS):
        monkeypatch.setattr(standalone, "FLAGS", ())  # coverage reaches a child by its site-packages
    elif MEASURE_CHILDREN:
        monkeypatch.setenv("COVERAGE_PROCESS_CONFIG", "")


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
