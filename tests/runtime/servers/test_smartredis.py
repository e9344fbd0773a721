"""Members with SmartRedis, as it is installed, find what they need: over a unix socket, a port, and in a cluster."""

from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import cast

import pytest

from smartensemble import Experiment, Orchestrator, Status
from smartensemble.databases.orchestrator import running_servers
from smartensemble.runtime.servers.resp import request

pytestmark = pytest.mark.needs("smartredis")

#: A member for each thing that clients do.
MEMBERS = {
    "tensors": """
        for dtype in ("float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16"):
            array = np.arange(24).reshape(2, 3, 4).astype(dtype)
            client.put_tensor(dtype, array)
            got = client.get_tensor(dtype)
            assert got.dtype == array.dtype and (got == array).all(), dtype
        client.copy_tensor("int8", "copy")
        client.rename_tensor("copy", "renamed")
        assert (client.get_tensor("renamed") == client.get_tensor("int8")).all()
        assert client.poll_tensor("renamed", 1, 1)
        client.delete_tensor("renamed")
        assert not client.tensor_exists("renamed") and not client.poll_tensor("renamed", 1, 2)
    """,
    "datasets": """
        made = Dataset("made")
        made.add_tensor("field", np.linspace(0, 1, 5))
        for dtype in ("float32", "float64", "int32", "int64", "uint32", "uint64"):
            made.add_meta_scalar(dtype, np.dtype(dtype).type(7))
        made.add_meta_string("units", "metal")
        made.add_meta_string("units", "\\u00c5ngstr\\u00f6m")
        client.put_dataset(made)
        client.copy_dataset("made", "copy")
        client.rename_dataset("copy", "renamed")
        got = client.get_dataset("renamed")
        assert (got.get_tensor("field") == np.linspace(0, 1, 5)).all()
        assert got.get_meta_strings("units") == ["metal", "\\u00c5ngstr\\u00f6m"]
        assert all(got.get_meta_scalars(name)[0] == 7 for name in ("float32", "int64", "uint32"))
        client.delete_dataset("renamed")
        assert client.dataset_exists("made") and not client.dataset_exists("renamed")
        assert client.poll_dataset("made", 1, 1)
    """,
    "lists": """
        for number in range(3):
            one = Dataset(f"one_{number}")
            one.add_tensor("x", np.array([number]))
            client.put_dataset(one)
            client.append_to_list("all", one)
        assert client.get_list_length("all") == 3 and client.poll_list_length_gte("all", 3, 1, 1)
        client.copy_list("all", "copy")
        client.rename_list("copy", "renamed")
        assert [int(each.get_tensor("x")[0]) for each in client.get_datasets_from_list("renamed")] == [0, 1, 2]
        client.delete_list("renamed")
        assert client.get_list_length("renamed") == 0
    """,
    "administration": """
        addresses = os.environ["SSDB"].split(",")
        for address in addresses:
            client.config_set("lua-time-limit", "4321", address)
            assert client.config_get("lua-time-limit", address) == {"lua-time-limit": "4321"}
        assert len(client.get_db_node_info(addresses)) == len(addresses)
        client.save(addresses)
        client.flush_db(addresses)
    """,
}
SCRIPT = """\
import os
import numpy as np
from smartredis import Client, Dataset
client = Client()
"""


@pytest.fixture(scope="module", params=["private", "open", "cluster"])
def database(
    request: pytest.FixtureRequest, program: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Experiment, Orchestrator]]:
    """An experiment with a database of each kind, on each program."""
    exp = Experiment("study", tmp_path_factory.mktemp("smartredis"))
    access, nodes = ("open", 3) if request.param == "cluster" else (request.param, 1)
    db = exp.create_database(db_nodes=nodes, access=access, server=program)
    exp.start(db)
    yield exp, db
    exp.stop(grace=0)


@pytest.mark.parametrize("what", MEMBERS)
def test_a_member_does_what_smartredis_can(what: str, database: tuple[Experiment, Orchestrator]) -> None:
    exp, db = database
    model = exp.create_model(what, exp.create_run_settings("python", ["-c", SCRIPT + dedent(MEMBERS[what])]))
    model.enable_key_prefixing()
    model.register_incoming_entity(model)  # a member reads its own data when it is told to

    exp.start(model, progress=False)

    assert model.status is Status.COMPLETED, model.run.reason
    if what == "tensors":
        keys = [str(key) for shard in running_servers(db).shards for key in cast("list[str]", request(shard, "KEYS", "*"))]
        assert keys
        assert {key.partition(".")[0].strip("{}") for key in keys} == {"tensors"}


PRODUCER = """
client.put_tensor("shared", np.array([float(os.environ["VALUE"])]))
"""
CONSUMER = """
found = []
for producer in os.environ["SSKEYIN"].split(","):
    client.set_data_source(producer)
    assert client.poll_tensor("shared", 10, 30_000)
    found.append(client.get_tensor("shared")[0])
print(found)
"""


def test_members_read_from_a_whole_ensemble_without_collisions(exp: Experiment) -> None:
    db = exp.create_database()
    writes, reads = (exp.create_run_settings("python", ["-c", SCRIPT + body]) for body in (PRODUCER, CONSUMER))
    producers = exp.create_ensemble("producer", replicas=3, run_settings=writes)
    for number, member in enumerate(producers):
        member.run_settings.update_env({"VALUE": number})
    consumer = exp.create_model("consumer", reads)
    consumer.register_incoming_entity(producers)

    exp.start(db, producers, consumer, progress=False)

    assert consumer.status is Status.COMPLETED, consumer.run.reason
    assert "[0.0, 1.0, 2.0]" in Path(consumer.path, "consumer.out").read_text()
