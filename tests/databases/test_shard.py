"""What servers read is text: their configuration, and how they share the keys."""

import pytest

from smartensemble.databases.config import checked_setting, configuration, data_name, nodes_file
from smartensemble.databases.shard import SLOTS, Secrets, Shard, slot_range, speakable
from smartensemble.errors import InputTypeError, InputValueError


@pytest.mark.parametrize("count", [1, 2, 3, 7, 12, 1000])
def test_every_slot_is_served_by_exactly_one_server(count: int) -> None:
    ranges = [slot_range(number, count) for number in range(count)]

    assert [slot for first, last in ranges for slot in range(first, last + 1)] == list(range(SLOTS))


@pytest.mark.parametrize("address", ["127.0.0.1:6379", "unix:///run/db/socket"])
def test_an_address_says_where_a_server_listens(address: str) -> None:
    assert Shard.at("db", address).address == address


def test_each_server_of_a_cluster_knows_itself_and_all_others() -> None:
    shards = [Shard(f"db_{number}", "10.0.0.1", 7000 + number, node=f"{number}" * 40) for number in range(3)]

    lines = nodes_file(shards, shards[1]).splitlines()

    assert [line.split()[1:3] for line in lines[:-1]] == [
        ["10.0.0.1:7000@17000", "master"],
        ["10.0.0.1:7001@17001", "myself,master"],
        ["10.0.0.1:7002@17002", "master"],
    ]
    assert lines[-1] == "vars currentEpoch 3 lastVoteEpoch 0"


def test_a_password_is_for_one_user_and_nobody_else_gets_in() -> None:
    text = configuration(
        Shard("db", "127.0.0.1", 7000), "/db", "db", {"save": ""}, Secrets("one", "two"), "/m.so", sharded=False
    )

    assert text.splitlines() == [
        *["port 7000", "bind 127.0.0.1", "protected-mode no"],
        *['dir "/db"', 'dbfilename "db.rdb"', 'appendfilename "db.aof"'],
        *["user default off", "user smartensemble on >one ~* &* +@all -ai._next -ai._done -ai._shared"],
        "user smartensemble_worker on >two ~* -@all +@connection +get +ai._next +ai._done +ai._shared",
        *['loadmodule "/m.so"', 'save ""'],
    ]


def test_data_of_a_cluster_say_how_many_servers_share_them() -> None:
    assert (data_name(Shard("db"), 1), data_name(Shard("db_0"), 3)) == ("db", "db_0_of_3")


@pytest.mark.parametrize(
    ("path", "good"),
    [
        *[("/tmp/a-b_c.d/e", True), ("/tmp/a b", False), ("/tmp/a,b", False), ("/tmp/é", False)],
        *[("/" + 99 * "d", True), ("/" + 100 * "d", False), ("", False)],
    ],
)
def test_a_socket_is_short_and_of_characters_that_clients_take(path: str, good: bool) -> None:
    assert speakable(path) is good


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("port", "1", "it follows from port, interface and access"),
        ("requirepass", "x", "it follows from access='password'"),
        ("Dir", "/", "it follows from path"),
        ("maxmemory", "1\nuser x", "is more than a line of text"),
        ("no such", "1", "is no name of a setting"),
    ],
)
def test_what_an_argument_says_is_not_set_twice(key: str, value: str, why: str) -> None:
    with pytest.raises(InputValueError, match=why):
        checked_setting("db", key, value)


@pytest.mark.parametrize(("key", "value"), [("maxmemory", None), ("appendonly", True), (5, "x")])
def test_a_setting_is_text(key: object, value: object) -> None:
    with pytest.raises(InputTypeError, match=r"give text; for example \('maxmemory', '2gb'\)"):
        checked_setting("db", key, value)
