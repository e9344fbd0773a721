"""Tensors come back as they were put, into a given array too.

Tests polling.
"""

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from smartensemble import Client
from smartensemble.client import RedisRuntimeError
from smartensemble.errors import InputTypeError, InputValueError
from worlds.servers import Server

DTYPES = ["float64", "float32", "int64", "int32", "int16", "int8", "uint16", "uint8", "bool", ">i4", ">f8"]
SHAPES = [(), (1,), (3,), (2, 3, 4), (40_000,), (300, 400)]


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    with Client(address=f"unix://{server.socket}") as made:
        yield made


def filled(dtype: str, shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    return (np.arange(np.prod(shape, dtype=int)).reshape(shape) % 100).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_an_array_comes_back_as_it_was(client: Client, dtype: str) -> None:
    for shape in SHAPES:
        array = filled(dtype, shape)

        client.put_tensor("x", array)
        found = client.get_tensor("x")

        assert (found.dtype, found.shape) == (array.dtype.newbyteorder("="), shape)
        assert found.flags.c_contiguous
        assert found.flags.writeable
        np.testing.assert_array_equal(found, array)


VIEWS = {
    "Fortran order": np.asfortranarray(filled("float64", (30, 20, 10))),
    "transposed": filled("int32", (300, 400)).T,
    "with steps": filled("float32", (300, 400))[::2, ::-3],
    "broadcast": np.broadcast_to(np.float64(1.5), (3, 4)),
    "read-only": np.frombuffer(b"12345678", "int16"),
    "a number of NumPy's": np.float32(2.5),
    "a number": 3,
    "lists": [[1.0, 2.0], [3.0, 4.0]],
    "text": np.array([["a", "b\u00e9"], ["", "a much longer one"]]),
    "one text": "text",
}


@pytest.mark.parametrize("data", VIEWS.values(), ids=VIEWS)
def test_whatever_order_it_lies_in(client: Client, data: Any) -> None:
    client.put_tensor("x", data)

    np.testing.assert_array_equal(client.get_tensor("x"), data)


@pytest.mark.parametrize("data", [b"raw\0bytes", bytearray(b"\xff" * 20_000), memoryview(b"12")])
def test_bytes_are_stored_as_uint8(client: Client, data: Any) -> None:
    client.put_tensor("x", data)

    found = client.get_tensor("x")
    assert (found.dtype.name, found.tobytes()) == ("uint8", bytes(data))


@pytest.mark.parametrize("dtype", ["float64", "bool"])
def test_a_tensor_is_received_into_a_given_array(client: Client, dtype: str) -> None:
    for shape in SHAPES:
        array = filled(dtype, shape)
        client.put_tensor("x", array)
        out = np.zeros(shape, dtype)

        assert client.get_tensor("x", out=out) is out

        np.testing.assert_array_equal(out, array)


UNFIT = {
    "another type": (np.zeros((300, 400), "float32"), "is float64 of shape .*, and out is float32"),
    "another shape": (np.zeros((400, 300)), r"and out is float64 of shape \(400, 300\)"),
    "too large": (np.zeros((300, 401)), r"and out is float64 of shape \(300, 401\)"),
    "Fortran order": (np.zeros((300, 400), order="F"), "is not in C order"),
    "read-only": (np.broadcast_to(np.float64(0), (300, 400)), "cannot be written to"),
    "complex": (np.zeros((300, 400), "complex128"), "has another type"),
    "big-endian": (np.zeros((300, 400), ">f8"), "has another type"),
}


@pytest.mark.parametrize(("out", "message"), UNFIT.values(), ids=UNFIT)
def test_an_array_that_does_not_fit_stays_as_it_is(client: Client, out: np.ndarray[Any, Any], message: str) -> None:
    client.put_tensor("x", np.ones((300, 400)))

    with pytest.raises(InputValueError, match=message):
        client.get_tensor("x", out=out)

    assert not out.any()
    assert client.get_tensor("x").all()  # and the connection is in step


def test_what_is_no_array_receives_nothing(client: Client) -> None:
    with pytest.raises(InputTypeError, match=r"out: .* is no array; give one of NumPy's"):
        client.get_tensor("x", out=[0.0])  # type: ignore[arg-type]


def test_a_tensor_is_copied_renamed_and_deleted(client: Client) -> None:
    client.put_tensor("first", [1, 2])

    client.copy_tensor("first", "copy")
    client.rename_tensor("first", "second")
    client.delete_tensor("copy")
    client.delete_tensor("copy")

    assert [client.tensor_exists(name) for name in ("first", "second", "copy")] == [False, True, False]
    assert client.get_tensor("second").tolist() == [1, 2]


@pytest.mark.parametrize("call", ["get_tensor", "copy_tensor", "rename_tensor"])
def test_a_tensor_that_is_not_there_is_named(client: Client, call: str) -> None:
    with pytest.raises(RedisRuntimeError, match=r"^line\\n: [^\n]+; "):
        client.get_tensor("line\n")
    arguments = ["missing", "other"][: 1 + (call != "get_tensor")]

    with pytest.raises(RedisRuntimeError, match=r"^missing: (tensor key is empty|no such key).*; "):
        getattr(client, call)(*arguments)


def test_a_key_of_another_kind_is_no_tensor(client: Client, server: Server) -> None:
    server.client.lpush("list", "x")

    with pytest.raises(RedisRuntimeError, match=r"^list: WRONGTYPE .*; use another name, or delete what is there"):
        client.get_tensor("list")
    assert client.key_exists("list")


def test_a_tensor_is_waited_for(client: Client) -> None:
    assert not client.poll_tensor("late", 1, 3)
    later = threading.Timer(0.05, client.put_tensor, ("late", [1]))
    later.start()

    assert client.poll_tensor("late", 1, 100_000)

    later.join()
    assert client.poll_key("late", 1, 1)


WRONG = {
    "a name that is no text": (lambda client: client.put_tensor(7, [1]), InputTypeError),
    "no name": (lambda client: client.put_tensor("", [1]), InputValueError),
    "half a character": (lambda client: client.get_tensor("\ud800"), InputValueError),
    "no tries": (lambda client: client.poll_tensor("x", 1, 0), InputValueError),
    "tries that are no number": (lambda client: client.poll_tensor("x", 1, "1"), InputTypeError),
    "a time before now": (lambda client: client.poll_key("x", -1, 1), InputValueError),
}


@pytest.mark.parametrize(("call", "error"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_said_before_anything_is_sent(client: Client, call: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match=r": .+; "):
        call(client)
