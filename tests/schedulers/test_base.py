"""A scheduler is a table: what is in it is spelled, what is not has no effect and is named.

Tests schedulers and unbuilt.
"""

import pytest

from smartensemble.schedulers import SCHEDULERS, UNBUILT
from smartensemble.schedulers.base import LOCAL, Scheduler

SLURM = Scheduler("slurm", "#SBATCH", {"nodes": "--nodes={}", "time": "--time={hms}", "account": ""})


@pytest.mark.parametrize(
    ("asked", "lines"),
    [
        ({}, []),
        ({"nodes": 2}, ["#SBATCH --nodes=2"]),
        ({"time": "01:00:00", "nodes": 2}, ["#SBATCH --time=01:00:00", "#SBATCH --nodes=2"]),
        ({"--x": None, "nodes": 2, "-y": 1, "--z": 0}, ["#SBATCH --x", "#SBATCH --nodes=2", "#SBATCH -y 1", "#SBATCH --z=0"]),
        ({"nodes": None, "time": ""}, []),
        ({"account": "mine", "queue": "debug"}, []),
    ],
)
def test_what_is_asked_for_is_spelled_in_the_order_in_which_it_was_set(asked: dict[str, object], lines: list[str]) -> None:
    assert list(SLURM.directives(asked)) == lines


@pytest.mark.parametrize(
    ("asked", "options"),
    [
        ({}, []),
        ({"nodes": 2, "time": 60}, []),
        ({"queue": "debug", "nodes": 2, "--x": 1}, ["queue"]),
        ({"queue": None, "features": ()}, []),
        ({"account": "mine"}, []),
    ],
)
def test_what_is_not_in_the_table_has_no_effect(asked: dict[str, object], options: list[str]) -> None:
    assert SLURM.without_effect(asked) == options


def test_this_machine_has_no_directives_and_keeps_the_time_itself() -> None:
    asked = {"nodes": 4, "time": "00:10:00", "queue": "debug", "account": "mine", "-x": None, "--y": "z"}

    assert list(LOCAL.directives(asked)) == []
    assert LOCAL.without_effect(asked) == ["nodes", "queue", "account", "-x", "--y"]


def test_each_scheduler_is_found_by_its_name() -> None:
    assert {name: scheduler.name for name, scheduler in SCHEDULERS.items()} == {"local": "local", "slurm": "slurm"}


def test_schedulers_that_are_not_built_have_directives_and_nothing_that_starts() -> None:
    assert {name: (each.name == name, bool(each.directive), each.control) for name, each in UNBUILT.items()} == dict.fromkeys(
        ("pbs", "pals", "lsf", "sge", "dragon"), (True, True, None)
    )
