"""The options of any run command and of any scheduler: SmartSim's methods, as thin names over tables."""

from collections.abc import Iterable
from contextlib import suppress
from copy import copy
from datetime import timedelta
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from smartensemble.checks import flag, listed, names, path_text, positive, read, whole
from smartensemble.duration import Duration, seconds
from smartensemble.errors import InputTypeError, InputValueError, UnsupportedError, public, shown

if TYPE_CHECKING:
    from smartensemble.schedulers.run_commands import RunCommand


@public
class Options:
    """The options that run commands and schedulers have in common, by portable names."""

    def set_option(self, option: str, value: object) -> None:
        """Set a portable option."""
        raise NotImplementedError

    def __copy__(self) -> Self:
        """Settings of their own: to change them, or to add to them, changes nothing in these."""
        twin = type(self).__new__(type(self))
        vars(twin).update(
            (name, copy(value) if isinstance(value, (list, dict)) else value) for name, value in vars(self).items()
        )
        return twin

    def set_tasks(self, tasks: int) -> None:
        """Set the number of processes.

        :param tasks: how many, from 1 on.
        :raises InputTypeError: it is no whole number.
        :raises InputValueError: it is less than 1.
        :raises UnsupportedError: the run command cannot express it.
        """
        self.set_option("tasks", positive("tasks", tasks))

    def set_tasks_per_node(self, tasks_per_node: int) -> None:
        """Set the number of processes on each node.

        :param tasks_per_node: how many, from 1 on.
        :raises InputTypeError: it is no whole number.
        :raises InputValueError: it is less than 1.
        :raises UnsupportedError: the run command cannot express it.
        """
        self.set_option("tasks_per_node", positive("tasks_per_node", tasks_per_node))

    def set_cpus_per_task(self, cpus_per_task: int) -> None:
        """Set the number of CPUs of each process.

        :param cpus_per_task: how many, from 1 on.
        :raises InputTypeError: it is no whole number.
        :raises InputValueError: it is less than 1.
        :raises UnsupportedError: the run command cannot express it.
        """
        self.set_option("cpus_per_task", positive("cpus_per_task", cpus_per_task))

    def set_hostlist(self, host_list: str | Iterable[str]) -> None:
        """Set the hosts to run on.

        :param host_list: the name of one, or the names of several.
        :raises InputTypeError: it holds something that is no name, or nothing.
        :raises UnsupportedError: the run command cannot express it.
        """
        self.set_option("hosts", names("set_hostlist", host_list))

    def set_excluded_hosts(self, host_list: str | Iterable[str]) -> None:
        """Set the hosts not to run on.

        :param host_list: the name of one, or the names of several.
        :raises InputTypeError: it holds something that is no name, or nothing.
        :raises UnsupportedError: the run command cannot express it.
        """
        self.set_option("excluded_hosts", names("set_excluded_hosts", host_list))

    def set_node_feature(self, feature_list: str | Iterable[str]) -> None:
        """Set the features that each node must have.

        :param feature_list: the name of one, or the names of several, which a node must have together.
        :raises InputTypeError: it holds something that is no name, or nothing.
        :raises UnsupportedError: the run command cannot express it.
        """
        self.set_option("features", "&".join(names("set_node_feature", feature_list)))

    def set_memory_per_node(self, memory_per_node: int) -> None:
        """Set the memory that each node must have.

        :param memory_per_node: megabytes, from 1 on.
        :raises InputTypeError: it is no whole number.
        :raises InputValueError: it is less than 1.
        :raises UnsupportedError: the run command cannot express it.
        """
        self.set_option("memory_per_node", positive("memory_per_node", memory_per_node))


