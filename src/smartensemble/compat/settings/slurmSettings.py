"""SmartSim's settings for Slurm: of ``srun``, and of ``sbatch``."""

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any, ClassVar

from smartensemble.compat.settings.base import BatchSettings, RunSettings
from smartensemble.compat.settings.batch import hms, line
from smartensemble.compat.settings.containers import Container
from smartensemble.compat.settings.values import numbers, option_words
from smartensemble.duration import Duration
from smartensemble.errors import public
from smartensemble.settings import run
from smartensemble.settings.arguments import Arguments, text


@public
class SrunSettings(RunSettings):
    """How a program is run by Slurm's ``srun``.

    >>> settings = SrunSettings("echo", "hello", run_args={"exclusive": None})
    >>> settings.set_tasks(8)
    >>> settings.run_args, settings.format_run_args()
    ({'exclusive': None, 'ntasks': 8}, ['--exclusive', '--ntasks=8'])
    """

    _keys: ClassVar[Mapping[str, str]] = {
        "nodes": "nodes",
        "tasks": "ntasks",
        "tasks_per_node": "ntasks-per-node",
        "cpus_per_task": "cpus-per-task",
        "hosts": "nodelist",
        "hosts_file": "nodefile",
        "excluded_hosts": "exclude",
        "features": "C",
        "walltime": "time={}",
        "memory_per_node": "mem={}M",
        "cpu_bindings": "cpu_bind=map_cpu:{}",
        "broadcast": "bcast",
        "verbose": "verbose",
        "quiet": "quiet",
        "het_group": "het-group",
        "overcommit": "overcommit",
    }
    #: What a database's own steps change.
    _dialect: ClassVar[Mapping[str, str]] = {
        "nodes": "nodes",
        "ntasks": "tasks",
        "ntasks-per-node": "tasks_per_node",
        "cpus-per-task": "cpus_per_task",
    }
    _several = True
    reserved_run_args: ClassVar[set[str]] = {"chdir", "D"}

    def __init__(
        self,
        exe: str | PurePath,
        exe_args: Arguments | None = None,
        run_args: Mapping[str, object] | None = None,
        env_vars: Mapping[str, object] | None = None,
        alloc: str | int | None = None,
        *,
        run_command: str = "srun",
        container: Container | None = None,
        time_limit: Duration | None = None,
        **kwargs: Any,
    ) -> None:
        """The same as :class:`RunSettings`, but for the run command.

        :param alloc: the number of an allocation to run in.
        """
        super().__init__(exe, exe_args, run_command, run_args, env_vars, container, time_limit=time_limit, **kwargs)
        self.alloc = None if alloc is None else text("alloc", alloc)

    def set_option(self, option: str, value: object) -> None:
        """Set an option by its portable name."""
        if option == "allocation":
            self.alloc = text("alloc", value)
        else:
            super().set_option(option, value)

    def set_het_group(self, het_group: Any) -> None:
        """Set the components of a heterogeneous job that it runs on."""
        self.set_option("het_group", numbers("het_group", het_group))

    @staticmethod
    def _fmt_walltime(hours: int, minutes: int, seconds: int) -> str:
        return fmt_walltime(hours, minutes, seconds)

    def format_run_args(self) -> list[str]:
        """The options of ``srun``, as SmartSim spells them."""
        return option_words(self.run_args)

    def format_env_vars(self) -> list[str]:
        """The variables, as ``NAME=value``, but those with a comma in them."""
        return [f"{name}={value}" for name, value in self.env_vars.items() if "," not in str(value)]

    def format_comma_sep_env_vars(self) -> tuple[str, list[str]]:
        """The variables for ``srun --export``; and those with a comma, which it takes from the environment, as ``NAME=value``.

        >>> SrunSettings("echo", env_vars={"A": 1, "B": "2,3"}).format_comma_sep_env_vars()
        ('A=1,B', ['B=2,3'])
        """
        plain = self.format_env_vars()
        compound = [f"{name}={value}" for name, value in self.env_vars.items() if "," in str(value)]
        names = [each.partition("=")[0] for each in compound]
        for other in self.mpmd:
            compound += [f"{name}={value}" for name, value in other.env_vars.items() if "," in str(value)]
        return ",".join([*plain, *names]), compound

    def check_env_vars(self) -> None:
        """Do nothing: a variable that you set reaches the program, whatever the environment has."""

    def _plain(self) -> run.RunSettings:
        made = super()._plain()
        if self.alloc is not None:
            made.set_option("allocation", self.alloc)
        return made


def fmt_walltime(hours: int, minutes: int, seconds: int) -> str:
    """A time limit, as ``HH:MM:SS``.

    >>> fmt_walltime(0, 90, 5)
    '01:30:05'
    """
    number = hours * 3600 + minutes * 60 + seconds
    return hms("walltime", number) if number > 0 else "00:00:00"


@public
class SbatchSettings(BatchSettings):
    """What a job asks of Slurm's ``sbatch``.

    >>> batch = SbatchSettings(nodes=1, time="10:00:00", account="A3123")
    >>> batch.set_partition("debug")
    >>> batch.format_batch_args()
    ['--nodes=1', '--time=10:00:00', '--account=A3123', '--partition=debug']
    """

    _scheduler = "slurm"

    def __init__(
        self,
        nodes: int | None = None,
        time: Duration | None = "",
        account: str | None = None,
        batch_args: Mapping[str, object] | None = None,
        **kwargs: Any,
    ) -> None:
        """What a job asks for. See :class:`BatchSettings` for the other arguments."""
        super().__init__("sbatch", batch_args, nodes=nodes, time=time, account=account, **kwargs)

    def set_partition(self, partition: str) -> None:
        """Set the partition."""
        self.batch_args["partition"] = line("partition", partition)
