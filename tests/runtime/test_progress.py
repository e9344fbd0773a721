"""Progress is a few plain lines, or a bar on a terminal; it says why members failed, and can be silent."""

import os
import pty
import re
import subprocess
from collections.abc import Callable

import pytest

from smartensemble.experiment import Experiment
from smartensemble.runtime.progress import FAILURES, Progress
from smartensemble.status import Run, Status
from worlds.patience import PATIENCE_S

Driver = Callable[..., "subprocess.Popen[str]"]


def on_terminal(driver: Driver, text: str) -> str:
    """What a driver writes to a terminal."""
    ours, theirs = pty.openpty()
    process = driver(text, stdout=theirs, stderr=theirs)
    os.close(theirs)
    written = b""
    while True:
        try:
            written += (data := os.read(ours, 4096))
        except OSError:  # the last process has closed its end
            break
        if not data:
            break
    process.wait(timeout=PATIENCE_S)
    os.close(ours)
    return written.decode()


def test_without_a_terminal_it_is_two_plain_lines(exp: Experiment, capfd: pytest.CaptureFixture[str]) -> None:
    ens = exp.create_ensemble("ens", replicas=3, run_settings=exp.create_run_settings("true"))

    exp.start(ens)

    out, err = capfd.readouterr()
    first, last = err.splitlines()
    assert out == ""
    assert first == "ens: started 3 members"
    assert last.startswith("ens: 3 Completed in ")


def test_a_failed_members_reason_is_printed(exp: Experiment, capfd: pytest.CaptureFixture[str]) -> None:
    good = exp.create_model("good", exp.create_run_settings("true"))
    bad = exp.create_model("bad", exp.create_run_settings("bash", ["-c", "echo '[red] lost atoms' >&2; exit 3"]))

    exp.start(good, bad)

    _, err = capfd.readouterr()
    assert "bad: exit code 3; the end of bad.err:\n  [red] lost atoms\n" in err
    assert "good, bad: 1 Completed, 1 Failed in " in err


def test_only_the_first_failures_are_printed(exp: Experiment, capfd: pytest.CaptureFixture[str]) -> None:
    ens = exp.create_ensemble("ens", replicas=FAILURES + 3, run_settings=exp.create_run_settings("false"))

    exp.start(ens)

    _, err = capfd.readouterr()
    assert err.count("exit code 1") == FAILURES
    assert f"{FAILURES + 3} Failed" in err


def test_progress_false_is_silent(exp: Experiment, capfd: pytest.CaptureFixture[str]) -> None:
    ens = exp.create_ensemble("ens", replicas=2, run_settings=exp.create_run_settings("false"))

    exp.start(ens, progress=False)

    assert capfd.readouterr() == ("", "")
    assert exp.get_status(ens) == [Status.FAILED, Status.FAILED]


def test_a_driver_without_standard_error_runs(driver: Driver) -> None:
    process = driver("""
        sys.stderr = None
        ens = exp.create_ensemble("ens", replicas=2, run_settings=settings("true"))
        exp.start(ens)
        print(exp.get_status(ens) == [Status.COMPLETED] * 2)
    """)

    assert process.communicate(timeout=PATIENCE_S)[0] == "True\n"


def test_on_a_terminal_a_bar_grows_up_to_the_end(driver: Driver) -> None:
    written = on_terminal(
        driver,
        """
        ens = exp.create_ensemble("melt[1]", replicas=4, run_settings=settings("sleep", "0.2"))
        exp.start(ens, max_running=1)
        """,
    )

    assert re.search("[0-3]/4", written)
    assert "4/4" in written
    assert "melt[1]: 4 Completed in " in written
    assert "started" not in written


def test_on_a_terminal_a_failure_is_printed_above_the_bar(driver: Driver) -> None:
    written = on_terminal(
        driver,
        """
        ens = exp.create_ensemble("ens", replicas=2, run_settings=settings("bash", "-c", "echo oh >&2; exit 4"))
        exp.start(ens)
        """,
    )

    assert "ens_1: exit code 4; the end of ens_1.err:" in written
    assert written.rstrip().endswith("s")
    assert "ens: 2 Failed in " in written.splitlines()[-1]


def test_on_a_terminal_progress_false_is_silent(driver: Driver) -> None:
    assert on_terminal(driver, "exp.start(exp.create_model('m', settings('false')), progress=False)") == ""


def test_a_single_member_is_called_so(capsys: pytest.CaptureFixture[str]) -> None:
    run = Run()

    with Progress("model", [("model", run)]) as shown:
        run.status = Status.CANCELLED
        assert shown.update()

    first, last = capsys.readouterr().err.splitlines()
    assert first == "model: started 1 member"
    assert last.startswith("model: 1 Cancelled in ")