@public
class RunOptions(Options):
    """The options of a run command, by portable names."""

    run_command: str | None
    run_args: dict[str, object]
    run_options: dict[str, object]
    _places: dict[str, int]  #: of each portable option: the number of `run_args` that were set before it

    def set_option(self, option: str, value: object) -> None:
        """Set a portable option. Without a run command it has no effect, which a start reports.

        :param option: its portable name: ``"tasks"``, ``"hosts"``, ... as in the names of the other methods.
        :param value: its value; None takes the option back.
        :raises InputTypeError: `option` is no text.
        :raises UnsupportedError: the run command cannot express the option; the message lists what it can.
        """
        row = row_of(self)
        if not isinstance(option, str):
            raise InputTypeError(f"set_option: {shown(option)} is no name of an option; for example 'tasks'")
        if row is not None:
            row.check(option)
        self._places.setdefault(option, len(self.run_args))
        self.run_options[option] = value

    # --- SmartSim's names ------------------------------------------------------------------------------------------

    def set_nodes(self, nodes: int) -> None:
        """Set the number of nodes.

        :param nodes: how many, from 1 on.
        :raises InputTypeError: it is no whole number.
        :raises InputValueError: it is less than 1.
        :raises UnsupportedError: the run command cannot express it.
        """
        self.set_option("nodes", positive("nodes", nodes))

    def set_hostlist_from_file(self, file_path: str | PurePath) -> None:
        """Set the hosts to run on, by a file.

        :param file_path: a file of names, between blanks or line breaks.
        :raises MissingFileError: there is no such file.
        :raises AccessError: it cannot be read, or is no file.
        :raises InputTypeError: it is no path, or the file holds no name.
        :raises InputValueError: no file can have this name.
        :raises UnsupportedError: the run command cannot express it.
        """
        hosts = read(path_text("set_hostlist_from_file", file_path), "set_hostlist_from_file").decode(errors="replace").split()
        self.set_option("hosts", names("set_hostlist_from_file", hosts))

    def set_walltime(self, walltime: Duration) -> None:
        """Set the time limit of the step.

        :param walltime: ``"HH:MM:SS"``, seconds or a timedelta.
        :raises InputTypeError: it is none of these.
        :raises InputValueError: it is not above zero, or the text is no duration.
        :raises UnsupportedError: the run command cannot express it.
        """
        self.set_option("walltime", seconds("walltime", walltime))

    def set_time(self, hours: int = 0, minutes: int = 0, seconds: int = 0) -> None:
        """Set the time limit of the step, as a sum.

        :param hours: hours.
        :param minutes: minutes.
        :param seconds: seconds.
        :raises InputTypeError: one of them is no number.
        :raises InputValueError: the sum is not above zero.
        :raises UnsupportedError: the run command cannot express it.
        """
        try:
            duration = timedelta(hours=hours, minutes=minutes, seconds=seconds)
        except (TypeError, ValueError, OverflowError):
            raise InputTypeError(
                f"set_time: {shown(hours)}, {shown(minutes)}, {shown(seconds)} are no numbers; for example hours=1"
            ) from None
        self.set_walltime(duration)

    def set_binding(self, binding: str) -> None:
        """Set how processes are bound to hardware.

        :param binding: a value in the run command's words, such as ``"cores"``.
        :raises InputTypeError: it is no text.
        :raises InputValueError: it is empty, or more than a line.
        :raises UnsupportedError: the run command cannot express it.
        """
        self.set_option("binding", _line("set_binding", binding))

    def set_cpu_bindings(self, bindings: int | Iterable[int]) -> None:
        """Set the CPU of each process.

        :param bindings: the number of one CPU, or of several, from 0 on.
        :raises InputTypeError: it is neither a number nor a list of numbers.
        :raises InputValueError: it holds no number, or one below zero.
        :raises UnsupportedError: the run command cannot express it.
        """
        self.set_option("cpu_bindings", _numbers("set_cpu_bindings", bindings))

    def set_task_map(self, task_mapping: str) -> None:
        """Set how processes are spread over nodes.

        :param task_mapping: a value in the run command's words, such as ``"cyclic"``.
        :raises InputTypeError: it is no text.
        :raises InputValueError: it is empty, or more than a line.
        :raises UnsupportedError: the run command cannot express it.
        """
        self.set_option("task_map", _line("set_task_map", task_mapping))

    def set_broadcast(self, dest_path: str | None = None) -> None:
        """Copy the program to each node before it runs.

        :param dest_path: where the copy is on the node; by default, where the run command puts it.
        :raises InputTypeError: it is no text.
        :raises InputValueError: it is empty, or more than a line.
        :raises UnsupportedError: the run command cannot express it.
        """
        self.set_option("broadcast", True if dest_path is None else _line("set_broadcast", dest_path))

    def set_overcommit(self, overcommit: bool = True) -> None:
        """Allow more processes than CPUs.

        :param overcommit: False takes it back.
        :raises InputTypeError: it is neither True nor False.
        :raises UnsupportedError: the run command cannot express it.
        """
        self.set_option("overcommit", flag("set_overcommit", overcommit))

    def set_het_group(self, het_group: int | Iterable[int]) -> None:
        """Set the groups of a heterogeneous job to run on.

        :param het_group: the number of one group, or of several, from 0 on: see :meth:`BatchSettings.add_het_group`.
        :raises InputTypeError: it is neither a number nor a list of numbers.
        :raises InputValueError: it holds no number, or one below zero.
        :raises UnsupportedError: the run command cannot express it.
        """
        self.set_option("het_group", _numbers("set_het_group", het_group))

    def set_verbose_launch(self, verbose: bool) -> None:
        """Have the run command print what it does.

        :param verbose: False takes it back.
        :raises InputTypeError: it is neither True nor False.
        :raises UnsupportedError: the run command cannot express it.
        """
        self.set_option("verbose", flag("set_verbose_launch", verbose))

    def set_quiet_launch(self, quiet: bool) -> None:
        """Have the run command print little.

        :param quiet: False takes it back.
        :raises InputTypeError: it is neither True nor False.
        :raises UnsupportedError: the run command cannot express it.
        """
        self.set_option("quiet", flag("set_quiet_launch", quiet))


