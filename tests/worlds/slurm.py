"""A private Slurm."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster import Cluster
from smartensemble.experiment import Experiment


@pytest.fixture(scope="session")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A Slurm of four nodes of eight CPUs."""
    running = Cluster(tmp_path_factory.mktemp("slurm") / "cluster")
    yield running
    running.stop()


@pytest.fixture
def cluster(slurm: Cluster, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """The Slurm of this session, all nodes of which are free, as the one that programs find."""
    for name, value in slurm.env.items():
        monkeypatch.setenv(name, value)
    slurm.wait_until_idle()
    return slurm


@pytest.fixture
def slurm_exp(cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Experiment]:
    """An experiment on a cluster, all of which is stopped in the end."""
    assert cluster.nodes
    monkeypatch.chdir(tmp_path)
    experiment = Experiment("study", launcher="slurm")
    yield experiment
    experiment.stop()
