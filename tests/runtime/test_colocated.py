"""A member with a database of its own: it is there before the member, and gone after it, however the member ends.

Tests servers.colocated, standalone.children, standalone.colocated, standalone.network and standalone.rendezvous.
"""

import os
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from smartensemble import Experiment, Model, Status
from smartensemble.errors import EntityExistsError, InputValueError, StateError
from smartensemble.runtime.servers.server_program import find_server
from smartensemble.runtime.standalone.procfs import began
from worlds.patience import PATIENCE_S
from worlds.servers import CONNECT, free_port

pytestmark = pytest.mark.needs("database")

Eventually = Callable[[Callable[[], object]], None]

#: Says where its database is, and the process number of that; then does what its arguments say.
MEMBER = (
    CONNECT
    + """
import sys
database.sendall(b"INFO server\\r\\n")
pid = database.recv(65536).decode().split("process_id:")[1].split()[0]
with open("said.new", "w") as said:
    said.write(f"{address} {pid} {os.getpid()} {os.environ['SR_DB_TYPE']}")
os.rename("said.new", "said")
exec(sys.argv[1])
"""
)


def member(exp: Experiment, then: str, name: str = "model") -> Model:
    Path("member.py").write_text(MEMBER)
    script = os.path.abspath("member.py")
    return exp.create_model(name, exp.create_run_settings("python", [script, then]))


def said(model: Model) -> list[str]:
    return Path(model.path, "said").read_text().split()


@pytest.mark.parametrize("way", ["uds", "tcp"])
def test_it_is_there_before_the_member_and_gone_after_it(exp: Experiment, program: str, way: str) -> None:
    model = member(exp, "sys.exit(7)")
    model.colocate_db_uds(server=program) if way == "uds" else model.colocate_db_tcp(server=program)
    exp.start(model, progress=False)

    address, pid, _, kind = said(model)
    assert (model.colocated, kind, address.startswith("unix://")) == (True, "Colocated", way == "uds")
    assert (model.status, model.run.exit_code) == (Status.FAILED, 7)
    assert began(int(pid)) is None
    assert [path.name for path in Path(model.path).iterdir() if path.name.startswith(".db")] == []


@pytest.mark.parametrize("way", ["uds", "tcp"])
def test_another_program_finds_it_while_it_runs(exp: Experiment, program: str, way: str) -> None:
    Path("wait.sh").write_text("until test -e ../go; do sleep 0.05; done\n")
    model = exp.create_model("model", exp.create_run_settings("sh", os.path.abspath("wait.sh")))
    colocate = model.colocate_db_uds if way == "uds" else model.colocate_db_tcp
    colocate(server=program, db_identifier="own")
    exp.start(model, block=False)

    found = model.colocated_env()
    other = exp.create_model("other", exp.create_run_settings("python", ["-c", CONNECT + "database.sendall(b'GET a\\r\\n')"]))
    other.run_settings.update_env({"SSDB": found["SSDB_own"]})
    exp.start(other, progress=False)

    assert found["SSDB_own"].startswith("unix:///" if way == "uds" else "127.0.0.1:")
    assert (found["SR_DB_TYPE_own"], other.status) == ("Standalone", Status.COMPLETED)
    Path(exp.exp_path, "go").touch()
    exp.wait()
    with pytest.raises(StateError, match="model: does not run, and its own database runs with it"):
        model.colocated_env()
    assert not Path(model.path, "model.db.address").exists()


def test_where_it_listens_is_no_answer_of_an_earlier_run(exp: Experiment) -> None:
    model = exp.create_model("model", exp.create_run_settings("sleep", "1000"))
    with pytest.raises(StateError, match="model: has no database of its own"):
        model.colocated_env()
    exp.start(model, block=False)  # without one, so what is in its directory is of another run
    Path(model.path, "model.db.address").write_text("unix:///old")
    os.utime(Path(model.path, "model.db.address"), (1, 1))
    model.colocate_db_uds()

    with pytest.raises(StateError, match=r"model: its own database does not answer after 0 s"):
        model.colocated_env(timeout=0)


def test_each_member_has_its_own(exp: Experiment) -> None:
    Path("member.py").write_text(MEMBER)
    settings = exp.create_run_settings("python", [os.path.abspath("member.py"), ""])
    ens = exp.create_ensemble("ens", replicas=3, run_settings=settings)
    for each in ens:
        each.colocate_db_tcp()
    exp.start(ens, progress=False)

    assert {each.status for each in ens} == {Status.COMPLETED}
    assert len({said(each)[0] for each in ens}) == 3


@pytest.mark.parametrize("name", ["SIGTERM", "SIGKILL", "SIGSEGV"])
def test_a_member_that_a_signal_ended_is_told_as_that(exp: Experiment, name: str) -> None:
    model = member(exp, f"import signal, resource; resource.setrlimit(4, (0, 0)); os.kill(os.getpid(), signal.{name})")
    model.colocate_db_uds()
    exp.start(model, progress=False)

    assert model.run.reason.startswith(f"ended by {name}")
    assert began(int(said(model)[1])) is None


