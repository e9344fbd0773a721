"""What Slurm 22.05 really answered, in tests/samples/slurm, is read; scripts and sizes are as they are to be."""

from collections import Counter
from pathlib import Path

import pytest

from smartensemble.command import Command, Need
from smartensemble.errors import InputValueError
from smartensemble.schedulers.base import Partition, State
from smartensemble.schedulers.sizing import plan
from smartensemble.schedulers.slurm import hosts, partitions, read, read_account, read_detail, state
from smartensemble.status import Status

SAMPLES = Path(__file__).parents[1] / "samples" / "slurm"
MAIN = [Partition("main", 4, 8, default=True), Partition("short", 2, 8)]


def members(count: int, tasks: int = 1, cpus: int = 1, nodes: int | None = None) -> list[Command]:
    """Members that need so much."""
    packed = tasks == 1 and nodes is None
    return [
        Command(("/bin/true",), Path("/"), name=f"m{n}", need=Need(tasks, cpus, nodes), shareable=packed) for n in range(count)
    ]


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


@pytest.mark.parametrize(
    ("commands", "asked", "nodes", "per_node"),
    [
        (members(8), {}, 1, 8),
        (members(9), {}, 2, 5),
        (members(500), {}, 4, 8),
        (members(500), {"nodes": 2}, 2, 8),
        (members(500), {"queue": "short"}, 2, 8),
        (members(8, cpus=4), {}, 4, 2),
        (members(3, tasks=6), {}, 3, 6),
        (members(4, tasks=4), {}, 2, 8),
        (members(3, tasks=6, nodes=2), {}, 4, 3),
        (members(100, tasks=8, nodes=2), {"nodes": 4}, 4, 4),
        (members(1, tasks=20), {}, 3, 7),
    ],
)
def test_a_job_is_as_large_as_its_members_need(
    commands: list[Command], asked: dict[str, object], nodes: int, per_node: int
) -> None:
    made = plan("melt", commands, asked, MAIN)

    assert (made.options["nodes"], made.options["tasks_per_node"]) == (nodes, per_node)


def test_who_says_how_large_a_job_is_is_not_contradicted() -> None:
    made = plan("melt", members(8), {"nodes": 2, "batch_args": {"exclusive": None}}, MAIN)

    assert "tasks_per_node" not in made.options


def test_a_cluster_without_a_default_queue_wants_a_name() -> None:
    with pytest.raises(InputValueError, match="melt: no queue is the default; give queue=, one of a, b"):
        plan("melt", members(1), {}, [Partition("a", 1, 1), Partition("b", 1, 1)])


def test_members_of_one_size_share_a_step_and_others_have_their_own() -> None:
    assert plan("melt", members(8), {}, MAIN).together
    assert not plan("melt", [*members(8), *members(1, cpus=2)], {}, MAIN).together
    assert not plan("melt", members(8, tasks=2), {}, MAIN).together
