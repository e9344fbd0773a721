"""The workers of a database begin and end with it, wherever it runs, and it does not need them to start."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from smartensemble import Experiment, Orchestrator, Status
from smartensemble.databases.orchestrator import running_servers
from smartensemble.errors import InputTypeError
from smartensemble.runtime.servers.resp import request
from worlds.patience import PATIENCE_S
from worlds.servers import ONE_SERVER

Eventually = Callable[[Callable[[], object]], None]

pytestmark = pytest.mark.needs("torch")


def workers(address: str) -> list[list[str]]:
    """The command lines of those that serve `address`: three for each, with what watches it and its broker."""
    return list(processes(address).values())


def processes(address: str) -> dict[int, list[str]]:
    """The same, by the numbers of their processes."""
    found, end = {}, address.removeprefix("unix://")
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_text().split("\0")
        except OSError:
            continue
        if "smartensemble.inference" in words and any(word.endswith(end) for word in words):
            found[int(path.parent.name)] = words
    return found


def scan(db: Orchestrator) -> list[object]:
    """What each server answers to a command that only a worker does."""
    return [request(shard, "AI._MODELSCAN", password=db.password, timeout=PATIENCE_S) for shard in running_servers(db).shards]


@pytest.mark.parametrize("given", [{}, {"access": "password"}, {"db_nodes": 3, "workers": 2}], ids=str)
def test_they_serve_all_its_servers_and_end_with_it(exp: Experiment, program: str, given: dict[str, object]) -> None:
    db = exp.create_database(server=program, **given)  # type: ignore[arg-type]
    exp.start(db)
    addresses = db.get_address()

    assert scan(db) == [[]] * db.num_shards
    running = workers(addresses[-1])
    assert len(running) in range(db.worker_options.workers, 3 * db.worker_options.workers + 1)
    assert db.password is None or not any(db.password in word for words in running for word in words)

    exp.stop(db)
    assert workers(addresses[0]) == []
    assert exp.get_status(db) == [Status.CANCELLED] * db.num_shards


def test_they_are_told_of_threads_and_of_the_time_that_a_model_may_take(exp: Experiment, program: str) -> None:
    db = exp.create_database(server=program, intra_op_threads=2, model_time_limit="00:01:00")
    own = exp.create_model("own", exp.create_run_settings("sh", ["-c", "xargs -0 < /proc/$PPID/cmdline"]))
    own.colocate_db_uds(db_identifier="own", server=program, intra_op_threads=3, model_time_limit=0.5)
    exp.start(db, own, progress=False)

    (words, *_) = workers(db.get_address()[0])
    assert " ".join(words).count("--threads 2 --time-limit 60 ") == 1
    assert '"--threads", "3", "--time-limit", "0.5"' in Path(own.path, "own.out").read_text()


@ONE_SERVER
@pytest.mark.parametrize(("number", "detach"), [(signal.SIGKILL, True), (signal.SIGSTOP, False)])
def test_when_all_are_killed_or_stopped_others_take_their_place(
    exp: Experiment, program: str, eventually: Eventually, number: signal.Signals, detach: bool
) -> None:
    db = exp.create_database(server=program, workers=2)
    exp.start(db, detach=detach)
    address = db.get_address()[0].removeprefix("unix://")
    assert scan(db) == [[]]
    first = processes(address)
    for pid in first:
        with suppress(ProcessLookupError):  # those that watch may already have ended it with another one
            os.kill(pid, number)

    eventually(lambda: not first.keys() & processes(address).keys())

    assert scan(db) == [[]]
    assert exp.get_status(db) == [Status.RUNNING]
    exp.stop(db)
    assert processes(address) == {}


def test_none_are_started_where_none_are_asked_for(exp: Experiment, program: str) -> None:
    db = exp.create_database(server=program, workers=0)
    exp.start(db)

    assert workers(db.get_address()[0]) == []


@pytest.mark.parametrize("detach", [True, False])
def test_they_have_ended_when_another_process_has_stopped_their_database(exp: Experiment, program: str, detach: bool) -> None:
    db = exp.create_database(server=program)
    exp.start(db, detach=detach)
    (address,) = db.get_address()
    assert scan(db) == [[]]
    assert workers(address)

    other = Experiment("other", os.getcwd())
    other.stop(other.reconnect_orchestrator(db.checkpoint_file))

    assert workers(address) == []


def test_a_database_starts_without_what_its_workers_need(
    exp: Experiment, program: str, monkeypatch: pytest.MonkeyPatch, eventually: Eventually
) -> None:
    Path("broken").mkdir()
    Path("broken/numpy.py").write_text("raise ImportError('there is no numpy')")
    monkeypatch.setenv("PYTHONPATH", os.path.abspath("broken"))
    db = exp.create_database(server=program)
    exp.start(db)

    assert db.is_active()
    said = Path(db.path, "orchestrator_worker.err")
    eventually(lambda: said.exists() and "there is no numpy; pip install" in said.read_text())


def test_a_colocated_database_has_its_own(exp: Experiment, program: str) -> None:
    script = Path("member.py")
    script.write_text(
        "import os, redis\n"
        "client = redis.Redis(unix_socket_path=os.environ['SSDB'].removeprefix('unix://'), protocol=2)\n"
        "print(os.environ['SSDB'], client.execute_command('AI._MODELSCAN'))\n"
    )
    model = exp.create_model("model", exp.create_run_settings("python", [str(script.absolute())]))
    model.colocate_db_uds(server=program, workers=2)
    exp.start(model, progress=False)

    address, answer = Path(model.path, "model.out").read_text().split(" ", 1)
    assert (model.status, answer, workers(address)) == (Status.COMPLETED, "[]\n", [])


#: Run a program where the kernel says that it has no Landlock: a filter of system calls answers for it.
WITHOUT_LANDLOCK = """
import os, sys
from smartensemble.inference.confinement import kernel, landlock
from smartensemble.inference.confinement.seccomp import ALLOW, ENOSYS, INSTRUCTION, JUMP_IF_EQUAL, LOAD, NUMBER, RETURN, install
kernel.renounce_privileges()
asks = JUMP_IF_EQUAL, 0, 1, landlock.CREATE_RULESET
code = (LOAD, 0, 0, NUMBER), asks, (RETURN, 0, 0, ENOSYS), (RETURN, 0, 0, ALLOW)
install(b"".join(INSTRUCTION.pack(*each) for each in code))
os.execv(sys.executable, [sys.executable, "-c", sys.argv[1]])
"""
DRIVER = """
from pathlib import Path
from smartensemble import Experiment
exp = Experiment("study")
first, second = (exp.create_database(db_identifier=name, workers=1) for name in ("first", "second"))
model = exp.create_model("model", exp.create_run_settings("true"))
model.colocate_db_uds(db_identifier="own")
trusted = exp.create_database(db_identifier="trusted", confine=False)
exp.start(trusted)
exp.start(first, second, model, progress=False)
while "not confined" not in Path(first.path, "first_worker.err").read_text():
    pass
