"""Programs and drivers: real processes."""

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from smartensemble.experiment import Experiment
from smartensemble.model import Model
from smartensemble.runtime.local.launcher import local
from smartensemble.runtime.standalone.procfs import tree
from worlds import patience

#: A program that leaves every kind of process behind, each of which writes its number into the file FAMILY.
FAMILY = """\
#!/bin/bash
born='echo $$ >> "$0"; exec sleep 1000'
sh -c "$born" "$FAMILY" &
setsid sh -c "$born" "$FAMILY" &
(setsid sh -c "$born" "$FAMILY" &)
(env -i PATH="$PATH" setsid sh -c "$born" "$FAMILY" &)
sh -c 'echo $$ >> "$0"; kill -STOP $$; exec sleep 1000' "$FAMILY" &
if [ -n "$STUBBORN" ]; then (setsid sh -c "trap '' TERM; $born" "$FAMILY" &); fi
echo $$ >> "$FAMILY"
wait
"""

#: How the drivers of tests begin.
DRIVER = f"""\
import os, signal, subprocess, sys, threading, time, warnings
from pathlib import Path
from smartensemble.experiment import Experiment
from smartensemble.status import Status
warnings.filterwarnings("ignore", "This process .* is multi-threaded")  # Python 3.12 says so of each fork, and some fork
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it, and so would we
exp = Experiment("study")
PATIENCE_S = {patience.PATIENCE_S}
def settings(*argv, **options):
    return exp.create_run_settings(argv[0], list(argv[1:]), **options)
"""


class Family:
    """The processes of a member that runs :data:`FAMILY`."""

    def __init__(self, directory: Path, stubborn: bool = False) -> None:
        self.size = 7 if stubborn else 6
        self.log = directory / "family.log"
        self.log.touch()
        self.program = str(directory / "family")
        Path(self.program).write_text(FAMILY)
        Path(self.program).chmod(0o755)
        self.env = {"FAMILY": str(self.log), "STUBBORN": "yes" if stubborn else ""}

    def run(self, exp: Experiment) -> Model:
        """A member that runs the program, and has started all of them."""
        model = exp.create_model("model", exp.create_run_settings(self.program, env_vars=self.env))
        exp.start(model, block=False)
        patience.eventually(self.born)
        return model

    def born(self) -> bool:
        """All of them have written their number."""
        return len(self.log.read_text().splitlines()) >= self.size

    def alive(self) -> list[int]:
        """Those that live."""
        return [pid for pid in map(int, self.log.read_text().split()) if lives(pid)]


def lives(pid: int) -> bool:
    """There is such a process, and it is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def started_by(driver: Callable[..., "subprocess.Popen[str]"]) -> "subprocess.Popen[str]":
    """A driver that has started a member "theirs", and lives until its input ends."""
    process = driver(
        """
        exp.start(exp.create_model("theirs", settings("sleep", "1000")), block=False)
        print("started", flush=True)
        sys.stdin.read()
        """,
        stdin=-1,
    )
    assert process.stdout
    assert process.stdout.readline() == "started\n"
    return process


def sentinel_and_supervisor() -> tuple[int, int]:
    """The sentinel and the supervisor of this process, once both are there."""
    sentinel = local().sentinel
    return sentinel, patience.eventually(lambda: children(sentinel))[0]


def children(pid: int) -> list[int]:
    """The processes whose parent is `pid`, zombies among them."""
    return [child for child, process in tree().items() if process.parent == pid]


def output(exp: Experiment, program: str, *arguments: str, **options: object) -> str:
    """What a member writes to its standard output."""
    model = exp.create_model("model", exp.create_run_settings(program, list(arguments), **options))  # type: ignore[arg-type]
    exp.start(model, progress=False)
    return Path(model.path, "model.out").read_text()


@pytest.fixture
def eventually() -> Callable[[Callable[[], object]], object]:
    """Wait until a claim holds; a claim that never does fails the test."""
    return patience.eventually


@pytest.fixture
def family(tmp_path: Path) -> Iterator[Family]:
    """A program that leaves every kind of process behind."""
    made = Family(tmp_path)
    yield made
    for pid in made.alive():
        os.kill(pid, signal.SIGKILL)


@pytest.fixture
def stubborn_family(tmp_path: Path) -> Iterator[Family]:
    """A program that leaves every kind of process behind, one of which ignores SIGTERM."""
    made = Family(tmp_path, stubborn=True)
    yield made
    for pid in made.alive():
        os.kill(pid, signal.SIGKILL)


@pytest.fixture
def driver(tmp_path: Path) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Run a driver as a process of its own, in a session of its own, and with both outputs in one pipe."""
    started: list[subprocess.Popen[str]] = []

    def run(text: str, wrapper: Sequence[str] = (), **options: Any) -> "subprocess.Popen[str]":
        path = tmp_path / "driver.py"
        path.write_text(DRIVER + textwrap.dedent(text))
        streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT} | options
        argv = [*wrapper, sys.executable, str(path)]
        process = subprocess.Popen(argv, cwd=tmp_path, text=True, start_new_session=True, **streams)
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()
