"""What ran is on the disk as it happens: another process looks, waits, stops, goes on; two do not get into each other's way.

Tests entry, history and process.
"""

import os
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import Popen

import pytest

from smartensemble import Ensemble, Experiment, Status
from smartensemble.errors import InputValueError, StateError
from smartensemble.runtime.journal import journal as journal_module
from smartensemble.runtime.journal.journal import FOLDER, Journal
from worlds.drivers import children
from worlds.patience import PATIENCE_S
from worlds.strangers import FOREIGN, NO_FILES

Driver = Callable[..., "Popen[str]"]
Eventually = Callable[[Callable[[], object]], None]


def scripts(exp: Experiment, *texts: str) -> Ensemble:
    return exp.create_ensemble("ens", params_as_args={"c": texts}, run_settings=exp.create_run_settings("sh"))


def journal_of(exp: Experiment) -> Journal:
    (path,) = Path(exp.exp_path, FOLDER).glob("*.tsv")
    journal = Journal(path)
    journal.refresh()
    return journal


def test_every_change_of_state_is_a_line(exp: Experiment, eventually: Eventually) -> None:
    ens = exp.create_ensemble(
        "ens", {"c": ["exit 0", "exit 3", "kill -9 $$"]}, params_as_args="c", run_settings=exp.create_run_settings("sh")
    )

    exp.start(ens, progress=False)

    (path,) = Path(exp.exp_path, FOLDER).glob("*.tsv")
    eventually(lambda: sum(line.split("\t")[3] in ("exit", "signal") for line in path.read_text().splitlines()) == 3)
    events = sorted(tuple(line.split("\t")[2:4]) for line in path.read_text().splitlines())
    assert [event for name, event in events if name == "-"] == ["driver", "sentinel", "supervisor"]
    assert [event for name, event in events if name == "ens_1"] == ["asked", "exit", "started"]
    assert [event for name, event in events if name == "ens_2"] == ["asked", "signal", "started"]


def test_another_process_sees_what_ran(exp: Experiment, driver: Driver) -> None:
    process = driver("""
        params = {"c": ["exit 0", "echo wrong >&2; exit 3"]}
        ens = exp.create_ensemble("ens", params_as_args=params, run_settings=settings("sh"))
        exp.start(ens, progress=False)
    """)
    process.wait()

    ens = exp.create_ensemble(
        "ens", {"c": ["exit 0", "echo wrong >&2; exit 3"]}, params_as_args="c", run_settings=exp.create_run_settings("sh")
    )

    assert exp.get_status(ens) == [Status.COMPLETED, Status.FAILED]
    assert ens[1].run.reason == "exit code 3; the end of ens_1.err:\n  wrong"
    assert [row["exit code"] for row in ens.table()] == [0, 3]
    assert "| ens_1  |" in exp.summary()


def test_other_parameters_are_another_member(exp: Experiment, driver: Driver) -> None:
    driver("""exp.start(exp.create_ensemble("ens", {"T": [1, 2]}, run_settings=settings("true")), progress=False)""").wait()

    ens = exp.create_ensemble("ens", {"T": [1, 3]}, run_settings=exp.create_run_settings("true"))

    assert exp.get_status(ens) == [Status.COMPLETED, Status.NEW]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_members_of_a_driver_that_died_are_known_to_be_cancelled(
    number: int, exp: Experiment, driver: Driver, eventually: Eventually
) -> None:
    process = driver("""
        ens = exp.create_ensemble("ens", replicas=3, run_settings=exp.create_run_settings("sleep", ["1000"]))
        exp.start(ens, block=False, max_running=2)
        exp._runner.wait(lambda: ens[1].run.status.value == "Running")
        print("running", flush=True)
        exp.wait()
    """)
    assert process.stdout
    assert process.stdout.readline() == "running\n"

    process.send_signal(number)
    process.wait()

    ens = exp.create_ensemble("ens", replicas=3, run_settings=exp.create_run_settings("sleep", ["1000"]))
    eventually(lambda: exp.get_status(ens) == [Status.CANCELLED] * 3)


def test_detached_members_outlive_their_driver_and_are_waited_for(exp: Experiment, driver: Driver, tmp_path: Path) -> None:
    driver("""
        waits = settings("sh", "-c", "until test -e ../../../go; do sleep 0.02; done")
        ens = exp.create_ensemble("ens", replicas=2, run_settings=waits)
        exp.start(ens, detach=True, block=False)
    """).wait()

    ens = exp.create_ensemble("ens", replicas=2, run_settings=exp.create_run_settings("true"))
    assert exp.wait(ens, timeout=0.5) is False
    assert not any(status.final for status in exp.get_status(ens))
    (tmp_path / "go").touch()

    assert exp.wait(ens, timeout=PATIENCE_S)
    assert exp.get_status(ens) == [Status.COMPLETED] * 2


