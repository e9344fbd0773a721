"""A database from a shell: start, status, stop.

Tests cli.
"""

import subprocess
import sys
from pathlib import Path

import pytest
import redis


def smartensemble(*arguments: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "smartensemble", *arguments], cwd=cwd, capture_output=True, text=True, check=False
    )


@pytest.mark.needs("database")
def test_a_database_is_started_looked_at_and_stopped(tmp_path: Path) -> None:
    started = smartensemble("db", "start", "db", "--access", "open", "--checkpoint", "1000", cwd=tmp_path)
    address, record = started.stdout.splitlines()
    assert (record, started.returncode) == (f"{tmp_path}/db/smartsim_db.json", 0)
    try:
        with redis.Redis(port=int(address.rpartition(":")[2])) as client:
            client.set("key", "value")
        assert smartensemble("db", "status", "db", cwd=tmp_path).stdout == f"orchestrator: runs at {address}; open\n"
        again = smartensemble("db", "start", "db", cwd=tmp_path)
        assert (again.returncode, "runs in" in again.stderr) == (2, True)
    finally:
        stopped = smartensemble("db", "stop", "db", cwd=tmp_path)
    assert (stopped.stdout, stopped.returncode) == ("orchestrator: stopped\n", 0)
    assert Path(tmp_path, "db", "orchestrator.rdb").exists()


def test_what_does_not_run_is_told_by_the_exit_code(tmp_path: Path) -> None:
    status, stop = (smartensemble("db", act, cwd=tmp_path) for act in ("status", "stop"))

    assert (status.stdout, status.returncode) == ("database: does not run\n", 1)
    assert (stop.stdout, stop.returncode) == ("database: does not run\n", 0)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(
            ["db", "start", "--interface", "ipogif0"],
            "no address of an interface 'ipogif0'",
            marks=pytest.mark.needs("database"),
        ),
        (["db", "start", "--nodes", "0"], "db_nodes"),
        (["db", "start", "--access", "publik"], "invalid choice: 'publik'"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(arguments: list[str], words: str, tmp_path: Path) -> None:
    done = smartensemble(*arguments, cwd=tmp_path)

    assert (done.returncode, words in done.stderr, "Traceback" in done.stderr) == (2, True, False)


@pytest.mark.parametrize("command", ["db status | true", "--help | true", "db status >&- 2>&-"])
def test_a_reader_that_went_away_is_no_error(command: str, tmp_path: Path) -> None:
    line = f"{sys.executable} -m smartensemble {command}"
    done = subprocess.run(["bash", "-c", line], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.stderr == ""


def test_an_answer_that_does_not_fit_on_the_disk_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    command = f"{sys.executable} -m smartensemble db status > /dev/full"
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (2, "smartensemble: [Errno 28] No space left on device\n")


def test_a_name_is_printed_with_the_letters_there_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")

    assert smartensemble("db", "status", "größe", cwd=tmp_path).stdout == "gr\\xf6\\xdfe: does not run\n"
