"""What a program is told of its allocation, by the variables that Slurm sets, and on a real cluster.

Tests slurm.
"""

import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from cluster import Cluster
from smartensemble import slurm, wlm
from smartensemble.errors import InputValueError, SmartEnsembleError, StateError, UnsupportedError
from worlds.patience import PATIENCE_S

Driver = Callable[..., "subprocess.Popen[str]"]


def test_outside_of_an_allocation_there_is_nothing_to_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)

    for ask in (wlm.get_hosts, wlm.get_queue, wlm.get_tasks, wlm.get_tasks_per_node, slurm.get_hosts):
        with pytest.raises(StateError, match="wlm: this program runs in no allocation; run it with salloc or sbatch"):
            ask()
    with pytest.raises(UnsupportedError, match="wlm: no scheduler 'pbs' in this version; there is slurm"):
        wlm.get_hosts("pbs")


def test_a_step_is_not_taken_for_the_allocation(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {"SLURM_JOB_ID": "1", "SLURM_JOB_NODELIST": "n[1-4]", "SLURM_TASKS_PER_NODE": "1"}  # by srun -n1, on four nodes
    for name, value in told.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(StateError, match="the allocation has 4 nodes, and this program is told of processes on 1"):
        wlm.get_tasks_per_node()


def test_what_has_an_argument_is_not_given_twice() -> None:
    with pytest.raises(InputValueError, match="get_allocation: options has 'N'; give it as nodes="):
        slurm.get_allocation(options={"N": 2})


@pytest.mark.needs("slurm")
def test_inside_of_one_all_is_told(cluster: Cluster, driver: Driver) -> None:
    asked = driver(
        """
        from smartensemble import wlm
        print(wlm.get_hosts(), wlm.get_queue(), wlm.get_tasks(), wlm.get_tasks_per_node(), wlm.detect_launcher())
        """,
        wrapper=["salloc", "--quiet", "--nodes=2", "--ntasks-per-node=4", "--partition=short"],
    )

    out, _ = asked.communicate(timeout=PATIENCE_S)

    assert out == "['n1', 'n2'] short 8 {'n1': 4, 'n2': 4} slurm\n"


@pytest.mark.needs("slurm")
def test_an_allocation_lasts_until_it_is_released(cluster: Cluster) -> None:
    number = slurm.get_allocation(nodes=2, time="00:02:00", options={"partition": "short"})
    held = cluster.ask("squeue", "--noheader", "--format=%A %T %D %P")
    slurm.release_allocation(number)

    assert held.split() == [number, "RUNNING", "2", "short"]
    cluster.wait_until_idle()
    for nothing in (number, "999999", "--user=root"):
        with pytest.raises(StateError, match=r"release_allocation: there is no allocation .*; give what get_allocation"):
            slurm.release_allocation(nothing)


@pytest.mark.needs("slurm")
def test_a_partition_is_validated(cluster: Cluster) -> None:
    assert slurm.get_default_partition() == "main"
    assert (slurm.validate(4, 8), slurm.validate(4, 9), slurm.validate(3, 1, "short")) == (True, False, False)
    with pytest.raises(InputValueError, match="validate: no partition 'nope'; there are main, short"):
        slurm.validate(partition="nope")


@pytest.mark.parametrize("launcher", [["slurm"], {}, 3, "pbs"])
def test_what_is_no_scheduler_is_an_error(launcher: Any) -> None:
    with pytest.raises(UnsupportedError, match=r"^wlm: no scheduler .* in this version; there is slurm"):
        wlm.get_hosts(launcher)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"nodes": 0}, "nodes: 0 is not a whole number above zero"),
        ({"nodes": True}, "nodes: True is not a whole number"),
        ({"account": 3}, "account: 3 is no name; give its name"),
        ({"time": "soon"}, "time: 'soon' is no duration"),
        ({"options": ["x"]}, "options: .* is no dictionary"),
        ({"options": {"x": object()}}, "options.* is neither text nor a number"),
    ],
)
def test_an_allocation_that_cannot_be_is_an_error_before_slurm_is_asked(given: dict[str, Any], message: str) -> None:
    with pytest.raises(SmartEnsembleError, match=f"^{message}"):
        slurm.get_allocation(**given)
