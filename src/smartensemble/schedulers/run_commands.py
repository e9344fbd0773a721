"""Run commands, which start processes on nodes: one row for each. A run command cannot express an option that its row lacks."""

import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from math import ceil
from pathlib import Path

from smartensemble.errors import UnsupportedError, shown

#: Spellings of a number of seconds, rounded up, because zero would mean no limit.
TIMES: Mapping[str, Callable[[float], str]] = {
    "hms": lambda seconds: f"{ceil(seconds) // 3600:02}:{ceil(seconds) // 60 % 60:02}:{ceil(seconds) % 60:02}",
    "seconds": lambda seconds: f"{ceil(seconds)}",
    "minutes": lambda seconds: f"{ceil(seconds / 60)}",
}


@dataclass(frozen=True)
class RunCommand:
    """How the options of one run command are spelled.

    A spelling is words with a place for the value: ``{}``, or ``{hms}``, ``{minutes}`` or ``{seconds}`` for a time.
    """

    name: str
    options: Mapping[str, str]  #: portable option -> its spelling
    starts_steps: bool = False  #: a scheduler's own: it starts steps inside an allocation

    def check(self, option: str) -> None:
        """Raise an error unless the run command can express `option`."""
        if option not in self.options:
            raise UnsupportedError(
                f"{self.name}: cannot express {shown(option)}; it understands {', '.join(self.options)}, "
                "and its own options by run_args={...}"
            )

    def arguments(self, options: Mapping[str, object]) -> Iterator[str]:
        """The options, as arguments of the run command.

        >>> list(SRUN.arguments({"tasks": 8, "hosts": ["n1", "n2"], "walltime": 90.0, "verbose": True}))
        ['--ntasks=8', '--nodelist=n1,n2', '--time=00:01:30', '--verbose']
        >>> list(SRUN.arguments({"broadcast": "/tmp/lmp"})), list(SRUN.arguments({"broadcast": True}))  # True: without a value
        (['--bcast=/tmp/lmp'], ['--bcast'])
        """
        for option, value in options.items():
            if value is None or value is False:
                continue
            self.check(option)
            spelling = self.options[option]
            if value is True:
                yield from spelling.removesuffix("={}").split()
                continue
            times = {name: spell(value) for name, spell in TIMES.items()} if isinstance(value, (int, float)) else {}
            text = ",".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
            yield from (argument.format(text, **times) for argument in spelling.split())


SRUN = RunCommand(
    "srun",
    {
        "nodes": "--nodes={}",
        "tasks": "--ntasks={}",
        "tasks_per_node": "--ntasks-per-node={}",
        "cpus_per_task": "--cpus-per-task={}",
        "hosts": "--nodelist={}",
        "excluded_hosts": "--exclude={}",
        "features": "--constraint={}",
        "walltime": "--time={hms}",
        "memory_per_node": "--mem={}M",
        "binding": "--cpu-bind={}",
        "cpu_bindings": "--cpu-bind=map_cpu:{}",
        "task_map": "--distribution={}",
        "broadcast": "--bcast={}",
        "overcommit": "--overcommit",
        "allocation": "--jobid={}",
        "het_group": "--het-group={}",
        "first_node": "--relative={}",
        "independent": "--kill-on-bad-exit=0 --wait=0",
        "verbose": "--verbose",
        "quiet": "--quiet",
    },
    starts_steps=True,
)
OPEN_MPI = RunCommand(
    "Open MPI's mpirun",
    {
        "tasks": "-n {}",
        "tasks_per_node": "--map-by ppr:{}:node",
        "cpus_per_task": "--map-by slot:PE={}",
        "hosts": "--host {}",
        "walltime": "--timeout {seconds}",
        "binding": "--bind-to {}",
        "task_map": "--map-by {}",
        "broadcast": "--preload-binary",
        "overcommit": "--oversubscribe",
        "verbose": "--verbose",
        "quiet": "--quiet",
    },
)
MPICH = RunCommand(
    "MPICH's mpirun",
    {
        "tasks": "-n {}",
        "tasks_per_node": "-ppn {}",
        "hosts": "-hosts {}",
        "binding": "-bind-to {}",
        "task_map": "-map-by {}",
        "verbose": "-verbose",
    },
)

#: By the name of the program. `run_command` distinguishes those that share a name.
ROWS: Mapping[str, RunCommand] = {"srun": SRUN, "orterun": OPEN_MPI, "prterun": OPEN_MPI}
#: Names that several MPIs give their own. Where there is none, a preview shows the options of the first.
SHARED_NAMES = ("mpirun", "mpiexec")
#: Parts of a version text, and the run command that prints it.
DIALECTS = {"Open MPI": OPEN_MPI, "OpenRTE": OPEN_MPI, "PRRTE": OPEN_MPI, "HYDRA": MPICH, "MPICH": MPICH}


def run_command(program: str) -> RunCommand:
    """The row of a program. ``mpirun`` and ``mpiexec`` differ by their version text.

    >>> run_command("/usr/bin/srun").name
    'srun'
    """
    return ROWS.get(Path(program).name) or stand_in(program) or _by_version(program)


def stand_in(program: str) -> RunCommand | None:
    """The row that shows the options of an ``mpirun`` that this machine does not have; None for another program."""
    return OPEN_MPI if Path(program).name in SHARED_NAMES and not shutil.which(program) else None


@cache
def _by_version(program: str) -> RunCommand:
    try:
        done = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=20, check=False, stdin=-3)
        version = done.stdout + done.stderr
    except (OSError, subprocess.TimeoutExpired):
        version = ""
    for sign, row in DIALECTS.items():
        if sign in version:
            return row
    known = ", ".join([*ROWS, *SHARED_NAMES])
    raise UnsupportedError(f"{program}: is none of {known}; give its options as run_args={{...}}")
