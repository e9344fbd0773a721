"""A member finds an empty input, two outputs and its environment, whatever its driver has."""

import signal
from pathlib import Path

import pytest

from smartensemble.experiment import Experiment
from smartensemble.runtime.local.launcher import local
from worlds.drivers import output


def test_standard_input_is_empty(exp: Experiment) -> None:
    assert output(exp, "readlink", "/proc/self/fd/0") == "/dev/null\n"
    assert exp.summary().count("Completed") == 1


def test_a_member_inherits_no_descriptor_but_its_three(exp: Experiment) -> None:
    assert output(exp, "bash", "-c", "for n in {0..40}; do [ -e /proc/$$/fd/$n ] && echo $n; done; true") == "0\n1\n2\n"


def test_each_member_leads_a_process_group(exp: Experiment) -> None:
    ens = exp.create_ensemble(
        "ens", replicas=2, run_settings=exp.create_run_settings("bash", ["-c", "echo $$; ps -o pgid= $$"])
    )

    exp.start(ens, progress=False)

    numbers = [Path(member.path, f"{member.name}.out").read_text().split() for member in ens]
    assert all(pid == group for pid, group in numbers)
    assert numbers[0] != numbers[1]


def test_no_signal_is_blocked_or_ignored_in_a_member(exp: Experiment) -> None:
    lines = output(exp, "grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status").splitlines()

    inherited = {signal.SIGHUP, signal.SIGINT, signal.SIGQUIT}  # nohup, and a shell's background, ignore these for all below
    ours = sum(1 << number - 1 for number in inherited if signal.getsignal(number) is signal.SIG_IGN)
    standard = (1 << 31) - 1  # 32 and 33 are the C library's own
    assert [int(line.split()[1], 16) & standard & ~ours for line in lines] == [0, 0]


def test_both_outputs_are_appended_and_shared_with_children(exp: Experiment) -> None:
    text = output(exp, "bash", "-c", "echo first; (echo second); sh -c 'echo third'; echo wrong >&2")

    assert text == "first\nsecond\nthird\n"
    assert Path("study/model/model.err").read_text() == "wrong\n"


def test_a_restart_empties_the_outputs_first(exp: Experiment) -> None:
    output(exp, "echo", "a long first line")
    model = exp.create_model("model", exp.create_run_settings("echo", ["short"]))

    exp.start(model, progress=False)

    assert Path(model.path, "model.out").read_text() == "short\n"


def test_a_member_is_told_its_own_directory(exp: Experiment) -> None:
    assert output(exp, "printenv", "PWD") == f"{exp.exp_path}/model\n"


def test_a_member_sees_the_drivers_variables_of_now_and_its_own(exp: Experiment, monkeypatch: pytest.MonkeyPatch) -> None:
    local()
    monkeypatch.setenv("OF_DRIVER", "later")
    monkeypatch.setenv("OF_BOTH", "driver")

    lines = output(exp, "env", env_vars={"OF_BOTH": "member", "OF_MEMBER": "ü and blanks"}).splitlines()

    assert {"OF_DRIVER=later", "OF_BOTH=member", "OF_MEMBER=ü and blanks"} <= set(lines)
