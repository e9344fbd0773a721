"""SmartSim's base settings of a batch job: a dictionary of options in the words of a scheduler."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, ClassVar

from smartensemble.checks import empty, flag
from smartensemble.compat.settings.values import ignore, number, option_words, options, table, words
from smartensemble.duration import Duration, seconds
from smartensemble.errors import InputTypeError, InputValueError, public, shown
from smartensemble.results.no_effect import no_effect
from smartensemble.settings import batch
from smartensemble.settings.arguments import dashed, raw_options, shell_lines, text
from smartensemble.settings.executable import find_late


class SettingsBase:
    """What all settings are."""


@public
class BatchSettings(SettingsBase, batch.BatchSettings):
    """What a batch job asks for. On this machine, where a script runs with bash, only its time limit has an effect.

    >>> batch = BatchSettings(nodes=2, queue="debug", batch_args={"exclusive": None})
    >>> batch.set_walltime("00:10:00")
    >>> batch.batch_args
    {'exclusive': None, 'nodes': '2', 'partition': 'debug', 'time': '00:10:00'}
    """

    #: By portable name: the name in `batch_args`. These are Slurm's.
    _keys: ClassVar[Mapping[str, str]] = {
        "nodes": "nodes",
        "time": "time",
        "queue": "partition",
        "account": "account",
        "hosts": "nodelist",
        "tasks": "ntasks",
        "tasks_per_node": "ntasks-per-node",
        "cpus_per_task": "cpus-per-task",
        "excluded_hosts": "exclude",
        "features": "constraint",
        "memory_per_node": "mem",
    }
    _short: ClassVar[Mapping[str, str]] = {"N": "nodes", "t": "time", "p": "partition", "A": "account"}

    def __init__(
        self,
        batch_cmd: str = "bash",
        batch_args: Mapping[str, object] | None = None,
        *,
        nodes: int | None = None,
        queue: str | None = None,
        time: Duration | None = None,
        account: str | None = None,
        preamble: str | Iterable[str] = (),
        overcommit: bool = False,
        array: bool = False,
        **kwargs: Any,
    ) -> None:
        """What a job asks for. Other keywords have no effect, which is said.

        :param batch_cmd: the program that submits it.
        :param batch_args: options of the scheduler, in its own words.
        :param nodes: the number of nodes of the whole job. By default as many as all members need to run at once.
        :param queue: the queue or partition.
        :param time: how long the job may run: ``"HH:MM:SS"``.
        :param account: the account that is charged.
        :param preamble: lines of shell that run before the members start.
        :param overcommit: run all members at once, also on fewer CPUs.
        :param array: make a job array of the members.
        """
        known = ("nodes", "time", "queue", "account", "batch_args", "preamble", "overcommit", "array")
        ignore(self, kwargs, known)
        self._batch_cmd = text("batch_cmd", batch_cmd)
        self._batch_args = options("batch_args", batch_args)
        self.preamble: list[str] = []
        self.groups: list[batch.BatchSettings] = []
        self.overcommit, self.array = flag("overcommit", overcommit), flag("array", array)
        self.add_preamble(preamble)
        self.set_nodes(nodes)
        if not empty(queue):
            self.set_queue(queue)
        self.set_walltime(time)
        self.set_account(account)

    @property
    def batch_args(self) -> dict[str, Any]:
        """The options of the job, in the scheduler's own words."""
        return self._batch_args

    @batch_args.setter
    def batch_args(self, value: Mapping[str, object] | None) -> None:
        self._batch_args = options("batch_args", value)

    @property
    def batch_cmd(self) -> str:
        """The program that submits the job: its path, or its name where this machine has no such program."""
        return find_late(self._batch_cmd)

    def set_batch_command(self, command: str) -> None:
        """Set the program that submits, as `batch_cmd` shows it. The scheduler's own program is used all the same."""
        self._batch_cmd = text("command", command)

    def set_option(self, option: str, value: object) -> None:
        """Set an option by its portable name, or by the scheduler's own."""
        if not isinstance(option, str):
            raise InputTypeError(f"set_option: {shown(option)} is no name of an option; for example 'queue'")
        if option in BatchSettings._keys and option not in self._keys:
            no_effect(f"{type(self).__name__}: {option}", "it is not implemented for this class; give batch_args")
            return
        key = self._keys.get(option, option)
        if value is None:
            self.batch_args.pop(key, None)
        else:
            raw_options("set_option", {key: value if not isinstance(value, list) else ",".join(map(str, value))})
            self.batch_args[key] = ",".join(map(str, value)) if isinstance(value, list) else value

    def set_nodes(self, num_nodes: int | None) -> None:
        """Set the number of nodes."""
        if not empty(num_nodes):
            self.set_option("nodes", str(number("nodes", num_nodes)))

    def set_tasks(self, tasks: int) -> None:
        """Set the number of processes."""
        self.set_option("tasks", str(number("tasks", tasks)))

    def set_tasks_per_node(self, tasks_per_node: int) -> None:
        """Set the number of processes on each node."""
        self.set_option("tasks_per_node", str(number("tasks_per_node", tasks_per_node)))

    def set_cpus_per_task(self, cpus_per_task: int) -> None:
        """Set the number of CPUs of each process."""
        self.set_option("cpus_per_task", str(number("cpus_per_task", cpus_per_task)))

    def set_memory_per_node(self, memory_per_node: int) -> None:
        """Set the memory of each node, in megabytes."""
        self.set_option("memory_per_node", number("memory_per_node", memory_per_node))

    def set_hostlist(self, host_list: str | Iterable[str]) -> None:
        """Set the hosts to run on."""
        self.set_option("hosts", ",".join(words("host_list", host_list)))

    def set_queue(self, queue: str | None) -> None:
        """Set the queue or partition."""
        if not empty(queue):
            self.set_option("queue", line("queue", queue))

    def set_walltime(self, walltime: Duration | None) -> None:
        """Set how long the job may run: ``"HH:MM:SS"``."""
        if not empty(walltime):
            self.set_option("time", walltime if isinstance(walltime, str) else hms("time", walltime))

    def set_account(self, account: str | None) -> None:
        """Set the account that is charged."""
        if not empty(account):
            self.set_option("account", line("account", account))

    def add_preamble(self, lines: str | Iterable[str]) -> None:
        """Add lines of shell that run before the members start."""
        self.preamble += [lines] if isinstance(lines, str) and lines and "\n" not in lines else shell_lines(lines)

    def format_batch_args(self) -> list[str]:
        """The options of the job, as SmartSim spells them."""
        return option_words(self.batch_args)

    @property
    def time_limit(self) -> float | None:
        """Its time limit, in seconds; None if it has none, or one in the scheduler's own words."""
        with suppress(InputValueError, InputTypeError):
            value = next((value for name, value in self.batch_args.items() if self._long(name) == self._keys["time"]), None)
            return None if value is None else seconds("time", value)
        return None

    def _long(self, name: str) -> str:
        word = name.lstrip("-")
        return self._short.get(word, word)

    def _as_set(self) -> dict[str, object]:
        """Its options in the order in which they were set; by portable names, where they mean the same on every machine."""
        portable = {self._keys[option]: option for option in ("nodes", "queue", "account", "time")}
        found: dict[str, object] = {}
        for name, value in self.batch_args.items():
            option = portable.get(self._long(name))
            if option == "nodes" and str(value).isdecimal():
                found[option] = int(value)
            elif option in ("queue", "account") or (option == "time" and self.time_limit):
                found[option] = value
            else:
                found[dashed(name)] = None if value is False or value == "" else value
        return found

    def __str__(self) -> str:
        return "\n".join(
            [f"Batch Command: {self._batch_cmd}", *(["Batch arguments:"] if self.batch_args else []), *table(self.batch_args)]
        )

    __repr__ = __str__


def line(subject: str, value: Any) -> str:
    """`value` as one line of text."""
    if not isinstance(value, str):
        raise InputTypeError(f"{subject}: {shown(value)} is no text; give its name")
    if not value.isprintable():
        raise InputValueError(f"{subject}: {shown(value)} is more than a line of text; give its name")
    return value


def hms(subject: str, value: Any) -> str:
    """A duration as ``HH:MM:SS``."""
    number = round(seconds(subject, value))
    return f"{number // 3600:02}:{number // 60 % 60:02}:{number % 60:02}"
