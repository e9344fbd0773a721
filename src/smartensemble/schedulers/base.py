"""A scheduler is a record of strings and pure functions: a new one costs one file, and one line in ``__init__``."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from typing import Protocol

from smartensemble.command import Command
from smartensemble.duration import seconds
from smartensemble.errors import InputValueError, shown
from smartensemble.schedulers.run_commands import TIMES
from smartensemble.status import Status

#: What a batch job asks for, in the order in which it was set: by portable names, such as nodes, time, queue and account, of
#: which None and empty values ask for nothing; and by the scheduler's own, which begin with a dash, and may have no value.
PortableOptions = Mapping[str, object]

#: What a scheduler reports of a job: its status, and why it is not Completed.
State = tuple[Status, str]

#: The states of jobs, by their numbers; also those of the tasks of an array, as ``12_3``.
States = dict[str, State]


@dataclass(frozen=True)
class Partition:
    """Nodes that jobs may ask for, by the name of their queue."""

    name: str
    nodes: int
    cpus: int  #: of the smallest node
    default: bool = False


@dataclass(frozen=True)
class JobLookup:
    """A question about one job that may have ended: the command that asks, and the function that reads its answer."""

    command: Callable[[str], tuple[str, ...]]
    read: Callable[[str], States]


@dataclass(frozen=True)
class Control:
    """How to talk to a scheduler: each field is the arguments of a command, or a function that reads the output of one."""

    submit: tuple[str, ...]  #: before the path of a script
    job_id: Callable[[str], str]  #: the number of the job, from the answer
    cancel: tuple[str, ...]  #: before the numbers of jobs
    query: Callable[[Sequence[str]], tuple[str, ...]]  #: asks for the states of these jobs
    read: Callable[[str], States]  #: the answer; a job that is missing in it is not known any more
    partitions: tuple[str, ...]  #: asks for the partitions
    read_partitions: Callable[[str], list[Partition]]
    #: The options of `submit` that mark a job, given the options of its settings, so it is found without its number; and the
    #: command that asks for all jobs with their marks, and the function that reads its answer: the numbers by mark.
    mark: Callable[[str, PortableOptions], tuple[str, ...]] = lambda *_: ()
    marks: tuple[str, ...] = ()
    read_marks: Callable[[str], dict[str, str]] = lambda _: {}
    unknown_job: str = ""  #: part of the error if it knows none of the jobs
    lookups: Sequence[JobLookup] = ()  #: how to ask for the end of one job, in this order
    #: The environment variable that is set inside an allocation. The functions below read others.
    allocation_variable: str = ""
    node_names: Callable[[Mapping[str, str]], list[str]] = lambda _: []
    cpus_per_node: Callable[[Mapping[str, str]], list[int]] = lambda _: []
    tasks_per_node: Callable[[Mapping[str, str]], list[int]] = lambda _: []  #: those that the allocation was requested for
    queue: Callable[[Mapping[str, str]], str] = lambda _: ""


class Layout(Enum):
    """How the members of a job share its allocation."""

    SHARED_STEP = "shared step"  #: as the tasks of one step
    STEPS = "steps"  #: each in a step of its own
    ARRAY = "array"  #: each as a task of an array, which gets its own resources
    GROUPS = "groups"  #: each in a step of its own, on the nodes of one of several groups

    @property
    def starts_steps(self) -> bool:
        """Each member starts a step; otherwise the scheduler has started it as a task already."""
        return self in (Layout.STEPS, Layout.GROUPS)


@dataclass(frozen=True)
class Plan:
    """The options of a job, and how its members share its allocation."""

    layout: Layout
    options: PortableOptions  #: what the job asks for, sizes included
    node_cpus: int  #: the CPUs of a node
    member_cpus: int  #: the CPUs of the smallest member
    member_nodes: int = 1  #: the nodes of the smallest member
    max_running: int | None = None  #: members that may run at once; None for as many as there is room for
    overcommit: bool = False  #: more members run at once than there is room for
    member_list: str = ""  #: a file for the names of the members


class StepArguments(Protocol):
    """A function that writes the arguments of a step."""

    def __call__(self, command: Command, *, node_cpus: int, overcommit: bool = False) -> tuple[str, ...]:
        """The arguments that start `command` as a step of its own, on nodes of `node_cpus` CPUs."""
        ...


@dataclass(frozen=True)
class Scheduler:
    """What a batch script looks like for one scheduler, and how to talk to it."""

    name: str
    directive: str = ""  #: what begins a line of options in the script
    #: portable option -> its spelling, with a place for its value: {}, or {hms}, {minutes} or {seconds} for a time
    options: Mapping[str, str] = field(default_factory=dict)
    short_options: Mapping[str, str] = field(default_factory=dict)  #: a letter -> the option that it is short for
    fixed: tuple[str, ...] = ()  #: options of every job
    escape_path: Callable[[str], str] = str  #: the path of a file in an option, where some characters have a meaning
    group_separator: str = ""  #: the line between the options of groups of nodes, where a job may have several
    run_command: str = ""  #: what starts a step
    step: StepArguments = lambda command, **_: command.argv
    task: Callable[[Command], tuple[str, ...]] = lambda command: command.argv  #: the arguments of a task of a shared step
    exclusive: Callable[[Command], bool] = lambda _: False  #: the command takes all of an allocation, so it runs alone there
    body: Callable[[Plan], str] | None = None  #: shell that runs the array `members`, in an allocation
    control: Control | None = None

    def directives(self, options: PortableOptions) -> Iterator[str]:
        """The lines of options, and then those of the preamble, as they are."""
        yield from self._group(options)
        yield from (f"{self.directive} {option}" for option in self.fixed)
        lines = options.get("directives")
        yield from lines if isinstance(lines, list) else ()
        groups = options.get("groups")
        for group in groups if isinstance(groups, list) else []:
            yield self.group_separator
            yield from self._group(group)

    def _group(self, options: PortableOptions) -> Iterator[str]:
        """The lines of options of one group of nodes, in the order in which they were set."""
        for option, value in options.items():
            if option.startswith("-") and self.directive:
                mark = "=" if option.startswith("--") else " "
                yield f"{self.directive} {option}" + ("" if value is None else mark + quoted(str(value)))
            elif value and (spelling := self.options.get(option)):
                text = self.escape_path(str(value)) if option in ("output", "error") else value
                yield f"{self.directive} {spell(spelling, option, text)}"

    def without_effect(self, options: PortableOptions) -> list[str]:
        """The options with a value that this scheduler cannot express.

        >>> LOCAL.without_effect({"nodes": 4, "time": "00:10:00", "queue": "debug", "account": None})
        ['nodes', 'queue']
        """
        known = {*self.options, "directives"} if self.directive else self.options.keys()
        return [
            option
            for option, value in options.items()
            if (not self.directive if option.startswith("-") else value and option not in known)
        ]


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
    if "\n" in value:  # the next line would run as a program
        raise InputValueError(
            f"{shown(value)}: is more than a line, and an option of a batch job is one; take the line break out"
        )
    if re.fullmatch(r"[\w@%+=:,./\[\]&|*-]+", value):
        return value
    return '"' + re.sub(r'(["\\])', r"\\\1", value) + '"'


#: This machine: no nodes, queues or accounts. The supervisor keeps the time.
LOCAL = Scheduler("local", options={"time": ""})
