"""The size of a job that runs these members, and how they share it: a decision from what they need, without side effects."""

from collections.abc import Sequence
from dataclasses import dataclass

from smartensemble.command import Command
from smartensemble.errors import InputValueError, did_you_mean
from smartensemble.schedulers.base import Layout, Partition, Plan, PortableOptions
from smartensemble.schedulers.directives import names

#: Options that size each node's part of a job. If one is given, here or in the scheduler's own spelling, only the number of
#: nodes is computed.
SIZES = ("tasks", "tasks_per_node", "cpus_per_task")
RAW_SIZES = {"n", "ntasks", "ntasks-per-node", "c", "cpus-per-task", "exclusive"}


@dataclass(frozen=True, order=True)
class Demand:
    """What a member takes: nodes, and CPUs on each of them."""

    nodes: int
    cpus: int


def plan(
    name: str,
    commands: Sequence[Command],
    options: PortableOptions,
    partitions: Sequence[Partition],
    overcommit: bool = False,
    max_running: int | None = None,
) -> Plan:
    """The size of the job that runs `commands`, all at once if there are nodes enough.

    >>> from pathlib import Path
    >>> made = plan("melt", [Command(("/bin/true",), Path("/"))] * 20, {}, [Partition("main", 4, 8, default=True)])
    >>> made.layout, made.options["nodes"], made.options["tasks_per_node"]
    (<Layout.SHARED_STEP: 'shared step'>, 3, 7)

    Without partitions, where no scheduler answers, sizes that the settings leave open stay open.

    :raises InputValueError: there is no such queue, or its nodes are too small or too few for a member.
    """
    if not partitions:
        return _open(name, commands, options, overcommit, max_running)
    partition = _partition(name, options, partitions)
    layout = _layout(commands)
    demands = [_demand(name, command, partition, layout) for command in commands]
    if options.get("array"):
        return _array(name, commands, options, partition.cpus, max_running, overcommit)
    if groups := options.get("groups"):
        assert isinstance(groups, list)
        return _groups(name, commands, [options, *groups], partitions, max_running)
    if max_running:
        demands = sorted(demands, reverse=True)[:max_running]
    sized: dict[str, object] = {**options, "nodes": (nodes := _nodes(name, options.get("nodes"), demands, partition))}
    if not _sized(options):
        sized |= _node_sizes(demands, nodes, partition.cpus, layout)
    member_cpus = min(command.need.total for command in commands)
    member_nodes = min(demand.nodes for demand in demands)
    return Plan(layout, sized, partition.cpus, member_cpus, member_nodes, max_running, overcommit, f"{name}.members")


def _open(name: str, commands: Sequence[Command], options: PortableOptions, overcommit: bool, max_running: int | None) -> Plan:
    """The plan for nodes whose size nobody knows."""
    layout = Layout.ARRAY if options.get("array") else Layout.GROUPS if options.get("groups") else _layout(commands)
    array = {"array": f"0-{len(commands) - 1}"} if layout is Layout.ARRAY else {}
    cpus = min(command.need.total for command in commands)
    nodes = min(command.need.nodes or 1 for command in commands)
    return Plan(layout, {**options, **array}, 0, cpus, nodes, max_running, overcommit, f"{name}.members")


def _layout(commands: Sequence[Command]) -> Layout:
    """Members of one size share a step, if each of them can be a task of it."""
    sizes = {command.need.total for command in commands}
    return Layout.SHARED_STEP if len(sizes) == 1 and all(command.shareable for command in commands) else Layout.STEPS


def _nodes(name: str, nodes: object, demands: Sequence[Demand], partition: Partition) -> int:
    """The nodes of the job: `nodes`, if they are given, or as many as its members need and the partition has."""
    _check_room(name, nodes, partition)
    largest = max(demand.nodes for demand in demands)
    if not isinstance(nodes, int):
        return min(max(_needed(demands, partition.cpus), largest), partition.nodes)
    if nodes < largest:
        raise InputValueError(
            f"{name}: batch_settings ask for nodes={nodes}, and a member needs {largest}; give nodes={largest} or more"
        )
    return nodes