exp.stop()
"""


@pytest.mark.needs("landlock")
@pytest.mark.parametrize("has_landlock", [True, False])
def test_start_says_once_that_models_are_not_confined(tmp_path: Path, has_landlock: bool) -> None:
    driver = DRIVER if not has_landlock else DRIVER.replace("while", "if")
    argv = [sys.executable, "-c", *([driver] if has_landlock else [WITHOUT_LANDLOCK, driver])]

    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=True)

    said = "workers: they are not confined, so a model or script may read and write what you may: this kernel has no Landlock"
    assert done.stderr.count(said) == (not has_landlock)
    assert done.stderr.count("confine=False says that you do") == (not has_landlock)


def test_who_trusts_models_does_not_confine_workers(exp: Experiment, program: str) -> None:
    trusted = exp.create_database(server=program, db_identifier="trusted", confine=False)
    confined = exp.create_database(server=program, db_identifier="confined")
    own = exp.create_model("own", exp.create_run_settings("sh", ["-c", "xargs -0 < /proc/$PPID/cmdline"]))
    own.colocate_db_uds(db_identifier="own", server=program, confine=False)
    exp.start(trusted, confined, own, progress=False)

    options = [sum("--unconfined" in words for words in workers(db.get_address()[0])) for db in (trusted, confined)]
    assert options[0] > 0
    assert options[1] == 0
    assert '"--unconfined"' in Path(own.path, "own.out").read_text()
    with pytest.raises(InputTypeError, match="other: confine is 'no'; give True or False"):
        exp.create_database(db_identifier="other", confine="no")  # type: ignore[arg-type]
