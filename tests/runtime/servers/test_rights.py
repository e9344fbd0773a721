"""Who may do what with a database, as its servers see it: members, workers and the owner, in each mode."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from smartensemble import Experiment, Orchestrator, Status
from smartensemble.databases.orchestrator import running_servers
from smartensemble.databases.users import WORKER_COMMANDS
from smartensemble.errors import InputValueError
from smartensemble.runtime.servers.resp import Refusal, request
from worlds.servers import CONNECT, ONE_SERVER, Start

pytestmark = pytest.mark.needs("database")


@pytest.fixture(scope="module", params=["open", "password"])
def db(request: pytest.FixtureRequest, program: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orchestrator]:
    """A database in each mode that differs for servers, on each program."""
    exp = Experiment("study", tmp_path_factory.mktemp("rights"))
    db = exp.create_database(server=program, workers=0, access=request.param)
    exp.start(db)
    yield db
    exp.stop(grace=0)


@pytest.fixture
def member(db: Orchestrator) -> Iterator[Any]:
    """A client as a member has it."""
    with connect(db, username=db.user, password=db.password) as client:
        yield client


@pytest.fixture
def owner(db: Orchestrator) -> Iterator[Any]:
    with connect(db, **login(db)) as client:
        yield client


def connect(db: Orchestrator, **login: Any) -> Any:
    """A client of the last server."""
    shard = running_servers(db).shards[-1]
    return redis.Redis(shard.host, shard.port, protocol=2, **login)


def login(db: Orchestrator, of: str = "") -> dict[str, str]:
    """How the owner logs in, or, of ``worker_``, the workers."""
    fields = json.loads(Path(db.owner_file).read_text())
    return {"username": fields[f"{of}user"], "password": fields[f"{of}password"]}


#: What servers say to a user who may not send a command; some are not allowed to anybody, or not in a script or transaction.
DENIED = re.compile("NOPERM|no permissions|can't run this command|not allowed")


def refused(client: Any, *command: object) -> bool:
    """Whether this user may not send a command."""
    return denied(lambda: client.execute_command(*command))


def refused_in_a_transaction(client: Any, *command: object) -> bool:
    transaction = client.pipeline()
    transaction.execute_command(*command)
    return denied(transaction.execute)


def denied(act: Any) -> bool:
    try:
        act()
    except redis.ResponseError as error:
        return isinstance(error, redis.exceptions.NoPermissionError) or DENIED.search(str(error)) is not None
    return False


def text(reply: Any) -> str:
    return str(reply.decode() if isinstance(reply, bytes) else reply)


# --- members ------------------------------------------------------------------------------------------------------------

#: The administrator's and dangerous commands that members may send.
THEIRS = {"keys", "sort", "sort_ro", "flushdb", "flushall", "info", "role", "config|get", "save", "bgsave", "lastsave"}


def test_members_have_no_command_of_the_administrator_but_those_with_a_reason(db: Orchestrator, owner: Any) -> None:
    """The server says which those are, and what it would answer."""
    names = {text(name) for kind in ("admin", "dangerous") for name in owner.execute_command("ACL CAT", kind)}
    names -= set(WORKER_COMMANDS)
    infos = {text(info[0]): abs(info[1]) for info in raw(owner, "COMMAND", "INFO", *names)}

    allowed = set()
    for name in names:
        words = name.split("|")
        words += ["x"] * (infos[name] - len(words))
        if text(raw(owner, "ACL", "DRYRUN", db.user or "default", *words)) == "OK":
            allowed.add(name)

    assert allowed == THEIRS
    assert len(names) > 70


def raw(client: Any, *command: str) -> Any:
    """A reply as it comes, and not as redis-py reads it."""
    connection = client.connection_pool.get_connection()
    connection.send_command(*command)
    reply = connection.read_response()
    client.connection_pool.release(connection)
    return reply


REFUSED = [
    *["SHUTDOWN NOSAVE", "shutdown", "REPLICAOF 127.0.0.1 1", "slaveof no one", "MODULE LOAD /x.so", "MODULE LIST"],
    *["DEBUG SLEEP 0", "MONITOR", "SYNC", "PSYNC ? -1", "REPLCONF capa eof", "FAILOVER ABORT", "MIGRATE h 1 k 0 1"],
    *["SWAPDB 0 1", "RESTORE k 0 x", "CLIENT LIST", "CLIENT KILL TYPE normal", "CLIENT PAUSE 1", "client UNBLOCK 1"],
    *["ACL SETUSER default on nopass +@all", "ACL SETUSER smartensemble +@all", "ACL LIST", "acl getuser default", "ACL LOAD"],
    *["ACL DELUSER smartensemble_owner", "SLOWLOG GET", "LATENCY RESET", "BGREWRITEAOF", "CONFIG REWRITE", "CONFIG RESETSTAT"],
    *["CLUSTER RESET HARD", "CLUSTER MEET 127.0.0.1 1", "CLUSTER FAILOVER TAKEOVER", "CLUSTER FLUSHSLOTS", "CLUSTER FORGET x"],
    *["CLUSTER DELSLOTS 1", "CLUSTER REPLICATE x", "SCRIPT DEBUG YES", "AI._NEXT 1 1 0", "ai._done 1", "AI._SHARED"],
]


def test_members_do_not_administer_at_once_in_a_transaction_or_from_a_script(member: Any) -> None:
    script = "return redis.call(unpack(ARGV))"

    let_through = [
        command
        for command in REFUSED
        if not refused(member, *command.split())
        or not refused_in_a_transaction(member, *command.split())
        or not refused(member, "EVAL", script, 0, *command.split())
    ]

    assert let_through == []
    assert member.ping()


HARM = dict(
    [
        *[("bind", "0.0.0.0"), ("protected-mode", "no"), ("requirepass", "x"), ("masterauth", "x"), ("replica-priority", "1")],
        *[("dir", "/"), ("dbfilename", "other.rdb"), ("save", "1 1"), ("appendonly", "yes"), ("proto-max-bulk-len", "2000000")],
        *[("maxmemory", "1"), ("maxmemory-policy", "allkeys-random"), ("maxclients", "1"), ("timeout", "1")],
        *[("hash-max-listpack-entries", "4000000000"), ("set-max-intset-entries", "4000000000")],
    ]
)


def test_members_do_not_set_what_opens_moves_or_empties_the_server(owner: Any, member: Any) -> None:
    before = {name: owner.config_get(name) for name in HARM}

    for name, value in HARM.items():
        for command in (
            ("CONFIG", "SET", name, value),
            ("config", "set", name.upper(), value),
            ("CONFIG", "SET", "lua-time-limit", "5000", name, value),
            ("CONFIG", "SET", name, value, "lua-time-limit", "5000"),
            ("AI._CONFIGSET", name, value),
            ("AI._CONFIGSET", "lua-time-limit", "5000", name, value),
            ("EVAL", "return redis.call('config', 'set', ARGV[1], ARGV[2])", 0, name, value),
            ("EVAL", "return redis.call('ai._configset', ARGV[1], ARGV[2])", 0, name, value),
        ):
            assert refused(member, *command), command
        assert refused_in_a_transaction(member, "CONFIG", "SET", name, value)
    assert {name: owner.config_get(name) for name in HARM} == before


def test_members_set_what_is_harmless_in_each_way(member: Any) -> None:
    for number, command in enumerate(
        [
            "CONFIG SET lua-time-limit",
            "config Set LUA-time-limit",
            "CONFIG SET notify-keyspace-events KEA lua-time-limit",
            "AI._CONFIGSET lua-time-limit",
        ]
    ):
        assert raw(member, *command.split(), str(4000 + number)) == b"OK"
        assert member.config_get("lua-time-limit") == {"lua-time-limit": str(4000 + number)}
    assert member.pipeline().set("key", 1).config_set("lua-time-limit", 6000).execute() == [True, True]
    assert member.config_get("lua-time-limit") == {"lua-time-limit": "6000"}


WRONG = {
    "CONFIG SET lua-time-limit x": "argument",
    "CONFIG SET lua-time-limit": "wrong number",
    "CONFIG SET lua-time-limit 1 2": "permission",
    "CONFIG SET no-such-setting 1": "permission",
    "AI._CONFIGSET": "wrong number",
    "AI._CONFIGSET lua-time-limit": "wrong number",
    "AI._CONFIGSET lua-time-limit 1 lua-time-limit": "wrong number",
    "AI._CONFIGSET lua-time-limit 1 lua-time-limit 2": "duplicate",
}


@pytest.mark.parametrize("command", WRONG)
def test_a_wrong_setting_is_an_error_in_the_servers_words(member: Any, command: str) -> None:
    with pytest.raises(redis.ResponseError, match=f"(?i){WRONG[command]}"):
        member.execute_command(*command.split())


def test_members_do_everything_with_data(db: Orchestrator, member: Any) -> None:
    assert member.flushdb()
    assert member.set("key", "1") is True
    assert (member.keys(), member.sort("key*")) == ([b"key"], [])
    assert member.eval("return redis.call('GET', KEYS[1])", 1, "key") == b"1"
    assert member.script_load("return 1")
    assert text(member.acl_whoami()) == (db.user or "default")
    assert (member.client_setname("me"), text(member.client_getname())) == (True, "me")
    assert member.info("server")["tcp_port"] == running_servers(db).shards[0].port
    assert member.save()
    assert member.flushall()
    assert member.dbsize() == 0


@ONE_SERVER
def test_members_of_a_sharded_database_administer_none_of_its_servers(exp: Experiment, program: str) -> None:
    db = exp.create_database(server=program, db_nodes=2, workers=0)
    exp.start(db)

    for shard in running_servers(db).shards:
        for command in ("CONFIG SET dir /", "CLUSTER RESET HARD", "CLUSTER DELSLOTS 1", "SHUTDOWN NOSAVE", "AI._NEXT 1 1 0"):
            with pytest.raises(Refusal, match="NOPERM"):
                request(shard, *command.split())
        assert request(shard, "CONFIG", "SET", "lua-time-limit", "1") == "OK"
        assert "cluster_state:ok" in str(request(shard, "CLUSTER", "INFO"))
    db.set_max_clients(77)
    assert request(shard, "CONFIG", "GET", "maxclients") == ["maxclients", "77"]


@ONE_SERVER
def test_a_renamed_command_is_denied_too(exp: Experiment, program: str) -> None:
    db = exp.create_database(server=program, access="open", workers=0)
    db.set_db_conf("rename-command", "CONFIG SETTING")
    exp.start(db)

    with connect(db) as member, connect(db, **login(db)) as owner:
        assert refused(member, "SETTING", "SET", "dir", "/")
        assert raw(member, "SETTING", "GET", "dir")[1] == db.path.encode()
        assert raw(owner, "SETTING", "SET", "maxmemory", "100mb") == b"OK"
        with pytest.raises(redis.ResponseError, match="is that command renamed"):
            member.config_set("lua-time-limit", "1")


# --- workers, and the owner ---------------------------------------------------------------------------------------------


def test_workers_have_their_own_commands_and_no_others(db: Orchestrator) -> None:
    with connect(db, **login(db, "worker_")) as worker:
        assert raw(worker, "AI._NEXT", "1", "1", "0") == []
        assert worker.get("no such key") is None
        others = [
            "SET key 1",
            "DEL key",
            "KEYS *",
            "CLIENT KILL TYPE normal",
            "CONFIG GET dir",
            "AI._CONFIGSET lua-time-limit 1",
        ]
        for command in (*others, "INFO", "PUBLISH channel x", "AI.MODELEXECUTE m INPUTS 1 x OUTPUTS 1 y", "EVAL x 0"):
            assert refused(worker, *command.split()), command


def test_the_owners_password_is_in_a_file_of_its_own(db: Orchestrator) -> None:
    secrets = [login(db)["password"], login(db, "worker_")["password"]]
    files = {path.name: path.read_bytes() for path in Path(db.path).iterdir() if path.is_file()}

    found = {name for name, content in files.items() if any(secret.encode() in content for secret in secrets)}

    assert found == {"smartensemble_owner.json", "orchestrator.conf"}
    assert {Path(db.path, name).stat().st_mode & 0o777 for name in found} == {0o600}
    assert "smartsim_db.json" in files


def test_nobody_logs_in_without_a_password(db: Orchestrator) -> None:
    for user in ("smartensemble", "smartensemble_worker", "smartensemble_owner"):
        with pytest.raises(Refusal, match="WRONGPASS"):
            request(running_servers(db).shards[0], "PING", user=user, password="")


def test_who_cannot_read_the_owners_password_cannot_reconnect(exp: Experiment) -> None:
    db = exp.create_database(workers=0)
    exp.start(db)
    kept = Path(db.owner_file).read_text()
    Path(db.owner_file).write_text("{}")
    other = Experiment("other", os.getcwd())

    with pytest.raises(InputValueError, match=r"smartensemble_owner.json: cannot be read \('password'\), and has the owner's"):
        other.reconnect_orchestrator(db.checkpoint_file)

    Path(db.owner_file).write_text(kept)
    other.stop(other.reconnect_orchestrator(db.checkpoint_file))
    assert not Path(db.owner_file).exists()


def test_the_rules_that_the_page_gives_for_a_server_of_your_own_hold(start: Start) -> None:
    lines = (Path(__file__).parents[3] / "docs/howto/security.rst").read_text().splitlines()
    rules = [line.split() for line in lines if line.startswith("   user ")]
    server = start(*(word for rule in rules for word in ("--user", *rule[1:])))

    with (
        redis.Redis(port=server.port) as member,
        redis.Redis(port=server.port, username="worker", password="password") as worker,
    ):
        for command in ("CONFIG SET dir /", "ACL LIST", "SHUTDOWN", "AI._NEXT 1 1 0"):
            assert refused(member, *command.split())
        assert refused(worker, "SET", "key", "1")
        assert member.config_set("lua-time-limit", 1)
        assert raw(worker, "AI._NEXT", "1", "1", "0") == []
    with redis.Redis(port=server.port, username="owner", password="another") as owner:
        assert owner.config_set("maxmemory", 0)


# --- a database of a member's own ---------------------------------------------------------------------------------------

MEMBER = (
    CONNECT
    + """
def ask(command):
    database.sendall(command.encode() + b"\\r\\n")
    return database.recv(65536).decode().splitlines()[0]

for command in ("SHUTDOWN", "CONFIG SET dir /", "ACL LIST", "AI._NEXT 1 1 0", "CONFIG SET lua-time-limit 7", "SET key value"):
    print(ask(command)[:7])
print(oct(os.stat("model.db.conf").st_mode & 0o777), os.environ.get("REDISCLI_AUTH"))
"""
)


@pytest.mark.parametrize("way", ["uds", "tcp"])
def test_a_member_does_not_administer_its_own(exp: Experiment, program: str, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDISCLI_AUTH", "the user's")
    model = exp.create_model("model", exp.create_run_settings("python", ["-c", MEMBER]))
    model.colocate_db_uds(server=program) if way == "uds" else model.colocate_db_tcp(server=program)

    exp.start(model, progress=False)

    assert model.status is Status.COMPLETED, model.run.reason
    assert Path(model.path, "model.out").read_text().splitlines() == [*["-NOPERM"] * 4, "+OK", "+OK", "0o600 the user's"]
