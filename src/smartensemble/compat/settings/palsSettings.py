"""SmartSim's settings for Cray's PALS: its ``mpiexec``."""

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any, ClassVar

from smartensemble.compat.settings.containers import Container
from smartensemble.compat.settings.mpiSettings import MPISettings
from smartensemble.duration import Duration
from smartensemble.errors import public
from smartensemble.settings import run
from smartensemble.settings.arguments import Arguments


@public
class PalsMpiexecSettings(MPISettings):
    """How a program is run by the ``mpiexec`` of PALS.

    >>> settings = PalsMpiexecSettings("echo", env_vars={"A": 1, "PATH": None})
    >>> settings.set_tasks(3)
    >>> settings.set_gpu_affinity_script("affinity.sh", 1)
    >>> settings.format_run_args(), settings.format_env_vars()
    (['--np', '3', 'affinity.sh', '1'], ['--env', 'A=1', '--envlist', 'PATH'])
    """

    _keys: ClassVar[Mapping[str, str]] = {
        "tasks": "np",
        "tasks_per_node": "ppn",
        "hosts": "hosts",
        "hosts_file": "hostfile",
        "cpu_binding_type": "cpu-bind",
        "broadcast": "transfer",
        "verbose": "verbose",
    }
    _dialect: ClassVar[Mapping[str, str]] = {}

    def __init__(
        self,
        exe: str | PurePath,
        exe_args: Arguments | None = None,
        run_args: Mapping[str, object] | None = None,
        env_vars: Mapping[str, object] | None = None,
        fail_if_missing_exec: bool | None = None,
        *,
        container: Container | None = None,
        time_limit: Duration | None = None,
        **kwargs: Any,
    ) -> None:
        """The same as :class:`MpiexecSettings`."""
        super().__init__(
            *(exe, exe_args, "mpiexec", run_args, env_vars, fail_if_missing_exec),
            container=container,
            time_limit=time_limit,
            **kwargs,
        )

    def set_gpu_affinity_script(self, affinity: str, *args: object) -> None:
        """Set a script, with its arguments, that chooses GPUs and then runs the program."""
        self.affinity_script += [str(affinity), *map(str, args)]

    def format_run_args(self) -> list[str]:
        """The options of the run command, and the script, as SmartSim spells them."""
        return [*super().format_run_args(), *self.affinity_script]

    def format_env_vars(self) -> list[str]:
        """The variables, as SmartSim hands them to the run command."""
        named = [name for name, value in self.env_vars.items() if not value]
        given = [word for name, value in self.env_vars.items() if value for word in ("--env", f"{name}={value}")]
        return [*given, *(["--envlist", ",".join(named)] if named else [])]

    def _plain(self) -> run.RunSettings:
        made = super()._plain()
        words = [*self.affinity_script, made.exe, *made.exe_args]
        made.exe, made.exe_args = words[0], words[1:]
        return made
