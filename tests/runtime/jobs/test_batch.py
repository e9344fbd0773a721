"""A batch ensemble is scripts on the disk that bash runs: its members' statuses are read from the files they leave.

Tests share_out.
"""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from smartensemble.command import Command
from smartensemble.ensemble import Ensemble
from smartensemble.errors import InputValueError, StateError
from smartensemble.experiment import Experiment
from smartensemble.results.no_effect import forget
from smartensemble.runtime.jobs.batch import Batch
from smartensemble.schedulers.base import Partition
from smartensemble.schedulers.slurm import SLURM
from smartensemble.settings.batch import BatchSettings
from smartensemble.status import Run, Status
from worlds.drivers import Family
from worlds.patience import PATIENCE_S, time_limits

Eventually = Callable[[Callable[[], object]], None]


def batch(exp: Experiment, *argv: str, replicas: int = 2, **options: object) -> Ensemble:
    """A batch ensemble whose members run a program."""
    settings = exp.create_run_settings(argv[0], list(argv[1:]))
    return exp.create_ensemble("ens", None, BatchSettings(**options), settings, replicas)  # type: ignore[arg-type]


def output(ens: Ensemble, number: int = 0) -> str:
    """What a member wrote."""
    return Path(ens[number].path, f"{ens[number].name}.out").read_text()


def test_case_3_runs_models_that_are_added_later(exp: Experiment) -> None:
    ens = exp.create_ensemble("ens", batch_settings=exp.create_batch_settings())
    for word in ("one", "two"):
        ens.add_model(exp.create_model(word, exp.create_run_settings("echo"), params_as_args={"w": word}))

    exp.start(ens, progress=False)

    assert [Path(member.path, f"{member.name}.out").read_text() for member in ens] == ["-w one\n", "-w two\n"]
    assert exp.get_status(ens) == [Status.COMPLETED] * 2


def test_case_4_runs_parameters(exp: Experiment) -> None:
    run, asked = exp.create_run_settings("echo"), exp.create_batch_settings()
    ens = exp.create_ensemble("ens", {"T": [1, 2]}, asked, run, params_as_args="T")

    exp.start(ens, progress=False)

    assert [output(ens, number) for number in range(2)] == ["-T 1\n", "-T 2\n"]
    assert ens.table()[1]["status"] == "Completed"


def test_case_5_runs_replicas(exp: Experiment) -> None:
    ens = batch(exp, "echo", "hello", replicas=3)

    exp.start(ens, progress=False)

    assert [output(ens, number) for number in range(3)] == ["hello\n"] * 3


def test_a_model_may_be_a_batch_job_of_its_own(exp: Experiment) -> None:
    model = exp.create_model("model", exp.create_run_settings("echo", ["hello"]), batch_settings=BatchSettings())

    exp.start(model, progress=False)

    assert Path(model.path, "model.out").read_text() == "hello\n"
    assert model.status is Status.COMPLETED


def test_the_scripts_stay_on_the_disk_and_run_by_hand(exp: Experiment) -> None:
    ens = batch(exp, "echo", "a  b")
    exp.start(ens, progress=False)
    for member in ens:
        os.unlink(f"{member.path}/{member.name}.out")

    done = subprocess.run(["bash", f"{ens.path}/ens.sh"], cwd="/", capture_output=True, check=True)

    assert done.stdout == b""
    assert [output(ens, number) for number in range(2)] == ["a  b\n"] * 2


def test_the_preamble_concerns_every_member(exp: Experiment) -> None:
    ens = batch(exp, "bash", "-c", "echo $COLOR", preamble=["export COLOR='deep red'"])

    exp.start(ens, progress=False)

    assert [output(ens, number) for number in range(2)] == ["deep red\n"] * 2


