"""How a member of a batch job and the job itself ended, for all evidence that there can be."""

from typing import Any

import pytest

from smartensemble.runtime.jobs.verdict import JobEvidence, MemberEvidence, conclusive, job_verdict, member_verdict
from smartensemble.status import Status

TERM, KILL = 143, 137


@pytest.mark.parametrize(
    ("evidence", "verdict"),
    [
        ({}, None),
        ({"exit_code": 0}, ("exit", 0)),
        ({"exit_code": 3, "over": True, "status": Status.COMPLETED}, ("exit", 3)),
        ({"exit_code": 3, "stopping": True}, ("exit", 3)),  # it failed before stop reached it
        ({"exit_code": 124}, ("exit", 124)),  # nobody set a time limit, so the program said so itself
        ({"exit_code": 124, "has_time_limit": True}, ("limit", 124)),
        ({"exit_code": KILL, "has_time_limit": True, "exit_age_s": 9}, ("limit", KILL)),
        # A signal may be its own, or the job's end.
        ({"exit_code": TERM, "exit_age_s": 1}, None),
        ({"exit_code": TERM, "exit_age_s": 9}, ("exit", TERM)),
        ({"exit_code": TERM, "exit_age_s": 9, "submitted": True}, None),
        ({"exit_code": TERM, "exit_age_s": 9, "stopping": True}, None),
        ({"exit_code": TERM, "over": True, "job_exit_code": 1, "status": Status.FAILED}, ("exit", TERM)),
        ({"exit_code": TERM, "over": True, "status": Status.FAILED, "reason": "node n2 failed"}, ("failed", "node n2 failed")),
        ({"exit_code": TERM, "over": True, "status": Status.CANCELLED, "job_exit_code": 1}, ("cancelled", None)),
        ({"exit_code": KILL, "over": True, "stopping": True}, ("cancelled", None)),
        # Without an exit code it ended as its job did.
        ({"over": True, "status": Status.CANCELLED, "reason": "by root"}, ("cancelled", "by root")),
        ({"over": True, "status": Status.CANCELLED, "reason": "by root", "stopping": True}, ("cancelled", None)),
        ({"over": True, "status": Status.UNKNOWN, "reason": "nobody knows"}, ("unknown", "nobody knows")),
        ({"over": True, "status": Status.COMPLETED}, ("failed", "the batch job ens ended before it")),
        ({"over": True, "status": Status.FAILED, "reason": "time limit"}, ("failed", "time limit")),
    ],
)
def test_a_member_ends_by_its_exit_code_or_with_its_job(evidence: dict[str, Any], verdict: tuple[str, object] | None) -> None:
    found = member_verdict(MemberEvidence("ens", **evidence))

    assert (found and found[:2]) == verdict
    assert found is None or found.from_job == (found.event == "failed")


CANCELLED, FAILED = (Status.CANCELLED, "by root"), (Status.FAILED, "node n2 failed")
COMPLETED, PLAIN = (Status.COMPLETED, ""), (Status.FAILED, "the batch job failed with code 2")
SILENT = "its scheduler says that the batch job completed, but it left no exit code"


@pytest.mark.parametrize(
    ("evidence", "verdict"),
    [
        ({}, None),
        ({"recorded": COMPLETED, "exit_code": 0}, ("exit", 0)),
        ({"recorded": COMPLETED, "exit_code": 2}, ("exit", 0)),  # each member says how it ended
        ({"recorded": COMPLETED}, ("unknown", SILENT)),
        ({"recorded": PLAIN, "exit_code": 2}, ("exit", 2)),
        ({"recorded": PLAIN}, ("failed", PLAIN[1])),
        ({"recorded": FAILED, "exit_code": 2}, ("failed", "node n2 failed")),
        ({"recorded": CANCELLED, "queried": FAILED}, ("cancelled", "by root")),
        # Without a record, the scheduler's short word counts, and then the exit code.
        ({"queried": FAILED}, ("failed", "node n2 failed")),
        ({"queried": CANCELLED, "exit_code": TERM}, ("cancelled", "by root")),
        ({"queried": COMPLETED}, None),
        ({"exit_code": 2}, ("exit", 2)),
        ({"exit_code": TERM}, None),  # a record may say whose signal it was
        ({"exit_code": TERM, "late_s": 11}, ("exit", TERM)),
        ({"exit_code": TERM, "late_s": 11, "begun": True}, None),
        ({"exit_code": TERM, "late_s": 61, "begun": True}, ("exit", TERM)),
        ({"late_s": 11}, ("unknown", "slurm no longer knows job 7, and it left no exit code")),
        ({"late_s": 11, "begun": True}, None),
    ],
)
def test_a_job_ends_by_its_record_the_schedulers_word_or_its_exit_code(
    evidence: dict[str, Any], verdict: tuple[str, object] | None
) -> None:
    found = job_verdict(JobEvidence("slurm", "7", **evidence))

    assert (found and found[:2]) == verdict


@pytest.mark.parametrize(
    ("state", "exit_code", "late_s", "enough"),
    [
        ((Status.RUNNING, ""), None, 99, False),
        (FAILED, None, 0, True),
        (COMPLETED, 0, 0, True),
        (COMPLETED, None, 9, False),  # its exit code may come late
        (COMPLETED, None, 10, True),
    ],
)
def test_a_record_counts_when_it_says_how_the_job_ended(
    state: tuple[Status, str], exit_code: int | None, late_s: float, enough: bool
) -> None:
    assert conclusive(state, exit_code, late_s) is enough
