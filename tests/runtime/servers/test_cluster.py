"""Databases on a real Slurm: in an allocation or in a job of their own, found by members, told of when they die.

Tests node_agent.
"""

import inspect
import json
import os
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from cluster import Cluster
from smartensemble.databases.orchestrator import Orchestrator, running_servers
from smartensemble.errors import InputValueError, SmartEnsembleError, StateError, UnsupportedError
from smartensemble.experiment import Experiment
from smartensemble.runtime.servers.resp import request
from smartensemble.settings.run import RunSettings
from smartensemble.status import Status
from worlds.patience import PATIENCE_S
from worlds.servers import CONNECT

pytestmark = pytest.mark.needs("slurm")

Eventually = Callable[[Callable[[], object]], None]
Driver = Callable[..., "subprocess.Popen[str]"]

#: Writes a key into each server that it is told of, and says where it runs.
MEMBER = """
import os, socket
for address in os.environ["SSDB"].split(","):
    host, _, port = address.partition(":")
    with socket.create_connection((host, int(port))) as server:
        server.sendall(b"PING\\r\\n")
        assert server.recv(100) == b"+PONG\\r\\n"
print(os.environ["SR_DB_TYPE"], len(os.environ["SSDB"].split(",")))
"""


def processes(db: Orchestrator) -> list[int]:
    """The process of each server."""
    return [shard["process"]["pid"] for shard in json.loads(Path(db.checkpoint_file).read_text())["shards"]]


def node(pid: int) -> str:
    """The node on which the parent of a process was put; a server writes its title over its own environment."""
    parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]
    words = Path(f"/proc/{parent}/environ").read_text().split("\0")
    return next(word for word in words if word.startswith("SLURMD_NODENAME=")).partition("=")[2]


def test_in_a_job_of_its_own(slurm_exp: Experiment, cluster: Cluster, caplog: pytest.LogCaptureFixture) -> None:
    db = slurm_exp.create_database(db_nodes=3, interface="lo", batch=True, time="00:04:00", queue="main")
    run = slurm_exp.create_run_settings("python", ["-c", MEMBER])
    ens = slurm_exp.create_ensemble("ens", None, slurm_exp.create_batch_settings(), run, 2)

    slurm_exp.start(db, ens, progress=False)

    assert [member.status for member in ens] == [Status.COMPLETED] * 2, ens[0].run.reason
    assert Path(ens[0].path, "ens_0.out").read_text() == "Clustered 3\n"
    assert "--time=00:04:00" in Path(db.path, "orchestrator.batch.sh").read_text()
    assert [node(pid) for pid in processes(db)] == ["n1", "n2", "n3"]
    assert (db.batch, db.hosts, slurm_exp.get_status(db)) == (True, ["127.0.0.1"], [Status.RUNNING] * 3)
    # Only a worker answers this command.
    assert [request(shard, "AI._MODELSCAN", timeout=PATIENCE_S) for shard in running_servers(db).shards] == [[]] * 3
    assert len(caplog.messages) == 1  # with the default level, what is open is all that is said
    assert "without a password, whoever reaches lo can read and change its data, and run" in caplog.text

    other = Experiment("other", launcher="slurm")
    same = other.reconnect_orchestrator(db.checkpoint_file)
    assert (same.get_address(), other.get_status(same)) == (db.get_address(), [Status.RUNNING] * 3)
    with pytest.raises(StateError, match=r"again: runs in .* already"):
        other.start(other.create_database(path=db.path, db_identifier="again", interface="lo", batch=True))
    other.stop(same)
    assert cluster.ask("squeue", "--noheader", "--name=orchestrator.batch") == ""
    with pytest.raises(StateError, match="orchestrator: another program placed it on slurm; make it anew"):
        other.start(same)
    slurm_exp.stop(db)
    assert slurm_exp.get_status(db) == [Status.CANCELLED] * 3


@pytest.mark.parametrize("single", [True, False])
def test_in_the_allocation_of_the_driver(cluster: Cluster, driver: Driver, single: bool) -> None:
    """The allocation has no CPU that no member gets."""
    assert cluster.nodes
    done = driver(
        f"""
        import json
        exec({inspect.getsource(node)!r})
        exp = Experiment("study", launcher="slurm")
        db = exp.create_database(db_nodes=3, per_node=2, interface="lo", single_cmd={single})
        ens = exp.create_ensemble("ens", replicas=2, run_settings=settings("python", "-c", {MEMBER!r}))
        exp.start(db, ens, progress=False)
        print(*(str(m.status) for m in ens), *map(str, exp.get_status(db)))
        print(*(node(shard["process"]["pid"]) for shard in json.loads(Path(db.checkpoint_file).read_text())["shards"]))
        exp.stop(db)
        while os.popen("squeue --noheader --steps").read(): time.sleep(0.1)  # the controller hears of it a moment later
        print(*map(str, exp.get_status(db)))
        """,
        wrapper=["salloc", "--quiet", "--nodes=2", "--ntasks-per-node=1"],
    )

    out, _ = done.communicate(timeout=PATIENCE_S)

    lines = [line for line in out.splitlines() if "without a password" not in line]
    assert lines[0] == "Completed Completed Running Running Running", out
    assert lines[1] == "n1 n1 n2", out
    assert lines[2].split() == ["Cancelled"] * 3, out


