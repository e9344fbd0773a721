"""A command goes to the server that has its key, and is carried out once.

Tests servers.
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from smartensemble import Client
from smartensemble.client import RedisConnectionError, RedisDatabaseError, RedisRuntimeError, RedisTimeoutError
from smartensemble.client.address import Target
from smartensemble.client.database import Database
from smartensemble.client.servers import Server as Shard
from smartensemble.client.servers import Servers
from smartensemble.errors import StateError
from smartensemble.wire.slots import SLOTS, slot_of
from worlds.patience import PATIENCE_S, eventually
from worlds.relay import relay
from worlds.servers import ONE_SERVER, Server, Start

HALF = SLOTS // 2
#: Where it makes no difference which server it is.
pytestmark = ONE_SERVER


def calls(server: Server, command: str) -> int:
    """How often a server has carried out a command; AI.TENSORSET counts as SET."""
    found = {name.lower(): each["calls"] for name, each in server.client.info("commandstats").items()}
    return int(found.get(f"cmdstat_{command}", 0))


@contextmanager
def stopped(server: Server) -> Iterator[None]:
    """The server does nothing in this block."""
    server.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        server.process.send_signal(signal.SIGCONT)


# --- once --------------------------------------------------------------------------------------------------------------------


def test_what_reads_is_sent_again_when_its_reply_is_lost(server: Server, tmp_path: Path) -> None:
    server.client.config_resetstat()
    with relay(tmp_path / "s", server.socket) as network, Client(address=f"unix://{network.path}") as client:
        client.put_tensor("x", [1])
        network.lose(b"*")

        assert client.get_tensor("x").tolist() == [1]

        assert (calls(server, "ai.tensorget"), network.connections) == (2, 2)


def test_what_writes_is_not(server: Server, tmp_path: Path) -> None:
    server.client.config_resetstat()
    with relay(tmp_path / "s", server.socket) as network, Client(address=f"unix://{network.path}") as client:
        client.put_tensor("y", [0])
        network.lose(b"+OK")

        with pytest.raises(RedisDatabaseError, match=r"^x: .*may have carried out the command; look before you do it again"):
            client.put_tensor("x", [1])

        assert (calls(server, "set"), network.connections) == (2, 1)
        assert client.get_tensor("x").tolist() == [1]


def test_what_loses_its_reply_twice_is_an_error(server: Server, tmp_path: Path) -> None:
    with relay(tmp_path / "s", server.socket) as network, Client(address=f"unix://{network.path}") as client:
        network.lose(b":", 2)

        with pytest.raises(RedisDatabaseError, match=r"^x: the server has closed the connection"):
            client.tensor_exists("x")

        assert not client.tensor_exists("x")


def test_a_pipeline_is_sent_again_only_if_it_reads(server: Server, tmp_path: Path) -> None:
    reads: Any = [(b"x", ("EXISTS", b"x")), (b"y", ("EXISTS", b"y"))]
    writes: Any = [*reads, (b"list", ("RPUSH", b"list", b"a"))]
    with relay(tmp_path / "s", server.socket) as network, Client(address=f"unix://{network.path}") as client:
        network.lose(b":")
        assert client._database.call_many(reads) == [0, 0]

        network.lose(b":")
        with pytest.raises(RedisDatabaseError, match=r"may have carried out"):
            client._database.call_many(writes)

        assert server.client.llen("list") == 1


def test_a_pipeline_raises_its_error_and_is_carried_out(server: Server) -> None:
    server.client.set("text", "x")
    commands: Any = [(b"text", ("LLEN", b"text")), (b"list", ("RPUSH", b"list", b"a"))]
    with Client(address=f"unix://{server.socket}") as client:
        with pytest.raises(RedisRuntimeError, match=r"^text: WRONGTYPE"):
            client._database.call_many(commands)

        assert client._database.call_many(commands[1:]) == [2]


def test_a_server_that_was_started_again_gets_a_new_connection(start: Start) -> None:
    first = start()
    with Client(address=f"unix://{first.socket}") as client:
        client.put_tensor("x", [1])
        first.stop()
        second = start()

        client.put_tensor("x", [2])

        assert client.get_tensor("x").tolist() == [2]
        second.stop()
        client._database.limits = client._database.limits._replace(connect=0.01)
        with pytest.raises(RedisConnectionError, match=r"^unix://.*: no server answers there \(Connection refused\)"):
            client.put_tensor("x", [3])


def test_a_late_reply_is_an_error_and_is_not_taken_for_the_next(server: Server) -> None:
    server.client.config_resetstat()
    with Client(address=f"unix://{server.socket}", timeout=0.05) as client:
        patient = Client(address=f"unix://{server.socket}")
        patient.put_tensor("x", [1])
        with stopped(server), pytest.raises(RedisTimeoutError, match=r"^y: .* does not answer in time, .*: timeout="):
            client.put_tensor("y", np.arange(2))

        assert eventually(lambda: calls(server, "set") == 2)
        client._database.limits = patient._database.limits  # for the new connection, on a machine that is busy
        assert client.get_tensor("x").tolist() == [1]
        patient.close()


def test_an_interrupted_call_leaves_no_reply_to_the_next(server: Server) -> None:
    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    with Client(address=f"unix://{server.socket}") as client:
        client.put_tensor("x", [1])
        client.put_tensor("y", [2])
        before = signal.signal(signal.SIGALRM, interrupt)
        try:
            with stopped(server):
                signal.setitimer(signal.ITIMER_REAL, 0.05)
                with pytest.raises(KeyboardInterrupt):
                    client.get_tensor("x")
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)

        assert client.get_tensor("y").tolist() == [2]


# --- threads and processes ---------------------------------------------------------------------------------------------------


def test_threads_take_turns(server: Server) -> None:
    wrong: list[object] = []

    def work(number: int) -> None:
        for size in (1, 10, 30_000) * 5:
            client.put_tensor(f"x{number}", np.full(size, number))
            found = client.get_tensor(f"x{number}")
            if found.tolist() != [number] * size:
                wrong.append(found)

    with Client(address=f"unix://{server.socket}") as client:
        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert wrong == []


FORK = """
import os, sys
from smartensemble import Client
client = Client(address=sys.argv[1])
client.put_tensor("x", [0])
if not (child := os.fork()):
    for _ in range(50):
        client.put_tensor("child", list(range(100)))
        assert client.get_tensor("child").tolist() == list(range(100))
    os._exit(0)
