"""An experiment generates whole directories, runs each thing once at a time, and always knows how it stands.

Tests create.
"""

import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from smartensemble.errors import (
    AccessError,
    InputTypeError,
    InputValueError,
    MissingFileError,
    NoDirectoryError,
    SmartEnsembleError,
    StateError,
)
from smartensemble.experiment import Experiment
from smartensemble.model import Model
from smartensemble.settings.batch import BatchSettings
from smartensemble.status import Status
from worlds.drivers import Family
from worlds.patience import PATIENCE_S
from worlds.strangers import NO_FILES

Driver = Callable[..., "subprocess.Popen[str]"]
Eventually = Callable[[Callable[[], object]], None]
Script = Callable[[str], str]


# --- start --------------------------------------------------------------------------------------------------------------


def test_start_generates_what_is_missing(exp: Experiment) -> None:
    ens = exp.create_ensemble("ens", replicas=2, run_settings=exp.create_run_settings("true"))

    exp.start(ens, progress=False)

    assert Path(ens[1].path, "params.json").exists()
    assert exp.get_status(ens) == [Status.COMPLETED] * 2


@pytest.mark.parametrize("values", [[1.5], [float("inf")], [True], ["text"], [float("nan")]])
def test_another_driver_starts_what_was_generated_before(values: list[object], exp: Experiment) -> None:
    settings = exp.create_run_settings("true")
    exp.generate(exp.create_ensemble("ens", {"T": values}, run_settings=settings))

    ens = Experiment("study").create_ensemble("ens", {"T": values}, run_settings=settings)
    exp.start(ens, progress=False)

    assert exp.get_status(ens) == [Status.COMPLETED]


def test_a_directory_for_other_parameters_is_refused(exp: Experiment) -> None:
    settings = exp.create_run_settings("true")
    exp.generate(exp.create_ensemble("ens", {"T": [1.5]}, run_settings=settings))
    ens = exp.create_ensemble("ens", {"T": [2.5]}, run_settings=settings)

    with pytest.raises(StateError, match=r"was generated for other parameters \(T=1.5; now T=2.5\)"):
        exp.start(ens)

    assert exp.get_status(ens) == [Status.NEW]


def test_what_runs_is_neither_started_nor_generated(exp: Experiment) -> None:
    ens = exp.create_ensemble("ens", replicas=2, run_settings=exp.create_run_settings("sleep", ["1000"]))
    exp.start(ens, block=False)

    for act in (exp.start, exp.generate, lambda entity: exp.generate(entity, overwrite=True)):
        with pytest.raises(StateError, match="ens_0: runs in"):
            act(ens)

    assert all(status.active for status in exp.get_status(ens))


def test_a_start_that_cannot_be_finished_is_taken_back(exp: Experiment, tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(bytes(1 << 20))
    sleep = exp.create_run_settings("sleep", ["1000"])
    models = [exp.create_model(f"m{number}", sleep) for number in range(40)]
    last = exp.create_model("last", sleep)
    last.attach_generator_files(to_copy="large")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 19, before[1]))
    try:
        with pytest.raises(StateError, match="make room"):
            exp.start(*models, last)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert {*exp.get_status(*models, last)} == {Status.CANCELLED}
    again = Experiment("study")
    assert {*again.get_status(*[again.create_model(model.name, sleep) for model in models])} == {Status.CANCELLED}


def test_a_member_finds_the_list_of_members_while_others_are_written(exp: Experiment) -> None:
    settings = exp.create_run_settings("sh", ["-c", "wc -l < ../members.csv"])
    ens = exp.create_ensemble("ens", replicas=50, run_settings=settings)

    exp.start(ens)

    assert {Path(member.path, f"{member.name}.out").read_text() for member in ens} == {"51\n"}


def test_start_without_block_returns_while_it_runs(exp: Experiment) -> None:
    model = exp.create_model("model", exp.create_run_settings("sleep", ["1000"]))

    exp.start(model, block=False)

    assert model.status.active
    assert not exp.finished(model)


def test_an_ensemble_is_started_again_after_its_end(exp: Experiment, script: Script) -> None:
    ens = exp.create_ensemble("ens", replicas=2, run_settings=exp.create_run_settings(script("echo . >> times")))

    exp.start(ens, progress=False)
    exp.start(ens, progress=False)

    assert Path(ens[0].path, "times").read_text() == ".\n.\n"
    assert exp.summary().count("Completed") == 2


def test_two_threads_that_start_one_ensemble_start_it_once(exp: Experiment) -> None:
    ens = exp.create_ensemble("ens", replicas=20, run_settings=exp.create_run_settings("sleep", ["1000"]))
    refused: list[StateError] = []
    barrier = threading.Barrier(4)

    def start() -> None:
        barrier.wait()
        try:
            exp.start(ens, block=False, max_running=2)
        except StateError as error:
            refused.append(error)

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert len(refused) == 3


