"""A broker opens what its worker may not open, and nothing else."""

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from smartensemble.inference.confinement.broker import NUMBER, Broker, start_broker
from smartensemble.inference.connection import Connection
from worlds.servers import ONE_SERVER, Server, Start

pytestmark = ONE_SERVER

Brokers = Callable[..., Broker]


@pytest.fixture
def broker() -> Iterator[Brokers]:
    """Start brokers of servers, each of which ends with its channel."""
    started: list[Broker] = []

    def start(*addresses: str) -> Broker:
        started.append(start_broker(addresses))
        return started[-1]

    yield start
    for each in started:
        each.channel.close()  # all of them first: a broker has inherited those of the earlier ones
    for _ in started:
        os.wait()


def test_a_worker_gets_a_connection_that_is_logged_in_and_shared_memory(server: Server, broker: Brokers) -> None:
    both = broker(f"unix://{server.socket}", f"127.0.0.1:{server.port}")

    for number in (0, 1, 0):
        opened = both.open(number)
        connection = Connection(opened.socket)
        connection.send([["PING"], ["AI._SHARED"]])
        assert connection.read() == b"PONG"
        *_, size, token = connection.read()
        assert opened.memory is not None
        assert (os.fstat(opened.memory).st_size, os.pread(opened.memory, len(token), 0)) == (size, token)
        opened.close()


def test_nobody_can_cut_the_shared_memory_off(server: Server, broker: Brokers) -> None:
    opened = broker(f"unix://{server.socket}").open(0)

    assert opened.memory is not None
    for size in (0, 1 << 40):
        with pytest.raises(PermissionError):
            os.ftruncate(opened.memory, size)
    opened.close()


def test_a_password_stays_with_the_broker(start: Start, broker: Brokers, monkeypatch: pytest.MonkeyPatch) -> None:
    server = start()
    server.client.config_set("requirepass", "secret")

    monkeypatch.setenv("REDISCLI_AUTH", "wrong")
    with pytest.raises(ConnectionError, match="invalid"):
        broker(f"unix://{server.socket}").open(0)
    monkeypatch.setenv("REDISCLI_AUTH", "secret")
    opened = broker(f"unix://{server.socket}").open(0)

    connection = Connection(opened.socket)
    connection.send([["PING"]])
    assert connection.read() == b"PONG"
    opened.close()


def test_a_server_that_is_not_there_is_tried_again(server: Server, broker: Brokers, tmp_path: Path) -> None:
    absent = broker(f"unix://{tmp_path}/s")
    with pytest.raises(ConnectionError, match="No such file"):
        absent.open(0)

    (tmp_path / "s").symlink_to(server.socket)

    absent.open(0).close()


def test_a_server_without_the_module_is_no_database(start: Start, broker: Brokers) -> None:
    with pytest.raises(ConnectionError, match="unknown command"):
        broker(f"unix://{start(module=False).socket}").open(0)


@pytest.mark.parametrize("message", [NUMBER.pack(1), NUMBER.pack(65535), b"x"], ids=repr)
def test_a_worker_that_asks_for_anything_else_has_no_broker_any_more(server: Server, broker: Brokers, message: bytes) -> None:
    asked = broker(f"unix://{server.socket}")

    asked.channel.sendall(message)

    assert asked.channel.recv(100) == b""
    with pytest.raises((EOFError, BrokenPipeError)):
        asked.open(0)


def test_it_ends_with_its_worker(server: Server, broker: Brokers) -> None:
    ended = broker(f"unix://{server.socket}")

    ended.channel.shutdown(socket.SHUT_WR)

    assert ended.channel.recv(1) == b""
