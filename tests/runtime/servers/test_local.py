"""A database starts whole, is told of, and ends; what goes wrong says why and leaves nothing running.

Tests registry and resp.
"""

import json
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import redis

from smartensemble import Experiment, Orchestrator, Status
from smartensemble.databases.orchestrator import running_servers
from smartensemble.errors import EntityExistsError, InputValueError, StateError
from smartensemble.runtime.servers.resp import Refusal, request
from smartensemble.runtime.standalone.procfs import began
from worlds.patience import PATIENCE_S
from worlds.servers import environment, pid_of

pytestmark = pytest.mark.needs("database")

Driver = Callable[..., "subprocess.Popen[str]"]
Script = Callable[[str], str]
Eventually = Callable[[Callable[[], object]], None]


# --- start and stop -----------------------------------------------------------------------------------------------------


def test_a_private_database_listens_where_only_its_owner_enters(exp: Experiment, program: str) -> None:
    db = exp.create_database(server=program)
    exp.start(db)

    (address,) = db.get_address()
    path = Path(address.removeprefix("unix://"))
    assert db.is_active()
    assert {folder.stat().st_mode & 0o777 for folder in (path.parent, Path(db.path))} == {0o700}
    with redis.Redis(unix_socket_path=str(path)) as client:
        assert client.config_get("port") == {"port": "0"}
    assert exp.get_status(db) == [Status.RUNNING]
    assert environment(exp)["SSDB"] == address

    pid = pid_of(db)
    exp.stop(db)
    assert (began(pid), path.exists(), Path(db.checkpoint_file).exists()) == (None, False, False)
    assert (db.is_active(), exp.get_status(db)) == (False, [Status.CANCELLED])
    assert "SSDB" not in environment(exp, "after")


def test_a_port_is_open_on_this_machine_alone_and_says_so(
    exp: Experiment, program: str, caplog: pytest.LogCaptureFixture
) -> None:
    db = exp.create_database(access="open", server=program)
    exp.start(db)

    host, _, port = db.get_address()[0].partition(":")
    assert (db.hosts, host) == (["127.0.0.1"], "127.0.0.1")
    with redis.Redis(port=int(port)) as client:
        assert client.config_get("bind") == {"bind": "127.0.0.1"}
    assert caplog.messages == [
        f"orchestrator: at {host}:{port}; without a password, every user of this machine can read and change its data, "
        "and run models and scripts, which are code; access='private' or 'password' keeps others out"
    ]


@pytest.mark.parametrize("protocol", [2, 3])
def test_who_has_the_password_gets_in(exp: Experiment, program: str, protocol: int) -> None:
    db = exp.create_database(access="password", server=program)
    exp.start(db)
    host, _, port = db.get_address()[0].partition(":")

    with redis.Redis(host, int(port), username=db.user, password=db.password, protocol=protocol) as client:
        assert client.set("key", "value")
    with pytest.raises(Refusal, match="NOAUTH"):
        request(running_servers(db).shards[0], "GET", "key")
    assert db.is_active()
    record = Path(environment(exp)["SMARTENSEMBLE_DB"])
    assert record.stat().st_mode & 0o777 == 0o600
    assert json.loads(record.read_text())["password"] == db.password
    readable = [path for path in Path(db.path).iterdir() if path.stat().st_mode & 0o77]
    assert readable
    assert not any(str(db.password) in path.read_text() for path in readable)


def test_several_databases_run_at_once_and_start_before_members(exp: Experiment) -> None:
    first, second = exp.create_database(), exp.create_database(access="open", db_identifier="second")
    model = exp.create_model("model", exp.create_run_settings("env"))

    exp.start(model, second, first, progress=False)

    out = Path(model.path, "model.out").read_text().splitlines()
    assert f"SSDB={first.get_address()[0]}" in out
    assert f"SSDB_second={second.get_address()[0]}" in out
    assert exp.get_status(first, model, second) == [Status.COMPLETED, Status.RUNNING, Status.RUNNING]
    assert [line.split()[1] for line in exp.summary().splitlines()[2:]] == ["model", "second", "orchestrator"]
    exp.stop()
    assert not first.is_active() | second.is_active()


def test_a_database_holds_up_nobody(exp: Experiment) -> None:
    db = exp.create_database()
    ens = exp.create_ensemble("ens", replicas=3, run_settings=exp.create_run_settings("true"))

    exp.start(db, ens, max_running=1, progress=False)

    assert exp.wait(timeout=PATIENCE_S)
    assert (exp.finished(ens), exp.finished(db)) == (True, False)
    assert db.is_active()


