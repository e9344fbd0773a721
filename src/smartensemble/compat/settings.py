"""SmartSim's settings: how a program is run, and how a batch of them is."""

import logging
from collections.abc import Callable, Mapping
from pathlib import PurePath
from typing import ClassVar

from smartensemble import settings
from smartensemble.compat.missing import SCHEDULER, SPELLING, Missing, missing
from smartensemble.errors import InputValueError, UnsupportedError, strict
from smartensemble.settings import Duration, Singularity, Words

__all__ = [
    "AprunSettings",
    "BatchSettings",
    "BsubBatchSettings",
    "Container",
    "DragonRunSettings",
    "JsrunSettings",
    "MpiexecSettings",
    "MpirunSettings",
    "OrterunSettings",
    "PalsMpiexecSettings",
    "QsubBatchSettings",
    "RunSettings",
    "SbatchSettings",
    "SettingsBase",
    "SgeQsubBatchSettings",
    "Singularity",
    "SrunSettings",
]

logger = logging.getLogger(__name__)

#: The only container that there is.
Container = Singularity


class SettingsBase:
    """What all settings are."""


def option(name: str) -> Callable[..., None]:
    """A method that sets an option of a run command: without one it only says that it has no effect, as in SmartSim."""

    def call(self: "RunSettings", *args: object, **kwargs: object) -> None:  # noqa: ARG001
        if self.run_command:
            raise UnsupportedError(f"{name}: {SPELLING}")
        logger.warning("%s: has no effect without a run command", name)

    call.__name__ = call.__qualname__ = name
    call.__doc__ = "Set an option of the run command."
    return call


class RunSettings(SettingsBase, settings.RunSettings):
    """How a program is run. Text for `exe_args` is split at blanks, and quotes are nothing special, as in SmartSim.

    >>> RunSettings("echo", "it's me").exe_args
    ["it's", 'me']
    """

    @strict
    def __init__(
        self,
        exe: str | PurePath,
        exe_args: Words | None = None,
        run_command: str | None = "",
        run_args: Mapping[str, object] | None = None,
        env_vars: Mapping[str, object] | None = None,
        container: Singularity | None = None,
        *,
        time_limit: Duration | None = None,
    ) -> None:
        """The same as :class:`smartensemble.RunSettings`."""
        super().__init__(exe, _split(exe_args), run_command, run_args, env_vars, container, time_limit=time_limit)

    def add_exe_args(self, args: Words) -> None:
        """Add arguments after those that are there."""
        super().add_exe_args(_split(args) or [])

    def set(self, arg: str, value: str | None = None, condition: bool = True) -> None:
        """Set an option of the run command, if `condition` holds."""
        if not condition:
            logger.info("set: %r is not set, since the condition does not hold", arg)
        elif self.run_command:
            self.run_args[arg.strip().lstrip("-")] = value
        else:
            raise InputValueError(f"set: {arg!r} without a run_command to take it; give run_command='mpirun'")

    def format_run_args(self) -> list[str]:
        """The options of the run command, as it gets them."""
        return settings.options(self.run_args)

    def format_env_vars(self) -> list[str]:
        """The variables, as ``NAME=value``."""
        return [f"{name}={value}" for name, value in self.env_vars.items()]

    make_mpmd = missing("make_mpmd", "is not in this version; start several models at once with Experiment.start")
    set_binding = option("set_binding")
    set_broadcast = option("set_broadcast")
    set_cpu_bindings = option("set_cpu_bindings")
    set_cpus_per_task = option("set_cpus_per_task")
    set_excluded_hosts = option("set_excluded_hosts")
    set_hostlist = option("set_hostlist")
    set_hostlist_from_file = option("set_hostlist_from_file")
    set_memory_per_node = option("set_memory_per_node")
    set_mpmd_preamble = option("set_mpmd_preamble")
    set_node_feature = option("set_node_feature")
    set_nodes = option("set_nodes")
    set_quiet_launch = option("set_quiet_launch")
    set_task_map = option("set_task_map")
    set_tasks = option("set_tasks")
    set_tasks_per_node = option("set_tasks_per_node")
    set_time = option("set_time")
    set_verbose_launch = option("set_verbose_launch")
    set_walltime = option("set_walltime")


class MpirunSettings(RunSettings):
    """How a program is run by ``mpirun``."""

    program: ClassVar[str] = "mpirun"

    @strict
    def __init__(
        self,
        exe: str | PurePath,
        exe_args: Words | None = None,
        run_args: Mapping[str, object] | None = None,
        env_vars: Mapping[str, object] | None = None,
        container: Singularity | None = None,
        *,
        time_limit: Duration | None = None,
    ) -> None:
        """The same as :class:`smartensemble.RunSettings`, but for the run command."""
        super().__init__(exe, exe_args, self.program, run_args, env_vars, container, time_limit=time_limit)

    def set_tasks(self, tasks: int) -> None:
        """Set the number of processes."""
        self.run_args["n"] = int(tasks)


class MpiexecSettings(MpirunSettings):
    """How a program is run by ``mpiexec``."""

    program = "mpiexec"


class OrterunSettings(MpirunSettings):
    """How a program is run by ``orterun``."""

    program = "orterun"


MPI = {made.program: made for made in (MpirunSettings, MpiexecSettings, OrterunSettings)}


class BatchSettings(SettingsBase, settings.BatchSettings):
    """What a batch job asks for. See :class:`smartensemble.BatchSettings`.

    >>> batch = BatchSettings()
    >>> batch.set_walltime("00:10:00")
    >>> batch
    BatchSettings(time='00:10:00')
    """

    def set_nodes(self, num_nodes: int) -> None:
        """Set the number of nodes."""
        self.nodes = BatchSettings(nodes=num_nodes).nodes

    def set_queue(self, queue: str) -> None:
        """Set the queue or partition."""
        self.queue = BatchSettings(queue=queue).queue

    def set_walltime(self, walltime: str) -> None:
        """Set how long the job may run: ``"HH:MM:SS"``."""
        self.time = BatchSettings(time=walltime).time

    def set_account(self, account: str) -> None:
        """Set the account that is charged."""
        self.account = BatchSettings(account=account).account

    set_hostlist = missing("set_hostlist", SCHEDULER)
    set_batch_command = missing("set_batch_command", SCHEDULER)
    format_batch_args = missing("format_batch_args", SCHEDULER)


class SchedulerRunSettings(Missing, RunSettings):
    """How a scheduler runs a program."""

    why = SCHEDULER


class SrunSettings(SchedulerRunSettings):
    """Slurm's ``srun``."""


class AprunSettings(SchedulerRunSettings):
    """Cray ALPS' ``aprun``."""


class JsrunSettings(SchedulerRunSettings):
    """LSF's ``jsrun``."""


class PalsMpiexecSettings(SchedulerRunSettings):
    """Cray PALS' ``mpiexec``."""


class DragonRunSettings(SchedulerRunSettings):
    """Dragon."""


class SchedulerBatchSettings(Missing, BatchSettings):
    """What a job of one scheduler asks for."""

    why = SCHEDULER


class SbatchSettings(SchedulerBatchSettings):
    """Slurm's ``sbatch``."""


class QsubBatchSettings(SchedulerBatchSettings):
    """PBS' ``qsub``."""


class BsubBatchSettings(SchedulerBatchSettings):
    """LSF's ``bsub``."""


class SgeQsubBatchSettings(SchedulerBatchSettings):
    """Grid Engine's ``qsub``."""


def _split(args: Words | None) -> Words | None:
    return args.split() if isinstance(args, str) else args
