"""How a database stands: each question has one answer, whoever started it, and one that has died starts again.

Tests registry.
"""

import os
import signal
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from smartensemble import Experiment, Orchestrator, Status
from smartensemble.databases.orchestrator import running_servers
from smartensemble.errors import EntityExistsError, InputValueError, SmartEnsembleError, StateError
from smartensemble.runtime.servers.resp import request
from smartensemble.runtime.servers.server_program import find_server
from worlds.servers import environment, free_port, pid_of

pytestmark = pytest.mark.needs("database")

Eventually = Callable[[Callable[[], object]], None]
Script = Callable[[str], str]

AT_ONCE_S = 0.0  #: a question, not a wait


def answers(exp: Experiment, db: Orchestrator) -> tuple[object, ...]:
    """The answers to questions about a database: its status, finished, wait, is_active, and whether it has an address."""
    questions: list[Callable[[], object]] = [lambda: {str(status) for status in exp.get_status(db)}, lambda: exp.finished(db)]
    questions += [lambda: exp.wait(db, timeout=AT_ONCE_S), db.is_active, lambda: bool(db.get_address())]
    found: list[object] = []
    for question in questions:
        try:
            found.append(question())
        except SmartEnsembleError as error:
            found.append(type(error))
    return tuple(found)


NEW = ({"New"}, InputValueError, InputValueError, False, StateError)
RUNS = ({"Running"}, False, False, True, True)
DEAD = ({"Failed"}, True, True, False, StateError)
STOPPED = ({"Cancelled"}, True, True, False, StateError)


def kill(db: Orchestrator, exp: Experiment, eventually: Eventually) -> None:
    """Kill its first server, and wait until its experiment knows of it."""
    os.kill(pid_of(db), signal.SIGKILL)
    eventually(lambda: exp.get_status(db)[0] is Status.FAILED)


def test_each_question_has_one_answer_at_each_stage(exp: Experiment, eventually: Eventually) -> None:
    db = exp.create_database(workers=0)
    assert answers(exp, db) == NEW

    exp.start(db)
    assert answers(exp, db) == RUNS

    kill(db, exp, eventually)
    assert answers(exp, db) == DEAD
    with pytest.raises(StateError, match=r"orchestrator: does not run any more: .*ended by SIGKILL; start it again with exp"):
        db.get_address()

    exp.start(db)
    assert answers(exp, db) == RUNS

    exp.stop(db)
    assert answers(exp, db) == STOPPED


def test_another_program_answers_the_same(exp: Experiment, eventually: Eventually) -> None:
    db = exp.create_database(workers=0)
    exp.start(db, detach=True)
    other = Experiment("other", exp.exp_path)
    again = other.reconnect_orchestrator(db.checkpoint_file)
    assert answers(other, again) == RUNS

    other.stop(again)

    assert answers(other, again) == STOPPED
    eventually(lambda: answers(exp, db)[1:] == STOPPED[1:])


def test_another_experiment_of_the_same_program_knows_it_too(exp: Experiment) -> None:
    db = exp.create_database(workers=0)
    exp.start(db)
    other = Experiment("other", exp.exp_path)
    assert answers(other, db) == RUNS

    other.stop(db)

    assert answers(exp, db) == STOPPED


def test_a_wait_for_a_database_ends_with_it(exp: Experiment) -> None:
    db = exp.create_database(workers=0)
    model = exp.create_model("model", exp.create_run_settings("true"))
    exp.start(db, model, progress=False)
    with ThreadPoolExecutor(1) as pool:
        waits = pool.submit(exp.wait, model, db)
        assert not exp.wait(model, db, timeout=AT_ONCE_S)

        exp.stop(db)

        assert waits.result()


@pytest.mark.parametrize("count", [1, 2])
def test_one_that_has_died_starts_again_and_has_its_data(exp: Experiment, eventually: Eventually, count: int) -> None:
    """Of several servers one dies: the others save what they have, end, and begin anew with it."""
    db = exp.create_database(db_nodes=count)
    db.set_db_conf("appendonly", "yes")
    exp.start(db)
    shards = running_servers(db).shards
    key = next(f"key{number}" for number in range(100) if owner(count, f"key{number}") == count - 1)
    request(shards[-1], "SET", key, "value")
    kill(db, exp, eventually)
    with pytest.raises(StateError, match="does not serve any more"):
        exp.start(exp.create_model("model", exp.create_run_settings("true")))

    exp.start(db)

    assert db.is_active()
    assert request(running_servers(db).shards[-1], "GET", key) == "value"
    with pytest.raises(StateError, match="runs already"):
        exp.start(db)


def owner(count: int, key: str) -> int:
    """Which of `count` servers has a key: by CRC-16/XMODEM, see the specification of clusters."""
    import binascii

    return binascii.crc_hqx(key.encode(), 0) % 16384 * count // 16384


