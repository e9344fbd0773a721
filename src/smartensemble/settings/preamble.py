"""The options of a job in its preamble. A scheduler reads them before the first command of a script, and not after it."""

import re
from collections.abc import Iterable
from typing import NamedTuple

#: A line with options of a job, for any scheduler. It may be indented, as text in a program is; no scheduler reads it then.
DIRECTIVE = re.compile(r"\s*(#(?:SBATCH|PBS|BSUB|COBALT)\s+\S.*)")
#: What begins a here-document, whose lines are nobody's but the program's that reads it.
HERE_DOCUMENT = re.compile(r"(?<!<)<<-?\s*['\"\\]?(\w+)")


class Preamble(NamedTuple):
    """A preamble, by who reads it."""

    directives: list[str]  #: the scheduler
    commands: list[str]  #: the shell


def split(lines: Iterable[str]) -> Preamble:
    """The lines of a preamble, by who reads them.

    >>> split(["module load lammps", "  #SBATCH --gres=gpu:1", "# a remark"])
    Preamble(directives=['#SBATCH --gres=gpu:1'], commands=['module load lammps', '# a remark'])
    """
    found, end = Preamble([], []), ""
    for line in (each for text in lines for each in text.splitlines() or [text]):
        directive = None if end else DIRECTIVE.fullmatch(line)
        if directive:
            found.directives.append(directive[1].rstrip())
            continue
        found.commands.append(line)
        begun = HERE_DOCUMENT.search(line)
        if line.strip() == end:
            end = ""
        elif not end and begun and not line.lstrip().startswith("#"):
            end = begun[1]
    return found
