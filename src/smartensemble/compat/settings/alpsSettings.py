"""SmartSim's settings for Cray's ALPS: ``aprun``."""

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any, ClassVar

from smartensemble.compat.settings.base import RunSettings
from smartensemble.compat.settings.containers import Container
from smartensemble.compat.settings.values import option_words
from smartensemble.duration import Duration
from smartensemble.errors import public
from smartensemble.settings.arguments import Arguments


@public
class AprunSettings(RunSettings):
    """How a program is run by ``aprun``.

    >>> settings = AprunSettings("echo", env_vars={"A": 1})
    >>> settings.set_tasks(100)
    >>> settings.format_run_args(), settings.format_env_vars()
    (['--pes=100'], ['-e', 'A=1'])
    """

    _keys: ClassVar[Mapping[str, str]] = {
        "tasks": "pes",
        "tasks_per_node": "pes-per-node",
        "cpus_per_task": "cpus-per-pe",
        "hosts": "node-list",
        "hosts_file": "node-list-file",
        "excluded_hosts": "exclude-node-list",
        "cpu_bindings": "cpu-binding",
        "memory_per_node": "memory-per-pe",
        "walltime": "cpu-time-limit={}",
        "verbose": "debug=7",
        "quiet": "quiet",
    }
    _several = True

    def __init__(
        self,
        exe: str | PurePath,
        exe_args: Arguments | None = None,
        run_args: Mapping[str, object] | None = None,
        env_vars: Mapping[str, object] | None = None,
        *,
        container: Container | None = None,
        time_limit: Duration | None = None,
        **kwargs: Any,
    ) -> None:
        """The same as :class:`RunSettings`, but for the run command."""
        super().__init__(exe, exe_args, "aprun", run_args, env_vars, container, time_limit=time_limit, **kwargs)

    def format_run_args(self) -> list[str]:
        """The options of ``aprun``, as SmartSim spells them."""
        return option_words({name: value for name, value in self.run_args.items() if name != "wdir"})

    def format_env_vars(self) -> list[str]:
        """The variables, as SmartSim hands them to ``aprun``."""
        return [word for name, value in self.env_vars.items() for word in ("-e", f"{name}={value}")]
