"""Whatever a member's process does to hide, stop finds it, and takes nobody else's."""

import os
import resource
from collections.abc import Callable
from pathlib import Path

import pytest

from smartensemble.experiment import Experiment
from smartensemble.runtime.standalone.supervision.mark import LOW, RLIMIT_LOCKS, mark_in_environment, mark_of
from smartensemble.status import Status
from worlds.drivers import lives, output

Script = Callable[[str], str]
Eventually = Callable[[Callable[[], object]], None]

#: How a process gets out of its member's group and environment, and away from its parent. It writes its number.
HIDES = """
(env -i PATH="$PATH" setsid sh -c '(setsid sh -c "cd /; echo \\$\\$ > {pid}.new; mv {pid}.new {pid}; exec sleep 1000" &)' &)
"""


@pytest.fixture
def hiding(tmp_path: Path, script: Script) -> tuple[str, Path]:
    """A program that leaves a hidden process behind, and the file with its number."""
    path = tmp_path / "hidden"
    return script(HIDES.format(pid=path) + "until test -e $1; do sleep 0.02; done"), path


def test_stop_takes_a_hidden_process_while_other_members_run(
    exp: Experiment, hiding: tuple[str, Path], eventually: Eventually
) -> None:
    program, hidden = hiding
    model = exp.create_model("model", exp.create_run_settings(program, ["never"]))
    other = exp.create_model("other", exp.create_run_settings("sleep", ["1000"]))
    exp.start(model, other, block=False)
    eventually(hidden.exists)

    exp.stop(model)

    assert not lives(int(hidden.read_text()))
    assert other.status is Status.RUNNING


def test_stop_takes_what_a_member_that_ended_has_hidden_and_spares_the_others(
    exp: Experiment, hiding: tuple[str, Path], eventually: Eventually
) -> None:
    program, hidden = hiding
    model = exp.create_model("model", exp.create_run_settings(program, [str(hidden)]))
    other = exp.create_model("other", exp.create_run_settings("sleep", ["1000"]))
    exp.start(other, block=False)
    exp.start(model, progress=False)
    pid = int(hidden.read_text())

    exp.stop(other)
    assert lives(pid)
    exp.stop(model)

    assert not lives(pid)
    assert model.status is Status.COMPLETED


def test_limit_and_variable_say_the_same(exp: Experiment) -> None:
    text = output(exp, "sh", "-c", "grep 'Max file locks' /proc/self/limits; echo $SMARTENSEMBLE_MEMBER")

    limit, variable = text.splitlines()
    assert variable == f"model:{limit.split()[3]}"


def test_a_process_that_no_member_has_started_has_no_mark() -> None:
    assert (mark_of(1), mark_in_environment(os.getpid())) == (0, 0)
    assert (mark_of(2**30), mark_in_environment(2**30)) == (0, 0)


def test_a_driver_that_a_member_runs_does_not_mix_its_members_up(exp: Experiment, tmp_path: Path) -> None:
    """Both drivers call their first member 1; the upper half of the mark says whose it is."""
    inner = tmp_path / "inner.py"
    inner.write_text(
        "from smartensemble import Experiment\n"
        "exp = Experiment('inner')\n"
        "model = exp.create_model('model', exp.create_run_settings('grep', ['Max file locks', '/proc/self/limits']))\n"
        "exp.start(model, progress=False)\n"
        "print(open('/proc/self/limits').read().partition('Max file locks')[2].split()[0])\n"
        "print(open(model.path + '/model.out').read().split()[3])\n"
    )

    outer, below = map(int, output(exp, "python", str(inner)).split())

    assert (outer & LOW, below & LOW) != (0, 0)
    assert outer & ~LOW != below & ~LOW
    assert resource.getrlimit(RLIMIT_LOCKS)[0] != outer
