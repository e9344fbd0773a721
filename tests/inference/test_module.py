"""AI.TENSORSET and AI.TENSORGET: their grammar, and what is wrong with a command, in RedisAI's words.

Tests inference.
"""

import struct
from collections.abc import Callable
from typing import Any

import pytest

from smartensemble.inference import MODULE

Ask = Callable[..., Any]
FLOATS = struct.pack("<6f", *range(6))

TYPES = [
    ("FLOAT", "f", [1.5, -0.0, 3.4028234663852886e38, float("inf")]),
    ("DOUBLE", "d", [0.1, -2.0, 1e308, float("-inf")]),
    ("INT8", "b", [-128, -1, 0, 127]),
    ("INT16", "h", [-32768, -1, 0, 32767]),
    ("INT32", "i", [-(2**31), -1, 0, 2**31 - 1]),
    ("INT64", "q", [-(2**63), -1, 0, 2**63 - 1]),
    ("UINT8", "B", [0, 1, 128, 255]),
    ("UINT16", "H", [0, 1, 32768, 65535]),
    ("BOOL", "?", [0, 1, 1, 0]),
]


@pytest.mark.parametrize(("name", "code", "values"), TYPES)
def test_each_type_comes_back_as_bytes_and_as_values(ask: Ask, name: str, code: str, values: list[float]) -> None:
    data = struct.pack(f"<4{code}", *values)
    meta = [b"dtype", name.encode(), b"shape", [2, 2]]

    assert ask("AI.TENSORSET", "blob", name, 2, 2, "BLOB", data) == b"OK"
    assert ask("AI.TENSORSET", "values", name.lower(), 2, 2, "values", *values) == b"OK"

    assert ask("GET", "blob") == ask("GET", "values") == data + struct.pack("<2q", 2, 2) + code.encode() + b"\x02TENSOR"
    assert ask("AI.TENSORGET", "blob") == [*meta, b"blob", data]
    assert [type(values[0])(value) for value in ask("AI.TENSORGET", "blob", "VALUES")] == values


def test_floats_are_bulk_strings_and_integers_are_integers(ask: Ask) -> None:
    ask("AI.TENSORSET", "floats", "FLOAT", 3, "VALUES", 1, 2.5, "-inf")
    ask("AI.TENSORSET", "integers", "INT8", 2, "VALUES", -1, 2)

    assert ask("AI.TENSORGET", "floats", "VALUES") == [b"1", b"2.5", b"-inf"]
    assert ask("AI.TENSORGET", "integers", "VALUES") == [-1, 2]


@pytest.mark.parametrize(
    ("formats", "reply"),
    [
        ((), [b"dtype", b"FLOAT", b"shape", [2], b"blob", FLOATS[:8]]),
        (("META", "BLOB"), [b"dtype", b"FLOAT", b"shape", [2], b"blob", FLOATS[:8]]),
        (("blob", "meta"), [b"dtype", b"FLOAT", b"shape", [2], b"blob", FLOATS[:8]]),
        (("META", "VALUES"), [b"dtype", b"FLOAT", b"shape", [2], b"values", [b"0", b"1"]]),
        (("META",), [b"dtype", b"FLOAT", b"shape", [2]]),
        (("BLOB",), FLOATS[:8]),
        (("Values",), [b"0", b"1"]),
        (("BLOB", "VALUES"), "error: both BLOB and VALUES specified"),
        (("META", "BLOBS"), "error: unsupported data format"),
    ],
)
def test_a_reply_has_what_was_asked_for(ask: Ask, formats: tuple[str, ...], reply: object) -> None:
    ask("AI.TENSORSET", "key", "FLOAT", 2, "BLOB", FLOATS[:8])

    assert ask("ai.tensorget", "key", *formats) == reply