def test_orphans_of_a_member_are_still_ended_while_a_database_runs(exp: Experiment, family, eventually: Eventually) -> None:  # type: ignore[no-untyped-def]
    db = exp.create_database()
    model = exp.create_model("model", exp.create_run_settings(family.program, env_vars=family.env))
    exp.start(db, model, block=False)
    eventually(lambda: family.born())

    exp.stop(model, grace=1)

    assert family.alive() == []
    assert db.is_active()


def test_the_drivers_environment_is_never_changed(exp: Experiment) -> None:
    before = dict(os.environ)
    exp.start(exp.create_database(), progress=False)

    environment(exp)

    assert dict(os.environ) == before


def test_settings_hold_from_the_start_and_change_while_it_runs(exp: Experiment, program: str) -> None:
    db = exp.create_database(server=program)
    db.set_max_memory("100mb")
    exp.start(db)
    db.set_max_clients(77)

    shard = running_servers(db).shards[0]
    assert request(shard, "CONFIG", "GET", "maxmemory") == ["maxmemory", "104857600"]
    assert request(shard, "CONFIG", "GET", "maxclients") == ["maxclients", "77"]
    with pytest.raises(InputValueError, match=r"no-such-thing = '1': ERR .*; see its manual"):
        db.set_db_conf("no-such-thing", "1")


def test_two_databases_of_one_identifier_are_refused(exp: Experiment) -> None:
    exp.create_database()

    with pytest.raises(EntityExistsError, match="study: there is a database 'orchestrator'"):
        exp.create_database()
    with pytest.raises(EntityExistsError, match="orchestrator"):
        exp.start(Orchestrator())


def test_starting_twice_is_an_error_and_stopping_twice_is_not(exp: Experiment) -> None:
    db = exp.create_database()
    exp.stop(db)
    exp.start(db)

    with pytest.raises(StateError, match="orchestrator: runs already, at unix://"):
        exp.start(db)
    exp.stop(db)
    exp.stop(db)
    exp.start(db)
    assert db.is_active()


# --- who else reaches it ------------------------------------------------------------------------------------------------


def test_the_server_ends_with_its_driver(driver: Driver, tmp_path: Path, eventually: Eventually) -> None:
    process = driver("""
        db = exp.create_database()
        exp.start(db)
        print(db.checkpoint_file, flush=True)
        time.sleep(1000)
    """)
    assert process.stdout
    record = json.loads(Path(process.stdout.readline().strip()).read_text())
    pid = record["shards"][0]["process"]["pid"]
    assert began(pid)

    process.kill()

    eventually(lambda: began(pid) is None)
    exp = Experiment("study", tmp_path / "study")
    db = exp.create_database()
    exp.start(db)  # what the other left is in nobody's way
    assert db.is_active()
    exp.stop()


def test_a_detached_database_that_cannot_start_leaves_nothing(exp: Experiment) -> None:
    db = exp.create_database()
    db.set_db_conf("no-such-setting", "1")

    with pytest.raises(StateError, match=r"(?s)could not be started: orchestrator: exit code 1; .*no-such-setting"):
        exp.start(db, detach=True)

    assert not Path(db.checkpoint_file).exists()
    with Path(exp.exp_path, "journal", next(iter(os.listdir(f"{exp.exp_path}/journal")))).open() as journal:
        assert journal.read().splitlines()[-1].split("\t")[2:4] == ["orchestrator", "exit"]


def test_a_preview_shows_what_members_would_get(exp: Experiment, capsys: pytest.CaptureFixture[str]) -> None:
    db = exp.create_database()
    db.enable_checkpoints(60)
    model = exp.create_model("model", exp.create_run_settings("true"))

    exp.preview(db, model)
    assert "database orchestrator\n" in (before := capsys.readouterr().out)
    assert "  setting    save 60 1" in before
    assert "SSDB" not in before
    exp.generate(db)
    exp.start(db)
    exp.preview(model)

    assert f"  variable   SSDB={db.get_address()[0]}" in capsys.readouterr().out


# --- data stay ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["checkpoints", "log"])
def test_a_database_that_is_started_again_has_its_data(exp: Experiment, program: str, how: str) -> None:
    db = exp.create_database(server=program)
    db.enable_checkpoints(1000)
    if how == "log":
        db.set_db_conf("appendonly", "yes")
    exp.start(db)
    request(running_servers(db).shards[0], "SET", "key", "value")
    exp.stop(db)

    exp.start(db)

    assert request(running_servers(db).shards[0], "GET", "key") == "value"


