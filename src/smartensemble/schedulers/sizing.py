"""How large a job is that runs these members, and how they share it."""

from collections.abc import Sequence

from smartensemble.command import Command
from smartensemble.errors import InputValueError, did_you_mean
from smartensemble.schedulers.base import Partition, Plan, PortableOptions

#: Options that say how large a job is; with one of them, or what it is called by hand, only the number of nodes is computed.
SIZES = ("tasks", "tasks_per_node", "cpus_per_task")
BY_HAND = {"n", "ntasks", "ntasks-per-node", "c", "cpus-per-task", "exclusive"}


def plan(
    name: str,
    commands: Sequence[Command],
    options: PortableOptions,
    partitions: Sequence[Partition],
    overcommit: bool = False,
    at_once: int | None = None,
) -> Plan:
    """The size of the job that runs `commands`, all at once if there are nodes enough.

    >>> from pathlib import Path
    >>> made = plan("melt", [Command(("/bin/true",), Path("/"))] * 20, {}, [Partition("main", 4, 8, default=True)])
    >>> made.together, made.options["nodes"], made.options["tasks_per_node"]
    (True, 3, 7)

    :raises InputValueError: there is no such queue, or its nodes are too small or too few for a member.
    """
    partition = _partition(name, options, partitions)
    node = partition.cpus
    together = all(command.shareable for command in commands) and len({command.need.total for command in commands}) == 1
    demands = [_demand(name, command, partition, together) for command in commands]
    if at_once:
        demands = sorted(demands, reverse=True)[:at_once]
    # Of members that are smaller than a node, as many share one as fit.
    sizes = sorted({cpus for _, cpus in demands}, reverse=True)
    needed = sum(nodes for nodes, cpus in demands if nodes > 1)
    for size in sizes:
        small = sum(1 for nodes, cpus in demands if nodes == 1 and cpus == size)
        needed += -(-small // max(1, node // size))
    if options.get("array"):
        return _array(name, commands, options, node, at_once, overcommit)
    if groups := options.get("groups"):
        assert isinstance(groups, list)
        return _groups(name, commands, [options, *groups], partitions, at_once)
    given, largest = options.get("nodes"), max(nodes for nodes, _ in demands)
    _check_room(name, given, partition)
    if isinstance(given, int) and given < largest:
        raise InputValueError(
            f"{name}: batch_settings ask for nodes={given}, and a member needs {largest}; give nodes={largest} or more"
        )
    nodes = given if isinstance(given, int) else min(max(needed, largest), partition.nodes)
    sized: dict[str, object] = {**options, "nodes": nodes}
    if not _sized(options):
        width = sizes[0]
        per_node = min(max(1, node // width), -(-sum(each * cpus for each, cpus in demands) // (nodes * width)))
        if all(each > 1 for each, _ in demands):  # members of several nodes do not share them
            per_node = 1
        sized["tasks_per_node"] = per_node * (1 if together else width)
        if together and width > 1:
            sized["cpus_per_task"] = width
    small_cpus = min(command.need.total for command in commands)
    return Plan(together, small_cpus, min(each for each, _ in demands), at_once, overcommit, node, f"{name}.members", sized)


def _array(
    name: str, commands: Sequence[Command], options: PortableOptions, node: int, at_once: int | None, overcommit: bool
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
    tasks = f"0-{len(commands) - 1}" + (f"%{at_once}" if at_once else "")
    sized = {**options, "array": tasks, "nodes": 1, "tasks": 1} | ({"cpus_per_task": cpus} if cpus > 1 else {})
    return Plan(True, cpus, 1, at_once, False, node, f"{name}.members", sized, array=True)


def _groups(
    name: str,
    commands: Sequence[Command],
    groups: Sequence[PortableOptions],
    partitions: Sequence[Partition],
    at_once: int | None,
) -> Plan:
    """A job with nodes of several kinds: of each so many as are given, and all of them whole, if nothing else is said."""
    sized: list[dict[str, object]] = []
    room = 0
    for number, group in enumerate(groups):
        nodes, partition = group.get("nodes"), _partition(name, {**groups[0], **group}, partitions)
        if not isinstance(nodes, int):
            raise InputValueError(f"{name}: group {number} of the nodes of its job has no size; give it nodes=")
        _check_room(name, nodes, partition)
        room += nodes * partition.cpus
        sized.append({**group} if _sized(group) else {**group, "tasks_per_node": partition.cpus})
    # The scheduler holds back steps for which there is no room; it asks for them again and again, so few are to wait.
    smallest = min(command.need.total for command in commands)
    most = max(1, room // smallest)
    options = {**sized[0], "groups": sized[1:]}
    return Plan(False, smallest, 1, min(at_once or most, most), False, partition.cpus, f"{name}.members", options, groups=True)


def _sized(options: PortableOptions) -> bool:
    """It is said how large each node's part of the job is."""
    raw = options.get("batch_args")
    by_hand = {option.lstrip("-") for option in raw} if isinstance(raw, dict) else set()
    return bool(by_hand & BY_HAND) or any(options.get(option) for option in SIZES)


def _demand(name: str, command: Command, partition: Partition, together: bool) -> tuple[int, int]:
    """The nodes of a member, and its CPUs on each of them."""
    need = command.need
    nodes = 1 if together else need.nodes or -(-need.total // partition.cpus)
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
    return nodes, cpus


def _check_room(name: str, nodes: object, partition: Partition) -> None:
    """An error, if nobody could ever get so many nodes: the scheduler may let that wait for ever."""
    if isinstance(nodes, int) and nodes > partition.nodes:
        raise InputValueError(
            f"{name}: batch_settings ask for nodes={nodes}, and {partition.name!r} has {partition.nodes}; "
            "give fewer, or another queue"
        )


def _partition(name: str, options: PortableOptions, partitions: Sequence[Partition]) -> Partition:
    """The partition that is asked for, or the default one."""
    queue = options.get("queue")
    for partition in partitions:
        if partition.name == queue or (not queue and (partition.default or len(partitions) == 1)):
            return partition
    known = [partition.name for partition in partitions]
    if queue:
        raise InputValueError(f"{name}: there is no queue {queue!r}{did_you_mean(str(queue), known)}")
    raise InputValueError(f"{name}: no queue is the default; give queue=, one of {', '.join(known)}")
