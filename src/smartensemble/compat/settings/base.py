"""SmartSim's base settings. Their options are dictionaries in the words of a program, which a user reads and changes."""

from collections import ChainMap
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from pathlib import PurePath
from typing import Any, ClassVar

from smartensemble.checks import flag
from smartensemble.compat.settings.batch import BatchSettings as BatchSettings
from smartensemble.compat.settings.batch import SettingsBase as SettingsBase
from smartensemble.compat.settings.containers import Container
from smartensemble.compat.settings.values import (
    checked_variables,
    commas,
    dialect_value,
    exe_arguments,
    ignore,
    number,
    numbers,
    options,
    table,
    word,
)
from smartensemble.duration import Duration, seconds
from smartensemble.errors import InputTypeError, UnsupportedError, public, shown
from smartensemble.results import notes
from smartensemble.results.no_effect import no_effect
from smartensemble.settings import run
from smartensemble.settings.arguments import Arguments, raw_options, shell_lines
from smartensemble.settings.executable import find_late, find_program_if_here, is_named
from smartensemble.settings.options import can_express

logger = notes.logger(__name__)


@public
class RunSettings(SettingsBase, run.RunSettings):
    """How a program is run. Text for `exe_args` is split at blanks, and quotes are nothing special, as in SmartSim.

    >>> settings = RunSettings("echo", "it's me", run_command="mpirun", run_args={"-np": 2})
    >>> settings.exe_args, settings.run_args, settings.format_run_args()
    (["it's", 'me'], {'-np': 2}, ['-np', '2'])
    """

    #: By portable name: the name in `run_args`, and after ``=`` a template for its value, where it is not the value itself.
    _keys: ClassVar[Mapping[str, str]] = {}
    #: Names in `run_args` that each MPI spells in its own way, by portable name.
    _dialect: ClassVar[Mapping[str, str]] = {}
    _several: ClassVar[bool] = False  #: several programs can share a step
    _two_words: ClassVar[bool] = False  #: long options and their values are two words
    reserved_run_args: ClassVar[set[str]] = set()  #: options that cannot be set
    exe: list[str]  # type: ignore[assignment]
    container: Container | None  # type: ignore[assignment]

    def __init__(
        self,
        exe: str | PurePath,
        exe_args: Arguments | None = None,
        run_command: str | None = "",
        run_args: Mapping[str, object] | None = None,
        env_vars: Mapping[str, object] | None = None,
        container: Container | None = None,
        *,
        time_limit: Duration | None = None,
        **kwargs: Any,
    ) -> None:
        """The same as :class:`smartensemble.RunSettings`. Other keywords have no effect, which is said."""
        if container is not None and not isinstance(container, Container):
            raise InputTypeError(f"container: {shown(container)} is no container; for example Singularity('image.sif')")
        ignore(self, kwargs, ("exe", "exe_args", "run_command", "run_args", "env_vars", "container", "time_limit"))
        self._run_command = str(find_program_if_here(run_command, "run_command")) if is_named(run_command) else ""
        self.exe = [run.find_exe(exe, container, self._run_command or None)]
        self._exe_args = exe_arguments(exe_args)
        self._run_args = options("run_args", run_args)
        self._env_vars = checked_variables(env_vars)
        self._given: dict[str, str] = {}  #: variables that a start has added
        self.container = container
        self.in_batch = False
        self.colocated_db_settings: dict[str, Any] | None = None
        self.mpmd: list[run.RunSettings] = []
        self.preamble: list[str] = []
        self.time_limit = None if time_limit is None else seconds("time_limit", time_limit)

    @property
    def exe_args(self) -> list[str]:
        """The arguments of the program."""
        return self._exe_args

    @exe_args.setter
    def exe_args(self, value: Arguments | None) -> None:
        self._exe_args = exe_arguments(value)

    @property
    def run_args(self) -> dict[str, Any]:
        """The options of the run command, in its own words."""
        return self._run_args

    @run_args.setter
    def run_args(self, value: Mapping[str, object]) -> None:
        self._run_args = options("run_args", value)

    @property  # type: ignore[override]
    def env_vars(self) -> MutableMapping[str, Any]:
        """The variables of the program. After a start, also those with which it finds its databases."""
        return ChainMap(self._env_vars, self._given) if self._given else self._env_vars

    @env_vars.setter
    def env_vars(self, value: Mapping[str, object]) -> None:
        self._env_vars = checked_variables(value)

    @property
    def run_command(self) -> str | None:  # type: ignore[override]
        """What starts the program: its path, or its name where this machine has no such program."""
        return find_late(self._run_command) if self._run_command else None

    def add_exe_args(self, args: Arguments) -> None:
        """Add arguments after those that are there."""
        self._exe_args.extend(exe_arguments(args))

    def update_env(self, env_vars: Mapping[str, object]) -> None:
        """Add variables, or change them. Numbers become text."""
        for name, value in checked_variables(env_vars).items():
            if not isinstance(value, (str, int, float)):
                raise InputTypeError(f"env_vars: {name!r} is {shown(value)}; give text or a number")
            self._env_vars[name] = str(value)

    def set(self, arg: str, value: str | None = None, condition: bool = True) -> None:
        """Set an option of the run command by its own name, if `condition` holds."""
        if not isinstance(arg, str):
            raise InputTypeError(f"set: {shown(arg)} is no name of an option; for example 'n'")
        if value is not None and not isinstance(value, str):
            raise InputTypeError(f"set: {arg!r} is {shown(value)}; give text, or None for an option without a value")
        name = next(iter(raw_options("set", {arg.strip().lstrip("-"): value})))
        if not flag("condition", condition):
            logger.info("set: %r is not set, since the condition does not hold", arg)
        elif name in self.reserved_run_args:
            no_effect(f"{type(self).__name__}: set({name!r})", "each member has its own directory, which smartensemble sets")
        else:
            self.run_args[name] = value

    def format_run_args(self) -> list[str]:
        """The options of the run command, as SmartSim spells them."""
        return [word for name, value in self.run_args.items() for word in (name, str(value))]

    def format_env_vars(self) -> list[str]:
        """The variables, as SmartSim spells them."""
        return [f"{name}={'' if value is None else value}" for name, value in self.env_vars.items()]

    def set_option(self, option: str, value: object) -> None:
        """Set an option by its portable name. Where the run command has none, it has no effect, which is said."""
        if not isinstance(option, str):
            raise InputTypeError(f"set_option: {shown(option)} is no name of an option; for example 'tasks'")
        if option not in self._keys:
            self._not_implemented(option)
            return
        key, _, template = self._keys[option].partition("=")
        if value is False:
            self.run_args.pop(key, None)
        elif value is True:
            self.run_args[key] = int(template) if template else None
        else:
            self.run_args[key] = template.format(value) if template else value

    def _set(self, option: str, value: Any, read: Callable[[str, Any], Any] = word) -> None:
        """Set an option that this class may not have to what `read` makes of `value`."""
        self.set_option(option, read(option, value) if option in self._keys else value)

    def set_nodes(self, nodes: int) -> None:
        """Set the number of nodes."""
        self._set("nodes", nodes, number)

    def set_tasks(self, tasks: int) -> None:
        """Set the number of processes."""
        self._set("tasks", tasks, number)

    def set_tasks_per_node(self, tasks_per_node: int) -> None:
        """Set the number of processes on each node."""
        self._set("tasks_per_node", tasks_per_node, number)

    def set_cpus_per_task(self, cpus_per_task: int) -> None:
        """Set the number of CPUs of each process."""
        self._set("cpus_per_task", cpus_per_task, number)

    def set_memory_per_node(self, memory_per_node: int) -> None:
        """Set the memory of each node, in megabytes."""
        self._set("memory_per_node", memory_per_node, number)

    def set_hostlist(self, host_list: str | Iterable[str]) -> None:
        """Set the hosts to run on."""
        self._set("hosts", host_list, commas)

    def set_hostlist_from_file(self, file_path: str) -> None:  # type: ignore[override]
        """Set the hosts to run on: those in a file."""
        self._set("hosts_file", file_path)

    def set_excluded_hosts(self, host_list: str | Iterable[str]) -> None:
        """Set the hosts that are not to be used."""
        self._set("excluded_hosts", host_list, commas)

    def set_node_feature(self, feature_list: str | Iterable[str]) -> None:
        """Set the features that each node must have."""
        self._set("features", feature_list, commas)

    def set_cpu_bindings(self, bindings: int | Iterable[int]) -> None:
        """Set the CPU of each process."""
        self._set("cpu_bindings", bindings, numbers)

    def set_binding(self, binding: str) -> None:
        """Set how processes are bound to hardware, as the run command spells it."""
        self._set("binding", binding)

    def set_task_map(self, task_mapping: str) -> None:
        """Set how processes are spread over nodes, as the run command spells it."""
        self._set("task_map", task_mapping)

    def set_broadcast(self, dest_path: str | None = None) -> None:
        """Copy the program to each node before it runs."""
        self._set("broadcast", dest_path)

    def set_verbose_launch(self, verbose: bool) -> None:
        """Have the run command print what it does, or not."""
        self.set_option("verbose", bool(verbose))

    def set_quiet_launch(self, quiet: bool) -> None:
        """Have the run command print little, or not."""
        self.set_option("quiet", bool(quiet))

    def set_walltime(self, walltime: str) -> None:  # type: ignore[override]
        """Set its time limit, as the run command spells it."""
        self._set("walltime", walltime)

    def set_time(self, hours: int = 0, minutes: int = 0, seconds: int = 0) -> None:
        """Set its time limit."""
        self.set_walltime(self._fmt_walltime(number("hours", hours), number("minutes", minutes), number("seconds", seconds)))

    @staticmethod
    def _fmt_walltime(hours: int, minutes: int, seconds: int) -> str:
        return str(hours * 3600 + minutes * 60 + seconds)

    def set_mpmd_preamble(self, preamble_lines: list[str]) -> None:
        """Set lines that run before several programs of one step."""
        shell_lines(preamble_lines)
        self._not_implemented("set_mpmd_preamble")

    def make_mpmd(self, settings: run.RunSettings) -> None:
        """Run the program of `settings` beside this one, in one step."""
        if not self._several:
            self._not_implemented("make_mpmd")
            return
        if self.colocated_db_settings:
            raise UnsupportedError("make_mpmd: several programs in one step have no database of their own; leave that out")
        if not isinstance(settings, RunSettings):
            raise InputTypeError(
                f"make_mpmd: {shown(settings)} are no run settings; for example {type(self).__name__}('ocean')"
            )
        self.mpmd.append(settings)

    def _not_implemented(self, option: str) -> None:
        no_effect(f"{type(self).__name__}: {option}", "it is not implemented for this class; give the options of a run command")

    def _plain(self) -> run.RunSettings:
        """The same settings as this package reads them."""
        program, *first = [self.exe] if isinstance(self.exe, str) else self.exe
        variables = {name: str(value) for name, value in self._env_vars.items() if value is not None}
        container = self.container.plain() if self.container else None
        made = run.assembled(
            *(program, [*first, *self._exe_args], self.run_command, variables, container, self.time_limit, self.preamble)
        )
        made.separate_values = self._two_words
        made.mpmd = [run.plain(each) for each in self.mpmd]
        for name, value in self._run_args.items():
            portable = self._dialect.get(name.lstrip("-"))
            if portable and can_express(made, portable):
                made.set_option(portable, dialect_value(portable, value))
            else:
                made.run_args[name] = None if value is False or value == "" else value
        return made

    def __repr__(self) -> str:
        program = [self.exe] if isinstance(self.exe, str) else self.exe
        return f"{type(self).__name__}({' '.join(map(str, [*program, *self.exe_args]))!r})"

    def __str__(self) -> str:
        lines = [f"Executable: {self.exe[0]}", f"Executable Arguments: {' '.join(self.exe_args)}"]
        if self.run_command:
            lines.append(f"Run Command: {self.run_command}")
        if self.run_args:
            lines += ["Run Arguments:", *table(self.run_args)]
        if self.colocated_db_settings:
            lines.append("Co-located Database: True")
        return "\n".join(lines)


def show_variables(settings: run.RunSettings, given: Mapping[str, str]) -> None:
    """Have `settings` show the variables that a start has given to the program, beside its own."""
    if isinstance(settings, RunSettings):
        settings._given = dict(given)
