"""A job is as large as its members need, or as its settings say, and its members share it in one of four ways."""

from pathlib import Path
from typing import Any

import pytest

from smartensemble.command import Command, Need
from smartensemble.errors import InputValueError
from smartensemble.schedulers.base import Layout, Partition
from smartensemble.schedulers.sizing import plan

MAIN = [Partition("main", 4, 8, default=True), Partition("short", 2, 8)]
ARRAY, GROUPS, SHARED, STEPS = Layout.ARRAY, Layout.GROUPS, Layout.SHARED_STEP, Layout.STEPS


def members(count: int, tasks: int = 1, cpus: int = 1, nodes: int | None = None) -> list[Command]:
    """Members that need so much."""
    packed = tasks == 1 and nodes is None
    return [
        Command(("/bin/true",), Path("/"), name=f"m{n}", need=Need(tasks, cpus, nodes), shareable=packed) for n in range(count)
    ]


@pytest.mark.parametrize(
    ("commands", "options", "limits", "layout", "sizes"),
    [
        # Members of one size are tasks of one step, as many on a node as fit.
        (members(8), {}, {}, SHARED, {"nodes": 1, "tasks_per_node": 8}),
        (members(9), {}, {}, SHARED, {"nodes": 2, "tasks_per_node": 5}),
        (members(500), {}, {}, SHARED, {"nodes": 4, "tasks_per_node": 8}),
        (members(500), {"queue": "short"}, {}, SHARED, {"nodes": 2, "tasks_per_node": 8}),
        (members(8, cpus=4), {}, {}, SHARED, {"nodes": 4, "tasks_per_node": 2, "cpus_per_task": 4}),
        (members(9), {}, {"max_running": 4}, SHARED, {"nodes": 1, "tasks_per_node": 4}),
        # Members of several tasks, or of several sizes, are steps; the job has a task for each of their CPUs.
        (members(4, tasks=4), {}, {}, STEPS, {"nodes": 2, "tasks_per_node": 8}),
        (members(3, tasks=6), {}, {}, STEPS, {"nodes": 3, "tasks_per_node": 6}),
        (members(1, tasks=20), {}, {}, STEPS, {"nodes": 3, "tasks_per_node": 7}),
        (members(3, tasks=6, nodes=2), {}, {}, STEPS, {"nodes": 4, "tasks_per_node": 3}),
        ([*members(8), *members(1, cpus=2)], {}, {}, STEPS, {"nodes": 2, "tasks_per_node": 6}),
        ([*members(8), *members(1, cpus=2)], {}, {"max_running": 1}, STEPS, {"nodes": 1, "tasks_per_node": 2}),
        # Sizes that are given stay.
        (members(500), {"nodes": 2}, {}, SHARED, {"nodes": 2, "tasks_per_node": 8}),
        (members(8), {"nodes": 2, "--exclusive": None}, {}, SHARED, {"nodes": 2}),
        (members(8), {"nodes": 2, "-n": 4}, {}, SHARED, {"nodes": 2}),
        (members(8), {"tasks_per_node": 2}, {}, SHARED, {"nodes": 1, "tasks_per_node": 2}),
        (members(100, tasks=8, nodes=2), {"nodes": 4}, {}, STEPS, {"nodes": 4, "tasks_per_node": 4}),
        # A member of an array is sized by itself.
        (members(3), {"array": True}, {}, ARRAY, {"array": "0-2", "nodes": 1, "tasks": 1}),
        (members(3), {"array": True}, {"max_running": 2}, ARRAY, {"array": "0-2%2", "nodes": 1, "tasks": 1}),
        (members(3, cpus=4), {"array": True}, {}, ARRAY, {"array": "0-2", "nodes": 1, "tasks": 1, "cpus_per_task": 4}),
        # Groups of nodes are taken whole, unless their part is sized.
        (
            members(3),
            {"nodes": 1, "groups": [{"nodes": 2, "queue": "short"}, {"nodes": 1, "tasks_per_node": 4}]},
            {},
            GROUPS,
            {"nodes": 1, "tasks_per_node": 8},
        ),
    ],
)
def test_a_job_is_as_large_as_its_members_need(
    commands: list[Command], options: dict[str, Any], limits: dict[str, int], layout: Layout, sizes: dict[str, object]
) -> None:
    made = plan("melt", commands, options, MAIN, **limits)  # type: ignore[arg-type]

    named = ("array", "nodes", "tasks", "tasks_per_node", "cpus_per_task")
    assert made.layout is layout
    assert {option: made.options[option] for option in named if option in made.options} == sizes


