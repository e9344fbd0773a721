"""What is added for databases is checked when it is added, inherited by members, and stored under the keys of SmartRedis."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from smartensemble import Ensemble, Model, RunSettings
from smartensemble.databases.shard import slot_range
from smartensemble.databases.uploads import commands
from smartensemble.errors import (
    EntityExistsError,
    InputTypeError,
    InputValueError,
    MissingFileError,
    ParameterError,
    UnsupportedError,
)
from smartensemble.wire.models import Batching, MLModel, Script, keys
from smartensemble.wire.slots import slot_tag

SCRIPT = "def double(x):\n    return 2 * x\n"


def double(x: Any) -> Any:
    return 2 * x


def model(name: str = "melt") -> Model:
    return Model(name, {}, RunSettings("true"))


def ensemble(replicas: int = 2) -> Ensemble:
    return Ensemble("ens", replicas=replicas, run_settings=RunSettings("true"))


@pytest.mark.parametrize(
    ("given", "error", "why"),
    [
        ({"model": None}, InputValueError, "melt: net: neither of model and model_path given; give one of them"),
        ({"model_path": "net.pt"}, InputValueError, "melt: net: both of model and model_path given"),
        ({"model": "net.pt"}, InputTypeError, "a model in memory is bytes, .*did you mean model_path='net.pt'"),
        ({"model": 7}, InputTypeError, "model is of the type int; give the bytes"),
        ({"model": b""}, InputValueError, "the model is empty"),
        ({"model": None, "model_path": "none.pt"}, MissingFileError, "melt: net: no file .*/none.pt"),
        ({"model": None, "model_path": "/"}, InputValueError, "/: Is a directory"),
        ({"model": None, "model_path": 7}, InputTypeError, "model_path is 7; give text or a pathlib.Path"),
        ({"backend": "TORCHE"}, InputValueError, "no backend 'TORCHE'; did you mean 'TORCH'"),
        ({"backend": 7}, InputValueError, "no backend 7; there are TORCH, ONNX, TF, TFLITE"),
        ({"name": ""}, InputValueError, "melt: '' is no name"),
        ({"name": 7}, InputTypeError, "melt: name is 7"),
        ({"tag": 7}, InputTypeError, "tag is 7; a tag is text"),
        ({"backend": "TF"}, InputValueError, "TF needs the names of inputs and outputs"),
        ({"backend": "TF", "inputs": "x"}, InputValueError, "TF needs the names of inputs and outputs"),
        ({"inputs": ["x"]}, InputValueError, "TORCH takes no inputs and no outputs"),
        ({"backend": "TF", "inputs": [1], "outputs": "y"}, InputTypeError, r"inputs is \[1\]; give a name"),
        ({"min_batch_size": 2}, InputValueError, "min_batch_size without batch_size has no effect"),
        ({"batch_size": 2, "min_batch_timeout": 2}, InputValueError, "min_batch_timeout without min_batch_size"),
        ({"batch_size": 2, "min_batch_size": 3}, InputValueError, "min_batch_size is 3, and batch_size 2"),
        ({"batch_size": -1}, ParameterError, "batch_size: -1 is not a whole number"),
        ({"backend": "TFLITE", "batch_size": 2}, InputValueError, "TFLITE runs no batches"),
        ({"device": "TPU"}, InputValueError, "no device 'TPU'; there are CPU, GPU, GPU:0"),
        ({"device": "CPU:1"}, InputValueError, "all CPUs are one device"),
        ({"devices_per_node": 2}, UnsupportedError, "devices_per_node and first_device count GPUs"),
        ({"first_device": 1}, UnsupportedError, "devices_per_node and first_device count GPUs"),
        ({"device": "GPU:1", "devices_per_node": 2}, InputValueError, "'GPU:1' is one device, and several are asked for"),
        ({"device": "GPU", "devices_per_node": 0}, ParameterError, "devices_per_node: 0 is not a whole number above zero"),
        ({"modle": b"1"}, InputTypeError, "no argument 'modle'; did you mean 'model'"),
    ],
)
def test_a_model_that_cannot_be_stored_is_an_error_when_it_is_added(
    given: dict[str, Any], error: type[Exception], why: str
) -> None:
    with pytest.raises(error, match=why):
        model().add_ml_model(**{"name": "net", "backend": "TORCH", "model": b"1"} | given)


@pytest.mark.parametrize(
    ("add", "error", "why"),
    [
        (lambda one: one.add_script("s"), InputValueError, "melt: s: neither of script and script_path given"),
        (lambda one: one.add_script("s", 7), InputTypeError, "script is 7; a script is text"),
        (lambda one: one.add_script("s", " "), InputValueError, "the script is empty"),
        (lambda one: one.add_script("s", script_path="none.py"), MissingFileError, "no file .*/none.py"),
        (lambda one: one.add_script("s", SCRIPT, device="TPU"), InputValueError, "no device 'TPU'"),
        (lambda one: one.add_function("s"), InputTypeError, "function is None; give a function"),
        (lambda one: one.add_function("s", len), InputTypeError, "function is <built-in function len>"),
        (lambda one: one.add_function("s", lambda x: x), InputValueError, "a lambda has no name to run it by"),
        (lambda one: one.add_function("s", without_source()), InputValueError, "f has no source; write it into a file"),
        (lambda one: one.add_function("s", double, "CPU", 2), UnsupportedError, "count GPUs"),
    ],
)
def test_a_script_that_cannot_be_stored_is_an_error_when_it_is_added(
    add: Callable[[Model], None], error: type[Exception], why: str
) -> None:
    with pytest.raises(error, match=why):
        add(model())


def without_source() -> Any:
    names: dict[str, Any] = {}
    exec("def f(x): return x", names)
    return names["f"]


def test_a_line_of_the_program_is_not_taken_for_the_source_of_a_function() -> None:
    """Python 3.13 keeps the text after ``-c`` as the source of all code that has no file."""
    program = "\n".join(
        [
            "def g(x): return -x",
            "from smartensemble import Model, RunSettings",
            "names = {}",
            "exec('def f(x): return x', names)",
            "Model('melt', {}, RunSettings('echo')).add_function('s', names['f'])",
        ]
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert "f has no source; write it into a file, or give its text" in done.stderr


def test_a_script_in_another_encoding_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "s.py").write_bytes(b"\xff\xfe")

    with pytest.raises(InputValueError, match=r"s\.py is no text in UTF-8"):
        model().add_script("s", script_path=tmp_path / "s.py")


def test_what_is_added_says_all_that_was_given(tmp_path: Path) -> None:
    (tmp_path / "net").write_bytes(b"saved")
    one = model()
    batch: dict[str, Any] = {"batch_size": 8, "min_batch_size": 4, "min_batch_timeout": 2}
    one.add_ml_model(
        "net", "tf", model_path=tmp_path / "net", device="gpu:1", tag="v1", inputs="x", outputs=["y", "z"], **batch
    )

    assert one.uploads == (MLModel("net", "TF", b"saved", ("GPU:1",), Batching(8, 4, 2), "v1", ("x",), ("y", "z")),)
    said = b"AI.MODELSTORE net TF GPU:1 TAG v1 BATCHSIZE 8 MINBATCHSIZE 4 MINBATCHTIMEOUT 2 INPUTS 1 x OUTPUTS 2 y z BLOB saved"
    assert commands(one.uploads[0]) == [[said.split()]]


def test_a_function_is_stored_as_its_source() -> None:
    def triple(x: Any) -> Any:
        return 3 * x

    one = model()
    one.add_function("two", double)
    one.add_function("three", triple)
    one.add_function("text", SCRIPT)

    assert one.uploads == (
        Script("two", "def double(x: Any) -> Any:\n    return 2 * x\n"),
        Script("three", "def triple(x: Any) -> Any:\n    return 3 * x\n"),
        Script("text", SCRIPT),
    )


def test_several_devices_have_a_key_each_and_one_for_all() -> None:
    one = model()
    one.add_script("s", SCRIPT, None, "GPU", 2, 1)

    assert keys(one.uploads[0]) == ["s.GPU:1", "s.GPU:2", "s"]
    assert [words[1:3] for words in commands(one.uploads[0])[0]] == [
        [b"s.GPU:1", b"GPU:1"],
        [b"s.GPU:2", b"GPU:2"],
        [b"s", b"GPU"],
    ]


def test_each_server_has_a_copy_by_the_tag_of_its_first_slot() -> None:
    assert commands(Script("s", SCRIPT), 3)[2][0][1] == b"{%s}.s" % slot_tag(slot_range(2, 3)[0])


def test_members_inherit_what_their_ensemble_has_and_have_their_own() -> None:
    ens, later = ensemble(), model("later")
    ens.add_script("s", SCRIPT)
    ens.add_ml_model("net", "TORCH", b"1")
    ens.add_function("f", double)
    ens[1].add_script("own", SCRIPT)
    ens.add_model(later)

    assert [[each.name for each in member.uploads] for member in ens] == [
        ["s", "net", "f"],
        ["s", "net", "f", "own"],
        ["s", "net", "f"],
    ]


def test_a_name_that_is_taken_is_an_error_and_changes_nothing() -> None:
    ens, other = ensemble(), model("other")
    ens.add_script("s", SCRIPT)
    ens[0].add_script("own", SCRIPT)
    other.add_ml_model("s", "ONNX", b"1")

    cases: list[tuple[Callable[[], None], str]] = [
        (lambda: ens.add_ml_model("s", "TORCH", b"1"), "ens"),
        (lambda: ens.add_script("own", SCRIPT), "ens_0"),
        (lambda: ens[1].add_function("s", double), "ens_1"),
        (lambda: ens.add_model(other), "other"),
    ]
    for add, who in cases:
        with pytest.raises(EntityExistsError, match=rf"{who}: there is a model or script '\w+'; give this one another name"):
            add()

    assert ([len(member.uploads) for member in ens], len(other.uploads), other.ensemble) == ([2, 1], 1, None)


def test_a_key_of_one_of_several_devices_is_taken_too() -> None:
    one = model()
    one.add_script("s.GPU:0", SCRIPT)

    with pytest.raises(EntityExistsError, match=r"'s\.GPU:0'"):
        one.add_script("s", SCRIPT, device="GPU", devices_per_node=2)
