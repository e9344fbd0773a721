"""What a server reads is text: its configuration, and the list of all servers of a database."""

import pytest

from smartensemble.databases.config import checked_setting, configuration, data_name, nodes_file
from smartensemble.databases.shard import Shard
from smartensemble.databases.users import OWNER_USER, WORKER_USER, Secrets
from smartensemble.errors import InputTypeError, InputValueError


def test_each_server_of_a_cluster_knows_itself_and_all_others() -> None:
    shards = [Shard(f"db_{number}", "10.0.0.1", 7000 + number, node=f"{number}" * 40) for number in range(3)]

    lines = nodes_file(shards, shards[1]).splitlines()

    assert [line.split()[1:3] for line in lines[:-1]] == [
        ["10.0.0.1:7000@17000", "master"],
        ["10.0.0.1:7001@17001", "myself,master"],
        ["10.0.0.1:7002@17002", "master"],
    ]
    assert lines[-1] == "vars currentEpoch 3 lastVoteEpoch 0"


def test_a_server_is_told_where_to_listen_who_may_log_in_and_what_to_load() -> None:
    text = configuration(Shard("db", "127.0.0.1", 7000), "/db", "db", {"save": ""}, Secrets("1", "2"), "/m.so", sharded=False)

    lines = text.splitlines()
    assert [line for line in lines if not line.startswith("user ")] == [
        "# written by smartensemble, anew at each start",
        *["port 7000", "bind 127.0.0.1", "protected-mode no"],
        *['dir "/db"', 'dbfilename "db.rdb"', 'appendfilename "db.aof"'],
        *['loadmodule "/m.so"', 'save ""'],
    ]
    assert [line.split()[1] for line in lines if line.startswith("user ")] == ["default", WORKER_USER, OWNER_USER]


def test_data_of_a_cluster_say_how_many_servers_share_them() -> None:
    assert (data_name(Shard("db"), 1), data_name(Shard("db_0"), 3)) == ("db", "db_0_of_3")


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("port", "1", "it follows from port, interface and access"),
        ("requirepass", "x", "it follows from access"),
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
