"""Bytes go out without a copy and come in whole, however the network cuts them."""

from pathlib import Path
from typing import Any

import hiredis
import numpy as np
import pytest

from smartensemble import Client
from smartensemble.client import RedisConnectionError, RedisRuntimeError
from smartensemble.client.connection import APART_BYTES, pack
from worlds.relay import relay
from worlds.servers import ONE_SERVER, Server

LARGE = bytes(range(256)) * (APART_BYTES // 256)
COMMANDS: list[Any] = [
    ("PING",),
    ("SET", "é", b"\0\r\n", 7),
    ("SET", b"k", LARGE),
    ("SET", LARGE, "x", LARGE, LARGE, 1),
    ("SET", "k", memoryview(b"12")),
    ("SET", "x" * APART_BYTES),
]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_packed_as_hiredis_packs_it(command: Any) -> None:
    plain: Any = tuple(bytes(word) if isinstance(word, memoryview) else word for word in command)

    assert b"".join(pack(command)) == hiredis.pack_command(plain)


def test_a_large_argument_is_sent_from_where_it_lies() -> None:
    assert any(buffer is LARGE for buffer in pack(("SET", "k", LARGE)))


@ONE_SERVER
@pytest.mark.parametrize("piece", [1, 7, 5000])
def test_a_reply_in_pieces_is_read_whole(server: Server, tmp_path: Path, piece: int) -> None:
    with relay(tmp_path / "s", server.socket, piece) as network, Client(address=f"unix://{network.path}") as client:
        for size in (1, 100, 20_000 if piece > 1 else 300):
            client.put_tensor("x", np.arange(size))
            assert client.get_tensor("x").tolist() == list(range(size))
            with pytest.raises(RedisRuntimeError, match=r"tensor key is empty"):
                client.get_tensor("missing")


@pytest.mark.parametrize("number", [0, 1, 600, 1500])
@ONE_SERVER
def test_many_large_arguments_are_more_than_one_call(server: Server, number: int) -> None:
    values = [bytes([index % 256]) * APART_BYTES for index in range(number)]
    with Client(address=f"unix://{server.socket}") as client:
        database: Any = client._database

        assert database.call(b"list", "RPUSH", "list", "first", *values) == number + 1

    assert server.client.lrange("list", 1, -1) == values


def test_what_is_no_server_is_an_error_in_time(tmp_path: Path) -> None:
    import socket

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        listener.listen()

        with pytest.raises(RedisConnectionError, match=r"no server answers there \(the server does not answer in time\); "):
            Client(address=f"unix://{tmp_path / 's'}", connect_timeout=0.05)
    with pytest.raises(RedisConnectionError, match=r"no server answers there \(Connection refused\); start the database"):
        Client(address=f"unix://{tmp_path / 's'}", connect_timeout=0.05)
    with pytest.raises(RedisConnectionError, match=r"No such file"):
        Client(address=f"unix://{tmp_path / 'nothing'}", connect_timeout=0.05)
