"""What a line of options asks for counts as if the settings said it, and contradicts them nowhere."""

import subprocess
from pathlib import Path

import pytest

from smartensemble import BatchSettings
from smartensemble.command import Command
from smartensemble.errors import InputValueError, UnsupportedError
from smartensemble.runtime.jobs.batch import Batch
from smartensemble.schedulers.base import LOCAL, Partition
from smartensemble.schedulers.slurm import SLURM
from smartensemble.settings.preamble import split
from smartensemble.status import Run

MACHINE = [Partition("main", 4, 8, default=True), Partition("wide", 2, 64)]


def job(settings: BatchSettings) -> Batch:
    """A job of three members with these settings."""
    members = [(Command(("/bin/true",), Path(f"/scratch/melt_{number}"), name=f"melt_{number}"), Run()) for number in range(3)]
    return Batch("melt", Path("/scratch"), members, settings, SLURM, Run()).planned(MACHINE)


def test_options_in_a_preamble_stand_before_the_first_command() -> None:
    text = job(
        BatchSettings(preamble="module load x\n    #SBATCH --gres=gpu:1 --exclusive\nexport A=1\n#SBATCH --mem=0")
    ).text()

    lines = text.splitlines()
    first = next(number for number, line in enumerate(lines) if line and not line.startswith("#"))
    ends = [lines.index(line) for line in ("#SBATCH --gres=gpu:1 --exclusive", "#SBATCH --mem=0")]
    assert max(ends) < first < lines.index("module load x") < lines.index("export A=1")
    assert text.count("#SBATCH --mem=0") == 1
    assert subprocess.run(["bash", "-n"], input=text, text=True, check=False).returncode == 0


def test_options_in_a_preamble_are_those_of_the_first_group_of_nodes() -> None:
    settings = BatchSettings(nodes=1, preamble="#SBATCH --gres=gpu:1")
    settings.add_het_group(BatchSettings(nodes=2))

    lines = job(settings).text().splitlines()

    assert lines.index("#SBATCH --gres=gpu:1") < lines.index("#SBATCH hetjob")


def test_a_size_in_a_preamble_is_the_size_of_the_job() -> None:
    plan = job(BatchSettings(preamble="#SBATCH -N2 --partition wide")).plan
    assert plan is not None
    assert (plan.options["nodes"], plan.options["queue"], plan.node_cpus) == (2, "wide", 64)

    plan = job(BatchSettings(preamble="#SBATCH -n 5")).plan
    assert plan is not None
    assert "tasks_per_node" not in plan.options


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        (
            {"preamble": "#SBATCH -J mine"},
            InputValueError,
            "'#SBATCH -J mine' says what smartensemble decides, its name",
        ),
        ({"preamble": "#SBATCH --output=x"}, InputValueError, "says what smartensemble decides, its output"),
        ({"preamble": "#SBATCH --array=1-3"}, InputValueError, "says what smartensemble decides, its array"),
        (
            {"preamble": "#SBATCH --nodes=2", "nodes": 1},
            InputValueError,
            "'#SBATCH --nodes=2' and nodes=1 say two things; keep",
        ),
        ({"preamble": "#SBATCH -t 5", "time": 60}, InputValueError, "'#SBATCH -t 5' and time=60 say two things"),
        ({"preamble": "#SBATCH --nodes=9"}, InputValueError, "melt: batch_settings ask for nodes=9, and 'main' has 4"),
        ({"preamble": "#SBATCH --partition=no"}, InputValueError, "melt: there is no queue 'no'"),
        ({"preamble": "#SBATCH --comment='a"}, InputValueError, "cannot be read (No closing quotation); quote it"),
        ({"preamble": "#PBS -l ngpus=1"}, UnsupportedError, "'#PBS -l ngpus=1' is for another scheduler; slurm reads #SBATCH"),
    ],
)
def test_what_contradicts_is_an_error(settings: dict[str, object], error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        job(BatchSettings(**settings))  # type: ignore[arg-type]

    assert message in str(caught.value)


def test_on_this_machine_they_have_no_effect() -> None:
    lines = split(["#SBATCH --mem=1G"]).directives

    assert LOCAL.without_effect({"directives": lines}) == ["directives"]
    assert list(LOCAL.directives({"directives": lines})) == lines