def test_threads_start_ensembles_and_batches_of_one_experiment(exp: Experiment) -> None:
    settings = exp.create_run_settings("true")
    ensembles = [
        exp.create_ensemble(f"ens{number}", None, BatchSettings() if number % 2 else None, settings, 3) for number in range(6)
    ]

    threads = [threading.Thread(target=exp.start, args=(ens,), kwargs={"progress": False}) for ens in ensembles]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)

    assert exp.get_status(*ensembles) == [Status.COMPLETED] * 18


def test_two_experiments_share_a_driver(exp: Experiment) -> None:
    other = Experiment("other")
    mine, theirs = (one.create_model("model", one.create_run_settings("sleep", ["1000"])) for one in (exp, other))
    exp.start(mine, block=False)
    other.start(theirs, block=False)

    exp.stop()

    assert (mine.status, theirs.status.active) == (Status.CANCELLED, True)
    other.stop()
    assert theirs.status is Status.CANCELLED


# --- status, wait, stop -------------------------------------------------------------------------------------------------


def test_before_the_start_everything_is_safe(exp: Experiment, capsys: pytest.CaptureFixture[str]) -> None:
    ens = exp.create_ensemble("ens", replicas=2, run_settings=exp.create_run_settings("true"))

    exp.stop()
    exp.stop(ens)
    exp.poll()

    assert exp.wait()
    assert exp.get_status(ens) == [Status.NEW] * 2
    assert "Completed" not in exp.summary()
    with pytest.raises(InputValueError, match="ens: was not started"):
        exp.finished(ens)


def test_after_the_end_everything_is_safe_twice(exp: Experiment) -> None:
    ens = exp.create_ensemble("ens", replicas=2, run_settings=exp.create_run_settings("true"))
    exp.start(ens, progress=False)

    for _ in range(2):
        exp.stop(ens)
        exp.stop()
        exp.poll(interval=0.1)
        assert exp.wait(ens)
        assert exp.finished(ens)
        assert exp.get_status(ens) == [Status.COMPLETED] * 2
        assert exp.summary().count("Completed") == 2


def test_stopping_twice_changes_nothing(exp: Experiment) -> None:
    ens = exp.create_ensemble("ens", replicas=2, run_settings=exp.create_run_settings("sleep", ["1000"]))
    exp.start(ens, block=False)
    exp.stop(ens[0])
    before = ens[0].run.ended

    exp.stop()
    exp.stop()

    assert exp.get_status(ens) == [Status.CANCELLED] * 2
    assert ens[0].run.ended == before


def test_poll_prints_how_it_stands(exp: Experiment, capsys: pytest.CaptureFixture[str], eventually: Eventually) -> None:
    model = exp.create_model("model", exp.create_run_settings("sh", ["-c", "until test -e go; do sleep 0.02; done"]))
    exp.start(model, block=False)

    def end_when_it_is_printed() -> None:
        eventually(lambda: "model: Running\n" in capsys.readouterr().out)
        Path(model.path, "go").touch()

    reader = threading.Thread(target=end_when_it_is_printed)
    reader.start()
    exp.poll(interval=0.1)
    reader.join(PATIENCE_S)

    assert model.status is Status.COMPLETED


# --- Ctrl-C -------------------------------------------------------------------------------------------------------------

INTERRUPTED = """
model = exp.create_model("model", settings({program!r}, env_vars={env!r}))
short = exp.create_model("short", settings("true"))
exp.start(short, progress=False)
try:
    exp.{act}
except KeyboardInterrupt:
    print(model.status, short.status, flush=True)
    time.sleep({rest})
"""


@pytest.mark.parametrize("act", ["start(model)", "start(model, progress=False)", "start(model, block=False); exp.poll()"])
def test_ctrl_c_stops_the_members_and_leaves_truthful_statuses(
    act: str, driver: Driver, family: Family, eventually: Eventually
) -> None:
    process = driver(INTERRUPTED.format(program=family.program, env=family.env, act=act, rest=1000))
    eventually(family.born)

    os.killpg(process.pid, signal.SIGINT)

    assert process.stdout is not None
    eventually(lambda: not family.alive())
    assert "Cancelled Completed\n" in iter(process.stdout.readline, "")


def test_with_kill_on_interrupt_false_ctrl_c_leaves_the_members(driver: Driver, family: Family, eventually: Eventually) -> None:
    act = "start(model, kill_on_interrupt=False)"
    process = driver(INTERRUPTED.format(program=family.program, env=family.env, act=act, rest=1000))
    eventually(family.born)

    os.killpg(process.pid, signal.SIGINT)

    assert process.stdout is not None
    assert "Running Completed\n" in iter(process.stdout.readline, "")
    assert len(family.alive()) == family.size


def test_ctrl_c_after_a_start_that_has_returned_reaches_the_program_alone(
    driver: Driver, family: Family, eventually: Eventually
) -> None:
    act = "start(model, block=False); time.sleep(1000)"
    process = driver(INTERRUPTED.format(program=family.program, env=family.env, act=act, rest=1000))
    eventually(family.born)

    os.killpg(process.pid, signal.SIGINT)

    assert process.stdout is not None
    assert "Running Completed\n" in iter(process.stdout.readline, "")
    assert len(family.alive()) == family.size
    process.terminate()
    eventually(lambda: not family.alive())


