"""Stop ends a member with everything that it started, and nothing else."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from smartensemble.experiment import Experiment
from smartensemble.runtime.local.launcher import local
from smartensemble.status import Status
from worlds.drivers import Family, children, lives, sentinel_and_supervisor
from worlds.patience import PATIENCE_S

Eventually = Callable[[Callable[[], object]], None]


def test_stop_takes_the_grandchildren_too(exp: Experiment, family: Family) -> None:
    model = family.run(exp)

    exp.stop(model)

    assert family.alive() == []
    assert (model.status, model.run.reason) == (Status.CANCELLED, "stopped")


def test_stop_kills_what_ignores_sigterm_after_the_grace(exp: Experiment, stubborn_family: Family) -> None:
    model = stubborn_family.run(exp)

    exp.stop(model, grace=0.2)

    assert stubborn_family.alive() == []


def test_stop_spares_the_other_members(exp: Experiment, family: Family, eventually: Eventually) -> None:
    settings = exp.create_run_settings("bash", [family.program], env_vars=family.env)
    sleeper = exp.create_model("sleeper", exp.create_run_settings("sleep", ["1000"]))
    model = exp.create_model("model", settings)
    exp.start(model, sleeper, block=False)
    eventually(family.born)

    exp.stop(sleeper)

    assert len(family.alive()) == family.size
    assert (model.status, sleeper.status) == (Status.RUNNING, Status.CANCELLED)


def test_stop_takes_an_orphan_without_a_mark_that_is_in_the_members_group(
    exp: Experiment, tmp_path: Path, script: Callable[[str], str], eventually: Eventually
) -> None:
    program = script(
        f"(env -i PATH=$PATH sh -c 'echo $$ > {tmp_path}/new; mv {tmp_path}/new {tmp_path}/pid; exec sleep 1000' &); sleep 1000"
    )
    model = exp.create_model("model", exp.create_run_settings(program))
    other = exp.create_model("other", exp.create_run_settings("sleep", ["1000"]))
    exp.start(model, other, block=False)
    eventually((tmp_path / "pid").exists)

    exp.stop(model)

    assert not lives(int((tmp_path / "pid").read_text()))
    assert other.status is Status.RUNNING


def test_stop_takes_what_a_member_that_ended_left_behind(
    exp: Experiment, tmp_path: Path, script: Callable[[str], str], eventually: Eventually
) -> None:
    program = script(
        f"(setsid sh -c 'echo $$ > {tmp_path}/daemon.new; mv {tmp_path}/daemon.new {tmp_path}/daemon; exec sleep 1000' &)"
    )
    model = exp.create_model("model", exp.create_run_settings(program))
    exp.start(model, progress=False)
    eventually((tmp_path / "daemon").exists)
    daemon = int((tmp_path / "daemon").read_text())
    assert lives(daemon)

    exp.stop(model)

    assert not lives(daemon)
    assert model.status is Status.COMPLETED


def test_stop_ends_a_program_whose_main_thread_alone_has_ended(exp: Experiment, tmp_path: Path, eventually: Eventually) -> None:
    leave = 60 if os.uname().machine == "x86_64" else 93  # SYS_exit ends one thread
    code = f"""
import ctypes, threading, time
threading.Thread(target=time.sleep, args=(1000,)).start()
ctypes.CDLL(None).syscall({leave}, 0)"""
    model = exp.create_model("model", exp.create_run_settings("python3", ["-c", code]))
    exp.start(model, block=False)
    eventually(lambda: any(state(child) == "Z" for child in children(sentinel_and_supervisor()[1])))

    exp.stop(model, grace=1)

    assert model.status is Status.CANCELLED
    assert children(sentinel_and_supervisor()[1]) == []


def state(pid: int) -> str:
    """The letter of a process's state."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""


def test_stop_of_members_that_wait_ends_only_them(exp: Experiment) -> None:
    ens = exp.create_ensemble("ens", replicas=4, run_settings=exp.create_run_settings("sleep", ["1000"]))
    exp.start(ens, block=False, max_running=1)
    local().wait(lambda: ens[0].run.status is Status.RUNNING, PATIENCE_S)

    exp.stop(*ens[2:])

    assert exp.get_status(ens) == [Status.RUNNING, Status.QUEUED, Status.CANCELLED, Status.CANCELLED]
    assert ens[3].run.reason == "stopped before it started"
    assert ens[3].run.seconds is None


def test_after_stop_a_waiting_member_takes_the_place(exp: Experiment) -> None:
    ens = exp.create_ensemble("ens", replicas=2, run_settings=exp.create_run_settings("sleep", ["1000"]))
    exp.start(ens, block=False, max_running=1)

    exp.stop(ens[0])

    assert local().wait(lambda: ens[1].run.status is Status.RUNNING, PATIENCE_S)


@pytest.mark.parametrize("grace", [0, 1e9, float("inf")])
def test_any_grace_is_accepted(grace: float, exp: Experiment) -> None:
    model = exp.create_model("model", exp.create_run_settings("sleep", ["1000"]))
    exp.start(model, block=False)

    exp.stop(grace=grace)

    assert model.status is Status.CANCELLED
