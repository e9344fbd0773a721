"""SmartSim's settings for what MPI starts: ``mpirun``, ``mpiexec``, ``orterun``."""

from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any, ClassVar

from smartensemble.compat.error import LauncherError
from smartensemble.compat.settings.base import RunSettings
from smartensemble.compat.settings.base import logger as logger
from smartensemble.compat.settings.containers import Container
from smartensemble.compat.settings.values import option_words, word
from smartensemble.duration import Duration
from smartensemble.errors import UnsupportedError, public
from smartensemble.results.no_effect import no_effect
from smartensemble.settings.arguments import Arguments
from smartensemble.settings.executable import is_here


@public
class MPISettings(RunSettings):
    """How a program is run by MPI.

    `run_args` has the words that SmartSim gives to each MPI. What runs gets those of the MPI to which the program belongs.
    """

    _keys: ClassVar[Mapping[str, str]] = {
        "tasks": "n",
        "tasks_per_node": "npernode",
        "cpus_per_task": "cpus-per-proc",
        "hosts": "host",
        "hosts_file": "hostfile",
        "task_map": "map-by",
        "cpu_binding_type": "bind-to",
        "walltime": "timeout",
        "broadcast": "preload-binary",
        "verbose": "verbose",
        "quiet": "quiet",
    }
    _dialect: ClassVar[Mapping[str, str]] = {
        "n": "tasks",
        "npernode": "tasks_per_node",
        "cpus-per-proc": "cpus_per_task",
        "host": "hosts",
        "map-by": "task_map",
        "bind-to": "binding",
        "timeout": "walltime",
        "preload-binary": "broadcast",
        "verbose": "verbose",
        "quiet": "quiet",
    }
    _several = True
    _two_words = True
    reserved_run_args: ClassVar[set[str]] = {"wd", "wdir"}

    def __init__(
        self,
        exe: str | PurePath,
        exe_args: Arguments | None = None,
        run_command: str = "mpiexec",
        run_args: Mapping[str, object] | None = None,
        env_vars: Mapping[str, object] | None = None,
        fail_if_missing_exec: bool | None = None,
        *,
        container: Container | None = None,
        time_limit: Duration | None = None,
        **kwargs: Any,
    ) -> None:
        """The same as :class:`RunSettings`.

        :param fail_if_missing_exec: raise an error if this machine has no such run command. By default only a start does.
        :raises LauncherError: it has none.
        """
        super().__init__(exe, exe_args, run_command, run_args, env_vars, container, time_limit=time_limit, **kwargs)
        if fail_if_missing_exec and not is_here(self._run_command):
            raise LauncherError(f"{self._run_command}: no such program on PATH; give its path as run_command, or install it")
        self.affinity_script: list[str] = []

    def set_cpu_binding_type(self, bind_type: str) -> None:
        """Set what processes are bound to, as ``core``."""
        self.set_option("cpu_binding_type", word("bind_type", bind_type))

    def set_broadcast(self, dest_path: str | None = None) -> None:
        """Copy the program to each node before it runs; `dest_path` has no effect."""
        if isinstance(dest_path, str):
            no_effect(f"{type(self).__name__}: dest_path", "MPI chooses the directory to which it copies a program")
        self.set_option("broadcast", None)

    def format_run_args(self) -> list[str]:
        """The options of the run command, as SmartSim spells them."""
        given = {f"--{name}": value for name, value in self.run_args.items() if name not in self.reserved_run_args}
        return option_words(given, joined=False)

    def format_env_vars(self) -> list[str]:
        """The variables, as SmartSim hands them to the run command."""
        return [word for name, value in self.env_vars.items() for word in ("-x", f"{name}={value}" if value else name)]


#: SmartSim's name.
_BaseMPISettings = MPISettings


@public
class NamedMPISettings(MPISettings):
    """How a program is run by an MPI's program of one name."""

    program: ClassVar[str]

    def __init__(
        self,
        exe: str | PurePath,
        exe_args: Arguments | None = None,
        run_args: Mapping[str, object] | None = None,
        env_vars: Mapping[str, object] | None = None,
        *,
        fail_if_missing_exec: bool | None = None,
        container: Container | None = None,
        time_limit: Duration | None = None,
        **kwargs: Any,
    ) -> None:
        """The same as :class:`RunSettings`, but for the run command.

        :raises UnsupportedError: ``mpiexec`` is Slurm's own, which takes other options.
        """
        super().__init__(
            *(exe, exe_args, self.program, run_args, env_vars, fail_if_missing_exec),
            container=container,
            time_limit=time_limit,
            **kwargs,
        )
        self._check()

    def _check(self) -> None:
        """An error, if the program takes other options."""


@public
class MpirunSettings(NamedMPISettings):
    """How a program is run by ``mpirun``.

    >>> settings = MpirunSettings("echo", run_args={"map-by": "core"})
    >>> settings.set_tasks(2)
    >>> settings.format_run_args()
    ['--map-by', 'core', '--n', '2']
    """

    program = "mpirun"


@public
class MpiexecSettings(NamedMPISettings):
    """How a program is run by ``mpiexec``."""

    program = "mpiexec"

    def _check(self) -> None:
        if self.run_command and is_here(self.run_command) and is_slurms(Path(self.run_command)):
            raise UnsupportedError(f"MpiexecSettings: {self.run_command} is Slurm's own; give SrunSettings")


@public
class OrterunSettings(NamedMPISettings):
    """How a program is run by ``orterun``."""

    program = "orterun"


def is_slurms(program: Path) -> bool:
    """An ``mpiexec`` is the script that Slurm has under this name."""
    with program.open("rb") as file:
        start = file.read(1 << 16)
    return start.startswith(b"#!") and b"mpiexec.slurm" in start
