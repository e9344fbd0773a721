"""Servers on one machine share the keys: one cluster for all tests of this file, since each takes its servers two seconds.

Tests local.
"""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from smartensemble import Experiment, Orchestrator, Status
from smartensemble.databases.orchestrator import endpoint_of, running_servers
from smartensemble.errors import StateError
from smartensemble.runtime.servers.resp import request

pytestmark = pytest.mark.needs("database")

Eventually = Callable[[Callable[[], object]], None]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cluster")


@pytest.fixture(scope="module")
def experiment(home: Path) -> Iterator[Experiment]:
    made = Experiment("study", home)
    yield made
    made.stop(grace=0)


@pytest.fixture(scope="module")
def cluster(experiment: Experiment, program: str) -> Iterator[Orchestrator]:
    """Three servers, of each of the two programs in turn."""
    identifier = Path(program).name.replace("-", "_")
    db = experiment.create_database(db_nodes=3, db_identifier=identifier, server=program)
    db.enable_checkpoints(1000)
    experiment.start(db)
    yield db
    experiment.stop(db)


def connect(db: Orchestrator, protocol: int = 2) -> redis.RedisCluster:
    host, _, port = db.get_address()[0].partition(":")
    return redis.RedisCluster(host=host, port=int(port), protocol=protocol)


@pytest.mark.parametrize("protocol", [2, 3])
def test_keys_are_divided_among_the_servers(cluster: Orchestrator, protocol: int) -> None:
    with connect(cluster, protocol) as client:
        for number in range(300):
            client.set(f"key{number}", number)

        assert sum(int(client.get(f"key{number}")) for number in range(300)) == 44850
    sizes = [request(shard, "DBSIZE") for shard in running_servers(cluster).shards]
    assert min(int(str(size)) for size in sizes) > 50


def test_each_server_serves_its_part_at_the_address_that_members_are_told(
    cluster: Orchestrator, experiment: Experiment
) -> None:
    slots = request(running_servers(cluster).shards[0], "CLUSTER", "SLOTS")
    assert isinstance(slots, list)

    told = sorted(f"{one[2][0]}:{one[2][1]}" for one in slots)  # type: ignore[index]
    assert told == sorted(cluster.get_address())
    assert endpoint_of(cluster).kind == "Clustered"
    assert (cluster.num_shards, cluster.hosts, cluster.is_active()) == (3, ["127.0.0.1"], True)
    assert experiment.get_status(cluster) == [Status.RUNNING] * 3


def test_a_setting_reaches_all_servers(cluster: Orchestrator) -> None:
    cluster.set_max_clients(123)

    said = {str(request(shard, "CONFIG", "GET", "maxclients")) for shard in running_servers(cluster).shards}
    assert said == {"['maxclients', '123']"}


def test_a_cluster_on_other_ports_has_its_data(cluster: Orchestrator, experiment: Experiment) -> None:
    with connect(cluster) as client:
        for number in range(30):
            client.set(f"kept{number}", number)
    before = cluster.get_address()
    experiment.stop(cluster)

    experiment.start(cluster)

    assert set(cluster.get_address()).isdisjoint(before)
    with connect(cluster) as client:
        assert [int(client.get(f"kept{number}")) for number in range(30)] == list(range(30))


def test_a_killed_server_makes_the_database_inactive_and_stop_ends_the_rest(
    cluster: Orchestrator, experiment: Experiment, eventually: Eventually
) -> None:
    said = [str(request(shard, "INFO", "server")) for shard in running_servers(cluster).shards]
    pids = [int(each.split("process_id:")[1].split()[0]) for each in said]
    os.kill(pids[1], signal.SIGKILL)
    eventually(lambda: experiment.get_status(cluster)[1] is Status.FAILED)

    assert not cluster.is_active()
    name = cluster.db_identifier
    with pytest.raises(StateError, match=f"{name}: does not serve any more: {name}_1: ended by SIGKILL"):
        experiment.start(experiment.create_model(f"never_{name}", experiment.create_run_settings("true")))
    experiment.stop(cluster)
    assert experiment.get_status(cluster) == [Status.CANCELLED, Status.FAILED, Status.CANCELLED]
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


@pytest.mark.parametrize("count", [1, 2])
def test_any_number_of_servers_will_do(count: int, exp: Experiment) -> None:
    db = exp.create_database(db_nodes=count, access="password")

    exp.start(db)

    assert (db.is_active(), len(db.get_address())) == (True, count)
