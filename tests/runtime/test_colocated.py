"""A member with a database of its own: it is there before the member, and gone after it, however the member ends.

Tests servers.colocated, standalone.children, standalone.colocated, standalone.network and standalone.rendezvous.
"""

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from smartensemble import Experiment, Model, Status
from smartensemble.errors import EntityExistsError
from smartensemble.runtime.standalone.procfs import began
from worlds.patience import PATIENCE_S
from worlds.servers import CONNECT

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


def test_a_batch_job_and_a_program_that_is_not_there_any_more(exp: Experiment, script: Callable[[str], str]) -> None:
    path = script("exit 0")
    batch = exp.create_ensemble("batch", batch_settings=exp.create_batch_settings())
    batch.add_model(member(exp, "sys.exit(3)"))
    batch.add_model(exp.create_model("gone", exp.create_run_settings(path)))
    for each in batch:
        each.colocate_db_uds()
    os.unlink(path)
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
