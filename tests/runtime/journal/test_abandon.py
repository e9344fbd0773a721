"""What nobody can know a person says; what was declared dead, and lives, ends its members.

Tests lock.
"""

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from subprocess import Popen

import pytest

from smartensemble import Ensemble, Experiment, Model, Status
from smartensemble.errors import StateError
from smartensemble.runtime.journal.journal import FOLDER
from smartensemble.runtime.journal.life import LEASE_S
from worlds.drivers import started_by

Driver = Callable[..., "Popen[str]"]
Eventually = Callable[[Callable[[], object]], None]

OF_ANOTHER_MACHINE = {"host": "node7", "boot": "0" * 36}


def from_elsewhere(folder: Path, renewed: bool = True) -> None:
    """Change journals and signs as if their processes ran on another machine, which renewed its signs just now or long ago."""
    for path in folder.iterdir():
        lines = path.read_text().split("\n")
        for number, line in enumerate(lines):
            start, brace, record = line.partition("{")
            if '"boot"' in record:
                lines[number] = start + json.dumps(json.loads(brace + record) | OF_ANOTHER_MACHINE)
        path.write_text("\n".join(lines))
        if not renewed:
            os.utime(path, (1, 1))


@pytest.fixture
def theirs(exp: Experiment, driver: Driver, eventually: Eventually) -> Ensemble:
    """An ensemble whose driver died, with its supervisor, while two members ran."""
    process = driver("""
        exp.start(exp.create_ensemble("ens", replicas=2, run_settings=settings("sleep", "1000")), block=False)
        exp.wait()
    """)
    ens = exp.create_ensemble("ens", replicas=2, run_settings=exp.create_run_settings("true"))
    eventually(lambda: exp.get_status(ens) == [Status.RUNNING] * 2)
    supervisor = exp._runner.history.journals[0].supervisor
    assert supervisor
    for pid in (process.pid, supervisor.pid):
        os.kill(pid, signal.SIGSTOP)
    os.kill(supervisor.pid, signal.SIGKILL)
    process.kill()
    process.wait()
    eventually(lambda: not supervisor.runs)
    return ens


def again(model: str = "ens") -> tuple[Experiment, Ensemble]:
    """The experiment and its ensemble, as another program knows them."""
    exp = Experiment("study")
    return exp, exp.create_ensemble(model, replicas=2, run_settings=exp.create_run_settings("true"))


def test_what_nobody_can_know_is_named_in_each_message_and_abandoned(theirs: Ensemble) -> None:
    from_elsewhere(Path("study", FOLDER))
    exp, ens = again()
    other = exp.create_model("other", exp.create_run_settings("true"))
    command = f"smartensemble abandon {exp.exp_path}"
    way_out = rf", or, if pid \d+ on node7 is gone for good, abandon it: exp.abandon\(\) or {command}$"

    assert exp.get_status(ens) == [Status.RUNNING] * 2
    for act in (exp.start, exp.generate):
        with pytest.raises(StateError, match=f"ens_0: runs in .*; wait for it or stop it first{way_out}"):
            act(ens)
        with pytest.raises(StateError, match=f"study: pid .* generates or starts in .*; wait until it has ended{way_out}"):
            act(other)

    assert exp.abandon(ens) == ["ens_0", "ens_1"]

    assert exp.get_status(ens) == [Status.UNKNOWN] * 2
    assert f"ran it, and was abandoned by pid {os.getpid()} on " in ens[0].run.reason
    assert exp.abandon() == []
    assert Experiment("new").abandon() == []
    third, seen = again()
    assert third.get_status(seen) == [Status.UNKNOWN] * 2
    exp.start(ens, other, progress=False)
    assert exp.get_status(ens, other) == [Status.COMPLETED] * 3


def test_a_lease_that_ran_out_frees_the_directory(theirs: Ensemble) -> None:
    from_elsewhere(Path("study", FOLDER), renewed=False)
    exp, ens = again()

    assert exp.get_status(ens) == [Status.UNKNOWN] * 2
    assert f"was not heard of for {LEASE_S:g} s; look there, or start it again" in ens[0].run.reason
    exp.start(ens, only="failed", progress=False)

    assert exp.get_status(ens) == [Status.COMPLETED] * 2
    assert len(list(Path("study", FOLDER).glob("alive-*"))) == 1  # the one of our own supervisor


def test_what_comes_back_after_its_lease_ran_out_is_heard(theirs: Ensemble) -> None:
    from_elsewhere(Path("study", FOLDER), renewed=False)
    exp, ens = again()
    assert exp.get_status(ens) == [Status.UNKNOWN] * 2

    with Path("study", FOLDER, "000001.tsv").open("a") as journal:
        journal.write("2026-11-22T22:10:05.123Z\t1\tens_0\texit\t0\n")

    assert exp.get_status(ens) == [Status.COMPLETED, Status.UNKNOWN]


