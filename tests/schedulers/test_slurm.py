"""What Slurm 22.05 really answered, in tests/samples/slurm, is read."""

from collections import Counter
from pathlib import Path

import pytest

from smartensemble.schedulers.base import Partition, State
from smartensemble.schedulers.slurm import hosts, partitions, read, read_account, read_detail, state
from smartensemble.status import Status

SAMPLES = Path(__file__).parents[1] / "samples" / "slurm"


def test_all_jobs_of_an_answer_are_read() -> None:
    answer = (SAMPLES / "squeue.txt").read_text()

    assert Counter(status for status, _ in read(answer).values()) == {Status.COMPLETED: 4, Status.CANCELLED: 3}


def test_the_controllers_record_agrees_with_its_list() -> None:
    short = read((SAMPLES / "squeue.txt").read_text())

    for line in (SAMPLES / "scontrol.txt").read_text().splitlines():
        ((job, (status, _)), *_) = read_detail(line).items()
        assert status is short[job][0]


def test_partitions_are_read() -> None:
    assert partitions((SAMPLES / "sinfo.txt").read_text()) == [Partition("main", 4, 8, default=True), Partition("short", 4, 8)]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("PENDING", "Resources"), (Status.QUEUED, "waits in the queue: Resources")),
        (("COMPLETING",), (Status.RUNNING, "")),
        (("CANCELLED by 1000",), (Status.CANCELLED, "the batch job was cancelled")),
        (("CANCELLED+",), (Status.CANCELLED, "the batch job was cancelled")),
        (("TIMEOUT", "TimeLimit"), (Status.FAILED, "the batch job reached its time limit (TIMEOUT: TimeLimit)")),
        (("OUT_OF_MEMORY", "", "0:125"), (Status.FAILED, "the batch job ran out of memory (OUT_OF_MEMORY, signal 125)")),
        (("NODE_FAIL",), (Status.FAILED, "a node of the batch job failed (NODE_FAIL)")),
        (("PREEMPTED",), (Status.FAILED, "the batch job was preempted by another (PREEMPTED)")),
        (("A_STATE_OF_TOMORROW",), None),
        (("",), None),
    ],
)
def test_each_end_has_its_own_words(words: tuple[str, ...], expected: State | None) -> None:
    assert state(*words) == expected


def test_an_accounting_without_a_row_says_nothing() -> None:
    assert read_account("") == {}
    assert read_account("12|COMPLETED|0:0\n") == {"12": (Status.COMPLETED, "")}


@pytest.mark.parametrize(
    ("nodelist", "names"),
    [("n1", ["n1"]), ("n[1-3]", ["n1", "n2", "n3"]), ("a[01,03-04]b,c", ["a01b", "a03b", "a04b", "c"]), ("", [])],
)
def test_lists_of_nodes_are_spelled_out(nodelist: str, names: list[str]) -> None:
    assert hosts(nodelist) == names