# --- what goes wrong ----------------------------------------------------------------------------------------------------


def test_a_server_that_cannot_start_says_why(exp: Experiment, program: str) -> None:
    db = exp.create_database(server=program)
    db.set_db_conf("no-such-setting", "1")

    with pytest.raises(StateError, match=r"(?s)could not be started: orchestrator: exit code 1; .*no-such-setting"):
        exp.start(db, exp.create_model("never", exp.create_run_settings("true")))

    assert not Path(exp.exp_path, "never").exists()
    assert not db.started


def test_when_one_of_several_cannot_start_none_is_left(exp: Experiment) -> None:
    good, bad = exp.create_database(), exp.create_database(db_identifier="bad")
    bad.set_db_conf("no-such-setting", "1")

    with pytest.raises(StateError, match="bad: could not be started"):
        exp.start(good, bad)

    assert not good.started
    assert not Path(good.checkpoint_file).exists()


def test_when_members_cannot_start_databases_are_taken_back(exp: Experiment) -> None:
    db = exp.create_database()
    model = exp.create_model("a,b", exp.create_run_settings("true"))
    model.enable_key_prefixing()

    with pytest.raises(InputValueError, match="a,b: has a comma"):
        exp.start(db, model)

    assert (db.started, model.status, os.path.exists(model.path)) == (False, Status.NEW, False)


def test_a_killed_server_is_told_of_when_members_start(exp: Experiment, eventually: Eventually) -> None:
    db = exp.create_database()
    exp.start(db)
    os.kill(pid_of(db), signal.SIGKILL)
    eventually(lambda: exp.get_status(db) == [Status.FAILED])

    assert not db.is_active()
    with pytest.raises(StateError, match=r"(?s)does not serve any more: orchestrator: ended by SIGKILL.*stop it, and start"):
        exp.start(exp.create_model("model", exp.create_run_settings("true")))
    exp.stop(db)
    exp.start(db)
    assert db.is_active()


def test_a_server_that_is_killed_while_members_run_is_told_of_once(exp: Experiment, caplog: pytest.LogCaptureFixture) -> None:
    db = exp.create_database()
    exp.start(db)
    killer = exp.create_model("killer", exp.create_run_settings("sh", ["-c", f"kill -9 {pid_of(db)}; sleep 0.3"]))

    exp.start(killer, progress=False)
    exp.wait(killer)

    (said,) = [record.getMessage() for record in caplog.records if "serve" in record.getMessage()]
    assert said.startswith("orchestrator: does not serve any more: orchestrator: ended by SIGKILL")
    assert said.endswith("stop it, and start it again")


def test_a_server_that_hangs_is_killed(exp: Experiment) -> None:
    db = exp.create_database()
    exp.start(db)
    pid = pid_of(db)
    os.kill(pid, signal.SIGSTOP)

    exp.stop(db, grace=0.1)

    assert began(pid) is None


def test_data_that_cannot_be_saved_keep_the_server_running(exp: Experiment, program: str, script: Script) -> None:
    full = script(f"trap '' XFSZ\nulimit -f 0\nexec {program} \"$@\" > /dev/null 2>&1")
    small = script(f'case $1 in --version) exec {program} --version;; *) exec {full} "$@";; esac')
    db = exp.create_database(server=small)
    db.enable_checkpoints(1000)
    exp.start(db)
    request(running_servers(db).shards[0], "SET", "key", "value")

    with pytest.raises(StateError, match="could not save its data, and still runs: orchestrator: ERR"):
        exp.stop(db)

    assert request(running_servers(db).shards[0], "GET", "key") == "value"
    db.set_db_conf("save", "")
    exp.stop(db)
    assert not db.started


def test_a_directory_that_cannot_be_written_is_an_error(exp: Experiment, tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(StateError, match=r"orchestrator: could not be started: .*File exists"):
        exp.start(exp.create_database(path=tmp_path / "file" / "db"))


def test_replies_of_every_kind_are_read(exp: Experiment) -> None:
    db = exp.create_database()
    exp.start(db)
    shard = running_servers(db).shards[0]

    assert [request(shard, *words.split()) for words in ("RPUSH l a b", "LRANGE l 0 -1", "GET no", "SET k é", "GET k")] == [
        *[2, ["a", "b"], None, "OK", "é"]
    ]
    with pytest.raises(Refusal, match="WRONGTYPE"):
        request(shard, "GET", "l")