@pytest.mark.parametrize("begun", [True, False])
def test_stop_waits_no_longer_than_it_may_help(begun: bool, theirs: Ensemble, monkeypatch: pytest.MonkeyPatch) -> None:
    from_elsewhere(Path("study", FOLDER))
    if not begun:
        path = Path("study", FOLDER, "000001.tsv")
        lines = [line for line in path.read_text().splitlines(keepends=True) if "\tdriver\t" in line or "\tasked\t" in line]
        path.write_text("".join(lines).replace('"sign": "lock-', '"sign": "", "was": "'))
    exp, ens = again()
    for name in ("runner.KILL_GRACE_S", "runner.RENEW_S", "journal.journal.SUBMIT_S"):
        monkeypatch.setattr(f"smartensemble.runtime.{name}", 0)
    who = r"ens_0, ens_1, which pid \d+ on node7 runs, did not end in time" if begun else r"pid \d+ on node7 has not begun"

    with pytest.raises(StateError, match=rf"{who}.*, or, if pid \d+ on node7 is gone for good, abandon it"):
        exp.stop(ens, grace=0)


def test_a_machine_that_was_restarted_has_ended_everything(theirs: Ensemble, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(OF_ANOTHER_MACHINE, "host", os.uname().nodename)
    from_elsewhere(Path("study", FOLDER))
    exp, ens = again()

    assert exp.get_status(ens) == [Status.FAILED] * 2
    exp.start(ens, progress=False)
    assert exp.get_status(ens) == [Status.COMPLETED] * 2


def test_members_that_live_are_stopped_and_not_abandoned(exp: Experiment, driver: Driver, eventually: Eventually) -> None:
    driver("""exp.start(exp.create_model("night", settings("sleep", "1000")), detach=True, block=False)""").wait()
    night = exp.create_model("night", exp.create_run_settings("true"))
    day = exp.create_model("day", exp.create_run_settings("sleep", ["1000"]))
    exp.start(day, block=False)
    eventually(lambda: exp.get_status(night) == [Status.RUNNING])

    with pytest.raises(StateError, match=r"night: is run by pid \d+ on .*, which lives; stop it instead"):
        exp.abandon(night)
    with pytest.raises(StateError, match="day: is run by this program; stop it instead"):
        exp.abandon(day)
    assert exp.abandon() == []

    assert all(status.active for status in exp.get_status(night, day))


def test_a_supervisor_that_was_abandoned_and_lives_ends_its_members(exp: Experiment, eventually: Eventually) -> None:
    models = [exp.create_model(name, exp.create_run_settings("sleep", ["1000"])) for name in ("night", "day")]
    exp.start(models[0], detach=True, block=False)
    exp.start(models[1], block=False)
    eventually(lambda: exp.get_status(*models) == [Status.RUNNING] * 2)

    for sign in Path(exp.exp_path, FOLDER).glob("alive-*"):
        sign.unlink()  # as abandon does, and who starts after its lease has run out

    eventually(lambda: exp.get_status(*models) == [Status.CANCELLED] * 2)
    exp.start(*models, block=False)
    eventually(lambda: exp.get_status(*models) == [Status.RUNNING] * 2)


def test_a_right_to_start_that_was_lost_is_taken_again(exp: Experiment, driver: Driver) -> None:
    mine = [exp.create_model(name, exp.create_run_settings("sleep", ["1000"])) for name in ("a", "b")]
    exp.start(mine[0], block=False)
    for lock in Path(exp.exp_path, FOLDER).glob("lock-*"):
        lock.unlink()  # as somebody does who has not heard of us for long
    process = started_by(driver)

    with pytest.raises(StateError, match=f"pid {process.pid} on .* generates or starts in"):
        exp.start(mine[1])
    process.communicate("")
    exp.start(mine[1], block=False)

    assert len(list(Path(exp.exp_path, FOLDER).glob("lock-*"))) == 1


@pytest.mark.parametrize("left", ["", '{"pid": ', "[1]", '{"pid": "x", "host": 1, "began": null}'])
def test_a_broken_lock_keeps_nobody_for_ever(left: str, exp: Experiment) -> None:
    model: Model = exp.create_model("model", exp.create_run_settings("true"))
    folder = Path(exp.exp_path, FOLDER)
    folder.mkdir(parents=True)
    (folder / "lock-x").write_text(left)

    with pytest.raises(StateError, match=r"a process that left a broken lock-x generates or starts in .* abandon it: "):
        exp.start(model)
    os.utime(folder / "lock-x", (1, 1))
    # It was written while this process watched, so only another one believes its age.
    exp.abandon()
    exp.start(model, progress=False)

    assert model.status is Status.COMPLETED


def test_a_directory_in_the_place_of_a_lock_is_not_ours(exp: Experiment) -> None:
    folder = Path(exp.exp_path, FOLDER)
    (folder / "lock-x").mkdir(parents=True)
    (folder / "x.tsv").mkdir()
    model = exp.create_model("model", exp.create_run_settings("true"))

    exp.start(model, progress=False)

    assert model.status is Status.COMPLETED