for _ in range(50):
    client.put_tensor("parent", list(range(200)))
    assert client.get_tensor("parent").tolist() == list(range(200))
assert os.waitpid(child, 0)[1] == 0
"""


def test_a_child_process_has_connections_of_its_own(server: Server) -> None:
    before = server.client.info("stats")["total_connections_received"]

    subprocess.run([sys.executable, "-c", FORK, f"unix://{server.socket}"], check=True, env=os.environ)

    assert server.client.info("stats")["total_connections_received"] == before + 2


# --- several servers ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def several(program: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Server]]:
    """Two servers of one database, each with half of the slots. They take two seconds to agree."""
    options = ("--cluster-enabled", "yes", "--cluster-require-full-coverage", "no")
    servers = [Server(program, tmp_path_factory.mktemp(name), *options) for name in ("a", "b")]
    try:
        servers[0].client.execute_command("CLUSTER", "MEET", "127.0.0.1", servers[1].port)
        for server, first, last in zip(servers, (0, HALF), (HALF - 1, SLOTS - 1), strict=True):
            server.client.execute_command("CLUSTER", "ADDSLOTSRANGE", first, last)
        for server in servers:
            eventually(lambda server=server: agrees(server))  # type: ignore[misc]
        yield servers
    finally:
        for server in servers:
            server.stop()


def agrees(server: Server) -> bool:
    said = server.client.execute_command("CLUSTER", "INFO")
    return b"cluster_state:ok" in said and b"cluster_slots_assigned:16384" in said


@pytest.fixture
def pair(several: list[Server]) -> list[Server]:
    for server in several:
        server.client.flushall()
    return several


def number_of(server: Server) -> str:
    return str(server.client.execute_command("CLUSTER", "MYID"), "ascii")


def test_a_command_goes_where_its_key_is(pair: list[Server]) -> None:
    names = [f"x{number}" for number in range(50)]
    with Client(address=f"127.0.0.1:{pair[1].port}") as client:
        for number, name in enumerate(names):
            client.put_tensor(name, [number])
        client.rename_tensor("x0", "another")
        client.copy_tensor("another", "x0")

        assert [client.get_tensor(name)[0] for name in names] == list(range(50))
        assert min(server.client.dbsize() for server in pair) > 5
        found = client._database.call_many([(name.encode(), ("EXISTS", name)) for name in [*names, "no"]])
        assert found == [1] * 50 + [0]
        assert client._database.each_shard("PING") == [b"PONG"] * 2


def test_a_client_follows_a_key_that_has_moved(pair: list[Server]) -> None:
    with Client(address=f"127.0.0.1:{pair[0].port}", cluster=True) as client:
        database = client._database
        known, swapped = database.servers, [Shard(each.address, *each[1:]) for each in database.servers.each]
        wrong = [swapped[1]._replace(first=0, last=HALF - 1), swapped[0]._replace(first=HALF, last=SLOTS - 1)]
        database.servers = Servers(wrong)

        client.put_tensor("x", [1])
        assert [each.name for each in database.servers.each] == [each.name for each in known.each]

        database.servers = Servers(wrong)
        assert database.call_many([(b"x", ("EXISTS", b"x")), (b"rho", ("EXISTS", b"rho"))]) == [1, 0]
        assert client.get_tensor("x").tolist() == [1]


def test_a_client_asks_where_a_key_is_on_its_way_to(pair: list[Server]) -> None:
    source, target = pair if slot_of(b"x") < HALF else pair[::-1]
    target.client.execute_command("CLUSTER", "SETSLOT", slot_of(b"x"), "IMPORTING", number_of(source))
    source.client.execute_command("CLUSTER", "SETSLOT", slot_of(b"x"), "MIGRATING", number_of(target))
    with Client(address=f"127.0.0.1:{pair[0].port}") as client:
        client.put_tensor("x", [1])

        assert client.get_tensor("x").tolist() == [1]
    assert (source.client.dbsize(), target.client.dbsize()) == (0, 1)
    for server in (target, source):
        server.client.execute_command("CLUSTER", "SETSLOT", slot_of(b"x"), "STABLE")


def test_a_client_waits_until_the_servers_are_ready(pair: list[Server]) -> None:
    owner = pair[slot_of(b"x") >= HALF]
    with Client(address=f"127.0.0.1:{pair[0].port}") as client:
        database = client._database
        owner.client.execute_command("CLUSTER", "DELSLOTS", slot_of(b"x"))
        database.limits = database.limits._replace(command=0.01)
        with pytest.raises(RedisRuntimeError, match=r"^x: CLUSTERDOWN .*; wait until the database is ready"):
            client.put_tensor("x", [1])
        database.limits = database.limits._replace(command=PATIENCE_S)
        later = threading.Timer(0.05, owner.client.execute_command, ("CLUSTER", "ADDSLOTS", slot_of(b"x")))
        later.start()

        client.put_tensor("x", [1])

        later.join()
        assert client.get_tensor("x").tolist() == [1]


def test_one_of_several_servers_is_not_taken_for_all(pair: list[Server], server: Server) -> None:
    name = next(name for name in "abcdefgh" if slot_of(name.encode()) >= HALF)
    with (
        Client(False, f"127.0.0.1:{pair[0].port}") as client,
        pytest.raises(RedisRuntimeError, match=r"MOVED .* one of several"),
    ):
        client.put_tensor(name, [1])
    with pytest.raises(RedisConnectionError, match=r"cluster support disabled; set SR_DB_TYPE=Standalone"):
        Client(True, f"unix://{server.socket}")


def test_the_first_server_that_answers_counts(server: Server, tmp_path: Path) -> None:
    with Client(address=f"unix://{tmp_path}/none,unix://{server.socket}", connect_timeout=0.01) as client:
        assert [each.name for each in client._database.servers.each] == [f"unix://{server.socket}"]


def test_a_closed_database_stays_closed(server: Server) -> None:
    database = Database(Target((server.socket,)))
    database.close()
    database.close()

    with pytest.raises(StateError, match=r"^Client: is closed; "):
        database.call(b"x", "EXISTS", b"x")
