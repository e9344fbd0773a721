"""Who starts processes: one row for each run command. An option that is not in its row is one that it cannot express."""

import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from math import ceil
from pathlib import Path

from smartensemble.errors import UnsupportedError

#: A number of seconds as the run command wants it: never less, since zero would be no limit.
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
    variable: str = ""  #: how a variable of the environment is passed on, where it is not inherited
    step: bool = False  #: a scheduler's own: it starts steps inside an allocation

    def check(self, option: str) -> None:
        """An error, unless it can express `option`."""
        if option not in self.options:
            raise UnsupportedError(
                f"{self.name}: cannot express {option!r}; it understands {', '.join(self.options)}, "
                "and its own options by run_args={...}"
            )

    def words(self, asked: Mapping[str, object]) -> Iterator[str]:
        """The options, as it wants to see them.

        >>> list(SRUN.words({"tasks": 8, "hosts": ["n1", "n2"], "walltime": 90.0, "verbose": True}))
        ['--ntasks=8', '--nodelist=n1,n2', '--time=00:01:30', '--verbose']
        >>> list(SRUN.words({"broadcast": "/tmp/lmp"})), list(SRUN.words({"broadcast": True}))  # True: without a value
        (['--bcast=/tmp/lmp'], ['--bcast'])
        """
        for option, value in asked.items():
            if value is None or value is False:
                continue
            self.check(option)
            spelled = self.options[option]
            if value is True:
                yield from spelled.removesuffix("={}").split()
                continue
            times = {name: spell(value) for name, spell in TIMES.items()} if isinstance(value, (int, float)) else {}
            text = ",".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
            yield from (word.format(text, **times) for word in spelled.split())

    def variables(self, env: Mapping[str, str]) -> Iterator[str]:
        """The options that pass variables on."""
        for name, value in env.items():
            yield from (word.format(name, value=value) for word in self.variable.split())


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
    step=True,
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
    variable="-x {}",
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
    variable="-genv {} {value}",
)
PALS = RunCommand(
    "PALS' mpiexec",
    {
        "tasks": "--np {}",
        "tasks_per_node": "--ppn {}",
        "cpus_per_task": "--depth {}",
        "hosts": "--hosts {}",
        "binding": "--cpu-bind {}",
        "verbose": "--verbose",
    },
)
APRUN = RunCommand(
    "aprun",
    {
        "tasks": "-n {}",
        "tasks_per_node": "-N {}",
        "cpus_per_task": "-d {}",
        "hosts": "-L {}",
        "excluded_hosts": "-E {}",
        "walltime": "-t {seconds}",
        "memory_per_node": "-m {}",
        "binding": "-cc {}",
        "cpu_bindings": "-cc {}",
        "verbose": "-D 7",
        "quiet": "-q",
    },
)
JSRUN = RunCommand(
    "jsrun",
    {
        "tasks": "--np {}",
        "tasks_per_node": "--tasks_per_rs {}",
        "cpus_per_task": "--cpu_per_rs {}",
        "binding": "--bind {}",
    },
)

#: By the name of the program. A function tells apart those that share a name.
ROWS: Mapping[str, RunCommand] = {"srun": SRUN, "orterun": OPEN_MPI, "prterun": OPEN_MPI, "aprun": APRUN, "jsrun": JSRUN}
#: What a program says of its version, and which one it is then.
DIALECTS = {"Open MPI": OPEN_MPI, "OpenRTE": OPEN_MPI, "PRRTE": OPEN_MPI, "PALS": PALS, "HYDRA": MPICH, "MPICH": MPICH}


def run_command(program: str) -> RunCommand:
    """The row of a program. ``mpirun`` and ``mpiexec`` are asked who they are.

    >>> run_command("/usr/bin/srun").name
    'srun'
    """
    if row := ROWS.get(Path(program).name):
        return row
    return _by_version(program)


@cache
def _by_version(program: str) -> RunCommand:
    try:
        said = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=20, check=False, stdin=-3)
        words = said.stdout + said.stderr
    except (OSError, subprocess.TimeoutExpired):
        words = ""
    for sign, row in DIALECTS.items():
        if sign in words:
            return row
    known = ", ".join([*ROWS, "mpirun", "mpiexec"])
    raise UnsupportedError(f"{program}: is none of {known}; give its options as run_args={{...}}")
