"""Clients, as they are installed, find what they expect; and `smartensemble.wire` and the module agree on the bytes."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from smartensemble.wire.tensor import TYPES, decode, encode
from worlds.servers import Server

Ask = Callable[..., Any]
NAMES = {
    "float32": "FLOAT",
    "float64": "DOUBLE",
    "int8": "INT8",
    "int16": "INT16",
    "int32": "INT32",
    "int64": "INT64",
    "uint8": "UINT8",
    "uint16": "UINT16",
    "bool": "BOOL",
}
SHAPES = hnp.array_shapes(min_dims=0, max_dims=6, max_side=5)
TENSORS = st.sampled_from(list(TYPES.values())).flatmap(lambda dtype: hnp.arrays(dtype, SHAPES))
STRINGS = hnp.arrays(np.dtype("U5"), SHAPES, elements=st.text("aé\u20ac", max_size=5))


@pytest.mark.parametrize("protocol", [2, 3])
def test_redis_py_gets_a_tensor_by_both_protocols(server: Server, protocol: int) -> None:
    client = server.connect(protocol)

    assert client.execute_command("AI.TENSORSET", "key", "FLOAT", 2, "VALUES", 1, 2.5) == b"OK"
    reply = client.execute_command("AI.TENSORGET", "key", "META", "VALUES")
    client.close()

    assert [*reply[:5], [float(value) for value in reply[5]]] == [b"dtype", b"FLOAT", b"shape", [2], b"values", [1, 2.5]]


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(array=TENSORS)
def test_wire_and_module_agree(server: Server, array: np.ndarray[Any, Any]) -> None:
    name = NAMES[array.dtype.name]

    server.client.execute_command("AI.TENSORSET", "key", name, *array.shape, "BLOB", array.tobytes())
    assert server.client.get("key") == encode(array)
    np.testing.assert_array_equal(decode(server.client.get("key")), array)

    server.client.set("key", encode(array))
    reply = server.client.execute_command("AI.TENSORGET", "key")
    assert reply == [b"dtype", name.encode(), b"shape", list(array.shape), b"blob", array.tobytes()]


@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(array=STRINGS)
def test_wire_and_module_agree_on_strings(server: Server, array: np.ndarray[Any, Any]) -> None:
    texts = [str(text).encode() for text in array.flat]

    server.client.execute_command("AI.TENSORSET", "key", "STRING", *array.shape, "VALUES", *texts)
    assert server.client.get("key") == encode(array)
    np.testing.assert_array_equal(decode(encode(array)), array)

    assert server.client.execute_command("AI.TENSORGET", "key", "VALUES") == texts


@pytest.fixture(params=["unix", "tcp"])
def smartredis(request: pytest.FixtureRequest, server: Server, monkeypatch: pytest.MonkeyPatch) -> Any:
    """SmartRedis' client, as it comes from PyPI."""
    module = pytest.importorskip("smartredis", reason="has no wheel for this Python")
    address = f"unix://{server.socket}" if request.param == "unix" else f"127.0.0.1:{server.port}"
    for name, value in {
        "SSDB": address,
        "SR_DB_TYPE": "Standalone",
        "SR_LOG_LEVEL": "QUIET",
        "SR_LOG_FILE": "/dev/null",
    }.items():
        monkeypatch.setenv(name, value)
    return module.Client(None, "test")


@pytest.mark.parametrize("dtype", [name for name in NAMES if name != "bool"])
def test_smartredis_gets_back_what_it_put(smartredis: Any, dtype: str) -> None:
    array = np.arange(24).reshape(2, 3, 4).astype(dtype)
    large = np.arange(200_000).astype(dtype)

    smartredis.put_tensor("tensor", array)
    smartredis.put_tensor("large", large)

    for name, expected in (("tensor", array), ("large", large)):
        found = smartredis.get_tensor(name)
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)


def test_smartredis_copies_renames_and_deletes(smartredis: Any) -> None:
    array = np.array([1.0, 2.0])
    smartredis.put_tensor("first", array)

    smartredis.copy_tensor("first", "copy")
    smartredis.rename_tensor("first", "second")
    smartredis.delete_tensor("copy")

    assert [smartredis.tensor_exists(name) for name in ("first", "second", "copy")] == [False, True, False]
    np.testing.assert_array_equal(smartredis.get_tensor("second"), array)


def test_smartredis_keeps_a_dataset(smartredis: Any) -> None:
    from smartredis import Dataset

    dataset = Dataset("data")
    dataset.add_tensor("x", np.array([1, 2], dtype="int64"))
    dataset.add_meta_string("unit", "K")
    smartredis.put_dataset(dataset)

    found = smartredis.get_dataset("data")

    assert found.get_tensor("x").tolist() == [1, 2]
    assert found.get_meta_strings("unit") == ["K"]


def test_smartredis_is_told_what_is_wrong(smartredis: Any) -> None:
    from smartredis.error import RedisRuntimeError

    with pytest.raises(RedisRuntimeError, match=r"tensor key is empty$"):
        smartredis.get_tensor("missing")
