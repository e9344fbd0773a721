"""Where driver, supervisor and sentinel were all killed, the next program sees what still runs, and starts nothing twice."""

import ctypes
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from smartensemble.errors import StateError
from smartensemble.experiment import Experiment
from smartensemble.model import Model
from smartensemble.runtime.standalone.prctl import PR_SET_CHILD_SUBREAPER, adopt_orphans
from smartensemble.runtime.standalone.procfs import STATE, send, stat
from smartensemble.status import Status
from worlds.drivers import children, lives
from worlds.patience import PATIENCE_S, eventually

Driver = Callable[..., "subprocess.Popen[str]"]

#: A member of two processes, one of which hides and ignores SIGTERM. They write their numbers, the member's own last.
PROGRAM = """
(env -i PATH="$PATH" setsid sh -c 'trap "" TERM; echo $$ > hidden; exec sleep 1000' &)
until test -s hidden; do sleep 0.01; done
echo $$ > new; mv new pid
exec sleep 1000
"""


class Left:
    """A member that still runs, though everybody is gone who watched it."""

    def __init__(self, model: Model, directory: Path) -> None:
        self.model = model
        self.hidden, self.pid = (int((directory / name).read_text()) for name in ("hidden", "pid"))


@pytest.fixture
def parent() -> Iterator[None]:
    """While this lasts, this process is the parent of what loses its own, and does not ask how it ends."""
    adopt_orphans()
    yield
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    prctl = ctypes.CDLL(None).prctl
    prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


@pytest.fixture
def left(exp: Experiment, driver: Driver, script: Callable[[str], str]) -> Iterator[Left]:
    """A member that was left, with whom nobody has begun anything."""
    process = driver(f"""
        exp.start(exp.create_model("model", settings({script(PROGRAM)!r})), block=False)
        print(exp._runner._launcher.sentinel, flush=True)
        signal.pause()
    """)
    assert process.stdout
    sentinel = int(process.stdout.readline())
    eventually(Path("study/model/pid").exists)
    everybody = [process.pid, sentinel, *children(sentinel)]
    for number in (signal.SIGSTOP, signal.SIGKILL):  # so none of them ends anything when another one has gone
        for pid in everybody:
            os.kill(pid, number)
    process.wait()
    member = Left(exp.create_model("model", exp.create_run_settings("true")), Path("study/model"))
    yield member
    for pid in (member.pid, member.hidden):
        send(pid, signal.SIGKILL)


def test_a_member_that_still_runs_is_running_and_does_not_start_again(exp: Experiment, left: Left) -> None:
    assert exp.get_status(left.model) == [Status.RUNNING]

    with pytest.raises(StateError, match=r"model: runs in .*; wait for it or stop it first"):
        exp.start(left.model)

    assert not exp.finished(left.model)


def test_stop_ends_all_that_it_started_and_then_it_may_start(exp: Experiment, left: Left) -> None:
    exp.stop(left.model, grace=0.2)

    assert [pid for pid in (left.pid, left.hidden) if lives(pid)] == []
    assert (left.model.status, left.model.run.reason) == (Status.CANCELLED, "stopped")
    exp.start(left.model, progress=False)
    assert left.model.status is Status.COMPLETED


def test_when_it_ends_the_reason_says_what_may_still_run(exp: Experiment, left: Left) -> None:
    os.kill(left.pid, signal.SIGKILL)

    assert exp.wait(left.model, timeout=PATIENCE_S)
    assert left.model.status is Status.FAILED
    words = (
        f"is gone and left no word; processes {left.hidden}, which it has left, may still run: end them first; start it again"
    )
    assert words in left.model.run.reason


def test_what_has_ended_does_not_run_although_its_parent_has_not_asked_how(parent: None, exp: Experiment, left: Left) -> None:
    for pid in (left.pid, left.hidden):
        os.kill(pid, signal.SIGKILL)
    eventually(lambda: not lives(left.pid))

    assert stat(left.pid)[STATE] == b"Z"
    assert exp.get_status(left.model) == [Status.FAILED]