@pytest.mark.parametrize(
    ("command", "shape", "data"),
    [
        (("FLOAT",), [], bytes(4)),
        (("FLOAT", "BLOB", FLOATS[4:8]), [], FLOATS[4:8]),
        (("INT8", "VALUES", 7), [], b"\x07"),
        (("DOUBLE", 2, 3), [2, 3], bytes(48)),
        (("STRING", 3), [3], bytes(3)),
        (("STRING", 2, "BLOB", b"one\0\0"), [2], b"one\0\0"),
        (("STRING", 2, "VALUES", "one", "BLOB"), [2], b"one\0BLOB\0"),
        (("UINT8", *[1] * 32, "BLOB", b"x"), [1] * 32, b"x"),
        (("INT8", 40000, "BLOB", b"x" * 40000), [40000], b"x" * 40000),
        (("INT8", 4, "BLOB", b"BLOB"), [4], b"BLOB"),
    ],
)
def test_what_a_tensor_can_be(ask: Ask, command: tuple[object, ...], shape: list[int], data: bytes) -> None:
    assert ask("AI.TENSORSET", "key", *command) == b"OK"

    assert ask("AI.TENSORGET", "key", "META", "BLOB")[3::2] == [shape, data]


@pytest.mark.parametrize(
    "command", [("AI.TENSORGET",), ("AI.TENSORGET", "key", "META", "BLOB", "META"), ("AI.TENSORSET", "key")]
)
def test_too_few_or_too_many_arguments_are_refused(ask: Ask, command: tuple[str, ...]) -> None:
    assert ask(*command).lower() == f"error: wrong number of arguments for '{command[0].lower()}' command"


def test_strings_come_back_as_values(ask: Ask) -> None:
    ask("AI.TENSORSET", "key", "STRING", 2, 2, "VALUES", "a", "", "ccc", b"\xff")

    assert ask("AI.TENSORGET", "key", "VALUES") == [b"a", b"", b"ccc", b"\xff"]


SHAPE = "error: invalid or negative value found in tensor shape"
LENGTH = "error: data length does not match tensor shape and type"
STRINGS = "error: Number of string elements in data blob does not match tensor length"
SINGLE = "error: a single binary string should come after the BLOB argument in 'AI.TENSORSET' command"
COUNT = "error: wrong number of values was given in 'AI.TENSORSET' command"


@pytest.mark.parametrize(
    ("command", "error"),
    [
        (("FLOAT16", 1), "error: invalid data type"),
        (("UINT64", 1, "BLOB", bytes(8)), "error: invalid data type"),
        (("BLOB", bytes(8)), "error: invalid data type"),
        (("FLOAT", 0), SHAPE),
        (("FLOAT", -1, "VALUES", 1), SHAPE),
        (("FLOAT", 2, "x", "BLOB", FLOATS[:8]), SHAPE),
        (("FLOAT", 1.5), SHAPE),
        (("FLOAT", "", "BLOB", FLOATS[:8]), SHAPE),
        (("FLOAT", 2**63, "BLOB", b""), SHAPE),
        (("FLOAT", 2**63 - 1, "BLOB", b""), SHAPE),
        (("INT8", 2**32, 2**32, "BLOB", b""), SHAPE),
        (("INT8", 2**32, 2**32), SHAPE),
        (("DOUBLE", 2**61, "BLOB", b""), SHAPE),
        (("STRING", 2**31, 2**31, 2, "BLOB", b""), SHAPE),
        (("INT8", 2**40), "error: a tensor without data is too large"),
        (("UINT8", *[1] * 33, "BLOB", b"x"), "error: a tensor has at most 32 dimensions"),
        (("FLOAT", 2, "BLOB"), SINGLE),
        (("FLOAT", 2, "BLOB", FLOATS[:4], FLOATS[:4]), SINGLE),
        (("FLOAT", 2, "BLOB", FLOATS[:7]), LENGTH),
        (("FLOAT", 2, "BLOB", FLOATS[:9]), LENGTH),
        (("FLOAT", 2, "BLOB", ""), LENGTH),
        (("FLOAT", "BLOB", FLOATS[:8]), LENGTH),
        (("INT8", 40000, "BLOB", b"x" * 39999), LENGTH),
        (("STRING", 1, "BLOB", ""), STRINGS),
        (("STRING", 1, "BLOB", b"one"), STRINGS),
        (("STRING", 2, "BLOB", b"one\0"), STRINGS),
        (("STRING", 2, "BLOB", b"one\0two\0three\0"), STRINGS),
        (("STRING", 1, "BLOB", b"one\0two"), STRINGS),
        (("FLOAT", 2, "VALUES"), COUNT),
        (("FLOAT", 2, "VALUES", 1), COUNT),
        (("FLOAT", 2, "VALUES", 1, 2, 3), COUNT),
        (("STRING", 1, "VALUES", b"a\0b"), "error: invalid value"),
        (("FLOAT", 1, "VALUES", "one"), "error: invalid value"),
        (("FLOAT", 1, "VALUES", "nan"), "error: invalid value"),
        (("FLOAT", 1, "VALUES", "1e39"), "error: invalid value"),
        (("DOUBLE", 1, "VALUES", ""), "error: invalid value"),
        (("INT8", 1, "VALUES", 128), "error: invalid value"),
        (("INT8", 1, "VALUES", 1.5), "error: invalid value"),
        (("UINT16", 1, "VALUES", -1), "error: invalid value"),
        (("INT64", 1, "VALUES", 2**63), "error: invalid value"),
        (("BOOL", 2, "VALUES", 0, 2), "error: BOOL tensor elements must be 0 or 1"),
        (("BOOL", 2, "BLOB", b"\1\2"), "error: BOOL tensor elements must be 0 or 1"),
        (("BOOL", 40000, "BLOB", b"\2" * 40000), "error: BOOL tensor elements must be 0 or 1"),
    ],
)
def test_a_wrong_command_stores_nothing(ask: Ask, command: tuple[object, ...], error: str) -> None:
    assert ask("AI.TENSORSET", "key", *command) == error

    assert ask("EXISTS", "key") == 0


