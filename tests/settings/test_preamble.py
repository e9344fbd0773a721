"""Options of a job in its preamble are found wherever they stand, and nothing else is taken for one."""

import pytest

from smartensemble import BatchSettings, RunSettings
from smartensemble.errors import InputValueError
from smartensemble.settings.preamble import split


@pytest.mark.parametrize(
    ("lines", "directives", "commands"),
    [
        ([], [], []),
        (["module load x", "#SBATCH --mem=4G"], ["#SBATCH --mem=4G"], ["module load x"]),
        (["  #SBATCH --mem=4G  "], ["#SBATCH --mem=4G"], []),
        (["module load x\n#PBS -l ngpus=1\ndate"], ["#PBS -l ngpus=1"], ["module load x", "date"]),
        (["#BSUB -gpu num=1", "#COBALT -n 2"], ["#BSUB -gpu num=1", "#COBALT -n 2"], []),
        (["##SBATCH --a", "# SBATCH --a", "#SBATCH", "echo #SBATCH --a"], [],
         ["##SBATCH --a", "# SBATCH --a", "#SBATCH", "echo #SBATCH --a"]),
        (["cat > job <<EOF", "#SBATCH --a", "EOF", "#SBATCH --b"], ["#SBATCH --b"], ["cat > job <<EOF", "#SBATCH --a", "EOF"]),
        (["sh <<-'END'", "#SBATCH --a", "  END", "#SBATCH --b"], ["#SBATCH --b"], ["sh <<-'END'", "#SBATCH --a", "  END"]),
        (["cat <<< word", "#SBATCH --b"], ["#SBATCH --b"], ["cat <<< word"]),
        (["# see << there", "#SBATCH --b"], ["#SBATCH --b"], ["# see << there"]),
        (["", "date"], [], ["", "date"]),
    ],
)  # fmt: skip
def test_lines_of_options_are_found(lines: list[str], directives: list[str], commands: list[str]) -> None:
    assert split(lines) == (directives, commands)


def test_a_member_has_no_options_of_a_job() -> None:
    settings = RunSettings("true")

    with pytest.raises(InputValueError, match="'#SBATCH --mem=1G' is an option of a job, and no scheduler reads it"):
        settings.add_preamble("module load x\n#SBATCH --mem=1G")

    assert settings.preamble == []
    BatchSettings(preamble="#SBATCH --mem=1G")