def test_ctrl_c_at_any_moment_loses_no_members_end(driver: Driver) -> None:
    process = driver("""
        import random
        for round in range(6):
            ens = exp.create_ensemble(f"ens{round}", replicas=100, run_settings=settings("false"))
            exp.generate(ens)
            try:
                threading.Timer(random.uniform(0.03, 0.12), os.kill, (os.getpid(), signal.SIGINT)).start()
                exp.start(ens, progress=False, max_running=4)
                time.sleep(1000)
            except KeyboardInterrupt:
                exp.stop()
            if not all(status.final or status is Status.NEW for status in exp.get_status(ens)):  # it may come before the start
                print(exp.get_status(ens))
        print("all ended")
    """)

    assert process.communicate(timeout=PATIENCE_S)[0] == "all ended\n"


# --- other machines -----------------------------------------------------------------------------------------------------


def test_elsewhere_everything_but_start_works_and_start_says_what_is_missing(tmp_path: Path) -> None:
    code = """
import os, sys
sys.platform = "darwin"
del os.pidfd_open, os.sched_getaffinity
import smartensemble.experiment
from smartensemble.errors import UnsupportedError
exp = smartensemble.Experiment("study")
ens = exp.create_ensemble("ens", {"T": [1, 2]}, run_settings=exp.create_run_settings("true"), params_as_args="T")
exp.preview(ens)
exp.generate(ens)
exp.stop()
try:
    exp.start(ens)
except UnsupportedError as error:
    print(error, exp.get_status(ens))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.stderr == ""
    assert "member ens_1  T=2" in done.stdout
    assert "launcher 'local': needs Linux, and this is darwin" in done.stdout.splitlines()[-1]
    assert (tmp_path / "study/ens/members.csv").exists()


def test_wait_and_finished_have_one_answer_for_what_never_started(exp: Experiment) -> None:
    settings = exp.create_run_settings("true")
    ens, model = exp.create_ensemble("ens", replicas=2, run_settings=settings), exp.create_model("model", settings)
    exp.start(ens[0])

    for entity in (model, ens):
        for ask in (exp.wait, exp.finished):
            with pytest.raises(InputValueError, match=f"^{entity.name}: was not started; start it first$"):
                ask(entity)
    assert (exp.wait(ens[0]), exp.finished(ens[0]), exp.wait()) == (True, True, True)


# --- what cannot be -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", sorted(NO_FILES.keys() - {"directory"}))
def test_an_experiment_has_no_directory_where_something_else_is(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    NO_FILES[kind](tmp_path / "heat")

    with pytest.raises(NoDirectoryError, match=rf"^heat: {tmp_path}/heat is no directory; move it away, or give another name"):
        Experiment("heat")


@pytest.mark.parametrize("time", ["x", float("nan"), -1, True, [1], b"1"])
def test_what_is_no_time_is_an_error_and_not_waited_for(exp: Experiment, time: Any) -> None:
    exp.start(model := exp.create_model("model", exp.create_run_settings("sleep", "1000")), block=False)

    for act in (partial(exp.wait, model, timeout=time), partial(exp.stop, model, grace=time), partial(exp.poll, interval=time)):
        with pytest.raises((InputTypeError, InputValueError), match=r"^(timeout|grace|interval): .*; (give|for example)"):
            act()

    assert model.status.active


@pytest.mark.parametrize("kind", ["directory", "fifo", "socket", "link to itself"])
def test_a_preview_is_not_written_into_what_is_no_file(exp: Experiment, kind: str, tmp_path: Path) -> None:
    NO_FILES[kind](tmp_path / "it")

    with pytest.raises(AccessError, match=r"^preview: output_filename: it.*; (give|move)"):
        exp.preview(exp.create_model("model", exp.create_run_settings("true")), output_filename="it")


def test_without_a_working_directory_everything_else_goes_on(exp: Experiment, tmp_path: Path) -> None:
    settings = exp.create_run_settings("true")
    (tmp_path / "gone").mkdir()
    os.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()

    exp.start(model := exp.create_model("model", settings), progress=False)

    assert model.status is Status.COMPLETED
    gone = r": the working directory was deleted; change into one that is there"
    for act in (lambda: Experiment("x"), lambda: Model("x", None, settings).path, lambda: model.attach_generator_files("x")):
        with pytest.raises(MissingFileError, match=gone):
            act()


@pytest.mark.parametrize("kind", sorted(NO_FILES.keys() - {"directory"}))
def test_no_ensemble_is_made_where_something_else_is(exp: Experiment, kind: str) -> None:
    ens = exp.create_ensemble("ens", replicas=2, run_settings=exp.create_run_settings("true"))
    Path(exp.exp_path).mkdir()
    NO_FILES[kind](Path(exp.exp_path, "ens"))

    for act in (exp.generate, exp.start):
        with pytest.raises(SmartEnsembleError, match=rf"^ens_0: {exp.exp_path}/ens.*; (give|move)"):
            act(ens)

    assert os.listdir(exp.exp_path) == ["ens"]