@pytest.mark.parametrize(
    ("commands", "options", "limits", "member_nodes", "member_cpus", "max_running"),
    [
        (members(8), {}, {}, 1, 1, None),
        ([*members(8, cpus=2), *members(1, cpus=4)], {}, {"max_running": 3}, 1, 2, 3),
        (members(3, tasks=6, nodes=2), {}, {}, 2, 6, None),
        (members(3, cpus=4), {"array": True}, {}, 1, 4, None),
        # No more steps of groups are started than there is room for: the others would ask again and again.
        (members(99), {"nodes": 1, "groups": [{"nodes": 2}]}, {}, 1, 1, 24),
        (members(99, cpus=2), {"nodes": 1, "groups": [{"nodes": 2}]}, {"max_running": 3}, 1, 2, 3),
    ],
)
def test_its_script_learns_how_many_members_have_room(
    commands: list[Command],
    options: dict[str, Any],
    limits: dict[str, int],
    member_nodes: int,
    member_cpus: int,
    max_running: int,
) -> None:
    made = plan("melt", commands, options, MAIN, **limits)  # type: ignore[arg-type]

    assert (made.member_nodes, made.member_cpus, made.max_running) == (member_nodes, member_cpus, max_running)
    assert (made.node_cpus, made.member_list) == (8, "melt.members")


@pytest.mark.parametrize(
    ("commands", "options", "overcommit", "message"),
    [
        (members(1), {"queue": "shrot"}, False, "melt: there is no queue 'shrot'; did you mean 'short'"),
        (
            members(1),
            {"nodes": 5},
            False,
            "melt: batch_settings ask for nodes=5, and 'main' has 4; give fewer, or another queue",
        ),
        (members(1, tasks=4, nodes=2), {"nodes": 1}, False, "ask for nodes=1, and a member needs 2; give nodes=2 or more"),
        (members(1, cpus=9), {}, False, "melt: m0 needs 9 CPUs on a node, and nodes of 'main' have 8; give it more nodes"),
        (members(1, tasks=5, nodes=5), {}, False, "melt: m0 needs 5 nodes, and 'main' has 4; give another queue"),
        (members(2, tasks=2), {"array": True}, False, "array=True, and m0 is more than a task of a job; leave array out"),
        (members(2), {"array": True, "nodes": 2}, False, "array=True and nodes=2, and a member of an array gets its own room"),
        (members(2), {"array": True}, True, "array=True and overcommit=True, and a member of an array gets its own room"),
        (members(2), {"groups": [{"nodes": 1}]}, False, "melt: group 0 of the nodes of its job has no size; give it nodes="),
        (members(2), {"nodes": 1, "groups": [{}]}, False, "melt: group 1 of the nodes of its job has no size; give it nodes="),
        (members(2), {"nodes": 1, "groups": [{"nodes": 3, "queue": "short"}]}, False, "ask for nodes=3, and 'short' has 2"),
    ],
)
def test_a_job_that_could_never_run_is_an_error(
    commands: list[Command], options: dict[str, Any], overcommit: bool, message: str
) -> None:
    with pytest.raises(InputValueError) as caught:
        plan("melt", commands, options, MAIN, overcommit)

    assert message in str(caught.value)


def test_a_cluster_without_a_default_queue_wants_a_name() -> None:
    with pytest.raises(InputValueError, match="melt: no queue is the default; give queue=, one of a, b"):
        plan("melt", members(1), {}, [Partition("a", 1, 1), Partition("b", 1, 1)])


def test_a_single_queue_is_the_default() -> None:
    assert plan("melt", members(1), {}, [Partition("only", 1, 1)]).options["nodes"] == 1
