"""A run command is a row: what is in it is spelled, what is not is an error, and mpirun is asked who it is."""

from pathlib import Path

import pytest

from smartensemble import MpirunSettings, RunSettings
from smartensemble.errors import UnsupportedError
from smartensemble.schedulers.run_commands import MPICH, OPEN_MPI, SRUN, RunCommand, run_command
from smartensemble.settings.command import command_of

pytestmark = pytest.mark.usefixtures("run_commands")


@pytest.mark.parametrize(("program", "row"), [("bin/srun", SRUN), ("bin/mpirun", OPEN_MPI), ("mpich/mpirun", MPICH)])
def test_a_program_is_known_by_its_name_or_by_what_it_says(run_commands: Path, program: str, row: RunCommand) -> None:
    assert run_command(f"{run_commands}/{program}") is row


@pytest.mark.parametrize("program", ["strange/mpirun", "pals/mpiexec"])
def test_a_program_that_nobody_knows_takes_its_options_raw(run_commands: Path, program: str) -> None:
    settings = RunSettings("true", run_command=f"{run_commands}/{program}", run_args={"np": 2})

    assert command_of(settings, "m", "/").argv[1:3] == ("--np=2", settings.exe)
    with pytest.raises(UnsupportedError, match=rf"{program}: is none of srun, .*; give its options as run_args"):
        settings.set_tasks(2)


def test_an_option_that_is_not_in_the_row_is_an_error_that_lists_what_is() -> None:
    with pytest.raises(UnsupportedError, match="Open MPI's mpirun: cannot express 'features'; it understands tasks, "):
        MpirunSettings("true").set_node_feature("gpu")
