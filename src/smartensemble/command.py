"""A program, ready to run: the waist between what the user says and what the machine does."""

import shlex
from dataclasses import dataclass, field, replace
from pathlib import Path


@dataclass(frozen=True)
class Need:
    """What a command needs on a cluster.

    >>> Need(tasks=8, cpus=2).total
    16
    """

    tasks: int = 1  #: processes
    cpus: int = 1  #: CPUs of each process
    nodes: int | None = None  #: nodes; None for as few as will do

    @property
    def total(self) -> int:
        """Its CPUs."""
        return self.tasks * self.cpus


@dataclass(frozen=True)
class Command:
    """Everything above produces these and everything below runs them.

    >>> print(Command(("lmp", "-in", "in.melt file"), Path("/tmp")))
    lmp -in 'in.melt file'
    """

    argv: tuple[str, ...]  #: the program, by its path, and its arguments
    cwd: Path  #: the directory that it runs in
    env: dict[str, str] = field(default_factory=dict)  #: what is added to the environment that it inherits
    name: str = "job"  #: names its files: ``name.out``, ``name.err``
    time_limit: float | None = None  #: seconds after which it is ended; None for no limit
    need: Need = field(default=Need(), repr=False)  #: what it takes of a cluster
    #: how many words of `argv`, at its beginning, are its run command with its options
    launcher_prefix: int = field(default=0, repr=False)
    #: without these words it does the same as a task of a step that it shares with others
    shareable: bool = field(default=True, repr=False)
    preamble: tuple[str, ...] = field(default=(), repr=False)  #: lines of shell that run before it
    restart: bool = field(default=False, repr=False)  #: start it again when a signal ends or stops it

    @property
    def whole(self) -> "Command":
        """The same without a preamble, which a shell runs instead.

        >>> Command(("lmp",), Path("/tmp"), preamble=("module load lammps",)).whole.argv
        ('/bin/bash', '-c', 'module load lammps\\nexec "$0" "$@"', 'lmp')
        """
        if not self.preamble:
            return self
        lines = "\n".join([*self.preamble, 'exec "$0" "$@"'])
        return replace(self, argv=("/bin/bash", "-c", lines, *self.argv), launcher_prefix=0, preamble=())

    def __str__(self) -> str:
        return shlex.join(self.argv)

    @property
    def out(self) -> Path:
        """The file of its standard output."""
        return self.cwd / f"{self.name}.out"

    @property
    def err(self) -> Path:
        """The file of its standard error."""
        return self.cwd / f"{self.name}.err"
