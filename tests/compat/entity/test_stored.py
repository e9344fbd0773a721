"""What is stored in databases is shown, and added, by SmartSim's objects.

Tests dbobject and stored.
"""

from pathlib import Path
from typing import Any

import pytest

from smartensemble.compat import Experiment
from smartensemble.compat.entity import DBModel, DBScript
from smartensemble.compat.error import EntityExistsError
from smartensemble.compat.settings import RunSettings
from smartensemble.errors import InputTypeError, InputValueError, StateError

SCRIPT = "def double(x):\n    return 2 * x"


def test_what_was_added_is_shown_as_objects(theirs: Experiment, tmp_path: Path) -> None:
    (tmp_path / "net.onnx").write_bytes(b"...")
    ens = theirs.create_ensemble("ens", replicas=1, run_settings=RunSettings("true"))
    model = ens.entities[0]
    ens.add_ml_model("net", "onnx", model_path=tmp_path / "net.onnx", device="GPU", devices_per_node=2, first_device=1)
    model.add_script("double", SCRIPT)
    model.add_function("half", half)

    [net] = model.db_models
    scripts = list(model.db_scripts)

    assert (net.name, net.backend, net.is_file, net.file) == ("net", "ONNX", True, tmp_path / "net.onnx")
    assert net.devices == ["GPU:1", "GPU:2"]
    assert [(script.name, script.is_file, script.script) for script in scripts] == [
        ("double", False, SCRIPT),
        ("half", False, half),
    ]
    assert ([*ens.db_models], [*ens.db_scripts]) == ([net], [])


def half(x: Any) -> Any:
    return x / 2


def test_objects_are_added_as_they_are_then(theirs: Experiment) -> None:
    model = theirs.create_model("model", RunSettings("true"))
    net, script = DBModel("net", "TORCH", b"..."), DBScript("double", SCRIPT)
    net.batch_size = 8

    model.add_ml_model_object(net)
    model.add_script_object(script)

    assert [upload.name for upload in model.uploads] == ["net", "double"]
    assert [*model.db_models, *model.db_scripts] == [net, script]
    with pytest.raises(StateError, match="net: was added, so a change of device comes too late"):
        net.device = "GPU"
    with pytest.raises(InputTypeError, match="is no DBModel"):
        model.add_ml_model_object(script)  # type: ignore[arg-type]
    with pytest.raises(EntityExistsError, match="'net'"):
        model.add_ml_model_object(DBModel("net", "TORCH", b"other"))


def test_an_object_is_checked_when_it_is_made_and_when_it_is_added(theirs: Experiment) -> None:
    model = theirs.create_model("model", RunSettings("true"))
    net = DBModel("net", "TORCH", b"...")

    with pytest.raises(FileNotFoundError):
        DBModel("net", "TORCH", model_file="no-such-file")
    net.device = "TPU"
    with pytest.raises(InputValueError, match="no device 'TPU'"):
        model.add_ml_model_object(net)
    assert list(model.db_models) == []


def test_a_message_names_the_model_to_which_it_is_added(theirs: Experiment) -> None:
    model = theirs.create_model("model", RunSettings("true"))

    with pytest.raises(InputValueError, match="model: net: no backend 'X'"):
        model.add_ml_model("net", "X", b"...")
