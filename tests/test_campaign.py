"""Whatever breaks at whatever moment, what members did, what their statuses say and what is left agree.

What breaks, and what is checked, stands in ``faults``; ``nox -s faults`` does 500 rounds.
"""

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from faults import campaign
from faults.campaign import Round


@pytest.mark.needs("database")
def test_nothing_is_lost_left_or_untrue_after_a_fault(tmp_path: Path) -> None:
    argv = [sys.executable, campaign.__file__, "--rounds", "6", "--seed", "3"]

    done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=tmp_path)

    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr


@pytest.mark.parametrize(
    ("log", "status", "problem"),
    [
        ("1 ens_0 begin\n1 ens_0 end\n", "Completed", ""),
        ("1 ens_0 begin\n", "Completed", "ens_0 is Completed, and has not ended"),
        ("1 ens_0 begin\n", "Running", "ens_0 does not live, and is Running: why"),
        ("1 ens_0 begin\n", "Failed", ""),
    ],
)
def test_an_untrue_status_is_noticed(log: str, status: str, problem: str, tmp_path: Path) -> None:
    (tmp_path / "log").write_text(log)
    (tmp_path / "answer-2.json").write_text(json.dumps({"status": {"ens_0": status}, "reason": {"ens_0": "why"}}))
    each = Round(0, random.Random(0), tmp_path, tmp_path, members=1)

    assert "".join(campaign.of_the_statuses(each, [])) == problem


def test_a_member_that_ran_twice_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("1 ens_0 begin\n1 ens_0 begin\n3 ens_0 begin\n")

    assert [*campaign.of_the_log(Round(0, random.Random(0), tmp_path, tmp_path))] == ["turn 1: ens_0 did begin 2 times"]


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ({"error": "StateError: m: runs; stop it first"}, ""),
        ({"error": "StateError: m: runs"}, "turn 3: an error that names no way: StateError: m: runs"),
        ({"foreign": "OSError"}, "turn 3: OSError"),
    ],
)
def test_an_error_of_somebody_else_or_without_a_way_out_is_noticed(
    answer: dict[str, str], problem: str, tmp_path: Path
) -> None:
    (tmp_path / "answer-3.json").write_text(json.dumps(answer))

    assert "".join(campaign.of_the_answer(Round(0, random.Random(0), tmp_path, tmp_path), 3)) == problem
