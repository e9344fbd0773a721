"""Whoever starts a driver may have ignored or blocked signals, closed descriptors, or set low limits: members run and end."""

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from smartensemble.runtime import standalone
from smartensemble.runtime.standalone.colocated import Wrapping
from worlds.drivers import Family, children, lives
from worlds.patience import PATIENCE_S

Driver = Callable[..., "subprocess.Popen[str]"]
Eventually = Callable[[Callable[[], object]], None]

#: What a driver inherits: by a line of shell before it, or as what it does first.
INHERITED = {
    "signals ignored": ("trap '' HUP TERM PIPE USR1 USR2 ALRM CHLD", ""),
    "signals blocked": ("", "signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())"),
    "no standard descriptors": ("exec <&- >&- 2>&-", ""),
    "low limits": ("umask 077; ulimit -n 20; ulimit -x 100", ""),
    "a directory that is gone": ("exec 2>&-", "os.mkdir('gone'); os.chdir('gone'); os.rmdir('../gone')"),
}


def before(line: str) -> list[str]:
    """The beginning of the command line of a driver that a line of shell prepares."""
    return ["bash", "-c", f'{line}\nexec "$@"', "bash"]


@pytest.mark.parametrize(("line", "first"), INHERITED.values(), ids=INHERITED)
def test_members_run_whatever_a_driver_inherits(line: str, first: str, driver: Driver, tmp_path: Path) -> None:
    process = driver(
        f"""
        settings = exp.create_run_settings("sh", ["-c", "grep -E '^Sig(Blk|Ign)' /proc/self/status; exit 3"])
        ens = exp.create_ensemble("ens", replicas=3, run_settings=settings)
        good = exp.create_model("good", exp.create_run_settings("true"))
        {first}
        exp.start(ens, good, max_running=2)
        Path({str(tmp_path)!r}, "ended").write_text(repr([member.run.exit_code for member in (*ens, good)]))
        """,
        wrapper=before(line),
        stdout=subprocess.DEVNULL,
        stderr=None,
    )

    assert process.wait(PATIENCE_S) == 0
    assert (tmp_path / "ended").read_text() == "[3, 3, 3, 0]"
    masks = (tmp_path / "study/ens/ens_0/ens_0.out").read_text().split()[1::2]
    standard = (1 << 31) - 1  # 32 and 33 are the C library's own
    assert [int(mask, 16) & standard for mask in masks] == [0, 0]


@pytest.mark.parametrize("victim", ["driver", "supervisor", "sentinel"])
def test_nothing_is_left_where_sigchld_is_ignored(victim: str, driver: Driver, family: Family, eventually: Eventually) -> None:
    process = driver(
        f"""
        model = exp.create_model("model", settings({family.program!r}, env_vars={family.env!r}))
        exp.start(model, block=False)
        print(exp._runner._launcher.sentinel, flush=True)
        exp.wait()
        print(model.run.reason, flush=True)
        """,
        wrapper=before("trap '' CHLD"),
    )
    assert process.stdout
    sentinel = int(process.stdout.readline())
    eventually(family.born)

    [supervisor] = children(sentinel)
    os.kill({"driver": process.pid, "supervisor": supervisor, "sentinel": sentinel}[victim], signal.SIGKILL)

    said, _ = process.communicate(timeout=PATIENCE_S)
    eventually(lambda: not (family.alive() or lives(supervisor) or lives(sentinel)))
    assert "Traceback" not in said
    if victim == "supervisor":
        assert said == "the supervisor was killed, and every member with it; start it again\n"


def test_neither_supervisor_nor_sentinel_stays_in_a_directory_that_somebody_may_remove(driver: Driver) -> None:
    process = driver("""
        exp.start(exp.create_model("model", settings("true")), progress=False)
        print(exp._runner._launcher.sentinel, flush=True)
        signal.pause()
    """)
    assert process.stdout
    sentinel = int(process.stdout.readline())

    assert [os.readlink(f"/proc/{pid}/cwd") for pid in (sentinel, *children(sentinel))] == ["/", "/"]


def test_a_wrapper_says_what_is_wrong_though_nothing_can_be_written(tmp_path: Path) -> None:
    """Its exit code is the one of a member that could not be run, wherever its standard error goes."""
    argv = [*standalone.command("colocated"), str(Wrapping(name="model", variable="SSDB", server="/no/server")), "true"]

    for nowhere in ("2>/dev/full", "2>&-", "<&- >&- 2>&-"):
        assert subprocess.run([*before(f"exec {nowhere}"), *argv], cwd=tmp_path, check=False).returncode == 125
