"""A scheduler is a record of strings and pure functions: a new one costs one file, and one line in ``__init__``."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from smartensemble.command import Command
from smartensemble.duration import seconds
from smartensemble.errors import InputValueError
from smartensemble.schedulers.run_commands import TIMES
from smartensemble.status import Status

#: What a batch job asks for, by portable names: nodes, time, queue, account, batch_args. None or empty was not asked for.
PortableOptions = Mapping[str, object]

#: What a scheduler says of a job: how it stands, and why it is not Completed.
State = tuple[Status, str]

#: How jobs stand, by their numbers; the tasks of an array also by themselves, as ``12_3``.
States = dict[str, State]


@dataclass(frozen=True)
class Partition:
    """Nodes that jobs may ask for, by the name of their queue."""

    name: str
    nodes: int
    cpus: int  #: of the smallest node
    default: bool = False


@dataclass(frozen=True)
class Record:
    """Somebody who remembers how jobs ended: a command to ask for one of them, and how its answer is read."""

    ask: Callable[[str], tuple[str, ...]]
    read: Callable[[str], States]


@dataclass(frozen=True)
class Control:
    """How to talk to a scheduler: each question is the words of a command, or a function that reads the answer to one."""

    submit: tuple[str, ...]  #: before the path of a script
    job: Callable[[str], str]  #: the job's number, out of the answer
    cancel: tuple[str, ...]  #: before the numbers of jobs
    query: Callable[[Sequence[str]], tuple[str, ...]]  #: how these jobs stand
    read: Callable[[str], States]  #: the answer; a job that is not in it is not known any more
    partitions: tuple[str, ...]  #: which partitions there are
    read_partitions: Callable[[str], list[Partition]]
    unknown: str = ""  #: what it says, and fails, if it knows none of the jobs
    records: Sequence[Record] = ()  #: who is asked for the end of a job, in this order
    allocation: str = ""  #: the variable of the environment that is set inside an allocation; what others tell of it:
    nodes: Callable[[Mapping[str, str]], list[str]] = lambda _: []  #: the names of its nodes
    room: Callable[[Mapping[str, str]], list[int]] = lambda _: []  #: the CPUs of each node
    tasks: Callable[[Mapping[str, str]], list[int]] = lambda _: []  #: the processes that were asked for, on each node
    queue: Callable[[Mapping[str, str]], str] = lambda _: ""


@dataclass(frozen=True)
class Plan:
    """How the members of a job share its allocation."""

    together: bool  #: all in one step, as its tasks; otherwise each in a step of its own
    cpus: int  #: of the smallest member
    nodes: int  #: of the smallest member
    at_once: int | None  #: members that may run at once; None for as many as there is room for
    overcommit: bool  #: at once also where there is no room
    node: int  #: the CPUs of a node
    list: str  #: a file for the names of the members
    options: PortableOptions  #: what the job asks for, sizes included
    array: bool = False  #: each member is a task of an array, which gets its own room
    groups: bool = False  #: the job has nodes of several kinds, and each member says on which of them it runs


@dataclass(frozen=True)
class Scheduler:
    """What a batch script looks like for one scheduler, and how to talk to it."""

    name: str
    directive: str = ""  #: what begins a line of options in the script
    #: portable option -> its spelling, with a place for its value: {}, or {hms}, {minutes} or {seconds} for a time
    options: Mapping[str, str] = field(default_factory=dict)
    fixed: tuple[str, ...] = ()  #: options of every job
    file: Callable[[str], str] = str  #: the path of a file in an option, where some characters have a meaning
    between: str = ""  #: the line between the options of groups of nodes, where a job may have several
    run_command: str = ""  #: what starts a step
    step: Callable[[Command, int, bool], tuple[str, ...]] = lambda command, *_: command.argv  #: the words of a step of its own
    whole: Callable[[Command], bool] = lambda _: False  #: it takes all of an allocation, so it runs beside no other
    alone: Callable[[Command], tuple[str, ...]] = lambda command: command.argv  #: the words of a task in a shared step
    body: Callable[["Plan"], str] | None = None  #: shell that runs the array `members`, in an allocation
    control: Control | None = None

    def directives(self, options: PortableOptions) -> Iterator[str]:
        """The lines of options."""
        yield from self._group(options, self.fixed)
        groups = options.get("groups")
        for group in groups if isinstance(groups, list) else []:
            yield self.between
            yield from self._group(group)

    def _group(self, options: PortableOptions, fixed: Sequence[str] = ()) -> Iterator[str]:
        """The lines of options of one group of nodes."""
        for option, spelled in self.options.items():
            if spelled and options.get(option):
                value = options[option]
                value = self.file(str(value)) if option in ("output", "error") else value
                yield f"{self.directive} {spell(spelled, option, value)}"
        if self.directive:
            raw = options.get("batch_args")
            yield from (f"{self.directive} {word}" for word in fixed)
            for name, value in raw.items() if isinstance(raw, Mapping) else ():
                option = name if name.startswith("-") else ("-" if len(name) == 1 else "--") + name
                mark = "=" if option.startswith("--") else " "
                yield f"{self.directive} {option}" + ("" if value is None else mark + quoted(str(value)))

    def without_effect(self, options: PortableOptions) -> list[str]:
        """The options that are given and that this scheduler has no use for.

        >>> LOCAL.without_effect({"nodes": 4, "time": "00:10:00", "queue": "debug", "account": None})
        ['nodes', 'queue']
        """
        known = {*self.options, "batch_args"} if self.directive else self.options.keys()
        return [option for option, value in options.items() if value and option not in known]


def spell(spelling: str, option: str, value: object) -> str:
    """An option with its value, as text in a directive.

    >>> spell("-w {}", "hosts", ["n1", "n2"]), spell("-t {hms}", "time", 90.0), spell("-W {minutes}", "time", "00:10:00")
    ('-w n1,n2', '-t 00:01:30', '-W 10')
    """
    if option == "time" and isinstance(value, (int, float, str, timedelta)):
        return spelling.format(**{name: text(seconds("time", value)) for name, text in TIMES.items()})
    text = ",".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
    return spelling.format(quoted(text))


def quoted(value: str) -> str:
    """A value in a directive: in quotes where it needs them.

    >>> quoted("00:10:00"), quoted("my job")
    ('00:10:00', '"my job"')
    """
    if "\n" in value:  # what comes after it would be run as a program
        raise InputValueError(f"{value!r}: is more than a line, and an option of a batch job is one; take the line break out")
    if re.fullmatch(r"[\w@%+=:,./\[\]&|*-]+", value):
        return value
    return '"' + re.sub(r'(["\\])', r"\\\1", value) + '"'


#: This machine: no nodes, queues or accounts. The supervisor keeps the time.
LOCAL = Scheduler("local", options={"time": ""})