def test_detached_members_are_stopped_by_another_process(exp: Experiment, driver: Driver, eventually: Eventually) -> None:
    driver("""
        ens = exp.create_ensemble("ens", replicas=3, run_settings=settings("sh", "-c", "(setsid sleep 1000 &); sleep 1000"))
        exp.start(ens, detach=True, block=False)
    """).wait()
    ens = exp.create_ensemble("ens", replicas=3, run_settings=exp.create_run_settings("true"))
    eventually(lambda: exp.get_status(ens) == [Status.RUNNING] * 3)
    supervisor = journal_of(exp).supervisor
    assert supervisor

    exp.stop(ens[0])
    assert exp.get_status(ens) == [Status.CANCELLED, Status.RUNNING, Status.RUNNING]
    exp.stop()

    assert exp.get_status(ens) == [Status.CANCELLED] * 3
    eventually(lambda: not supervisor.runs)


def test_a_detached_batch_is_watched_and_stopped_as_a_whole(exp: Experiment, driver: Driver, eventually: Eventually) -> None:
    driver("""
        params, batch = {"c": ["true", "sleep 1000"]}, exp.create_batch_settings()
        ens = exp.create_ensemble("ens", params_as_args=params, run_settings=settings("sh"), batch_settings=batch)
        exp.start(ens, detach=True, block=False)
    """).wait()
    ens = scripts(exp, "true", "sleep 1000")
    eventually(lambda: exp.get_status(ens) == [Status.COMPLETED, Status.RUNNING])

    with pytest.raises(StateError, match="cannot be stopped alone"):
        exp.stop(ens[1])
    exp.stop(ens)

    assert exp.get_status(ens) == [Status.COMPLETED, Status.CANCELLED]


def test_a_detached_start_may_be_waited_for(exp: Experiment) -> None:
    ens = exp.create_ensemble("ens", replicas=2, run_settings=exp.create_run_settings("true"))

    exp.start(ens, detach=True, progress=False)

    assert exp.get_status(ens) == [Status.COMPLETED] * 2


def test_a_detached_supervisor_that_was_killed_is_noticed(exp: Experiment, eventually: Eventually) -> None:
    model = exp.create_model("model", exp.create_run_settings("sleep", ["1000"]))
    exp.start(model, detach=True, block=False)
    eventually(lambda: model.status is Status.RUNNING)
    supervisor = journal_of(exp).supervisor
    assert supervisor

    os.kill(supervisor.pid, signal.SIGKILL)

    eventually(lambda: model.status is Status.FAILED)
    assert "is gone and left no word" in model.run.reason


def test_only_what_failed_runs_again(exp: Experiment, driver: Driver, tmp_path: Path) -> None:
    (tmp_path / "broken").touch()
    program = "echo ran >> log; case $0 in 1) test ! -e ../../../broken;; esac"
    settings = exp.create_run_settings("sh", ["-c", program])
    ens = exp.create_ensemble("ens", {"i": [0, 1, 2]}, run_settings=settings)
    for number, member in enumerate(ens):
        member.run_settings.add_exe_args([number])
    exp.start(ens, progress=False)
    assert exp.get_status(ens) == [Status.COMPLETED, Status.FAILED, Status.COMPLETED]

    (tmp_path / "broken").unlink()
    exp.start(ens, only="failed", progress=False)
    exp.start(ens, only="failed", progress=False)

    assert exp.get_status(ens) == [Status.COMPLETED] * 3
    assert [len(Path(member.path, "log").read_text().split()) for member in ens] == [1, 2, 1]
    with pytest.raises(InputValueError, match="only='bad' is no choice"):
        exp.start(ens, only="bad")


def test_lines_that_are_not_whole_say_nothing(exp: Experiment) -> None:
    exp.start(exp.create_model("model", exp.create_run_settings("true")), progress=False)
    path = journal_of(exp).path
    path.write_text(path.read_text() + "2026-11-22T22:10\n\n2026-11-22T22:10:05.123Z\t1\tmodel\texit\tx\ngarbage\t\t\t\t\n1\t2")

    assert journal_of(exp).entries[1].run.status is Status.COMPLETED


@pytest.mark.parametrize("name", ["x.tsv", "lock-here-4711-1"])
@pytest.mark.parametrize("kind", NO_FILES)
def test_what_is_no_file_is_no_journal_and_no_lock(exp: Experiment, kind: str, name: str) -> None:
    path = Path(exp.exp_path, FOLDER, name)
    path.parent.mkdir(parents=True)
    NO_FILES[kind](path)

    exp.start(model := exp.create_model("model", exp.create_run_settings("true")), progress=False)

    assert model.status is Status.COMPLETED


