"""A tensor is a string of the server's: what the server does with strings, it does with tensors."""

import struct
from collections.abc import Callable
from typing import Any

import pytest
import redis

from worlds.patience import PATIENCE_S
from worlds.servers import Server, Start

Ask = Callable[..., Any]
BIG = bytes(range(256)) * 400  # a big argument, which is not copied
VALUE = b"\x01\x02" + struct.pack("<q", 2) + b"b\x01TENSOR"
VALUES = ("AI.TENSORSET", "values", "INT8", 2, "VALUES", 1, 2)
SET = ("AI.TENSORSET", "key", "INT8", 2, "BLOB", b"\x01\x02")


def big(key: str = "big") -> tuple[object, ...]:
    return ("AI.TENSORSET", key, "UINT8", len(BIG), "BLOB", BIG)


def blob(client: Any, key: str = "big") -> bytes:
    data: bytes = client.execute_command("AI.TENSORGET", key, "BLOB")
    return data


@pytest.mark.parametrize("transaction", [True, False])
def test_tensors_travel_in_transactions_and_pipelines(server: Server, transaction: bool) -> None:
    pipeline = server.client.pipeline(transaction=transaction)
    pipeline.execute_command(*SET).execute_command(*big()).execute_command("AI.TENSORGET", "key", "BLOB")
    pipeline.execute_command("AI.TENSORSET", "wrong", "INT8", 0).execute_command("AI.TENSORGET", "big", "BLOB")

    replies = pipeline.execute(raise_on_error=False)

    assert replies[:3] == [b"OK", b"OK", b"\x01\x02"]
    assert "invalid or negative" in str(replies[3])
    assert replies[4] == BIG


def test_tensors_are_written_and_read_by_scripts(server: Server) -> None:
    put = "redis.call('AI.TENSORSET', KEYS[1], 'UINT8', #ARGV[1], 'BLOB', ARGV[1])"
    get = "return redis.call('AI.TENSORGET', KEYS[1], 'BLOB')"
    wrong = "return redis.pcall('AI.TENSORSET', KEYS[1], 'UINT8', 2, 'BLOB', 'x').err"

    for data in (b"x", BIG, b"y" * 100):
        assert server.client.eval(f"{put} {get}", 1, "key", data) == data
    assert b"data length does not match" in server.client.eval(wrong, 1, "key")


def test_keys_are_copied_renamed_dumped_and_restored(server: Server, ask: Ask) -> None:
    ask(*SET)

    assert ask("COPY", "key", "copy") in (1, True)
    ask("RENAME", "copy", "renamed")
    ask("RESTORE", "restored", 0, ask("DUMP", "renamed"))

    assert ask("GET", "restored") == VALUE
    assert blob(server.client, "restored") == b"\x01\x02"
    assert ask("TYPE", "restored") == b"string"


def test_a_tensor_replaces_any_key_and_its_time_to_live_as_set_does(server: Server, ask: Ask) -> None:
    ask("RPUSH", "key", "x")
    ask("EXPIRE", "key", 1000)
    ask(*SET)
    assert ask("TTL", "key") == -1

    ask("EXPIRE", "key", 1000)
    ask("RENAME", "key", "renamed")
    assert ask("TTL", "renamed") > 0


def test_a_watched_tensor_is_seen_to_change(server: Server) -> None:
    other = server.connect()
    with server.client.pipeline() as pipeline:
        pipeline.watch("key")
        other.execute_command(*SET)
        pipeline.multi()
        pipeline.get("key")
        with pytest.raises(redis.WatchError):
            pipeline.execute()
    other.close()


def test_who_subscribes_hears_of_set(server: Server, ask: Ask) -> None:
    server.client.config_set("notify-keyspace-events", "K$")
    heard = server.client.pubsub()
    heard.psubscribe("__keyspace@0__:*")
    heard.get_message(timeout=PATIENCE_S)

    ask(*SET)

    assert heard.get_message(timeout=PATIENCE_S)["data"] == b"set"
    heard.close()
    server.client.config_set("notify-keyspace-events", "")


