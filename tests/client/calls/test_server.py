"""What servers know and are set to is asked of each by its address.

Tests prefixes.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from smartensemble import Client
from smartensemble.client import RedisRuntimeError
from smartensemble.errors import InputTypeError
from worlds.servers import Server


@pytest.fixture
def address(server: Server) -> str:
    return f"unix://{server.socket}"


@pytest.fixture
def client(address: str) -> Iterator[Client]:
    with Client(address=address) as made:
        yield made


def test_a_server_says_how_it_is(client: Client, server: Server, address: str) -> None:
    [info] = client.get_db_node_info([address])

    assert info["Server"]["process_id"] == str(server.process.pid)
    assert int(info["Memory"]["used_memory"]) > 0


def test_a_setting_is_read_and_changed(client: Client, address: str) -> None:
    client.config_set("lua-time-limit", "4000", address)

    assert client.config_get("lua-time-limit", address) == {"lua-time-limit": "4000"}
    assert len(client.config_get("*max-*-entries*", address)) > 1
    assert client.config_get("nothing-of-this-name", address) == {}
    with pytest.raises(RedisRuntimeError, match=r"^CONFIG SET: .+; "):
        client.config_set("nothing-of-this-name", "1", address)


def test_all_data_are_saved_and_deleted(client: Client, server: Server, address: str) -> None:
    client.put_tensor("x", [1])

    client.save([address])
    client.flush_db([address])

    assert (Path(server.directory) / "dump.rdb").exists()
    assert not client.tensor_exists("x")


WRONG: dict[str, tuple[Any, type[Exception], str]] = {
    "one address": (lambda client: client.flush_db("n1:6379"), InputTypeError, "'n1:6379' is no list of addresses; give"),
    "none": (lambda client: client.save([]), InputTypeError, "is no list of addresses"),
    "another server": (
        lambda client: client.save(["n1:6379"]),
        RedisRuntimeError,
        "no server .* listens at 'n1:6379'; there are",
    ),
    "no text": (lambda client: client.get_db_node_info([6379]), InputTypeError, "6379 is no text"),
    "a list": (lambda client: client.config_get("*", ["n1"]), InputTypeError, "is no text; give host:port"),
    "no key": (lambda client: client.get_ai_info([], 7), InputTypeError, "^key: 7 is no text"),
    "no flag": (lambda client: client.get_ai_info(["n1"], "x", "no"), InputTypeError, "reset_stat: 'no' is neither"),
    "one server": (lambda client: client.get_db_cluster_info([client.at]), RedisRuntimeError, "has one server only; call"),
}


@pytest.mark.parametrize(("call", "error", "message"), WRONG.values(), ids=WRONG)
def test_a_wrong_call_is_said(client: Client, address: str, call: Any, error: type[Exception], message: str) -> None:
    client.at = address  # type: ignore[attr-defined]
    with pytest.raises(error, match=message):
        call(client)
