"""What one client writes the other reads, both ways, in every kind of database; and both write the same keys and bytes.

Where SmartRedis is not installed, or cannot log in, our client alone plays both parts.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import smartensemble.client
from worlds.clients import MODES, Clients
from worlds.small_models import mlp, mlp_model

# mypy: disable-error-code="no-untyped-def"
# TorchScript reads annotations, and knows those of its own.

smartredis: Any = import_module("smartredis") if find_spec("smartredis") else None

DTYPES = ["float64", "float32", "int64", "int32", "int16", "int8", "uint16", "uint8"]
NUMBER_TYPES = ["float64", "float32", "int64", "int32", "uint64", "uint32"]
SCRIPT = "def double(x):\n    return 2 * x\n\ndef add(x, y):\n    return x + y\n"
ROWS = np.linspace(-1, 1, 40, dtype="float32").reshape(4, 10)


class Part(NamedTuple):
    """A client, and the module that it is of."""

    module: ModuleType
    client: Any
    address: str  # of a server

    def dataset(self, name: str, *arrays: Any) -> Any:
        made = self.module.Dataset(name)
        for number, array in enumerate(arrays):
            made.add_tensor(f"x{number}", array)
        return made


class Case(NamedTuple):
    """What one client does, and what another one finds then."""

    write: Callable[[Part], object]
    check: Callable[[Part], object]
    writer: Mapping[str, str] = MappingProxyType({})  # variables
    reader: Mapping[str, str] = MappingProxyType({})


def array_of(dtype: str) -> Any:
    return np.arange(24).reshape(2, 3, 4).astype(dtype)


def put_all_tensors(part: Part) -> None:
    for dtype in DTYPES:
        part.client.put_tensor(dtype, array_of(dtype))
    part.client.put_tensor("transposed", array_of("int32").T)
    part.client.put_tensor("large", np.arange(300_000.0))
    part.client.put_tensor("extremes", np.array([np.inf, -np.inf, np.nan, -0.0, 5e-324]))


def check_all_tensors(part: Part) -> None:
    for dtype in DTYPES:
        assert_array_equal(part.client.get_tensor(dtype), array_of(dtype), strict=True)
    assert_array_equal(part.client.get_tensor("transposed"), array_of("int32").T)
    assert_array_equal(part.client.get_tensor("large"), np.arange(300_000.0))
    assert_array_equal(part.client.get_tensor("extremes"), [np.inf, -np.inf, np.nan, -0.0, 5e-324])
    assert np.signbit(part.client.get_tensor("extremes")[3])


def move_tensors(part: Part) -> None:
    for name in ("a", "b"):
        part.client.put_tensor(name, array_of("int16"))
    part.client.copy_tensor("a", "copy")
    part.client.rename_tensor("b", "renamed")
    part.client.put_tensor("gone", array_of("int16"))
    part.client.delete_tensor("gone")


def check_moved_tensors(part: Part) -> None:
    found = [part.client.tensor_exists(name) for name in ("a", "b", "copy", "renamed", "gone")]
    assert found == [True, False, True, True, False]
    assert_array_equal(part.client.get_tensor("renamed"), part.client.get_tensor("copy"))
    assert (part.client.poll_tensor("copy", 1, 1), part.client.poll_tensor("gone", 1, 2)) == (True, False)
    assert (part.client.key_exists("copy"), part.client.poll_key("gone", 1, 2)) == (True, False)


def put_a_dataset(part: Part) -> None:
    made = part.dataset("melt", *(array_of(dtype) for dtype in DTYPES))
    for dtype in NUMBER_TYPES:
        for value in (0, 7):
            made.add_meta_scalar(dtype, np.dtype(dtype).type(value))
    made.add_meta_scalar("int", -1)
    made.add_meta_scalar("float", 0.1)
    for text in ("metal", "", "\u00c5ngstr\u00f6m"):
        made.add_meta_string("units", text)
    part.client.put_dataset(made)


def check_a_dataset(part: Part, name: str = "melt") -> None:
    found = part.client.get_dataset(name)
    assert (found.get_name(), sorted(found.get_tensor_names())) == (name, [f"x{number}" for number in range(8)])
    for number, dtype in enumerate(DTYPES):
        assert_array_equal(found.get_tensor(f"x{number}"), array_of(dtype), strict=True)
        assert found.get_tensor_dims(f"x{number}") == [2, 3, 4]
    for dtype in NUMBER_TYPES:
        assert_array_equal(found.get_meta_scalars(dtype), np.array([0, 7], dtype), strict=True)
    assert (found.get_meta_scalars("int").tolist(), found.get_meta_scalars("float").tolist()) == ([-1], [0.1])
    assert found.get_meta_strings("units") == ["metal", "", "\u00c5ngstr\u00f6m"]
    assert sorted(found.get_metadata_field_names()) == sorted([*NUMBER_TYPES, "int", "float", "units"])


def put_metadata_only(part: Part) -> None:
    made = part.dataset("notes")
    made.add_meta_string("by", "me")
    part.client.put_dataset(made)


def check_metadata_only(part: Part) -> None:
    assert part.client.get_dataset("notes").get_tensor_names() == []
    assert part.client.get_dataset("notes").get_meta_strings("by") == ["me"]


def move_datasets(part: Part) -> None:
    put_a_dataset(part)
    part.client.put_dataset(part.dataset("gone", array_of("int8")))
    part.client.copy_dataset("melt", "copy")
    part.client.copy_dataset("melt", "old")
    part.client.rename_dataset("old", "renamed")
    part.client.delete_dataset("gone")


def check_moved_datasets(part: Part) -> None:
    for name in ("melt", "copy", "renamed"):
        check_a_dataset(part, name)
    assert [part.client.dataset_exists(name) for name in ("melt", "old", "gone")] == [True, False, False]
    assert (part.client.poll_dataset("copy", 1, 1), part.client.poll_dataset("old", 1, 2)) == (True, False)


def make_lists(part: Part) -> None:
    for number in range(4):
        one = part.dataset(f"one_{number}", np.array([number]), array_of("float32"))
        part.client.put_dataset(one)
        part.client.append_to_list("all", one)
    part.client.copy_list("all", "copy")
    part.client.copy_list("all", "old")
    part.client.rename_list("old", "renamed")
    part.client.copy_list("all", "gone")
    part.client.delete_list("gone")


def check_lists(part: Part) -> None:
    client = part.client
    for name in ("all", "copy", "renamed"):
        assert numbers(client.get_datasets_from_list(name)) == [0, 1, 2, 3]
    assert numbers(client.get_dataset_list_range("all", 1, 2)) == [1, 2]
    assert numbers(client.get_dataset_list_range("all", -2, -1)) == [2, 3]
    assert [client.get_list_length(name) for name in ("all", "old", "gone")] == [4, 0, 0]
    assert [client.poll_list_length("all", wanted, 1, 1) for wanted in (3, 4, 5)] == [False, True, False]
    assert [client.poll_list_length_gte("all", wanted, 1, 1) for wanted in (3, 4, 5)] == [True, True, False]
    assert [client.poll_list_length_lte("all", wanted, 1, 1) for wanted in (3, 4, 5)] == [False, True, True]
    assert_array_equal(client.get_datasets_from_list("all")[3].get_tensor("x1"), array_of("float32"))


def numbers(datasets: Any) -> list[int]:
    return [int(each.get_tensor("x0")[0]) for each in datasets]


def store_models(part: Part) -> None:
    client, blob = part.client, mlp_model("ONNX")
    client.set_model("net", blob, "ONNX", "CPU", tag="v1", batch_size=8, min_batch_size=1, min_batch_timeout=1)
    client.set_model_chunk_size(1000)
    client.set_model("chunks", blob, "onnx", "cpu")
    client.set_model_chunk_size(511 << 20)
    Path("net.onnx").write_bytes(blob)
    client.set_model_from_file("file", "net.onnx", "ONNX")
    client.set_model("gone", blob, "ONNX")
    client.delete_model("gone")
    client.put_tensor("rows", ROWS)
    client.run_model("net", ["rows"], ["run by writer"])


def check_models(part: Part) -> None:
    client = part.client
    assert [client.model_exists(name) for name in ("net", "file", "chunks", "gone")] == [True, True, True, False]
    assert (client.poll_model("net", 1, 1), client.poll_model("gone", 1, 2)) == (True, False)
    assert client.get_model("net") == client.get_model("file") == client.get_model("chunks") == mlp_model("ONNX")
    for name in ("net", "chunks"):
        client.run_model(name, "rows", "run by reader")
        np.testing.assert_allclose(client.get_tensor("run by reader"), mlp(ROWS), rtol=1e-4, atol=1e-5)
    assert_array_equal(client.get_tensor("run by writer"), client.get_tensor("run by reader"))
    [info] = client.get_ai_info([part.address], "net")
    assert (info["tag"], info["device"], info["backend"]) == ("v1", "CPU", "ONNX")


def triple(x):
    return 3 * x


def store_scripts(part: Part) -> None:
    client = part.client
    client.set_script("text", SCRIPT)
    Path("script.py").write_text(SCRIPT)
    client.set_script_from_file("file", "script.py", "CPU")
    client.set_function("triple", triple)
    client.set_script("gone", SCRIPT)
    client.delete_script("gone")
    client.put_tensor("x", array_of("float32"))
    client.put_tensor("y", array_of("float32"))
    client.run_script("text", "add", ["x", "y"], ["sum"])


def check_scripts(part: Part) -> None:
    client = part.client
    assert client.get_script("text") == client.get_script("file") == SCRIPT
    assert client.get_script("triple").strip() == inspect.getsource(triple).strip()
    assert [client.model_exists(name) for name in ("text", "gone")] == [True, False]
    assert_array_equal(client.get_tensor("sum"), 2 * array_of("float32"))
    client.run_script("file", "double", "x", "doubled")
    assert_array_equal(client.get_tensor("doubled"), 2 * array_of("float32"))


OWN = {"SSKEYOUT": "b"}
READS = {"SSKEYIN": "a,b", "SSKEYOUT": "c"}


def write_with_prefixes(part: Part) -> None:
    part.client.use_model_ensemble_prefix(True)
    part.client.put_tensor("rows", ROWS)
    part.client.put_dataset(part.dataset("melt", np.array([5])))
    part.client.append_to_list("all", part.dataset("melt", np.array([5])))
    part.client.set_model("net", mlp_model("ONNX"), "ONNX")


def read_with_prefixes(part: Part) -> None:
    client = part.client
    client.use_model_ensemble_prefix(True)
    assert not client.tensor_exists("rows")
    client.set_data_source("b")
    assert (client.tensor_exists("rows"), client.dataset_exists("melt"), client.model_exists("net")) == (True, True, True)
    assert (client.key_exists("rows"), client.key_exists("b.rows")) == (False, True)
    assert numbers(client.get_datasets_from_list("all")) == numbers([client.get_dataset("melt")]) == [5]
    client.run_model("net", ["rows"], ["answer"])
    client.copy_tensor("rows", "copy")
    client.copy_dataset("melt", "copied")
    client.copy_list("all", "copied list")
    assert [client.key_exists(key) for key in ("c.answer", "c.copy", "c.{copied}.x0")] == [True, True, True]
    client.use_list_ensemble_prefix(False)
    assert client.get_list_length("c.copied list") == 1
    client.use_tensor_ensemble_prefix(False)
    client.use_dataset_ensemble_prefix(False)
    np.testing.assert_allclose(client.get_tensor("c.answer"), mlp(ROWS), rtol=1e-4, atol=1e-5)
    assert not client.dataset_exists("melt")


def write_without_prefixes(part: Part) -> None:
    for each in ("tensor", "dataset", "list"):
        getattr(part.client, f"use_{each}_ensemble_prefix")(False)
    part.client.put_tensor("x", np.array([1]))
    part.client.put_dataset(part.dataset("melt", np.array([5])))
    part.client.append_to_list("all", part.dataset("melt", np.array([5])))


def read_without_prefixes(part: Part) -> None:
    assert part.client.get_tensor("x").tolist() == [1]
    assert numbers(part.client.get_datasets_from_list("all")) == [5]


CASES = {
    "tensors": Case(put_all_tensors, check_all_tensors),
    "moved tensors": Case(move_tensors, check_moved_tensors),
    "dataset": Case(put_a_dataset, check_a_dataset),
    "metadata only": Case(put_metadata_only, check_metadata_only),
    "moved datasets": Case(move_datasets, check_moved_datasets),
    "lists": Case(make_lists, check_lists),
    "models": Case(store_models, check_models),
    "scripts": Case(store_scripts, check_scripts),
    "prefixes": Case(write_with_prefixes, read_with_prefixes, OWN, READS),
    "no prefixes": Case(write_without_prefixes, read_without_prefixes, OWN, {}),
}


class Run(NamedTuple):
    """One case in one database: how its clients connect."""

    clients: Clients
    case: Case

    def part(self, module: ModuleType, variables: Mapping[str, str]) -> Part:
        return Part(module, self.clients.connect(module, **variables), self.clients.db.get_address()[0])

    def write(self, module: ModuleType) -> None:
        self.case.write(self.part(module, self.case.writer))

    def check(self, module: ModuleType) -> None:
        self.case.check(self.part(module, self.case.reader))


def ours_alone(run: Run) -> None:
    run.write(smartensemble.client)
    run.check(smartensemble.client)


def ours_to_theirs(run: Run) -> None:
    run.write(smartensemble.client)
    run.check(smartredis)


def theirs_to_ours(run: Run) -> None:
    run.write(smartredis)
    run.check(smartensemble.client)


def same_keys_and_bytes(run: Run) -> None:
    run.write(smartredis)
    theirs = dict(content(run.clients))
    run.clients.ask("FLUSHALL")

    run.write(smartensemble.client)

    assert dict(content(run.clients)) == theirs


NEEDS = {"models": ["onnx"], "prefixes": ["onnx"], "scripts": ["torch"]}
WAYS = (ours_alone, ours_to_theirs, theirs_to_ours, same_keys_and_bytes)


def plan() -> Iterator[Any]:
    """What is tried where: SmartRedis cannot log in, and each process with PyTorch takes seconds, so one database has them."""
    for mode, case, way in product(MODES, CASES, WAYS):
        needs = [*NEEDS.get(case, []), *(["smartredis"] if way is not ours_alone else [])]
        if (mode == "shards" or case != "scripts") and (mode != "password" or way is ours_alone):
            marks = [pytest.mark.needs(need) for need in ["database", *needs]]
            yield pytest.param(mode, case, way, marks=marks, id=f"{mode}-{case}-{way.__name__}")


@pytest.mark.parametrize(("mode", "case", "way"), [*plan()])
def test_what_one_client_writes_the_other_reads(
    mode: str, case: str, way: Callable[[Run], None], clients: Clients, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    way(Run(clients, CASES[case]))


def content(clients: Clients) -> Iterator[tuple[bytes, object]]:
    """Each key of a database, with what it holds."""
    database = clients.connect()._database
    for keys in database.each_shard("KEYS", "*"):
        for key in keys:
            yield key, READ[database.call(key, "TYPE", key)](database, key)


def hashed(database: Any, key: bytes) -> dict[bytes, bytes]:
    found = database.call(key, "HGETALL", key)
    return dict(zip(found[::2], found[1::2], strict=True))


def text(database: Any, key: bytes) -> object:
    """What a string holds: of a model or script what it was stored as, without what makes each one different."""
    value = database.call(key, "GET", key)
    kind = {b"MODEL_": "AI.MODELGET", b"SCRIPT": "AI.SCRIPTGET"}.get(value[-6:])
    return database.call(key, kind, key) if kind else value


READ: dict[bytes, Callable[[Any, bytes], object]] = {
    b"string": text,
    b"list": lambda database, key: database.call(key, "LRANGE", key, 0, -1),
    b"hash": hashed,
}
