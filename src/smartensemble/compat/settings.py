"""SmartSim's settings: how a program is run, and how a batch of them is."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePath

from smartensemble.checks import flag
from smartensemble.compat.missing import SCHEDULER, Missing
from smartensemble.duration import Duration
from smartensemble.errors import InputTypeError, InputValueError, UnsupportedError, public, shown
from smartensemble.results import notes
from smartensemble.schedulers.slurm import SLURM
from smartensemble.settings import batch, named, run
from smartensemble.settings.arguments import Arguments, raw_options
from smartensemble.settings.command import launch_options, spelled
from smartensemble.settings.container import Singularity

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

logger = notes.logger(__name__)

#: The only container that there is.
Container = Singularity


class SettingsBase:
    """What all settings are."""


@public
class RunSettings(SettingsBase, run.RunSettings):
    """How a program is run. Text for `exe_args` is split at blanks, and quotes are nothing special, as in SmartSim.

    >>> RunSettings("echo", "it's me").exe_args
    ["it's", 'me']
    """

    def __init__(
        self,
        exe: str | PurePath,
        exe_args: Arguments | None = None,
        run_command: str | None = "",
        run_args: Mapping[str, object] | None = None,
        env_vars: Mapping[str, object] | None = None,
        container: Singularity | None = None,
        *,
        time_limit: Duration | None = None,
    ) -> None:
        """The same as :class:`smartensemble.RunSettings`."""
        super().__init__(
            exe,
            None if exe_args is None else _split(exe_args),
            run_command,
            run_args,
            env_vars,
            container,
            time_limit=time_limit,
        )

    def add_exe_args(self, args: Arguments) -> None:
        """Add arguments after those that are there."""
        super().add_exe_args([] if args is None else _split(args))

    def set(self, arg: str, value: str | None = None, condition: bool = True) -> None:
        """Set an option of the run command, if `condition` holds."""
        if not isinstance(arg, str):
            raise InputTypeError(f"set: {shown(arg)} is no name of an option; for example 'n'")
        name = next(iter(raw_options("set", {arg.strip(): value}))).lstrip("-")
        if not flag("condition", condition):
            logger.info("set: %r is not set, since the condition does not hold", arg)
        elif self.run_command:
            self.run_args[name] = value
        else:
            raise InputValueError(f"set: {shown(arg)} without a run_command to take it; give run_command='mpirun'")

    def format_run_args(self) -> list[str]:
        """The options of the run command, as it gets them."""
        return launch_options(self)

    def format_env_vars(self) -> list[str]:
        """The variables, as ``NAME=value``."""
        return [f"{name}={value}" for name, value in self.env_vars.items()]

    def set_option(self, option: str, value: object) -> None:
        """Set a portable option. Without a run command it only says that it has no effect, as in SmartSim."""
        if self.run_command:
            super().set_option(option, value)
        else:
            logger.warning("set_%s: has no effect without a run command", option)

    def set_mpmd_preamble(self, preamble_lines: list[str]) -> None:
        """Set lines that run before several programs of one step."""
        raise UnsupportedError(f"set_mpmd_preamble: {shown(preamble_lines)} have no place; give preamble= to the batch job")


class MpirunSettings(named.MpirunSettings, RunSettings):
    """How a program is run by ``mpirun``."""


class MpiexecSettings(MpirunSettings):
    """How a program is run by ``mpiexec``."""

    program = "mpiexec"


class OrterunSettings(MpirunSettings):
    """How a program is run by ``orterun``."""

    program = "orterun"


MPI = {made.program: made for made in (MpirunSettings, MpiexecSettings, OrterunSettings)}


@public
class BatchSettings(SettingsBase, batch.BatchSettings):
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

    def set_batch_command(self, command: str) -> None:
        """Set the program that submits."""
        raise UnsupportedError(
            f"set_batch_command: {shown(command)} is not used, but the scheduler's own program; leave it out"
        )

    def format_batch_args(self) -> list[str]:
        """The options of the job that were given by their own names, as the scheduler gets them."""
        return spelled(self.batch_args)


class SrunSettings(named.SrunSettings, RunSettings):
    """Slurm's ``srun``."""


@public
class SbatchSettings(BatchSettings):
    """Slurm's ``sbatch``."""

    def set_partition(self, partition: str) -> None:
        """Set the partition: the same as `set_queue`."""
        self.set_queue(partition)

    def format_batch_args(self) -> list[str]:
        """The options of the job, as ``sbatch`` gets them."""
        lines = replace(SLURM, fixed=()).directives(batch.portable_options(self))
        return [line.removeprefix(SLURM.directive).strip() for line in lines]


#: What a job asks for, by the launcher.
BATCH = {"slurm": SbatchSettings}


class SchedulerRunSettings(Missing, RunSettings):
    """How another scheduler runs a program."""

    why = SCHEDULER


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


class QsubBatchSettings(SchedulerBatchSettings):
    """PBS' ``qsub``."""


class BsubBatchSettings(SchedulerBatchSettings):
    """LSF's ``bsub``."""


class SgeQsubBatchSettings(SchedulerBatchSettings):
    """Grid Engine's ``qsub``."""


def _split(args: Arguments) -> Arguments:
    return args.split() if isinstance(args, str) else args