def test_names_with_blanks_and_umlauts_are_quoted(exp: Experiment) -> None:
    settings = exp.create_run_settings("bash", ["-c", "echo $V; pwd"], env_vars={"V": "it's; $HOME"})
    ens = exp.create_ensemble("größe 'x' $y", replicas=1, run_settings=settings, batch_settings=BatchSettings())

    exp.start(ens, progress=False)

    assert output(ens).splitlines() == ["it's; $HOME", ens[0].path]


def test_statuses_come_from_files_while_it_runs(exp: Experiment, tmp_path: Path, eventually: Eventually) -> None:
    ens = batch(exp, "bash", "-c", f"until [ -e {tmp_path}/go-${{PWD##*_}} ]; do sleep 0.02; done", replicas=2)
    exp.start(ens, block=False)
    eventually(lambda: exp.get_status(ens) == [Status.RUNNING] * 2)

    (tmp_path / "go-1").touch()

    eventually(lambda: exp.get_status(ens) == [Status.RUNNING, Status.COMPLETED])
    (tmp_path / "go-0").touch()
    assert exp.wait(ens, timeout=PATIENCE_S)
    assert exp.finished(ens)


def test_a_failing_member_fails_alone_and_says_why(exp: Experiment) -> None:
    ens = batch(exp, "bash", "-c", "[ ${PWD##*_} = 0 ] || { echo lost atoms >&2; exit 5; }", replicas=3)

    exp.start(ens, progress=False)

    assert exp.get_status(ens) == [Status.COMPLETED, Status.FAILED, Status.FAILED]
    assert ens[1].run.reason == "exit code 5; the end of ens_1.err:\n  lost atoms"
    assert [row["exit code"] for row in ens.table()] == [0, 5, 5]


def test_a_preamble_that_ends_the_script_fails_all_and_says_why(exp: Experiment) -> None:
    ens = batch(exp, "true", preamble=["echo no such module >&2", "exit 9"])

    exp.start(ens, progress=False)

    assert exp.get_status(ens) == [Status.FAILED] * 2
    assert ens[0].run.reason == "exit code 9; the end of ens.err:\n  no such module"


def test_a_script_that_skips_its_members_fails_them(exp: Experiment) -> None:
    ens = batch(exp, "true", preamble=["exit 0"])

    exp.start(ens, progress=False)

    assert exp.get_status(ens) == [Status.FAILED] * 2
    assert ens[0].run.reason.startswith("the batch job ens ended before it")


def test_a_restart_forgets_what_the_last_run_left(exp: Experiment) -> None:
    ens = batch(exp, "true")
    exp.start(ens, progress=False)
    assert exp.get_status(ens) == [Status.COMPLETED] * 2
    assert ens.batch_settings is not None

    ens.batch_settings.add_preamble("exit 3")
    exp.start(ens, progress=False)

    assert exp.get_status(ens) == [Status.FAILED] * 2
    assert [member.run.exit_code for member in ens] == [None, None]


def test_stop_ends_the_whole_tree_of_a_batch(exp: Experiment, stubborn_family: Family, eventually: Eventually) -> None:
    settings = exp.create_run_settings(stubborn_family.program, env_vars=stubborn_family.env)
    ens = exp.create_ensemble("ens", replicas=1, run_settings=settings, batch_settings=BatchSettings())
    exp.start(ens, block=False)
    eventually(stubborn_family.born)

    exp.stop(ens, grace=0.2)

    assert stubborn_family.alive() == []
    assert (ens[0].status, ens[0].run.reason) == (Status.CANCELLED, "stopped")


def test_stop_keeps_the_status_of_members_that_had_ended(exp: Experiment, eventually: Eventually) -> None:
    ens = batch(exp, "bash", "-c", "[ ${PWD##*_} = 0 ] || sleep 1000")
    exp.start(ens, block=False)
    eventually(lambda: exp.get_status(ens) == [Status.COMPLETED, Status.RUNNING])

    exp.stop()

    assert exp.get_status(ens) == [Status.COMPLETED, Status.CANCELLED]