def test_memory_is_that_of_the_string(server: Server, ask: Ask) -> None:
    for size in (1, 50, 1000, 100_000, 3_000_000):
        data = b"x" * size
        ask("AI.TENSORSET", "tensor", "UINT8", size, "BLOB", data)
        ask("SET", "string", data + bytes(16))

        assert ask("MEMORY USAGE", "tensor") == ask("MEMORY USAGE", "string")


@pytest.mark.parametrize("command", [SET, VALUES])
def test_out_of_memory_is_said_and_nothing_is_stored(server: Server, command: tuple[object, ...]) -> None:
    server.client.config_set("maxmemory", 1)
    with pytest.raises(redis.exceptions.OutOfMemoryError):
        server.client.execute_command(*command)
    server.client.config_set("maxmemory", 0)

    assert server.client.dbsize() == 0


def test_who_may_not_set_cannot_store_bytes(server: Server) -> None:
    server.client.execute_command("ACL SETUSER", "reader", "on", "nopass", "~*", "+@all", "-set")
    reader: Any = redis.Redis(unix_socket_path=server.socket, username="reader", password="x")

    with pytest.raises(redis.exceptions.NoPermissionError):
        reader.execute_command(*SET)
    reader.close()
    server.client.execute_command("ACL DELUSER", "reader")


def test_a_saved_database_is_read_without_the_module(start: Start) -> None:
    before = start("--dbfilename", "x.rdb")
    before.client.execute_command(*SET)
    before.client.execute_command(*big())
    before.client.save()
    before.stop()

    after = start("--dbfilename", "x.rdb", module=False)

    assert after.client.get("key") == VALUE
    assert after.client.get("big").startswith(BIG)


@pytest.mark.parametrize("preamble", ["yes", "no"])
def test_the_append_only_file_has_set_and_is_read_without_the_module(start: Start, preamble: str) -> None:
    options = ("--appendonly", "yes", "--appendfsync", "always", "--aof-use-rdb-preamble", preamble)
    before = start(*options)
    before.client.execute_command(*SET)
    before.client.execute_command(*big())
    before.client.eval("redis.call('AI.TENSORSET', 'script', 'INT8', 2, 'BLOB', ARGV[1])", 0, b"\x01\x02")
    before.client.execute_command(*VALUES)
    written = b"".join(path.read_bytes() for path in sorted(before.directory.rglob("*.incr.aof")))
    before.stop()

    after = start(*options, module=False)

    assert b"AI." not in written
    assert after.client.get("key") == after.client.get("script") == after.client.get("values") == VALUE
    assert after.client.get("big").startswith(BIG)


def test_what_a_real_redisai_logged_is_read(start: Start) -> None:
    before = start("--appendonly", "yes")
    (log,) = before.directory.rglob("*.incr.aof")
    before.stop()
    words = [word if isinstance(word, bytes) else str(word).encode() for word in SET]
    log.write_bytes(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words))

    after = start("--appendonly", "yes")

    assert after.client.get("key") == VALUE


def test_a_replica_has_the_same_bytes_and_takes_no_tensors(start: Start, eventually: Callable[..., None]) -> None:
    first = start("--repl-diskless-sync-delay", "0", name="first")
    second = start("--replicaof", f"127.0.0.1 {first.port}", name="second")
    eventually(lambda: second.client.info("replication")["master_link_status"] == "up")

    first.client.execute_command(*big())
    first.client.execute_command(*VALUES)
    first.client.execute_command(*SET)
    eventually(lambda: second.client.exists("key"))

    assert second.client.get("key") == second.client.get("values") == VALUE
    assert blob(second.client) == BIG
    with pytest.raises(redis.ReadOnlyError):
        second.client.execute_command(*SET)


def test_a_cluster_answers_from_the_shard_that_owns_the_key(start: Start) -> None:
    server = start("--cluster-enabled", "yes")
    slot = server.client.cluster("KEYSLOT", "key")
    server.client.execute_command("CLUSTER", "ADDSLOTS", *[n for n in range(16384) if n != slot])

    with pytest.raises(redis.ResponseError, match=r"(?i)hash slot not served"):
        server.client.execute_command(*SET)
