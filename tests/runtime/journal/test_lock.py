"""One driver at a time generates and starts in a directory, and none that has ended is in anybody's way."""

import os
from collections.abc import Callable
from pathlib import Path
from subprocess import Popen

import pytest

from smartensemble import Experiment, Status
from smartensemble.errors import StateError
from smartensemble.runtime.journal.journal import FOLDER
from worlds.drivers import started_by
from worlds.strangers import FOREIGN

Driver = Callable[..., "Popen[str]"]


def test_two_drivers_do_not_start_at_once(exp: Experiment, driver: Driver, tmp_path: Path) -> None:
    process = started_by(driver)
    assert process.stdin
    mine = exp.create_model("mine", exp.create_run_settings("true"))

    for act in (exp.start, exp.generate):
        with pytest.raises(StateError, match=rf"pid {process.pid} on {os.uname().nodename} generates or starts"):
            act(mine)
    assert not Path(mine.path).exists()

    process.stdin.close()
    process.wait()
    exp.start(mine, progress=False)
    assert mine.status is Status.COMPLETED


def test_detached_members_leave_the_directory_to_other_drivers(exp: Experiment, driver: Driver) -> None:
    driver("""exp.start(exp.create_model("theirs", settings("sleep", "1000")), detach=True, block=False)""").wait()
    mine = exp.create_model("mine", exp.create_run_settings("true"))
    theirs = exp.create_model("theirs", exp.create_run_settings("true"))

    exp.start(mine, progress=False)

    assert mine.status is Status.COMPLETED
    with pytest.raises(StateError, match="theirs: runs in"):
        exp.start(theirs)


def test_the_lock_of_a_dead_driver_is_in_nobodys_way(exp: Experiment, driver: Driver) -> None:
    process = driver("""
        exp.start(exp.create_model("theirs", settings("sleep", "1000")), block=False)
        os.kill(os.getpid(), signal.SIGKILL)
    """)
    process.wait()
    assert list(Path(exp.exp_path, FOLDER).glob("lock-*"))

    exp.start(exp.create_model("mine", exp.create_run_settings("true")), progress=False)

    assert not list(Path(exp.exp_path, FOLDER).glob("lock-*"))


def test_a_driver_that_has_generated_leaves_the_directory_to_others(exp: Experiment, driver: Driver) -> None:
    process = driver(
        """
        exp.generate(exp.create_model("theirs", settings("true")))
        print("generated", flush=True)
        sys.stdin.read()
    """,
        stdin=-1,
        stdout=-1,
    )
    assert process.stdout
    assert process.stdout.readline() == "generated\n"

    exp.generate(exp.create_model("mine", exp.create_run_settings("true")))

    assert process.poll() is None
    process.communicate("")


@pytest.mark.parametrize("content", FOREIGN.values(), ids=FOREIGN)
def test_a_lock_that_names_nobody_has_a_way_out(exp: Experiment, content: bytes) -> None:
    path = Path(exp.exp_path, FOLDER, "lock-here-4711-1")
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    model = exp.create_model("model", exp.create_run_settings("true"))

    with pytest.raises(StateError, match=r"^study: a process that left a broken lock-here-4711-1 .* abandon it"):
        exp.start(model)

    assert [each.name for each in Path(exp.exp_path).rglob("*")] == [FOLDER, path.name]