def test_one_that_dies_says_why(slurm_exp: Experiment, cluster: Cluster, eventually: Eventually) -> None:
    db = slurm_exp.create_database(interface="lo", batch=True, access="password", workers=0)
    model = slurm_exp.create_model(
        "model", slurm_exp.create_run_settings("true"), batch_settings=slurm_exp.create_batch_settings()
    )
    slurm_exp.start(db)

    os.kill(processes(db)[0], signal.SIGSEGV)
    eventually(lambda: slurm_exp.get_status(db) == [Status.FAILED])

    with pytest.raises(
        StateError, match=r"does not serve any more: orchestrator: ended by SIGSEGV; the end of orchestrator.out:\n"
    ):
        slurm_exp.start(model)
    slurm_exp.stop(db)
    slurm_exp.start(db)
    assert request(running_servers(db).shards[0], "PING", password=db.password) == "PONG"

    cluster.ask("scancel", "--name=orchestrator.batch")
    eventually(lambda: slurm_exp.get_status(db) == [Status.FAILED])
    with pytest.raises(StateError, match="does not serve any more: orchestrator: the batch job was cancelled"):
        slurm_exp.start(model)


def test_one_that_cannot_start_leaves_nothing(
    slurm_exp: Experiment, cluster: Cluster, capsys: pytest.CaptureFixture[str], eventually: Eventually
) -> None:
    db = slurm_exp.create_database(db_nodes=2, interface=["nowhere0"], batch=True)

    slurm_exp.preview(db)
    assert "  nodes      2, in a job of their own\n" in capsys.readouterr().out
    with pytest.raises(
        StateError, match=r"could not be started: orchestrator_(.|\n)*no address of an interface 'nowhere0'; there are"
    ):
        slurm_exp.start(db)

    eventually(lambda: cluster.ask("squeue", "--noheader") == "")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(StateError, match=f"port {port} of 127.0.0.1 is in use; leave port out"):
            slurm_exp.start(slurm_exp.create_database(port, interface="lo", batch=True, db_identifier="port"))
    with pytest.raises(InputValueError, match=r"other.batch: there is no queue 'nosuch'; there are main, short"):
        slurm_exp.start(slurm_exp.create_database(interface="lo", batch=True, queue="nosuch", db_identifier="other"))
    ens = slurm_exp.create_ensemble("ens", None, slurm_exp.create_batch_settings(queue="nosuch"), RunSettings("true"), 2)
    with pytest.raises(InputValueError, match="ens: there is no queue 'nosuch'"):
        slurm_exp.start(slurm_exp.create_database(interface="lo", batch=True, db_identifier="third"), ens)
    assert {path.name for path in Path("study").iterdir()}.isdisjoint({"other", "third"})


def test_a_job_that_a_killed_driver_has_left_in_the_queue_is_noticed(
    cluster: Cluster, driver: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, eventually: Eventually
) -> None:
    """Its servers would take what is written for those of the next driver for their own."""
    monkeypatch.chdir(tmp_path)
    killed = driver("""
        exp = Experiment("study", launcher="slurm")
        db = exp.create_database(interface="lo", batch=True)
        db.batch_settings.batch_args["begin"] = "now+1hour"
        exp.start(db)
        """)
    exp = Experiment("study", launcher="slurm")
    eventually(lambda: exp._runner.job_in(f"{exp.exp_path}/orchestrator"))
    killed.kill()
    killed.wait()

    with pytest.raises(StateError, match=r"orchestrator: job (\d+) of an earlier .* end it \(scancel \1\)"):
        exp.start(exp.create_database(interface="lo", batch=True))

    cluster.ask("scancel", "--name=orchestrator.batch")
    assert exp._runner.job_in(f"{exp.exp_path}/orchestrator") == ""


