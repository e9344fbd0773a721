"""The scripts are run by bash itself: what they are for is what they do."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from smartensemble.command import Command
from smartensemble.schedulers.base import LOCAL, Scheduler
from smartensemble.schedulers.script import batch_script, member_script
from worlds.patience import PATIENCE_S, time_limits

#: What is hard to quote.
VALUES = ["a b", "", "a'b", 'a"b', "$HOME", "`id`", "a\nb", "é漢😀", "*", "\\", "-n", "a;b", "!x", "~", "#x", "a\tb", "{a,b}"]
NAMES = ["melt_0", "melt 0", "é漢", "a'b", "$(x)", "-rf", "a;b", "a&b", "%s", "~"]

#: A program that prints its arguments and an environment variable as Python would.
SHOW = "import os, sys; print(ascii([sys.argv[1:], os.environ.get('VALUE')]))"


def bash(script: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """The script, run in `cwd`."""
    return subprocess.run(["bash", "-s"], input=script, cwd=cwd, capture_output=True, text=True, check=False)


def shell(directory: Path, script: str, name: str = "melt_0") -> Command:
    """A member that runs some lines of shell."""
    directory.mkdir(parents=True, exist_ok=True)
    return Command(("/bin/sh", "-c", script), directory, name=name)


def batch(
    home: Path, members: dict[str, str], max_running: int | None = None, preamble: str = ""
) -> subprocess.CompletedProcess[str]:
    """A batch job of members, each some lines of shell, run as a scheduler would: its script, from elsewhere."""
    scripts = []
    for name, lines in members.items():
        command = shell(home / name, lines, name)
        scripts.append(command.cwd / f"{name}.sh")
        scripts[-1].write_text(member_script(command))
    (home / "job.sh").write_text(batch_script("melt", home, scripts, LOCAL, {}, preamble.splitlines(), max_running))
    return subprocess.run(["bash", home / "job.sh"], cwd="/", capture_output=True, text=True, check=False)


@pytest.mark.parametrize("code", [0, 1, 7, 127, 255])
def test_a_member_script_ends_with_its_programs_exit_code_and_writes_it_down(tmp_path: Path, code: int) -> None:
    done = bash(member_script(shell(tmp_path, f"exit {code}")), Path("/"))

    assert done.returncode == code
    assert (tmp_path / "melt_0.exit").read_text() == f"{code}\n"
    assert (done.stdout, done.stderr) == ("", "")


def test_a_program_that_a_signal_ends_leaves_128_and_its_number(tmp_path: Path) -> None:
    done = bash(member_script(shell(tmp_path, "kill -TERM $$")), Path("/"))

    assert done.returncode == 128 + 15
    assert (tmp_path / "melt_0.exit").read_text() == "143\n"


def test_output_and_errors_go_to_files_and_input_is_empty(tmp_path: Path) -> None:
    bash(member_script(shell(tmp_path, "cat; echo out; echo err >&2")) + "echo not for the member", Path("/"))

    assert (tmp_path / "melt_0.out").read_text() == "out\n"
    assert (tmp_path / "melt_0.err").read_text() == "err\n"


def test_it_says_that_it_started_and_forgets_an_earlier_end(tmp_path: Path) -> None:
    (tmp_path / "melt_0.exit").write_text("0\n")
    command = shell(tmp_path, "test -e melt_0.started && test ! -e melt_0.exit")

    assert bash(member_script(command), Path("/")).returncode == 0


@pytest.mark.parametrize("value", VALUES)
def test_arguments_and_environment_arrive_as_they_are(tmp_path: Path, value: str) -> None:
    command = Command((sys.executable, "-c", SHOW, value, "last"), tmp_path, {"VALUE": value}, "melt_0")

    done = bash(member_script(command), Path("/"))

    assert done.returncode == 0
    assert (tmp_path / "melt_0.out").read_text() == ascii([[value, "last"], value]) + "\n"


@pytest.mark.parametrize("name", NAMES)
def test_any_name_and_directory_will_do(tmp_path: Path, name: str) -> None:
    command = shell(tmp_path / name, "pwd; exit 3", name)

    done = bash(member_script(command), Path("/"))

    assert (done.returncode, done.stderr) == (3, "")
    assert command.out.read_text() == f"{tmp_path}/{name}\n"
    assert (command.cwd / f"{name}.exit").read_text() == "3\n"


def test_a_directory_that_is_gone_runs_nothing(tmp_path: Path) -> None:
    command = replace(shell(tmp_path, "touch ran"), cwd=tmp_path / "gone")

    done = bash(member_script(command), tmp_path)

    assert done.returncode == 1
    assert list(tmp_path.iterdir()) == []


def test_a_member_that_outlives_its_limit_is_ended(tmp_path: Path) -> None:
    for limit in time_limits(0.2):
        done = bash(member_script(replace(shell(tmp_path, "echo begun; sleep 600"), time_limit=limit)), Path("/"))

        assert done.returncode == 124
        assert (tmp_path / "melt_0.exit").read_text() == "124\n"
        if (tmp_path / "melt_0.out").read_text() == "begun\n":
            return
    pytest.fail("it never began")


@pytest.mark.parametrize(
    ("limit", "word"), [(60, "60"), (60.0, "60"), (0.5, "0.5"), (1234567.5, "1234567.5"), (31_536_000, "31536000")]
)
def test_a_limit_is_written_to_the_second(limit: float, word: str) -> None:
    script = member_script(Command(("/bin/echo",), Path("/tmp"), time_limit=limit))

    assert f"timeout --kill-after=5 {word} /bin/echo" in script


def test_no_limit_means_no_timeout() -> None:
    assert "timeout" not in member_script(Command(("/bin/echo",), Path("/tmp")))


def test_a_batch_whose_members_complete_completes(tmp_path: Path) -> None:
    done = batch(tmp_path, {f"melt_{number}": f"echo {number}" for number in range(20)})

    assert (done.returncode, done.stderr) == (0, "")
    assert [(tmp_path / f"melt_{n}" / f"melt_{n}.out").read_text() for n in range(20)] == [f"{n}\n" for n in range(20)]


@pytest.mark.parametrize("end", ["exit 1", "exit 7", "exit 255", "kill -KILL $$", "no-such-program"])
@pytest.mark.parametrize("max_running", [None, 1])
def test_a_member_that_fails_fails_the_job_and_ends_no_other(tmp_path: Path, end: str, max_running: int | None) -> None:
    done = batch(tmp_path, {"a": "true", "b": end, "c": "echo c", "d": "echo d"}, max_running)

    assert done.returncode != 0
    assert [(tmp_path / name / f"{name}.exit").read_text() for name in "acd"] == ["0\n"] * 3
    assert (tmp_path / "b" / "b.exit").read_text() != "0\n"


def test_members_run_at_once_and_can_wait_for_each_other(tmp_path: Path) -> None:
    """A pipe with a reader and a writer: one after the other, both would wait for ever."""
    pipe = tmp_path / "pipe"
    subprocess.run(["mkfifo", pipe], check=True)

    done = batch(
        tmp_path, {"reader": f"timeout {PATIENCE_S} cat {pipe}", "writer": f"timeout {PATIENCE_S} sh -c 'echo hello > {pipe}'"}
    )

    assert done.returncode == 0
    assert (tmp_path / "reader" / "reader.out").read_text() == "hello\n"


@pytest.mark.parametrize("max_running", [1, 3])
def test_no_more_run_than_may_at_once(tmp_path: Path, max_running: int) -> None:
    """Each member takes a place that is free, and fails if it finds none."""
    take = (
        f"for p in $(seq {max_running}); do mkdir {tmp_path}/$p 2>/dev/null && break; p=none; done; test $p != none || exit 1"
    )
    lines = f"{take}; sleep 0.05; rmdir {tmp_path}/$p"

    done = batch(tmp_path, {f"melt_{number}": lines for number in range(8)}, max_running)

    assert done.returncode == 0
    assert all((tmp_path / f"melt_{number}" / f"melt_{number}.exit").read_text() == "0\n" for number in range(8))


def test_members_of_any_name_run_in_a_batch(tmp_path: Path) -> None:
    done = batch(tmp_path, dict.fromkeys(NAMES, "pwd"))

    assert (done.returncode, done.stderr) == (0, "")
    assert [(tmp_path / name / f"{name}.out").read_text() for name in NAMES] == [f"{tmp_path}/{name}\n" for name in NAMES]


def test_a_batch_runs_in_a_directory_of_any_name(tmp_path: Path) -> None:
    home = tmp_path / "a 'b\né"
    home.mkdir()

    done = batch(home, {"melt_0": "echo 1"})

    assert (done.returncode, done.stderr) == (0, "")
    assert (home / "melt_0" / "melt_0.out").read_text() == "1\n"


def test_members_that_live_elsewhere_are_named_in_full(tmp_path: Path) -> None:
    (tmp_path / "job").mkdir()
    (tmp_path / "other.sh").write_text("exit 0\n")

    script = batch_script("melt", tmp_path / "job", [tmp_path / "other.sh"], LOCAL, {})

    assert f"    {tmp_path}/other.sh\n" in script
    assert bash(script, Path("/")).returncode == 0


def test_the_preamble_runs_before_the_members_and_for_all(tmp_path: Path) -> None:
    done = batch(tmp_path, {"a": 'echo "$MODULE"', "b": 'echo "$MODULE"'}, preamble="export MODULE='lammps é'\ncd /tmp")

    assert done.returncode == 0
    assert [(tmp_path / name / f"{name}.out").read_text() for name in "ab"] == ["lammps é\n"] * 2


def test_a_directory_that_is_gone_fails_the_job(tmp_path: Path) -> None:
    script = batch_script("melt", tmp_path / "gone", [tmp_path / "gone" / "a.sh"], LOCAL, {})

    assert bash(script, tmp_path).returncode == 1


def test_options_stand_above_the_first_command(tmp_path: Path) -> None:
    """Schedulers stop reading options at the first line that is no comment."""
    scheduler = Scheduler("slurm", "#SBATCH", {"nodes": "--nodes={}"})

    lines = batch_script("melt", tmp_path, [tmp_path / "a.sh"], scheduler, {"nodes": 2}, ["module load x"]).splitlines()

    assert lines[:4] == ["#!/bin/bash", "#SBATCH --nodes=2", "# melt: a batch job of 1 member", "module load x"]
