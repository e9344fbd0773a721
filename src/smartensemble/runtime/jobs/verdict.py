"""How a batch job and its members ended: evidence in, verdict out. Nothing here looks at a file or asks a scheduler."""

from dataclasses import dataclass
from typing import NamedTuple

from smartensemble.schedulers.base import State
from smartensemble.status import Status

TIMEOUT_CODE = 124  #: the exit code of timeout(1)
KILLED_CODE = 128 + 9
BY_SIGNAL = (128 + 15, KILLED_CODE)  #: how bash reports a program that was ended the way stop ends it
OWN_SIGNAL_S = 5.0  #: after this many seconds without the job's end, the signal that ended a member was its own
RECORD_LATE_S = 10.0  #: a job's last files, and the accounting's record of it, may be this late
PARTIAL_RECORD_LATE_S = 60.0  #: and this late where the record so far says how the job stood before its end
PLAIN = "the batch job failed"  #: begins a cause that a job's own exit code tells better


class Verdict(NamedTuple):
    """An event for the journal, as :func:`smartensemble.runtime.outcome.settle` takes it, and its detail."""

    event: str
    detail: int | str | None = None
    from_job: bool = False  #: the member left no exit code, so the job's end is its own


@dataclass(frozen=True)
class MemberEvidence:
    """What is known about a member of a batch job."""

    job_name: str
    exit_code: int | None = None  #: that the member left in its file
    exit_age_s: float = 0.0  #: seconds since
    has_time_limit: bool = False
    over: bool = False  #: the job has ended, or the member's task of an array
    status: Status = Status.RUNNING  #: how the job, or the task, stands
    reason: str = ""  #: and why
    stopping: bool = False  #: we asked for the job's end
    submitted: bool = False  #: the job is a scheduler's
    job_exit_code: int | None = None

    @property
    def stopped(self) -> bool:
        """Somebody ended the job."""
        return self.stopping or self.status is Status.CANCELLED


def member_verdict(evidence: MemberEvidence) -> Verdict | None:
    """How a member ended: by its exit code; by the end of the job or of its task, if it left none. None while it runs."""
    if evidence.exit_code is not None:
        by_signal = evidence.exit_code in BY_SIGNAL
        if by_signal and not evidence.over and (evidence.submitted or evidence.exit_age_s < OWN_SIGNAL_S):
            return None  # the job's end may have ended it, which becomes known a moment later
        if not (by_signal and _ended_with_its_job(evidence)):
            limit = evidence.has_time_limit and evidence.exit_code in (TIMEOUT_CODE, KILLED_CODE)
            return Verdict("limit" if limit else "exit", evidence.exit_code)
    return _by_job(evidence) if evidence.over else None


def _ended_with_its_job(evidence: MemberEvidence) -> bool:
    return evidence.stopped or (evidence.over and evidence.job_exit_code is None)


def _by_job(evidence: MemberEvidence) -> Verdict:
    if evidence.stopped:
        by_us = evidence.stopping or not evidence.reason
        return Verdict("cancelled", None if by_us else evidence.reason)
    if evidence.status is Status.UNKNOWN:
        return Verdict("unknown", evidence.reason)
    return Verdict("failed", evidence.reason or f"the batch job {evidence.job_name} ended before it", from_job=True)


@dataclass(frozen=True)
class JobEvidence:
    """What is known about a job that has left its scheduler."""

    scheduler: str
    job: str
    recorded: State | None = None  #: how it ended, by a record
    queried: State | None = None  #: how it ended, as the query for all jobs says
    exit_code: int | None = None  #: that it left itself
    begun: bool = False  #: there is a record of how it stood before its end
    late_s: float = 0.0  #: seconds since the scheduler had done with it


def conclusive(state: State, exit_code: int | None, late_s: float) -> bool:
    """A record that says how a job ended; one that completed has left an exit code, which may be late."""
    status, _ = state
    return status.final and not (status is Status.COMPLETED and exit_code is None and late_s < RECORD_LATE_S)


def job_verdict(evidence: JobEvidence) -> Verdict | None:
    """How a job ended: by its record, by the last query, or by its exit code. None if more evidence may come."""
    if evidence.recorded:
        return by_state(evidence.recorded, evidence.exit_code)
    if evidence.queried and evidence.queried[0] in (Status.FAILED, Status.CANCELLED):
        return by_state(evidence.queried, evidence.exit_code)
    waited = evidence.late_s > (PARTIAL_RECORD_LATE_S if evidence.begun else RECORD_LATE_S)
    if evidence.exit_code is not None and (waited or evidence.exit_code not in BY_SIGNAL):
        return Verdict("exit", evidence.exit_code)  # whose signal it was, a record might have told
    if waited:
        return Verdict("unknown", f"{evidence.scheduler} no longer knows job {evidence.job}, and it left no exit code")
    return None


def by_state(state: State, exit_code: int | None) -> Verdict:
    """The verdict for a job in a final state that left `exit_code`, or none."""
    status, cause = state
    if cause.startswith(PLAIN) and exit_code is not None:
        return Verdict("exit", exit_code)  # it came to its end, so each member says how it ended
    if status is Status.COMPLETED:
        if exit_code is None:
            return Verdict("unknown", "its scheduler says that the batch job completed, but it left no exit code")
        return Verdict("exit", 0)
    return Verdict("cancelled" if status is Status.CANCELLED else "failed", cause)
