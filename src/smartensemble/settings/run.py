"""Settings that run a program, on any machine."""

import shlex
from collections.abc import Iterable, Mapping
from pathlib import PurePath

from smartensemble.duration import Duration, seconds
from smartensemble.errors import InputTypeError, InputValueError, public, shown
from smartensemble.settings.arguments import Arguments, arguments, raw_options, shell_lines, variables
from smartensemble.settings.batch import BatchSettings
from smartensemble.settings.container import Singularity
from smartensemble.settings.executable import find_late, find_program, find_program_if_here, is_here, is_named
from smartensemble.settings.options import RunOptions
from smartensemble.settings.preamble import split


@public
class RunSettings(RunOptions):
    """How each member's program is run.

    The program is looked for at once, on PATH and below the working directory.

    :param exe: the program, by name or path. Inside a `container`, the search for it happens when it runs, not now; and
        when it starts, where this machine lacks the run command, as a laptop lacks those of a cluster. If ``"python"`` on
        PATH is another one than runs this program, a warning names both.
    :param exe_args: its arguments: a list, or text that is split as a shell would.
    :param run_command: a program that starts it, such as ``"mpirun"``; by default none. Only a start needs it.
    :param run_args: options of `run_command`: ``{"n": 2}`` is ``-n 2``, ``{"map-by": "core"}`` is
        ``--map-by=core``, and a value of None makes an option without a value. Without a run command they have no effect,
        which a start reports.
    :param env_vars: variables added to the environment that it inherits.
    :param container: the image that it runs in.
    :param time_limit: how long a member may run: seconds, a timedelta or ``"HH:MM:SS"``. One that runs longer is
        ended, and has failed.
    :raises MissingFileError: `exe` is not there (a FileNotFoundError).
    :raises NotExecutableError: `exe` or `run_command` may not be executed (a PermissionError).
    :raises InputTypeError: an argument has another type.
    :raises InputValueError: an argument has a value that cannot be used; the message says which can.

    >>> settings = RunSettings("echo", ["hello", "world"], env_vars={"LANG": "C"})
    >>> settings.add_exe_args("--loud")
    >>> settings.exe_args
    ['hello', 'world', '--loud']
    >>> RunSettings("no-such-program")
    Traceback (most recent call last):
    smartensemble.errors.MissingFileError: no-such-program: no such program on PATH; give its path, or install it
    """

    separate_values: bool = False  #: write a long option and its value as two words

    def __init__(
        self,
        exe: str | PurePath,
        exe_args: Arguments | None = None,
        run_command: str | None = None,
        run_args: Mapping[str, object] | None = None,
        env_vars: Mapping[str, object] | None = None,
        container: Singularity | None = None,
        *,
        time_limit: Duration | None = None,
    ) -> None:
        if container is not None and not isinstance(container, Singularity):
            raise InputTypeError(f"container: {shown(container)} is no container; for example Singularity('image.sif')")
        self.container = container
        self.run_command = find_program_if_here(run_command, "run_command") if is_named(run_command) else None
        self.exe = find_exe(exe, container, self.run_command)
        self.exe_args = [] if exe_args is None else arguments("exe_args", exe_args)
        self.run_args = {} if run_args is None else raw_options("run_args", run_args)
        self.run_options: dict[str, object] = {}
        self._places: dict[str, int] = {}
        self.mpmd: list[RunSettings] = []
        self.preamble: list[str] = []
        self.env_vars: dict[str, str] = {}
        self.update_env({} if env_vars is None else env_vars)
        self.time_limit = None if time_limit is None else seconds("time_limit", time_limit)

    def add_exe_args(self, args: Arguments) -> None:
        """Add arguments after the existing ones.

        :param args: a list, or text that is split as a shell would.
        :raises InputTypeError: it is neither, or holds something else than text, numbers and paths.
        :raises InputValueError: no program can receive it, or a shell could not split it.
        """
        self.exe_args += arguments("exe_args", args)

    def add_preamble(self, lines: str | Iterable[str]) -> None:
        """Add lines of shell that run before each member's program, in its directory: ``module load lammps``.

        :param lines: a list of lines, or text of several.
        :raises InputTypeError: it is neither.
        :raises InputValueError: a line is an option of a job, as ``#SBATCH ...``, which belongs to batch settings; or no shell
            can receive it.
        """
        added = shell_lines(lines)
        if directives := split(added).directives:
            raise InputValueError(
                f"preamble: {directives[0]!r} is an option of a job, and no scheduler reads it here; give it to batch_settings"
            )
        self.preamble += added

    def update_env(self, env_vars: Mapping[str, object]) -> None:
        """Add variables to the members' environment, or change them.

        :param env_vars: names and values. With None, a variable keeps its inherited value.
        :raises InputTypeError: it is no dictionary, or a value is neither text nor a number.
        :raises InputValueError: a name or a value cannot be that of a variable.
        """
        for name, value in variables(env_vars).items():
            if value is None:
                self.env_vars.pop(name, None)
            else:
                self.env_vars[name] = value

    def make_mpmd(self, settings: "RunSettings") -> None:
        """Run another program beside this one, in one step: several programs that share one MPI.

        They share an environment, which joins those of all of them, and the shortest time limit.

        :param settings: how the other program is run, by the same run command.
        :raises InputTypeError: they are no RunSettings.
        :raises InputValueError: they have another run command, or none.
        """
        if not isinstance(settings, RunSettings):
            raise InputTypeError(f"make_mpmd: {shown(settings)} are no run settings; for example RunSettings('ocean')")
        one, other = self.run_command, settings.run_command
        if one is None or other is None or find_late(one) != find_late(other):
            raise InputValueError(
                f"make_mpmd: {shown(settings)} is run by {settings.run_command}, and {self!r} by {self.run_command}; "
                "give both one run_command"
            )
        self.mpmd += [settings, *settings.mpmd]

    def _plain(self) -> "RunSettings":
        """These settings, without what a subclass adds to them."""
        return self

    def __repr__(self) -> str:
        return f"RunSettings({shlex.join([self.exe, *self.exe_args])!r})"