WRONG = "error: WRONGTYPE Operation against a key holding the wrong kind of value"


def test_a_missing_key_is_an_error(ask: Ask) -> None:
    assert ask("AI.TENSORGET", "missing", "META", "BLOB") == "error: tensor key is empty"


@pytest.mark.parametrize(
    "other", [("RPUSH", "key", "x"), ("HSET", "key", "a", "b"), ("SET", "key", "text"), ("SET", "key", "")]
)
def test_what_is_no_tensor_is_not_read_as_one_but_may_be_replaced(ask: Ask, other: tuple[str, ...]) -> None:
    ask(*other)

    assert ask("AI.TENSORGET", "key") == WRONG
    assert ask("AI.TENSORGET", "key", "BLOBS") == WRONG
    assert ask("AI.TENSORSET", "key", "INT8") == b"OK"


def trailer(*dims: int, code: bytes = b"b", rank: int | None = None) -> bytes:
    return struct.pack(f"<{len(dims)}q", *dims) + code + bytes([len(dims) if rank is None else rank]) + b"TENSOR"


@pytest.mark.parametrize(
    "value",
    [
        b"TENSOR",
        b"b\0TENSOR",  # no element
        b"xb\0TENSOr",
        b"x" + trailer(2),
        b"xx" + trailer(1),
        b"x" + trailer(1, code=b"z"),
        b"x" + trailer(1, code=b"\0"),
        b"x" + trailer(1, rank=2),
        b"x" + trailer(1, rank=255),
        b"x" + trailer(*[1] * 33),
        trailer(0),
        b"x" + trailer(-1),
        trailer(2**32, 2**32),
        b"x" + trailer(2**63 - 1),
        b"abc" + trailer(1, code=b"s"),
        b"a\0b\0" + trailer(1, code=b"s"),
        trailer(1, code=b"s"),
    ],
)
def test_a_forged_trailer_is_refused(ask: Ask, value: bytes) -> None:
    ask("SET", "key", value)

    assert ask("AI.TENSORGET", "key", "VALUES") == WRONG
    assert ask("GET", "key") == value


def test_smartredis_may_ask_for_the_size_of_chunks(ask: Ask) -> None:
    assert ask("AI.CONFIG", "GET", "MODEL_CHUNK_SIZE") == 511 << 20


@pytest.mark.parametrize("command", [("AI.TENSORSET", "key", "INT8"), ("AI.TENSORGET", "key"), ("AI.MODELSTORE", "key")])
def test_cluster_clients_and_acls_find_the_key(ask: Ask, command: tuple[object, ...]) -> None:
    assert ask("COMMAND GETKEYS", *command, "x") == ["key"]


def test_the_module_is_executable() -> None:
    assert MODULE.stat().st_mode & 0o111