def test_a_member_of_a_batch_cannot_be_stopped_alone(exp: Experiment) -> None:
    ens = batch(exp, "sleep", "1000")
    exp.start(ens, block=False)

    with pytest.raises(
        StateError, match="ens: runs as one batch job, whose members cannot be stopped alone; stop the ensemble"
    ):
        exp.stop(ens[0])

    assert all(status.active for status in exp.get_status(ens))


def test_the_time_of_a_batch_fails_the_members_that_run(exp: Experiment) -> None:
    ens = batch(exp, "bash", "-c", "[ ${PWD##*_} = 0 ] || sleep 1000")
    assert ens.batch_settings is not None
    for limit in time_limits(1.5):
        ens.batch_settings.time = limit

        exp.start(ens, progress=False)

        assert ens[1].status is Status.FAILED
        assert ens[1].run.reason.startswith(f"ended at its time limit of {limit:g} s")
        if ens[0].status is Status.COMPLETED:
            return
    pytest.fail("a member that ends in time has failed too")


def test_the_time_limit_of_a_member_ends_it_alone(exp: Experiment) -> None:
    ens = batch(exp, "bash", "-c", "[ ${PWD##*_} = 0 ] || sleep 1000")
    ens[1].run_settings.time_limit = 0.3

    exp.start(ens, progress=False)

    assert exp.get_status(ens) == [Status.COMPLETED, Status.FAILED]
    assert ens[1].run.reason.startswith("ended at its time limit of 0.3 s")


def test_options_without_effect_are_named_once(exp: Experiment, caplog: pytest.LogCaptureFixture) -> None:
    forget()
    ens = batch(exp, "true", nodes=4, queue="debug", account="me", time="01:00:00", batch_args={"exclusive": None})

    exp.start(ens, progress=False)

    assert caplog.messages == [
        f"study: {option}: has no effect, because the script runs with bash on this machine"
        for option in ("nodes", "queue", "account", "--exclusive")
    ]


def test_max_running_counts_the_members_of_a_batch(exp: Experiment, tmp_path: Path) -> None:
    (tmp_path / "locks").mkdir()
    line = f"touch {tmp_path}/locks/$$; ls {tmp_path}/locks | wc -l; sleep 0.05; rm {tmp_path}/locks/$$"
    ens = batch(exp, "bash", "-c", line, replicas=8)

    exp.start(ens, max_running=2, progress=False)

    assert max(int(output(ens, number)) for number in range(8)) <= 2
    assert exp.get_status(ens) == [Status.COMPLETED] * 8


def test_a_batch_whose_scripts_cannot_be_written_counts_as_not_started(exp: Experiment) -> None:
    ens = batch(exp, "true")
    exp.generate(ens)
    os.rename(ens[1].path, "elsewhere")

    with pytest.raises(FileNotFoundError):
        exp.start(ens)

    assert exp.get_status(ens) == [Status.NEW] * 2
    os.rename("elsewhere", ens[1].path)
    exp.start(ens, progress=False)
    assert exp.get_status(ens) == [Status.COMPLETED] * 2


def test_batches_and_single_members_start_together(exp: Experiment) -> None:
    ens = batch(exp, "true")
    plain = exp.create_ensemble("plain", replicas=2, run_settings=exp.create_run_settings("true"))

    exp.start(ens, plain, progress=False)

    assert exp.get_status(ens, plain) == [Status.COMPLETED] * 4
    assert not Path(plain[0].path, "plain_0.exit").exists()


def test_an_option_of_a_job_that_is_more_than_a_line_is_an_error_before_it_is_written(tmp_path: Path) -> None:
    settings = BatchSettings()
    settings.batch_args["comment"] = "a\nrm -r b"
    job = Batch("job", tmp_path, [(Command(("/bin/true",), tmp_path), Run())], settings, SLURM, Run())

    with pytest.raises(InputValueError, match="is more than a line, and an option of a batch job is one"):
        job.planned([Partition("main", 4, 8, default=True)])