def assembled(
    exe: str,
    exe_args: list[str],
    run_command: str | None,
    env_vars: dict[str, str],
    container: Singularity | None,
    time_limit: float | None,
    preamble: list[str],
) -> RunSettings:
    """Run settings of values that were checked before."""
    made = RunSettings.__new__(RunSettings)
    made.exe, made.exe_args, made.run_command = exe, exe_args, run_command
    made.env_vars, made.container, made.time_limit, made.preamble = env_vars, container, time_limit, preamble
    made.run_args, made.run_options, made._places, made.mpmd = {}, {}, {}, []
    return made


def plain(settings: RunSettings) -> RunSettings:
    """`settings` as this package reads them; a subclass may show them otherwise to its users."""
    return settings._plain()


def find_exe(exe: str | PurePath, container: object, run_command: str | None) -> str:
    """The program: as it is named, in a container and where this machine lacks the run command; otherwise its path."""
    if container and isinstance(exe, (str, PurePath)):
        return str(exe)
    elsewhere = run_command is not None and not is_here(run_command)
    return find_program_if_here(exe) if elsewhere else find_program(exe)


def needed_programs(settings: RunSettings) -> list[str]:
    """The programs that `settings` run on this machine, each by its path, or by its name if it is not here."""
    one = plain(settings)
    steps = [one, *one.mpmd]
    found = [one.run_command, *(each.exe for each in steps if not each.container)]
    return [find_late(program) for program in found if program]


def check_settings(name: str, run_settings: object, batch_settings: object) -> None:
    """An error, unless the settings are settings."""
    if run_settings is not None and not isinstance(run_settings, RunSettings):
        raise InputTypeError(
            f"{name}: run_settings is {shown(run_settings)}; for example RunSettings('lmp', ['-in', 'in.melt'])"
        )
    if batch_settings is not None and not isinstance(batch_settings, BatchSettings):
        raise InputTypeError(f"{name}: batch_settings is {shown(batch_settings)}; for example BatchSettings(nodes=4)")
