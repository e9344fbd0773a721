"""A client finds its database by what its caller gives, or by its environment, and says what is wrong.

Tests errors.
"""

import copy
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import smartensemble.client
from smartensemble import Client
from smartensemble.client import ConfigOptions, RedisConnectionError, RedisRuntimeError, errors
from smartensemble.client.errors import REMEDIES, refusal
from smartensemble.errors import InputTypeError, InputValueError, SmartEnsembleError, StateError
from worlds.patience import PATIENCE_S
from worlds.servers import ONE_SERVER, Server, Start

NAMES = ("SSDB", "SR_DB_TYPE", "SSKEYIN", "SSKEYOUT", "SMARTENSEMBLE_DB")


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


@ONE_SERVER
def test_each_way_to_name_a_database_leads_there(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    unix, tcp = f"unix://{server.socket}", f"127.0.0.1:{server.port}"
    options = ConfigOptions.create_from_environment("own")
    monkeypatch.setenv("SSDB_own", tcp)
    with Client(False, unix, "me") as first:
        first.put_tensor("x", [1.5])
    monkeypatch.setenv("SSDB", unix)

    for found in (
        Client(),
        Client(None, "me"),
        Client(options),
        Client(config_options=options, logger_name="me"),
        Client(False),
        Client(cluster=False, address=tcp),
        Client(address=unix),
        Client(address=f"tcp://{tcp}", timeout=PATIENCE_S, connect_timeout=PATIENCE_S),
    ):
        with found as client:
            assert client.get_tensor("x").tolist() == [1.5]
    assert repr(client) == f"Client({tcp})"


@ONE_SERVER
def test_an_address_is_not_what_the_environment_says(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSDB", "nowhere:1")
    monkeypatch.setenv("SR_DB_TYPE", "Clustered")
    monkeypatch.setenv("SMARTENSEMBLE_DB", "/nowhere")
    monkeypatch.setenv("SSKEYOUT", "me")

    with Client(address=f"unix://{server.socket}") as client:
        client.put_tensor("x", [1])

    assert server.client.keys() == [b"me.x"]
    assert os.environ["SSDB"] == "nowhere:1"


@ONE_SERVER
def test_a_member_reads_the_data_of_others_and_writes_its_own(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSDB", f"unix://{server.socket}")
    monkeypatch.setenv("SSKEYOUT", "b")
    monkeypatch.setenv("SSKEYIN", "a,b")
    with Client() as client:
        client.put_tensor("x", [1])

        assert not client.tensor_exists("x")
        client.set_data_source("b")
        assert client.tensor_exists("x")
        client.use_tensor_ensemble_prefix(False)
        client.rename_tensor("b.x", "y")
        for use in (client.use_dataset_ensemble_prefix, client.use_list_ensemble_prefix, client.use_model_ensemble_prefix):
            use(True)

    assert server.client.keys() == [b"y"]


@ONE_SERVER
@pytest.mark.parametrize("user", [None, "me"])
def test_a_password_lets_a_client_in(start: Start, user: str | None) -> None:
    server = start()
    server.client.execute_command("ACL", "SETUSER", user or "default", "on", ">right", "~*", "+@all")
    if user:
        server.client.execute_command("ACL", "SETUSER", "default", "off")
    address = f"unix://{server.socket}"

    with Client(address=address, user=user, password="right") as client:
        client.put_tensor("x", [1])
    with pytest.raises(RedisConnectionError, match=r"^unix:.*: WRONGPASS .*; give the right user and password"):
        Client(address=address, user=user, password="wrong")
    if user:
        with pytest.raises(RedisConnectionError, match=r"^unix:.*: NOAUTH .*; give the right user and password"):
            Client(address=address)


WRONG: dict[str, tuple[tuple[Any, ...], dict[str, Any], type[Exception], str]] = {
    "nothing": ((), {}, RedisConnectionError, "SSDB is not set; run it in a member, give address="),
    "a text": (
        ("n1:6379",),
        {},
        InputTypeError,
        "config_options 'n1:6379' is no ConfigOptions; leave it out, or give address=",
    ),
    "a mistake": ((), {"adress": "n1"}, InputTypeError, "no argument 'adress'; did you mean"),
    "too many": ((False, "n1", "me", 4), {}, InputTypeError, "too many positional arguments; give"),
    "twice": ((False,), {"cluster": True}, InputTypeError, "multiple values for argument 'cluster'; give"),
    "no address": ((False, "n1 6379"), {}, RedisConnectionError, "address: 'n1 6379' is no address; give host:port"),
    "a number": ((False, 6379), {}, InputTypeError, "address 6379 is no text; give"),
    "no flag": ((), {"cluster": "no"}, InputTypeError, "cluster is 'no'; give True or False"),
    "no name": ((False, "n1", 3), {}, InputTypeError, "context: 3 is no text; give text"),
    "no time": ((False, "n1"), {"timeout": 0}, InputValueError, "timeout: 0 is no time to wait; give seconds above zero"),
    "time of text": ((False, "n1"), {"connect_timeout": "1"}, InputTypeError, "connect_timeout: '1' is no number of seconds"),
    "a user": ((False, "n1"), {"user": "me"}, InputValueError, "has a user, 'me', and no password; give both"),
    "bytes": ((False, "n1"), {"password": b"x"}, InputTypeError, "password is no text; give text"),
}


@pytest.mark.parametrize(("args", "kwargs", "error", "message"), WRONG.values(), ids=WRONG)
def test_what_is_no_client_is_said(args: Any, kwargs: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message) as raised:
        Client(*args, **kwargs)

    assert str(raised.value).count("\n") == 0


@ONE_SERVER
def test_a_client_belongs_to_its_process(server: Server) -> None:
    with Client(address=f"unix://{server.socket}") as client:
        for make in (copy.copy, copy.deepcopy, pickle.dumps):
            with pytest.raises(StateError, match=r"^Client: is not to be copied or pickled; make another one there"):
                make(client)
    with pytest.raises(StateError, match=r"^Client: is closed; make another one"):
        client.tensor_exists("x")
    client.close()


SAID = {
    "ERR tensor key is empty": "put it first",
    "ERR model key is empty": "store it first",
    "WRONGTYPE Operation against a key": "use another name",
    "NOAUTH Authentication required.": "give the right user and password",
    "NOPERM this user has no permissions": "leave it to the driver",
    "expected def but found 'import' here": "leave the import out",
    "OOM command not allowed": "delete what is no longer needed",
    "ERR unknown command 'AI.TENSORSET', with args": "connect to a database of create_database()",
    "LOADING Valkey is loading the dataset in memory": "wait until the database is ready",
    "ERR This instance has cluster support disabled": "set SR_DB_TYPE=Standalone",
    "ERR something new": "correct what the server names",
}


@pytest.mark.parametrize(("words", "remedy"), SAID.items())
def test_each_refusal_has_a_remedy(words: str, remedy: str) -> None:
    message = str(refusal("x", words))

    assert message.startswith(f"x: {words.removeprefix('ERR ').rstrip('.')}; ")
    assert remedy in message
    assert len(SAID) >= len(REMEDIES)


@ONE_SERVER
def test_a_server_without_the_module_says_so(start: Start) -> None:
    server = start(module=False)

    with (
        Client(address=f"unix://{server.socket}") as client,
        pytest.raises(RedisRuntimeError, match=r"^x: unknown command .*; connect to a database of create_database\(\)"),
    ):
        client.put_tensor("x", [1])


def test_errors_have_the_names_of_smartredis_and_builtin_kinds() -> None:
    kinds = {name: value for name, value in vars(errors).items() if name.startswith("Redis")}

    assert all(issubclass(kind, (SmartEnsembleError, RuntimeError)) for kind in kinds.values())
    assert {name for name, kind in kinds.items() if issubclass(kind, errors.RedisReplyError)} == {
        f"Redis{word}Error" for word in ("Reply", "Runtime", "Key", "Timeout", "Database", "Internal", "BadAlloc")
    }
    assert [str(kind("a: b; c")) for kind in kinds.values()] == ["a: b; c"] * len(kinds)
    smartredis = pytest.importorskip("smartredis.error", reason="has no wheel for this Python")
    assert set(kinds) == set(smartredis.__all__)


@pytest.mark.parametrize("missing", ["numpy", "hiredis"])
def test_what_a_client_needs_is_named_when_it_is_missing(missing: str) -> None:
    program = f"import sys; sys.modules['{missing}'] = None; import smartensemble as s; s.Experiment; s.Client"

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert "UnsupportedError: Client: needs numpy and hiredis; run pip install 'smartensemble[client]'" in done.stderr


def test_names_are_loaded_when_they_are_asked_for() -> None:
    program = (
        "import sys, smartensemble, smartensemble.client as c; print({'numpy', 'hiredis', 'socket'} & {*sys.modules}, c.HOME)"
    )

    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout

    assert said.startswith("set()")
    for name in smartensemble.client.__all__:
        assert getattr(smartensemble.client, name) is not None
    with pytest.raises(AttributeError, match="Clint"):
        smartensemble.client.Clint  # noqa: B018
    assert Path(smartensemble.client.__file__).exists()
