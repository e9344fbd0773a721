"""Settings for one run command, or one scheduler, by its name."""

from collections.abc import Mapping
from pathlib import PurePath
from typing import ClassVar

from smartensemble.docstrings.described import described_by
from smartensemble.duration import Duration
from smartensemble.errors import public
from smartensemble.settings.arguments import Arguments, text
from smartensemble.settings.batch import BatchSettings
from smartensemble.settings.container import Singularity
from smartensemble.settings.run import RunSettings


@public
@described_by(RunSettings)
class MpirunSettings(RunSettings):
    """How a program is run by ``mpirun``. The methods ``set_...`` use the spelling of the MPI to which it belongs.

    :param run_args: options of the run command: ``{"n": 2}`` is ``-n 2``, ``{"map-by": "core"}`` is ``--map-by=core``, and
        a value of None makes an option without a value.
    :raises MissingFileError: `exe` is not there, though the run command is (a FileNotFoundError).
    :raises NotExecutableError: `exe` may not be executed (a PermissionError).
    """

    program: ClassVar[str] = "mpirun"

    def __init__(
        self,
        exe: str | PurePath,
        exe_args: Arguments | None = None,
        run_args: Mapping[str, object] | None = None,
        env_vars: Mapping[str, object] | None = None,
        container: Singularity | None = None,
        *,
        time_limit: Duration | None = None,
    ) -> None:
        super().__init__(exe, exe_args, self.program, run_args, env_vars, container, time_limit=time_limit)


@described_by(MpirunSettings)
class MpiexecSettings(MpirunSettings):
    """How a program is run by ``mpiexec``. The methods ``set_...`` use the spelling of the MPI to which it belongs."""

    program = "mpiexec"


@public
@described_by(RunSettings)
class SrunSettings(RunSettings):
    """How a program is run by Slurm's ``srun``, as a step of an allocation.

    :param run_args: options of ``srun``: ``{"n": 2}`` is ``-n 2``, and a value of None makes an option without a value.
    :param alloc: the number of an allocation, as :func:`smartensemble.slurm.get_allocation` returns it; by default the one
        that the driver runs in.
    :raises MissingFileError: `exe` is not there, though ``srun`` is (a FileNotFoundError).
    :raises NotExecutableError: `exe` may not be executed (a PermissionError).
    """

    def __init__(
        self,
        exe: str | PurePath,
        exe_args: Arguments | None = None,
        run_args: Mapping[str, object] | None = None,
        env_vars: Mapping[str, object] | None = None,
        alloc: str | int | None = None,
        container: Singularity | None = None,
        *,
        time_limit: Duration | None = None,
    ) -> None:
        super().__init__(exe, exe_args, "srun", run_args, env_vars, container, time_limit=time_limit)
        if alloc is not None:
            self.set_option("allocation", text("alloc", alloc))


@described_by(BatchSettings)
class SbatchSettings(BatchSettings):
    """Settings of a batch job on Slurm. Options of ``sbatch`` that have no name here go into `batch_args`."""
