"""Servers on a cluster are steps of an allocation, each on a node of its own, on nodes that are named, or several on one."""

import sys
from pathlib import Path
from typing import Any

import pytest

from smartensemble.command import Command
from smartensemble.compat.settings import SrunSettings
from smartensemble.databases.placement import ClusterOptions, Placement, placement
from smartensemble.errors import InputValueError, UnsupportedError

pytestmark = pytest.mark.usefixtures("run_commands")


def placed(servers: int = 3, **options: Any) -> Placement:
    return placement("db", "slurm", servers, ["ib0"], ClusterOptions(**options))


def steps(made: Placement, workers: int = 0) -> list[Command]:
    return made.steps("db", Path("/db"), ["agent", "server"], ["agent", "worker"], workers)


def option(command: Command, name: str) -> str | None:
    """The value of an option of `srun`."""
    return next((word.partition("=")[2] for word in command.argv if word.startswith(f"--{name}=")), None)


@pytest.mark.parametrize(("servers", "per_node", "nodes"), [(1, 1, 1), (3, 1, 3), (3, 2, 2), (4, 2, 2), (3, 8, 1)])
def test_servers_take_as_few_nodes_as_hold_them(servers: int, per_node: int, nodes: int) -> None:
    made = placed(servers, per_node=per_node)

    (step,) = steps(made)
    assert made.nodes == nodes
    assert (option(step, "ntasks"), option(step, "nodes")) == (str(servers), str(nodes))


def test_each_server_may_be_a_step_on_a_node_of_its_own() -> None:
    one, two, three = steps(placed(per_node=2, single_cmd=False))

    assert [each.name for each in (one, two, three)] == ["db_0.server", "db_1.server", "db_2.server"]
    assert [each.argv[-2:] for each in (one, two, three)] == [("server", "0"), ("server", "1"), ("server", "2")]
    assert [option(each, "relative") for each in (one, two, three)] == ["0", "0", "1"]


def test_servers_run_on_the_nodes_that_are_named() -> None:
    made = placed(hosts=["a", "b", "c"], single_cmd=False)

    assert [option(each, "nodelist") for each in steps(made)] == ["a", "b", "c"]
    with pytest.raises(InputValueError, match="db: hosts are 2, and 3 servers, 1 on each, take 3; name as many"):
        made.name_hosts("db", ["a", "b"])


def test_workers_are_a_step_after_the_servers() -> None:
    *_, workers = steps(placed(), workers=5)

    assert (workers.name, workers.argv[-1]) == ("db.workers", "worker")
    assert (option(workers, "ntasks"), option(workers, "nodes")) == ("5", "3")


def test_servers_start_by_settings_that_show_their_options_otherwise() -> None:
    made = placed()
    made.run_settings = SrunSettings(sys.executable, run_args={"cpus-per-task": 2, "mem": "4G"})

    servers, workers = steps(made, workers=1)

    assert [option(servers, name) for name in ("cpus-per-task", "mem", "ntasks", "nodes")] == ["2", "4G", "3", "3"]
    assert [option(workers, name) for name in ("cpus-per-task", "mem", "ntasks", "nodes")] == [None, "4G", "1", "1"]
    assert made.run_settings.run_args == {"cpus-per-task": 2, "mem": "4G"}


def test_a_job_of_their_own_has_room_for_all_servers_at_once() -> None:
    settings = placed(batch=True, per_node=2, time="01:00:00").batch_settings

    assert settings is not None
    assert (settings.nodes, settings.overcommit) == (2, True)


@pytest.mark.parametrize(
    ("launcher", "options", "error", "why"),
    [
        ("pbs", {}, UnsupportedError, "db: no launcher 'pbs' in this version"),
        ("local", {}, UnsupportedError, "db: no launcher 'local' in this version"),
        ("slurm", {"alloc": 7, "batch": True}, InputValueError, "db: alloc=7 and batch=True; give one of them"),
    ],
)
def test_what_contradicts_itself_is_an_error(launcher: str, options: dict[str, Any], error: type[Exception], why: str) -> None:
    with pytest.raises(error, match=why):
        placement("db", launcher, 3, ["ib0"], ClusterOptions(**options))
