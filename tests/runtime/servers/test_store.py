"""What is added to models and ensembles is in their databases before a member starts, which runs it with SmartRedis."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from smartensemble import Ensemble, Experiment, Model, Orchestrator, Status
from smartensemble.databases.orchestrator import running_servers
from smartensemble.errors import EntityExistsError, StateError
from smartensemble.runtime.servers.resp import request
from worlds.servers import ONE_SERVER
from worlds.small_models import mlp_model

if TYPE_CHECKING:
    from torch import Tensor

pytestmark = pytest.mark.needs("smartredis", "torch")

#: A member that runs models, by their names, and functions of scripts, as ``script.function``; it says what shape each gave.
MEMBER = """
import os
import sys
import numpy as np
from smartredis import Client
client = Client()
x, y = f"x{os.getpid()}", f"y{os.getpid()}"  # in a cluster, two clients that run on keys of one name take them from each other
client.put_tensor(x, np.arange(20, dtype="float32").reshape(2, 10))
for name in sys.argv[1:]:
    key, _, function = name.partition(".")
    if function:
        client.run_script(key, function, inputs=[x], outputs=[y])
    else:
        client.run_model(key, inputs=[x], outputs=[y])
    print(name, client.get_tensor(y).shape)
"""
SCRIPT = "def first(x):\n    return x[:1]\n"
#: Where a member's database is, and what it runs there: all once, since TensorFlow takes seconds to import.
WAYS = [
    pytest.param("standalone", ["TORCH", "ONNX", "TF", "TFLITE"], marks=pytest.mark.needs("onnx", "tensorflow", "tflite")),
    pytest.param("cluster", ["TORCH", "ONNX"], marks=pytest.mark.needs("onnx")),
    pytest.param("colocated", ["TORCH", "ONNX"], marks=pytest.mark.needs("onnx")),
]


def double(x: Tensor) -> Tensor:
    return 2 * x


def ensemble(exp: Experiment, *names: str, count: int = 2) -> Ensemble:
    """Members that run models and functions of scripts."""
    Path("member.py").write_text(MEMBER)
    settings = exp.create_run_settings("python", [str(Path("member.py").absolute()), *names])
    ens = exp.create_ensemble("ens", replicas=count, run_settings=settings)
    for member in ens:
        member.disable_key_prefixing()
    return ens


def database(exp: Experiment, members: Ensemble, way: str, program: str) -> list[Orchestrator]:
    """A database of each kind for `members`, which is not started yet."""
    if way != "colocated":
        return [exp.create_database(server=program, db_nodes=3 if way == "cluster" else 1)]
    for member in members:
        member.colocate_db_uds(server=program)
    return []


def outputs(members: Ensemble) -> list[list[str]]:
    """The lines that each of the members has written, all of which have completed."""
    said = [Path(member.path, f"{member.name}.err").read_text() for member in members]
    assert [member.status for member in members] == [Status.COMPLETED] * len(members), said
    return [Path(member.path, f"{member.name}.out").read_text().splitlines() for member in members]


@pytest.mark.parametrize(("way", "backends"), WAYS)
def test_each_member_runs_models_a_function_and_a_script(exp: Experiment, program: str, way: str, backends: list[str]) -> None:
    ens = ensemble(exp, *backends, "function.double", "script.first", count=1)
    for backend in backends:
        names = {"inputs": "x", "outputs": ["y"]} if backend == "TF" else {}
        ens.add_ml_model(backend, backend.lower(), mlp_model(backend), **names)  # type: ignore[arg-type]
    Path("script.py").write_text(SCRIPT)
    ens.add_function("function", double)
    ens.add_script("script", script_path="script.py")

    exp.start(*database(exp, ens, way, program), ens, progress=False)

    shapes = [f"{backend} (2, 1)" for backend in backends]
    assert outputs(ens) == [[*shapes, "function.double (2, 10)", "script.first (1, 10)"]]


@ONE_SERVER
def test_members_that_need_the_same_share_its_file(exp: Experiment, program: str) -> None:
    ens = ensemble(exp, "net.first", count=3)
    ens.add_script("net", SCRIPT)
    ens[2].add_script("other", SCRIPT)
    database(exp, ens, "colocated", program)
    exp.start(ens, progress=False)

    files = [Path(member.path, f"{member.name}.db.commands").stat().st_ino for member in ens]
    assert files[0] == files[1] != files[2]
    outputs(ens)
    exp.start(ens[0], progress=False)  # again, over the same file
    outputs(ens)


@ONE_SERVER
def test_members_that_come_later_inherit_it(exp: Experiment, program: str) -> None:
    Path("member.py").write_text(MEMBER)
    settings = exp.create_run_settings("python", [str(Path("member.py").absolute()), "net.first"])
    ens = exp.create_ensemble("ens", {"T": range(9)}, run_settings=settings, perm_strategy="random", n_models=1)
    ens.add_script("net", SCRIPT)
    ens.extend(1)
    ens.add_model(exp.create_model("later", settings))
    for member in ens:
        member.params.clear()
        member.disable_key_prefixing()

    exp.start(exp.create_database(server=program), ens, progress=False)

    assert outputs(ens) == [["net.first (1, 10)"]] * 3


@ONE_SERVER
def test_it_is_in_every_database_that_runs(exp: Experiment, program: str) -> None:
    both = [exp.create_database(server=program, db_identifier=name) for name in ("orchestrator", "second")]
    model = exp.create_model("model", exp.create_run_settings("true"))
    model.add_script("net", SCRIPT)
    exp.start(both[0])
    exp.start(both[1], model, progress=False)

    assert [request(running_servers(db).shards[0], "AI.SCRIPTGET", "net", "SOURCE") for db in both] == [SCRIPT, SCRIPT]


def test_no_database_is_an_error_before_anything_is_written(exp: Experiment) -> None:
    ens = ensemble(exp, "net.first")
    ens.add_script("net", SCRIPT)
    ens[0].colocate_db_uds()

    with pytest.raises(StateError, match="ens_1: no database runs to store 'net' in; start one from create_database"):
        exp.start(ens)

    assert not Path(ens.path).exists()


def test_what_the_backend_refuses_is_an_error_and_nothing_is_started(exp: Experiment, program: str) -> None:
    db, model = exp.create_database(server=program), exp.create_model("model", exp.create_run_settings("true"))
    model.add_ml_model("net", "TORCH", b"not a model")

    with pytest.raises(
        StateError, match=r"orchestrator: 'net' could not be stored: .+; TORCH takes what torch.jit.save writes; nothing"
    ):
        exp.start(db, model)

    assert (db.is_active(), model.status, Path(model.path).exists()) == (False, Status.NEW, False)


@ONE_SERVER
def test_what_the_backend_of_a_colocated_database_refuses_ends_its_member(exp: Experiment, program: str) -> None:
    model = exp.create_model("model", exp.create_run_settings("true"))
    model.add_script("fine", SCRIPT)
    model.add_script("net", "def broken(x):\n    return no_such_name(x)\n")
    model.colocate_db_uds(server=program)
    exp.start(model, progress=False)

    assert (model.status, model.run.exit_code) == (Status.FAILED, 125)
    assert "model: its database could not be given what was added: 'net': " in model.run.reason
    assert "undefined value no_such_name" in model.run.reason


def test_two_members_cannot_bring_different_things_of_one_name(exp: Experiment, program: str) -> None:
    ens = ensemble(exp, "net.first")
    for number, member in enumerate(ens):
        member.add_script("net", SCRIPT + "#" * number)

    with pytest.raises(EntityExistsError, match="study: two members bring a different 'net', and share a database"):
        exp.start(exp.create_database(server=program), ens)


@ONE_SERVER
def test_a_worker_that_has_ended_is_named_by_the_error(exp: Experiment, program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("broken").mkdir()
    Path("broken/numpy.py").write_text("raise ImportError('there is no numpy')")
    monkeypatch.setenv("PYTHONPATH", str(Path("broken").absolute()))
    model = exp.create_model("model", exp.create_run_settings("true"))
    model.add_script("net", SCRIPT)

    with pytest.raises(StateError, match=r"(?s)all its workers have ended; .*a worker ended: .*there is no numpy"):
        exp.start(exp.create_database(server=program), model)


def test_one_model_is_stored_again_with_each_start(exp: Experiment, program: str) -> None:
    db, model = exp.create_database(server=program), Model("model", {}, exp.create_run_settings("true"))
    model.add_script("net", SCRIPT)
    exp.start(db, model, progress=False)
    request(running_servers(db).shards[0], "AI.SCRIPTDEL", "net")
    exp.start(model, progress=False)

    assert request(running_servers(db).shards[0], "AI.SCRIPTGET", "net", "SOURCE") == SCRIPT