def test_a_signal_reaches_the_member(exp: Experiment, eventually: Eventually) -> None:
    waits = "import signal; signal.signal(10, lambda *_: sys.exit(5)); open('ready', 'w').close(); signal.pause()"
    model = member(exp, waits)
    model.colocate_db_uds()
    exp.start(model, block=False)
    eventually(lambda: Path(model.path, "ready").exists())
    wrapper = int(Path(f"/proc/{said(model)[2]}/stat").read_text().rpartition(")")[2].split()[1])

    os.kill(wrapper, signal.SIGUSR1)

    assert exp.wait(model, timeout=PATIENCE_S)
    assert model.run.exit_code == 5


@pytest.mark.parametrize("who", ["wrapper", "driver's stop"])
def test_nothing_is_left_when_it_is_killed(exp: Experiment, eventually: Eventually, who: str) -> None:
    model = member(exp, "import time; time.sleep(1000)")
    model.colocate_db_uds()
    exp.start(model, block=False)
    eventually(lambda: Path(model.path, "said").exists())
    _, server, pid, _ = said(model)
    if who == "wrapper":
        os.kill(int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]), signal.SIGKILL)
    else:
        exp.stop(model, grace=0)

    assert exp.wait(model, timeout=PATIENCE_S)
    eventually(lambda: began(int(server)) is None and began(int(pid)) is None)


def test_a_server_that_cannot_start_fails_the_member_with_its_words(exp: Experiment, eventually: Eventually) -> None:
    first, second = (member(exp, "import time; time.sleep(1000)" * (name == "first"), name) for name in ("first", "second"))
    for model in (first, second):
        model.colocate_db_uds(unix_socket=f"{exp.exp_path}/socket")
    exp.start(first, block=False)
    eventually(Path(first.path, "said").exists)

    exp.start(second, progress=False)

    assert second.run.exit_code == 125
    assert "second: its database could not be started: a server that lives listens at" in second.run.reason
    assert first.status is Status.RUNNING


def test_a_server_of_others_at_the_port_is_neither_used_nor_ended(exp: Experiment, eventually: Eventually) -> None:
    first, second = (member(exp, "import time; time.sleep(1000)" * (name == "first"), name) for name in ("first", "second"))
    first.colocate_db_tcp(workers=0)
    exp.start(first, block=False)
    eventually(Path(first.path, "said").exists)
    address, pid, *_ = said(first)

    second.colocate_db_tcp(port=int(address.rpartition(":")[2]), workers=0)
    exp.start(second, progress=False)

    assert second.run.exit_code == 125
    assert "Address already in use" in second.run.reason
    assert began(int(pid)) is not None


@pytest.mark.parametrize("way", ["uds", "tcp", "both"])
def test_two_that_would_listen_in_one_place_are_refused_before_anything_starts(exp: Experiment, way: str) -> None:
    ens = exp.create_ensemble("ens", replicas=2, run_settings=exp.create_run_settings("true"))
    db = exp.create_database(port=free_port())
    for each in ens:
        each.colocate_db_uds("/tmp/s", db_identifier="own") if way == "uds" else each.colocate_db_tcp(
            db.port, db_identifier="own"
        )

    with pytest.raises(InputValueError, match=r"its own database has (the unix_socket /tmp/s|port [0-9]+), as .* has; "):
        exp.start(*([db, ens[0]] if way == "both" else [ens]))

    assert (Path(ens[0].path).exists(), db.started, ens[0].status) == (False, False, Status.NEW)


def test_those_that_run_one_after_the_other_may_listen_in_one_place(exp: Experiment) -> None:
    ens = exp.create_ensemble("ens", replicas=2, run_settings=member(exp, "").run_settings)
    for each in ens:
        each.colocate_db_uds(f"{exp.exp_path}/s", workers=0)

    exp.start(ens, progress=False, max_running=1)

    assert {each.status for each in ens} == {Status.COMPLETED}


def test_of_those_that_start_at_one_socket_at_a_time_one_has_it(exp: Experiment, eventually: Eventually) -> None:
    """None sees a server of the others when it looks, and each server takes the socket away from the one before it."""
    models = [member(exp, "import time; time.sleep(1000)", f"model_{number}") for number in range(4)]
    for model in models:
        model.colocate_db_uds(f"{exp.exp_path}/socket", workers=0)
        exp.start(model, block=False)
    eventually(lambda: failed(exp, models) == 3)

    (winner,) = [model for model in models if model.status is Status.RUNNING]
    eventually(Path(winner.path, "said").exists)
    for model in models:
        assert model is winner or "a server that lives listens at" in model.run.reason


def failed(exp: Experiment, models: list[Model]) -> int:
    """How many have failed."""
    return exp.get_status(*models).count(Status.FAILED)