def test_a_client_of_the_drivers_own_gets_what_members_get(exp: Experiment) -> None:
    shared, results = exp.create_database(workers=0), exp.create_database(db_identifier="results", access="password", workers=0)
    exp.start(shared, results)
    member = environment(exp)

    for db in (shared, results):
        assert db.env.items() - {(name, value) for name, value in member.items() if not name.startswith("SR_LOG")} == {
            (name, value) for name, value in db.env.items() if name.startswith("SR_LOG")
        }
    assert shared.env["SSDB"] == shared.get_address()[0]
    assert results.env["SR_SOCKET_TIMEOUT_results"] == "600000"
    assert results.env["SMARTENSEMBLE_DB_results"] == results.checkpoint_file
    exp.stop(shared)
    with pytest.raises(StateError, match="orchestrator: does not run"):
        _ = shared.env


@pytest.mark.parametrize(
    ("first", "second", "what"),
    [
        ({"port": 15000, "db_nodes": 2}, {"port": 15001}, "has port 15001, as one has; give it another"),
        ({"path": "same"}, {"path": "same"}, "has the directory .*same, as one has"),
    ],
)
def test_two_that_would_share_a_place_are_refused_before_one_starts(
    exp: Experiment, first: dict[str, object], second: dict[str, object], what: str
) -> None:
    one = exp.create_database(db_identifier="one", **first)  # type: ignore[arg-type]
    two = exp.create_database(db_identifier="two", **second)  # type: ignore[arg-type]

    with pytest.raises(InputValueError, match=f"two: {what}"):
        exp.start(one, two)

    assert (one.started, Path(one.path).exists()) == (False, False)


def test_of_two_programs_that_start_one_in_the_same_directory_one_does(exp: Experiment) -> None:
    """The second server would take the socket of the first one, and both programs would take it for theirs."""
    experiments = [Experiment(f"study{number}") for number in range(4)]

    def start(experiment: Experiment) -> Orchestrator | str:
        db = experiment.create_database(path=f"{exp.exp_path}/db", workers=0)
        try:
            experiment.start(db)
        except StateError as error:
            return str(error)
        return db

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(start, experiments))

    (db,) = [result for result in results if isinstance(result, Orchestrator)]
    refused = [result for result in results if isinstance(result, str)]
    assert all("is starting a database in" in why or "runs in" in why for why in refused)
    assert db.is_active()
    for experiment in experiments:
        experiment.stop()


def test_another_server_that_was_quicker_at_its_port_is_not_taken_for_it(exp: Experiment, script: Script) -> None:
    """The first time, the program lets a stranger listen where it should, and waits until that answers."""
    real = find_server()
    server = script(
        f"case $1 in --version) exec {real} --version;; esac\n"
        "if ! test -e tried; then\n"
        '  touch tried; port=$(sed -n "s/^port //p" "$1")\n'
        f'  {real} --port "$port" --save "" > stranger & echo $! > strange\n'
        "  until grep -q Ready stranger 2> /dev/null; do sleep 0.01; done; sleep 0.5\n"
        "fi\n"
        f'exec {real} "$1"'
    )
    db = exp.create_database(server=server, access="open", workers=0)
    exp.start(db)

    assert Path(db.path, "tried").exists()
    said = str(request(running_servers(db).shards[0], "INFO", "server"))
    assert f"config_file:{db.path}/orchestrator.conf" in said
    assert not Path(f"/proc/{Path(db.path, 'strange').read_text().strip()}").exists()


def test_a_port_in_use_is_an_error_that_names_it(exp: Experiment) -> None:
    port = free_port()
    first = exp.create_database(port=port, workers=0)
    exp.start(first)
    second = exp.create_database(port=port, db_identifier="second", workers=0)

    with pytest.raises(StateError, match=f"second: port {port} of 127.0.0.1 is in use"):
        exp.start(second)


def test_a_shell_gets_the_variables(exp: Experiment) -> None:
    db = exp.create_database(workers=0)
    exp.start(db)

    told = subprocess.check_output(["sh", "-c", f'eval "$(smartensemble db env {db.path})"; env'], text=True)

    assert db.env.items() <= dict(line.split("=", 1) for line in told.splitlines() if "=" in line).items()


def test_a_database_stays_where_it_runs_whoever_is_given_it(exp: Experiment, tmp_path: Path) -> None:
    db = exp.create_database(workers=0)
    exp.start(db)
    path = db.path
    (tmp_path / "elsewhere").mkdir()
    other = Experiment("other", tmp_path / "elsewhere")

    assert answers(other, db) == RUNS
    assert db.path == path
    assert Path(db.checkpoint_file).exists()


def test_after_its_end_another_one_of_its_identifier_can_be_reconnected_to(exp: Experiment, tmp_path: Path) -> None:
    db, other = exp.create_database(workers=0), Experiment("other", tmp_path)
    for _ in range(2):
        exp.start(db, detach=True)
        other.stop(other.reconnect_orchestrator(db.checkpoint_file))
    exp.start(db, detach=True)
    other.reconnect_orchestrator(db.checkpoint_file)

    with pytest.raises(EntityExistsError, match="there is a database 'orchestrator'"):
        other.reconnect_orchestrator(db.checkpoint_file)
    exp.stop(db)
