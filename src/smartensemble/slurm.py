"""Slurm's allocations: get one, release it, and ask about the one that this program runs in."""

from collections.abc import Mapping

from smartensemble import wlm
from smartensemble.checks import empty, positive, whole, word
from smartensemble.duration import Duration, seconds
from smartensemble.errors import InputValueError, StateError, public, shown
from smartensemble.runtime.jobs.query import query
from smartensemble.runtime.jobs.queue import queue
from smartensemble.schedulers.run_commands import TIMES
from smartensemble.settings.arguments import raw_options
from smartensemble.settings.command import spelled

#: Options of salloc that have an argument of their own here.
OWN_OPTIONS = {"nodes": ("N", "nodes"), "time": ("t", "time"), "account": ("A", "account")}
QUEUE_WAIT_S = 7 * 86400.0  #: how long an allocation may wait in the queue


@public
def get_allocation(
    nodes: int = 1, time: Duration | None = None, account: str | None = None, options: Mapping[str, object] | None = None
) -> str:
    """The number of a new allocation, which lasts until it is released or its time is over.

    Give it to members: ``SrunSettings("lmp", alloc=number)``.

    :param nodes: the number of its nodes.
    :param time: how long it lasts: seconds, a timedelta or ``"HH:MM:SS"``; by default as long as the partition allows.
    :param account: the account that is charged.
    :param options: further options of ``salloc``: ``{"partition": "short", "exclusive": None}``.
    :returns: the number, as text.
    :raises StateError: Slurm refuses it.
    :raises UnsupportedError: there is no Slurm here.
    :raises InputTypeError: an argument has another type.
    :raises InputValueError: its partition has fewer nodes, or an argument cannot be used.
    """
    further = {} if options is None else raw_options("options", options)
    command = _salloc(nodes, time, account, further)
    queue("slurm").check()
    _check_nodes(nodes, further)
    answer = query(command, timeout_s=QUEUE_WAIT_S, errors=True)
    for line in answer.splitlines():
        if "Granted job allocation" in line:
            return line.split()[-1]
    raise StateError(f"get_allocation: salloc granted none: {answer.strip()}")


@public
def release_allocation(alloc_id: str | int) -> None:
    """Release an allocation; what runs in it ends.

    :param alloc_id: its number, as :func:`get_allocation` returns it.
    :raises InputTypeError: it is neither text nor a whole number.
    :raises StateError: there is no such allocation, there is none any more, or there is no Slurm here.
    :raises InputValueError: the number is below zero.
    """
    number = str(alloc_id).strip() if isinstance(alloc_id, str) else str(whole("alloc_id", alloc_id))
    if not number.isdecimal() or not queue("slurm").has(number):
        raise StateError(f"release_allocation: there is no allocation {shown(number)}; give what get_allocation returned")
    query(("scancel", number))


@public
def validate(nodes: int = 1, ppn: int = 1, partition: str | None = None) -> bool:
    """Whether a partition has enough nodes.

    :param nodes: how many nodes it should have.
    :param ppn: the number of CPUs that each of them should have.
    :param partition: its name; by default that of the default partition.
    :returns: whether it has `nodes` nodes of at least `ppn` CPUs.
    :raises InputTypeError: an argument has another type.
    :raises InputValueError: there is no such partition, or a number is less than 1.
    :raises StateError: there is no Slurm here.
    """
    nodes, ppn = positive("nodes", nodes), positive("ppn", ppn)
    partition = None if partition is None else word("partition", partition)
    partitions = queue("slurm").partitions()
    for each in partitions:
        if each.name == partition or (partition is None and each.default):
            return each.nodes >= nodes and each.cpus >= ppn
    raise InputValueError(
        f"validate: no partition {partition or 'by default'!r}; there are {', '.join(each.name for each in partitions)}"
    )


@public
def get_default_partition() -> str:
    """The partition of jobs that name none.

    :returns: its name.
    :raises StateError: no partition is the default, or there is no Slurm here.
    """
    for each in queue("slurm").partitions():
        if each.default:
            return each.name
    raise StateError("get_default_partition: no partition is the default; name one")


@public
def get_hosts() -> list[str]:
    """The names of the nodes of the allocation that this program runs in.

    :returns: the names, sorted.
    :raises StateError: this program runs in no allocation.
    """
    return wlm.get_hosts("slurm")


@public
def get_queue() -> str:
    """The partition of the allocation that this program runs in.

    :returns: its name.
    :raises StateError: this program runs in no allocation.
    """
    return wlm.get_queue("slurm")


@public
def get_tasks() -> int:
    """The number of processes that the allocation was requested for.

    :returns: how many, on all nodes together.
    :raises StateError: this program runs in no allocation.
    """
    return wlm.get_tasks("slurm")


@public
def get_tasks_per_node() -> dict[str, int]:
    """The number of processes on each node of the allocation.

    :returns: the names of the nodes, each with its number of processes.
    :raises StateError: this program runs in no allocation, or is itself a step of one, which sees only its own processes.
    """
    return wlm.get_tasks_per_node("slurm")


def _check_nodes(nodes: int, options: Mapping[str, object]) -> None:
    """Raise an error if the partition has fewer nodes: Slurm might let such an allocation wait forever."""
    named = {name.lstrip("-"): value for name, value in options.items()}
    partition = named.get("partition", named.get("p"))
    for each in queue("slurm").partitions():
        if nodes > each.nodes and (each.name == partition or (partition is None and each.default)):
            raise InputValueError(
                f"get_allocation: nodes={nodes}, and {each.name!r} has {each.nodes}; "
                "give fewer, or another partition in options"
            )


def _salloc(nodes: int, time: Duration | None, account: str | None, further: Mapping[str, object]) -> list[str]:
    """The command that gets an allocation, without a shell in it."""
    further = {name: None if empty(value) and isinstance(value, str) else value for name, value in further.items()}
    for name, spellings in OWN_OPTIONS.items():
        if taken := [option for option in further if option.lstrip("-") in spellings]:
            raise InputValueError(f"get_allocation: options has {taken[0]!r}; give it as {name}=")
    own: dict[str, object] = {"no-shell": None, "nodes": positive("nodes", nodes), "job-name": "smartensemble"}
    if time is not None and not empty(time):
        own["time"] = TIMES["hms"](seconds("time", time))
    if not empty(account):
        own["account"] = word("account", account)
    return ["salloc", *spelled(own | further)]
