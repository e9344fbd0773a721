"""What is wrong with a model or script is an error before anything is sent; several GPUs have a copy each.

Tests scripts, copies and execution.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from smartensemble import Client
from smartensemble.client import RedisRuntimeError
from smartensemble.client.keys import Names
from smartensemble.errors import InputTypeError, InputValueError, MissingFileError, ParameterError
from worlds.clients import Clients
from worlds.small_models import mlp, mlp_model

ROWS = np.linspace(-1, 1, 40, dtype="float32").reshape(4, 10)
SCRIPT = "def double(x):\n    return 2 * x\n"


def double(x: Any) -> Any:
    return 2 * x


#: What is wrong with a model that is otherwise right, the class of the error, and what it says.
WRONG: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "name": ({"name": 7}, InputTypeError, "^name: 7 is no text; "),
    "model as text": (
        {"model": "net.onnx"},
        InputTypeError,
        "net: model is 'net.onnx'; give the bytes .*set_model_from_file",
    ),
    "no bytes": ({"model": b""}, InputValueError, "net: the model is empty; "),
    "no name": ({"name": "", "model": b""}, InputValueError, "name: is empty; give a name"),
    "backend": ({"backend": "TORCHE"}, InputTypeError, "'TORCHE'; did you mean 'TORCH'"),
    "backend's type": ({"backend": 7}, InputTypeError, "^backend: 7 is no text"),
    "device": ({"device": "TPU"}, InputTypeError, "^device: 'TPU' is none; there are CPU, GPU, GPU:0"),
    "device with a number": ({"device": "CPU:1"}, InputTypeError, "^device: 'CPU:1' is none"),
    "device's type": ({"device": 7}, InputTypeError, "^device: 7 is no text"),
    "tag": ({"tag": 7}, InputTypeError, "^tag: 7 is no text"),
    "inputs": ({"inputs": ["x"]}, InputValueError, "net: ONNX takes no inputs and no outputs"),
    "an input": ({"backend": "TF", "inputs": ["x", 7]}, InputTypeError, r"^inputs\[1\]: 7 is no text"),
    "outputs": ({"backend": "TF", "outputs": 7}, InputTypeError, "^outputs: 7 is no name and no list of names"),
    "batch size": ({"batch_size": "4"}, InputTypeError, "batch_size: '4' is not a whole number"),
    "negative batch size": ({"batch_size": -1}, ParameterError, "batch_size: -1 is not a whole number"),
    "least without most": ({"min_batch_size": 2}, RedisRuntimeError, "min_batch_size without batch_size has no effect"),
    "time without rows": (
        {"batch_size": 2, "min_batch_timeout": 2},
        RedisRuntimeError,
        "min_batch_timeout without min_batch_size has no effect",
    ),
    "least above most": ({"batch_size": 2, "min_batch_size": 3}, RedisRuntimeError, "give a smaller min_batch_size"),
}
RIGHT: dict[str, Any] = {"name": "net", "model": b"1", "backend": "ONNX"}


@pytest.fixture
def unconnected() -> Client:
    """A client without a connection: to send is an AttributeError, so what is wrong must be found before."""
    made = Client.__new__(Client)
    made._names, made._database = Names(), None  # type: ignore[assignment]
    return made


@pytest.mark.parametrize("what", WRONG)
def test_a_model_that_cannot_be_stored_is_an_error_before_anything_is_sent(what: str, unconnected: Client) -> None:
    changed, error, why = WRONG[what]

    with pytest.raises(error, match=why):
        unconnected.set_model(**(RIGHT | changed))


@pytest.mark.parametrize("what", [what for what in WRONG if "model" not in WRONG[what][0]])
def test_a_file_is_read_when_all_else_is_right(what: str, unconnected: Client, tmp_path: Path) -> None:
    changed, error, why = WRONG[what]
    missing: dict[str, Any] = {"name": "net", "model_file": str(tmp_path / "none"), "backend": "ONNX"}

    with pytest.raises(error, match=why):
        unconnected.set_model_from_file(**(missing | changed))
    with pytest.raises(MissingFileError, match=r"^net: no file "):
        unconnected.set_model_from_file(**missing)


CALLS: dict[str, tuple[Callable[[Client], object], type[Exception], str]] = {
    "first GPU below zero": (lambda c: c.set_model_multigpu("n", b"1", "ONNX", -1, 1), ParameterError, "^first_gpu: -1 is not"),
    "no GPUs": (lambda c: c.set_script_multigpu("s", SCRIPT, 0, 0), ParameterError, "^num_gpus: 0 is not"),
    "GPUs as text": (lambda c: c.delete_model_multigpu("n", "0", 1), InputTypeError, "^first_gpu: '0' is not"),  # type: ignore[arg-type]
    "more GPUs than there are": (lambda c: c.set_script_multigpu("s", SCRIPT, 1, 10**9), InputValueError, "are more than 1000"),
    "offset": (lambda c: c.run_model_multigpu("n", "0", 0, 1), InputTypeError, "^offset: '0' is no whole number"),  # type: ignore[arg-type]
    "script": (lambda c: c.set_script("s", 7), InputTypeError, "^script: 7 is no text"),  # type: ignore[arg-type]
    "empty script": (lambda c: c.set_script("s", " \n"), InputValueError, "^s: the script is empty"),
    "script's device": (lambda c: c.set_script("s", SCRIPT, "TPU"), InputTypeError, "^device: 'TPU' is none"),
    "script's file": (lambda c: c.set_script_from_file("s", "none.py"), MissingFileError, "^s: no file none.py"),
    "no function": (lambda c: c.set_function("s", SCRIPT), InputTypeError, "^s: function is 'def double"),  # type: ignore[arg-type]
    "built-in function": (lambda c: c.set_function("s", len), InputTypeError, "function is <built-in function len>"),
    "lambda": (lambda c: c.set_function("s", lambda x: x), InputValueError, "^s: a lambda has no name to run it by"),
    "function's name": (lambda c: c.run_script("s", 7, "x", "y"), InputTypeError, "^fn_name: 7 is no text"),  # type: ignore[arg-type]
    "chunk size": (lambda c: c.set_model_chunk_size(0), ParameterError, "^chunk_size: 0 is not a whole number above zero"),
}


@pytest.mark.parametrize("what", CALLS)
def test_a_call_that_cannot_be_right_is_an_error_before_anything_is_sent(what: str, unconnected: Client) -> None:
    call, error, why = CALLS[what]

    with pytest.raises(error, match=why):
        call(unconnected)


@pytest.fixture(scope="module")
def blob() -> bytes:
    return mlp_model("ONNX")


#: Servers with workers, where each has a copy; a single one is in the tests of both clients.
SHARDS = pytest.mark.parametrize(
    "mode", [pytest.param("shards", marks=[pytest.mark.needs("database"), pytest.mark.needs("onnx")])]
)


@SHARDS
def test_runs_on_several_gpus_take_turns(clients: Clients, blob: bytes) -> None:
    """Here are no GPUs: the copies for two of them are stored for the CPU."""
    client = clients.connect()
    client.put_tensor("rows", ROWS)
    for name in ("net.GPU:1", "net"):
        client.set_model(name, blob, "ONNX")

    client.run_model_multigpu("net", 0, 1, 2, "rows", "answer")
    np.testing.assert_allclose(client.get_tensor("answer"), mlp(ROWS), rtol=1e-4, atol=1e-5)
    with pytest.raises(RedisRuntimeError, match=r"net\.GPU:2: model key is empty; "):
        client.run_model_multigpu("net", -1, 1, 2, "rows", "answer")
    with pytest.raises(RedisRuntimeError, match=r"more\.GPU:0: GPU requested"):
        client.set_model_multigpu("more", blob, "ONNX", 0, 2)

    client.delete_model_multigpu("net", 1, 2)
    assert [client.model_exists(name) for name in ("net.GPU:1", "net")] == [False, False]
    with pytest.raises(RedisRuntimeError, match="net: model key is empty; "):
        client.delete_model_multigpu("net", 1, 2)


@SHARDS
def test_what_a_run_made_is_gone_when_it_fails(clients: Clients, blob: bytes) -> None:
    client = clients.connect()
    client.put_tensor("rows", ROWS)
    client.put_tensor("more rows", ROWS)
    client.set_model("net", blob, "ONNX")
    before = clients.keys()

    for inputs in (["rows", "more rows"], ["rows", "missing"], ["missing"]):
        with pytest.raises(RedisRuntimeError):
            client.run_model("net", inputs, ["answer"])

    assert clients.keys() == before


@SHARDS
def test_a_model_is_replaced(clients: Clients, blob: bytes) -> None:
    client = clients.connect()
    client.set_model("net", blob, "ONNX", tag="v1")

    client.set_model("net", bytearray(blob), "onnx", "cpu", tag="v2")

    assert client.get_ai_info(clients.db.get_address()[:1], "net")[0]["tag"] == "v2"


@SHARDS
def test_a_run_that_could_wait_for_ever_is_logged(clients: Clients, blob: bytes, caplog: pytest.LogCaptureFixture) -> None:
    clients.connect().set_model("net", blob, "ONNX", batch_size=8, min_batch_size=4)

    assert "net: min_batch_size without min_batch_timeout lets a run wait for ever" in caplog.text
