"""A driver gets a client of each kind of database that its experiment has.

Tests clients.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from smartensemble import Experiment, Orchestrator
from smartensemble.client import RedisConnectionError
from smartensemble.errors import InputTypeError, InputValueError, StateError
from worlds.patience import PATIENCE_S
from worlds.servers import free_port

pytestmark = pytest.mark.needs("database")


@pytest.fixture
def exp(tmp_path: Path) -> Iterator[Experiment]:
    made = Experiment("study", tmp_path)
    yield made
    made.stop(grace=0)


def test_a_client_has_what_members_have(exp: Experiment, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SSKEYIN", "SSKEYOUT", "SR_SOCKET_TIMEOUT"):
        monkeypatch.setenv(name, "1")
    private, locked = exp.create_database(), exp.create_database(db_identifier="locked", access="password")
    exp.start(private, locked)

    for db in (private, locked):
        with db.client() as first, exp.client(db) as second, exp.client(db.db_identifier) as third:
            first.put_tensor("x", [1.5])

            assert [client.get_tensor("x").tolist() for client in (second, third)] == [[1.5]] * 2
            assert first.key_exists("x")
            assert first._database.limits.reply == 600
    with exp.client(locked, timeout=PATIENCE_S) as client:
        assert client._database.limits.reply == PATIENCE_S


def test_the_database_that_is_meant_is_clear(exp: Experiment) -> None:
    one, other = (exp.create_database(db_identifier=name) for name in ("one", "other"))
    wrong: list[tuple[Any, type[Exception], str]] = [
        (None, StateError, "^study: no database runs; start one"),
        (one, StateError, "^one: does not run; start it"),
        ("ohter", InputValueError, "no database 'ohter'; did you mean 'other'"),
        (7, InputTypeError, "7 is no database; give one"),
        (exp.create_model("m", exp.create_run_settings("true")), InputValueError, "^m: has no database of its own; call"),
    ]
    for db, error, message in wrong:
        with pytest.raises(error, match=message):
            exp.client(db)

    exp.start(one)
    with exp.client() as client:
        assert repr(client) == f"Client({one.get_address()[0]})"
    exp.start(other)
    with pytest.raises(InputValueError, match=r"^study: 2 databases run; give one of one, other"):
        exp.client()


@pytest.mark.parametrize("network", [False, True])
def test_a_member_s_own_database_is_reached_while_the_member_runs(exp: Experiment, network: bool) -> None:
    model = exp.create_model("m", exp.create_run_settings("sleep", "infinity"))
    if network:
        model.colocate_db_tcp(port=free_port(), db_identifier="own")
    else:
        model.colocate_db_uds()
    with pytest.raises(StateError, match=r"^m: does not run, nor does its own database; start it"):
        exp.client(model)

    exp.start(model, block=False, progress=False)
    with exp.client(model) as client:
        client.put_tensor("x", [1])
        assert client.get_tensor("x").tolist() == [1]
        exp.stop(model, grace=0)
        client._database.limits = client._database.limits._replace(connect=0.01)
        with pytest.raises(RedisConnectionError, match="no server answers there"):
            client.put_tensor("x", [1])
    with pytest.raises(StateError, match=r"^m: does not run"):
        exp.client(model)


def test_a_client_of_several_servers(exp: Experiment) -> None:
    db: Orchestrator = exp.create_database(db_nodes=3)
    exp.start(db)
    with db.client() as client:
        for number in range(30):
            client.put_tensor(f"x{number}", [number])

        assert [client.get_tensor(f"x{number}")[0] for number in range(30)] == list(range(30))
        assert [each["cluster_size"] for each in client.get_db_cluster_info(db.get_address())] == ["3"] * 3
        assert len(client.get_db_node_info(db.get_address())) == 3
        client.flush_db(db.get_address())
        assert not client.key_exists("x1")