def test_a_port_that_another_has_taken_first_is_no_end(exp: Experiment) -> None:
    """The program that chooses it runs elsewhere, so here it is made to choose what is in use."""
    Path("site").mkdir()
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        server = Path("server.sh")
        server.write_text(
            f"#!/bin/sh\ncase $1 in --version) exec {find_server()} --version;; esac\n"
            f'test -e tried || {{ touch tried; sed -i "s/^port .*/port {taken}/" "$1"; }}\nexec {find_server()} "$1"\n'
        )
        server.chmod(0o755)
        model = member(exp, "")
        model.colocate_db_tcp(server=server.absolute(), workers=0)
        exp.start(model, progress=False)

    assert (model.status, Path(model.path, "tried").exists()) == (Status.COMPLETED, True)


def test_the_death_of_its_server_is_its_reason(exp: Experiment) -> None:
    dies = "os.kill(int(pid), 9)\nwhile database.recv(100): pass\nsys.exit('no database')"
    model = member(exp, dies)
    model.colocate_db_uds(workers=0)
    exp.start(model, progress=False)

    assert model.status is Status.FAILED
    assert model.run.reason.endswith("no database\n  model: its database was ended by SIGKILL while it ran")


@pytest.mark.needs("torch")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_its_worker_is_replaced_too(exp: Experiment, number: signal.Signals) -> None:
    """The member ends all of its worker's processes, and asks for something that only a worker does."""
    script = """
def workers():
    found = []
    for entry in filter(str.isdecimal, os.listdir("/proc")):
        try:
            words = open(f"/proc/{entry}/cmdline").read().split("\\0")
        except OSError:
            continue
        if "smartensemble.inference" in words and words[-2] == address:
            found.append(int(entry))
    return found

def ask():
    database.sendall(b"AI._MODELSCAN\\r\\n")
    return database.recv(1000)

print(ask())
for worker in workers():
    os.kill(worker, NUMBER)
print(ask(), ask())
"""
    model = member(exp, script.replace("NUMBER", str(int(number))))
    model.colocate_db_uds()
    exp.start(model, progress=False)

    assert Path(model.path, "model.out").read_text().splitlines()[-1].endswith("b'*0\\r\\n'")


def test_a_batch_job_and_a_program_that_cannot_be_started(exp: Experiment, script: Callable[[str], str]) -> None:
    path = script("exit 0")
    batch = exp.create_ensemble("batch", batch_settings=exp.create_batch_settings())
    batch.add_model(member(exp, "sys.exit(3)"))
    batch.add_model(exp.create_model("gone", exp.create_run_settings(path)))
    for each in batch:
        each.colocate_db_uds()
    Path(path).write_text("#!/gone\n")
    exp.start(batch, progress=False)

    assert [each.run.exit_code for each in batch] == [3, 127]
    assert "No such file" in batch["gone"].run.reason


def test_pinning_and_threads_reach_the_server(exp: Experiment) -> None:
    model = member(exp, "print(os.sched_getaffinity(int(pid)), os.sched_getaffinity(0))")
    model.colocate_db_uds(db_cpus=2, custom_pinning=[0], debug=True)
    exp.start(model, progress=False)

    assert Path(model.path, "model.out").read_text() == f"{{0}} {os.sched_getaffinity(0)}\n"
    assert {"io-threads 2", "loglevel debug"} <= set(Path(model.path, "model.db.conf").read_text().splitlines())


def test_it_must_not_have_the_identifier_of_another(exp: Experiment) -> None:
    model = member(exp, "")
    model.colocate_db_uds()

    with pytest.raises(EntityExistsError, match="model: its own database and one of the experiment have the same identifier"):
        exp.start(exp.create_database(), model)


@pytest.mark.needs("mpirun")
@pytest.mark.parametrize("fails", [False, True])
def test_processes_of_one_member_share_it(exp: Experiment, fails: bool) -> None:
    """The first one ends before the others; where it cannot have its server, none of them runs."""
    then = "import time; time.sleep(0.1 * int(os.environ.get('PMI_RANK') or os.environ['OMPI_COMM_WORLD_RANK'])); print(pid)"
    script = member(exp, then).run_settings
    root: dict[str, object] = (
        {} if "HYDRA" in subprocess.getoutput("mpirun --version") else {"allow-run-as-root": None, "oversubscribe": None}
    )
    settings = exp.create_run_settings("python", script.exe_args, "mpirun", root | {"n": 3})
    model = exp.create_model("shared", settings)
    model.colocate_db_uds(unix_socket="/nowhere/socket" if fails else None)
    exp.start(model, progress=False)

    said = Path(model.path, "shared.out").read_text().split()
    assert (model.status, len(said), len({*said})) == ((Status.FAILED, 0, 0) if fails else (Status.COMPLETED, 3, 1))
    assert [path.name for path in Path(model.path).iterdir() if path.name.startswith(".db")] == []