def _needed(demands: Sequence[Demand], node_cpus: int) -> int:
    """The nodes on which all `demands` have room at once; small members share a node with others of their size."""
    needed = sum(demand.nodes for demand in demands if demand.nodes > 1)
    for size in {demand.cpus for demand in demands}:
        small = sum(1 for demand in demands if demand.nodes == 1 and demand.cpus == size)
        needed += -(-small // max(1, node_cpus // size))
    return needed


def _node_sizes(demands: Sequence[Demand], nodes: int, node_cpus: int, layout: Layout) -> dict[str, object]:
    """Options for each node's part of the job: a task for each member that it runs at once, or for each CPU that they need."""
    width = max(demand.cpus for demand in demands)
    members = min(max(1, node_cpus // width), -(-sum(demand.nodes * demand.cpus for demand in demands) // (nodes * width)))
    if all(demand.nodes > 1 for demand in demands):  # members of several nodes do not share them
        members = 1
    if layout is not Layout.SHARED_STEP:
        return {"tasks_per_node": members * width}
    if width == 1:
        return {"tasks_per_node": members}
    return {"tasks_per_node": members, "cpus_per_task": width}


def _array(
    name: str, commands: Sequence[Command], options: PortableOptions, node_cpus: int, max_running: int | None, overcommit: bool
) -> Plan:
    """An array, in which each member is a job of its own size."""
    apart = next((command.name for command in commands if not command.shareable), None)
    if apart:
        raise InputValueError(
            f"{name}: array=True, and {apart} is more than a task of a job; leave array out, and it is a step of the job"
        )
    if options.get("nodes") or overcommit:
        word = "nodes" if options.get("nodes") else "overcommit"
        raise InputValueError(
            f"{name}: array=True and {word}={options.get('nodes') or True}, and a member of an array gets its own room; "
            f"leave {word} out, and give max_running to run fewer at a time"
        )
    cpus = max(command.need.total for command in commands)
    tasks = f"0-{len(commands) - 1}" + (f"%{max_running}" if max_running else "")
    sized = {**options, "array": tasks, "nodes": 1, "tasks": 1} | ({"cpus_per_task": cpus} if cpus > 1 else {})
    return Plan(Layout.ARRAY, sized, node_cpus, cpus, max_running=max_running, member_list=f"{name}.members")


def _groups(
    name: str,
    commands: Sequence[Command],
    groups: Sequence[PortableOptions],
    partitions: Sequence[Partition],
    max_running: int | None,
) -> Plan:
    """A job with several groups of nodes: of each as many as the settings say, and whole nodes unless their part has a size."""
    sized: list[dict[str, object]] = []
    room = 0
    for number, group in enumerate(groups):
        nodes, partition = group.get("nodes"), _partition(name, {**groups[0], **group}, partitions)
        if not isinstance(nodes, int):
            raise InputValueError(f"{name}: group {number} of the nodes of its job has no size; give it nodes=")
        _check_room(name, nodes, partition)
        room += nodes * partition.cpus
        sized.append({**group} if _sized(group) else {**group, "tasks_per_node": partition.cpus})
    # The scheduler holds back steps for which there is no room, and tries each of them again and again, so few should wait.
    smallest = min(command.need.total for command in commands)
    most = max(1, room // smallest)
    max_running = min(max_running or most, most)
    options = {**sized[0], "groups": sized[1:]}
    return Plan(Layout.GROUPS, options, partition.cpus, smallest, max_running=max_running, member_list=f"{name}.members")


def _sized(options: PortableOptions) -> bool:
    """Whether the options size each node's part of the job."""
    return bool(names(options) & RAW_SIZES) or any(options.get(option) for option in SIZES)


def _demand(name: str, command: Command, partition: Partition, layout: Layout) -> Demand:
    """What a member takes, or an error if the partition has less."""
    need = command.need
    nodes = 1 if layout is Layout.SHARED_STEP else need.nodes or -(-need.total // partition.cpus)
    cpus = -(-need.tasks // nodes) * need.cpus
    if cpus > partition.cpus:
        raise InputValueError(
            f"{name}: {command.name} needs {cpus} CPUs on a node, and nodes of {partition.name!r} have {partition.cpus}; "
            "give it more nodes, or another queue"
        )
    if nodes > partition.nodes:
        raise InputValueError(
            f"{name}: {command.name} needs {nodes} nodes, and {partition.name!r} has {partition.nodes}; give another queue"
        )
    return Demand(nodes, cpus)


def _check_room(name: str, nodes: object, partition: Partition) -> None:
    """An error, if the partition has fewer nodes, because the scheduler might let such a job wait forever."""
    if isinstance(nodes, int) and nodes > partition.nodes:
        raise InputValueError(
            f"{name}: batch_settings ask for nodes={nodes}, and {partition.name!r} has {partition.nodes}; "
            "give fewer, or another queue"
        )


def _partition(name: str, options: PortableOptions, partitions: Sequence[Partition]) -> Partition:
    """The partition of the queue in `options`, or the default one."""
    queue = options.get("queue")
    for partition in partitions:
        if partition.name == queue or (not queue and (partition.default or len(partitions) == 1)):
            return partition
    known = [partition.name for partition in partitions]
    if queue:
        raise InputValueError(f"{name}: there is no queue {queue!r}{did_you_mean(str(queue), known)}")
    raise InputValueError(f"{name}: no queue is the default; give queue=, one of {', '.join(known)}")