@public
class BatchOptions(Options):
    """The options of a batch job, by portable names."""

    batch_options: dict[str, object]

    def set_option(self, option: str, value: object) -> None:
        """Set a portable option. If the scheduler cannot express it, starting the job raises UnsupportedError.

        :param option: its portable name: ``"tasks"``, ``"hosts"``, ... as in the names of the other methods.
        :param value: its value; None takes the option back.
        :raises InputTypeError: `option` is no text.
        """
        if not isinstance(option, str):
            raise InputTypeError(f"set_option: {shown(option)} is no name of an option; for example 'queue'")
        self.batch_options[option] = value


class SetOption(NamedTuple):
    """An option of a run command, as it was set."""

    name: str
    value: object
    portable: bool  #: by a portable name; otherwise by the run command's own


def in_order(options: RunOptions) -> list[SetOption]:
    """The options of a run command in the order in which they were set."""
    found = [SetOption(name, value, portable=False) for name, value in options.run_args.items()]
    for number, (name, value) in enumerate(options.run_options.items()):
        found.insert(options._places.get(name, 0) + number, SetOption(name, value, portable=True))
    return found


def row_of(options: RunOptions) -> "RunCommand | None":
    """How the run command of `options` spells them; None without one."""
    if options.run_command is None:
        return None
    from smartensemble.schedulers.run_commands import run_command  # with all schedulers: 5 ms of each import

    return run_command(options.run_command)


def can_express(options: RunOptions, option: str) -> bool:
    """Whether the run command of `options` is known, and has a word for a portable option."""
    with suppress(UnsupportedError):
        row = row_of(options)
        return row is not None and option in row.options
    return False


def _numbers(subject: str, value: Any) -> list[int]:
    """`value` as numbers, from zero on: one, or several.

    >>> _numbers("set_het_group", 1), _numbers("set_cpu_bindings", ["0", 2])
    ([1], [0, 2])
    """
    found = listed(value)
    found = [value] if found is None else found
    if not found:
        raise InputValueError(f"{subject}: {shown(value)} holds no number; for example [0, 1]")
    return [whole(subject, int(each) if isinstance(each, str) and each.isdecimal() else each) for each in found]


def _line(subject: str, value: Any) -> str:
    """`value` as a line of text."""
    if not isinstance(value, str):
        raise InputTypeError(f"{subject}: {shown(value)} is no text; give it in the run command's words")
    if not value.strip() or not value.isprintable():
        raise InputValueError(f"{subject}: {shown(value)} is no line of text; give it in the run command's words")
    return value