@pytest.mark.needs("setpriv")
def test_a_journal_that_cannot_be_read_is_an_error_as_long_as_it_is_there(driver: Driver) -> None:
    """It might say of members that they run, so nothing starts beside it."""
    process = driver(
        """
        from smartensemble.errors import NoPermissionError
        Path("study/journal").mkdir(parents=True)
        Path("study/journal/x.tsv").touch(mode=0)
        for _ in range(2):
            try:
                exp.create_model("model", settings("true"))
            except NoPermissionError as error:
                print(error)
        """,
        wrapper=["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.getuid() == 0 else [],
    )

    said = process.communicate(timeout=PATIENCE_S)[0].splitlines()

    assert len(said) == 2
    assert re.fullmatch(r"journal: .*/x.tsv: Permission denied; make it accessible, or give another", said[0])


@pytest.mark.parametrize("content", FOREIGN.values(), ids=FOREIGN)
def test_a_journal_of_a_stranger_says_nothing(exp: Experiment, content: bytes) -> None:
    path = Path(exp.exp_path, FOLDER, "x.tsv")
    path.parent.mkdir(parents=True)
    path.write_bytes(content)

    exp.start(model := exp.create_model("model", exp.create_run_settings("true")), progress=False)

    assert model.status is Status.COMPLETED


@pytest.mark.parametrize(
    "detail",
    ['{"path": 5, "params": {}}', '{"path": "/m", "params": []}', '{"path": "/m", "batch": "x"}',
     '{"path": "/m", "time_limit": "x"}', '{"path": ["/m"]}', "5", "[" * 100_000],
)  # fmt: skip
def test_a_line_with_other_types_says_nothing(tmp_path: Path, detail: str) -> None:
    path = tmp_path / "x.tsv"
    path.write_text(f"2026-11-22T22:10:05.123Z\t1\tm\tasked\t{detail}\n")

    journal = Journal(path)
    journal.refresh()

    assert journal.entries == {}


def test_a_line_of_a_scheduler_that_is_not_known_says_nothing(tmp_path: Path) -> None:
    path = tmp_path / "x.tsv"
    lines = [("asked", '{"path": "/m", "params": {}, "batch": 7}'), ("submitted", '{"scheduler": "none", "job": "1"}')]
    path.write_text("".join(f"2026-11-22T22:10:05.123Z\t1\tm\t{event}\t{detail}\n" for event, detail in lines))

    journal = Journal(path)
    journal.refresh()

    assert journal.entries[1].run.job == ""


def test_a_thousand_lines_cost_no_descriptor(exp: Experiment) -> None:
    ens = exp.create_ensemble("ens", replicas=300, run_settings=exp.create_run_settings("true"))
    began_at = time.monotonic()

    exp.start(ens, progress=False)

    journal = journal_of(exp)
    assert {entry.run.status for entry in journal.members} == {Status.COMPLETED}
    assert all((entry.run.seconds or 0) < time.monotonic() - began_at + 1 for entry in journal.members)


def test_a_supervisor_that_was_killed_before_its_first_line_is_noticed(
    exp: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched: list[int] = []

    def frozen(journal: Journal, pid: int) -> None:
        watched.extend((*children(pid), pid))
        os.kill(watched[0], signal.SIGSTOP)
        watched_by(journal, pid)

    watched_by = Journal.watched_by
    monkeypatch.setattr(Journal, "watched_by", frozen)
    monkeypatch.setattr(journal_module, "SUPERVISOR_START_S", 0.1)
    model = exp.create_model("model", exp.create_run_settings("sleep", ["1000"]))
    exp.start(model, detach=True, block=False)
    waiting = model.status

    for pid in watched:
        os.kill(pid, signal.SIGKILL)

    assert exp.wait(model)
    assert (waiting, model.status) == (Status.QUEUED, Status.FAILED)
    assert "is gone and left no word" in model.run.reason


def test_ctrl_c_ends_what_is_mine_and_leaves_what_is_detached(exp: Experiment, driver: Driver, eventually: Eventually) -> None:
    process = driver("""
        night = exp.create_model("night", exp.create_run_settings("sleep", ["1000"]))
        exp.start(night, detach=True, block=False)
        ens = exp.create_ensemble("ens", replicas=2, run_settings=exp.create_run_settings("sleep", ["1000"]))
        exp.start(ens)
    """)
    ens = exp.create_ensemble("ens", replicas=2, run_settings=exp.create_run_settings("true"))
    night = exp.create_model("night", exp.create_run_settings("true"))
    eventually(lambda: exp.get_status(ens, night) == [Status.RUNNING] * 3)

    process.send_signal(signal.SIGINT)
    process.wait()

    assert exp.get_status(ens, night) == [Status.CANCELLED, Status.CANCELLED, Status.RUNNING]


def test_an_experiment_where_nothing_can_be_written_says_so() -> None:
    exp = Experiment("study", "/proc")

    with pytest.raises(StateError, match=r"^study: cannot write into /proc: .*; make room, or give another exp_path"):
        exp.start(exp.create_model("model", exp.create_run_settings("true")))