def test_a_job_that_waits_is_given_up_by_ctrl_c(cluster: Cluster, driver: Driver, eventually: Eventually) -> None:
    done = driver(
        """
        exp = Experiment("study", launcher="slurm")
        db = exp.create_database(interface="lo", batch=True)
        db.batch_settings.batch_args["begin"] = "now+1hour"
        try:
            exp.start(db)
        except KeyboardInterrupt:
            print(*exp.get_status(db), db.started)
        """
    )

    eventually(lambda: "PENDING" in cluster.ask("squeue", "--noheader", "--format=%T"))
    done.send_signal(signal.SIGINT)

    assert done.communicate(timeout=PATIENCE_S)[0] == "New False\n"
    assert cluster.ask("squeue", "--noheader") == ""


@pytest.mark.parametrize(
    ("given", "error", "why"),
    [
        (
            {},
            InputValueError,
            "members on a cluster reach a database by a network; name that of its nodes, such as interface='ib0'",
        ),
        ({"interface": "lo", "db_nodes": 3, "hosts": ["n1"]}, InputValueError, "hosts are 1, and 3 servers, 1 on each, take 3"),
        ({"interface": "lo", "access": "private"}, InputValueError, "access='private' is a unix socket"),
        ({"interface": "lo"}, StateError, "this program runs in no allocation of slurm; give batch=True, or run it in one"),
    ],
)
def test_what_cannot_be_is_an_error_before_anything_is_written(
    given: dict[str, object], error: type[SmartEnsembleError], why: str, slurm_exp: Experiment
) -> None:
    with pytest.raises(error, match=why):
        slurm_exp.start(slurm_exp.create_database(**given))  # type: ignore[arg-type]

    assert not Path(slurm_exp.exp_path).exists()


def test_members_of_jobs_are_not_sent_to_a_database_that_they_do_not_reach(slurm_exp: Experiment, exp: Experiment) -> None:
    db = exp.create_database()
    exp.start(db)
    slurm_exp.reconnect_orchestrator(db.checkpoint_file)
    model = slurm_exp.create_model(
        "model", slurm_exp.create_run_settings("true"), batch_settings=slurm_exp.create_batch_settings()
    )

    with pytest.raises(UnsupportedError, match=r"listens at unix://.*, and members on the cluster do not reach that"):
        slurm_exp.start(model)


#: Says which database it has, after a while that is longer for later processes.
TASK = (
    CONNECT
    + """
import time
time.sleep(0.1 * int(os.environ["SLURM_PROCID"]))
database.sendall(b"INFO server\\r\\n")
print(os.environ["SLURMD_NODENAME"], database.recv(65536).decode().split("process_id:")[1].split()[0])
"""
)


def test_each_node_of_a_member_has_a_database_of_the_members_own(slurm_exp: Experiment) -> None:
    Path("task.py").write_text(TASK)
    ens = slurm_exp.create_ensemble("ens", batch_settings=slurm_exp.create_batch_settings())
    for name, tasks, nodes in (("one", 1, 1), ("four", 4, 1), ("wide", 5, 2)):
        settings = slurm_exp.create_run_settings("python", [os.path.abspath("task.py")])
        settings.set_tasks(tasks)
        settings.set_nodes(nodes)
        ens.add_model(slurm_exp.create_model(name, settings))
        ens[name].colocate_db_tcp() if nodes > 1 else ens[name].colocate_db_uds()
    settings = slurm_exp.create_run_settings("python", [os.path.abspath("task.py")])
    packed = slurm_exp.create_ensemble("packed", None, slurm_exp.create_batch_settings(), settings, 2)
    for member in packed:
        member.colocate_db_uds()

    slurm_exp.start(ens, packed, progress=False)

    said = {m.name: Path(m.path, f"{m.name}.out").read_text().splitlines() for m in (*ens, *packed)}
    assert {m.status for m in (*ens, *packed)} == {Status.COMPLETED}, said
    assert [(len(lines), len({*lines})) for lines in said.values()] == [(1, 1), (4, 1), (5, 2), (1, 1), (1, 1)]
    servers = {line.split()[1] for lines in said.values() for line in lines}
    assert len(servers) == 6
    assert not any(Path(f"/proc/{pid}").exists() for pid in servers)


def test_several_programs_in_one_step_have_no_database_of_their_own(slurm_exp: Experiment) -> None:
    settings = slurm_exp.create_run_settings("true")
    settings.make_mpmd(slurm_exp.create_run_settings("true"))
    model = slurm_exp.create_model("pair", settings, batch_settings=slurm_exp.create_batch_settings())
    model.colocate_db_uds()

    with pytest.raises(UnsupportedError, match="pair: several programs in one step have no database of their own"):
        slurm_exp.start(model)
