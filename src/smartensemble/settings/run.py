"""How a program is run, and how a batch of them is: descriptions that any machine can carry out."""

import os
import re
import shlex
import shutil
import sys
from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import dataclass
from pathlib import Path, PurePath

from smartensemble.command import Command, Need
from smartensemble.duration import Duration as Duration
from smartensemble.duration import seconds as seconds
from smartensemble.errors import InputTypeError, InputValueError, MissingFileError, NotExecutableError, strict
from smartensemble.parameters.resolve import plain, positive
from smartensemble.settings.options import BatchOptions, RunOptions

#: Words for a command line: text that is split as a shell would, or the words themselves.
Words = str | Iterable[str | int | float | PurePath]


@dataclass(frozen=True)
class Singularity:
    """An image to run a program in, by Singularity or Apptainer.

    The command line follows their manuals; no test has run it, for want of an engine.

    >>> Singularity("lammps.sif", mount="/scratch").wrap(["lmp", "-in", "in.melt"])[1:]
    ('exec', '--bind', '/scratch', 'lammps.sif', 'lmp', '-in', 'in.melt')
    """

    image: str
    args: Words = ()
    mount: str | Iterable[str] | Mapping[str, str | None] = ()  #: directories, or ``{"/outside": "/inside"}``
    working_directory: str | None = None

    def __post_init__(self) -> None:
        """Check now what would else fail when a member starts."""
        _text("image", self.image)
        mount = self.mount
        if isinstance(mount, Mapping):
            mount = [f"{outside}:{inside}" if inside else outside for outside, inside in mount.items()]
        object.__setattr__(self, "mount", tuple([mount] if isinstance(mount, str) else words("mount", mount)))
        object.__setattr__(self, "args", tuple(words("args", self.args)))

    def wrap(self, argv: Iterable[str]) -> tuple[str, ...]:
        """`argv`, run inside the image."""
        program = shutil.which("singularity") or shutil.which("apptainer") or "singularity"
        binds = ("--bind", ",".join(self.mount)) if self.mount else ()
        pwd = ("--pwd", self.working_directory) if self.working_directory else ()
        return (program, "exec", *words("args", self.args), *binds, *pwd, self.image, *argv)


class RunSettings(RunOptions):
    """How each member's program is run.

    >>> settings = RunSettings("echo", ["hello", "world"], env_vars={"LANG": "C"})
    >>> settings.add_exe_args("--loud")
    >>> settings.exe_args
    ['hello', 'world', '--loud']

    The program is looked for at once, on PATH and below the working directory:

    >>> RunSettings("no-such-program")
    Traceback (most recent call last):
    smartensemble.errors.MissingFileError: no-such-program: no such program on PATH; give its path, or install it
    """

    @strict
    def __init__(
        self,
        exe: str | PurePath,
        exe_args: Words | None = None,
        run_command: str | None = None,
        run_args: Mapping[str, object] | None = None,
        env_vars: Mapping[str, object] | None = None,
        container: Singularity | None = None,
        *,
        time_limit: Duration | None = None,
    ) -> None:
        """Settings for the program `exe`.

        :param exe: the program, by name or path. Inside a `container` it is looked for when it runs, not now.
        :param exe_args: its arguments: a list, or text that is split as a shell would.
        :param run_command: a program that starts it, such as ``"mpirun"``.
        :param run_args: options of `run_command`: ``{"n": 2}`` is ``-n 2``, ``{"map-by": "core"}`` is
            ``--map-by=core``, and a value of None makes an option without a value.
        :param env_vars: variables added to the environment that it inherits.
        :param container: the image that it runs in.
        :param time_limit: how long a member may run: seconds, a timedelta or ``"HH:MM:SS"``. One that runs longer is
            ended, and has failed.
        :raises MissingFileError: `exe` or `run_command` is not there (a FileNotFoundError).
        """
        if container is not None and not isinstance(container, Singularity):
            raise InputTypeError(f"container: {container!r} is no container; for example Singularity('image.sif')")
        self.container = container
        self.exe = str(exe) if container and isinstance(exe, (str, PurePath)) else find_program(exe)
        self.exe_args = [] if exe_args is None else words("exe_args", exe_args)
        self.run_command = None if run_command in (None, "", "auto") else find_program(run_command, "run_command")
        self.run_args = {} if run_args is None else _options("run_args", run_args)
        self.run_options: dict[str, object] = {}
        self.mpmd: list[RunSettings] = []
        self.preamble: list[str] = []
        if self.run_args and not self.run_command:
            raise InputValueError(f"run_args: {self.run_args!r} without a run_command to take them; give run_command='mpirun'")
        self.env_vars: dict[str, str] = {}
        self.update_env({} if env_vars is None else env_vars)
        self.time_limit = None if time_limit is None else seconds("time_limit", time_limit)

    def add_exe_args(self, args: Words) -> None:
        """Add arguments after those that are there."""
        self.exe_args += words("exe_args", args)

    def add_preamble(self, lines: str | Iterable[str]) -> None:
        """Add lines of shell that run before each member's program, in its directory: ``module load lammps``."""
        self.preamble += _lines(lines)

    def update_env(self, env_vars: Mapping[str, object]) -> None:
        """Add variables to the members' environment, or change them. With None a variable keeps the value that is inherited."""
        if not isinstance(env_vars, Mapping):
            raise InputTypeError(f"env_vars: {env_vars!r} is no dictionary; for example {{'OMP_NUM_THREADS': 1}}")
        for name, value in env_vars.items():
            if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
                raise InputValueError(f"env_vars: {name!r} is no name of an environment variable; use letters, digits and _")
            if value is None:
                self.env_vars.pop(name, None)
            else:
                self.env_vars[name] = _text(f"env_vars[{name!r}]", value)

    def make_mpmd(self, settings: "RunSettings") -> None:
        """Run the program of `settings` beside this one, in one step: several programs that share one MPI.

        They share an environment too, which is that of all of them together, and the shortest time limit.
        """
        if not isinstance(settings, RunSettings):
            raise InputTypeError(f"make_mpmd: {settings!r} are no run settings; for example RunSettings('ocean')")
        if self.run_command is None or settings.run_command != self.run_command:
            raise InputValueError(
                f"make_mpmd: {settings!r} is run by {settings.run_command}, and {self!r} by {self.run_command}; "
                "give both one run_command"
            )
        self.mpmd += [settings, *settings.mpmd]

    def command(self, name: str, cwd: str, arguments: Iterable[str] = ()) -> Command:
        """The command that runs the program in `cwd`, with `arguments` after its own."""
        program = self._program(arguments)
        if self.run_command is None:
            return Command(program, Path(cwd), dict(self.env_vars), name, self.time_limit, preamble=tuple(self.preamble))
        starter = (self.run_command, *self._started_by(bool(self.mpmd)))
        others = [word for each in self.mpmd for word in (":", *each._started_by(True), *each._program(()))]
        parts = [self.need, *(each.need for each in self.mpmd)]
        need = parts[0] if len(parts) == 1 else _together(parts, self.steps)
        alone = self.shareable and not (self.mpmd and self.steps)
        argv = (*starter, *program, *others)
        together = (self, *self.mpmd)
        lines = tuple(line for each in together for line in each.preamble)
        limit = min((each.time_limit for each in together if each.time_limit is not None), default=None)
        return Command(argv, Path(cwd), _united(together), name, limit, need, len(starter), alone, lines)

    def _program(self, arguments: Iterable[str]) -> tuple[str, ...]:
        """The program and its arguments, in its container."""
        argv = (self.exe, *self.exe_args, *arguments)
        return self.container.wrap(argv) if self.container else argv

    def _started_by(self, together: bool = False) -> list[str]:
        """The options of the run command."""
        asked = self.run_options
        if together and self._size("tasks") is None:  # what a part leaves open would be taken from its neighbours
            asked = {"tasks": self.need.tasks} | asked
        row = self.row if asked else None
        return [*(row.words(asked) if row else ()), *options(self.run_args)]

    def __copy__(self) -> "RunSettings":
        twin = type(self).__new__(type(self))
        twin.__dict__.update({name: copy(value) for name, value in self.__dict__.items()})
        return twin

    def __repr__(self) -> str:
        return f"RunSettings({shlex.join([self.exe, *self.exe_args])!r})"


class BatchSettings(BatchOptions):
    """What a batch job for a whole ensemble asks of a scheduler.

    >>> settings = BatchSettings(nodes=2, time="01:00:00")
    >>> settings.add_preamble("module load lammps")
    >>> settings
    BatchSettings(nodes=2, time='01:00:00', preamble=['module load lammps'])
    """

    @strict
    def __init__(
        self,
        nodes: int | None = None,
        time: Duration | None = None,
        queue: str | None = None,
        account: str | None = None,
        batch_args: Mapping[str, object] | None = None,
        preamble: str | Iterable[str] = (),
        *,
        overcommit: bool = False,
        array: bool = False,
    ) -> None:
        """Settings for a batch job.

        :param nodes: how many nodes the whole job gets, not each member. By default as many as all members need to run at once,
            or all that there are; with fewer, members wait for their turn.
        :param time: how long the job may run: seconds, a timedelta or ``"HH:MM:SS"``.
        :param queue: the queue or partition.
        :param account: the account that is charged.
        :param batch_args: further options of the scheduler, passed on as they are.
        :param preamble: lines of shell that run before the members start, for all of them.
        :param overcommit: run all members at once, also on fewer CPUs.
        :param array: make a job array of the members, each of which then waits and runs by itself, as soon as there is room for
            one. For members of one task.
        """
        self.nodes = None if nodes is None else positive("nodes", nodes)
        self.time = None if time == "" else time
        self.queue = _line("queue", queue)
        self.account = _line("account", account)
        self.batch_args = {} if batch_args is None else _options("batch_args", batch_args)
        for name, value in self.batch_args.items():
            if "\n" in str(value):
                raise InputValueError(f"batch_args[{name!r}]: {value!r} is more than a line of text; take the line break out")
        self.batch_options: dict[str, object] = {}
        self.groups: list[BatchSettings] = []
        self.overcommit, self.array = overcommit, array
        self.preamble: list[str] = []
        if self.time is not None:
            seconds("time", self.time)
        self.add_preamble(preamble)

    def add_preamble(self, lines: str | Iterable[str]) -> None:
        """Add lines of shell that run before the members start."""
        self.preamble += _lines(lines)

    def add_het_group(self, settings: "BatchSettings") -> None:
        """Give the job more nodes, of another kind: those that `settings` ask for.

        The first group, number 0, is what these settings ask for. A member runs on group 1 by ``set_het_group([1])`` of its
        run settings, and programs of one MPI may run on several (:meth:`RunSettings.make_mpmd`).
        """
        if not isinstance(settings, BatchSettings):
            raise InputTypeError(f"add_het_group: {settings!r} are no batch settings; give BatchSettings(nodes=...)")
        if settings is self:
            raise InputValueError("add_het_group: a job is no group of itself; give other BatchSettings(nodes=...)")
        if settings.groups or settings.array or settings.overcommit or settings.preamble or self.array:
            raise InputValueError("add_het_group: a group has nodes and options only, and no job of groups is an array")
        self.groups.append(settings)

    @property
    def asked(self) -> dict[str, object]:
        """What is asked of the scheduler, by portable names."""
        given = {name: getattr(self, name) for name in ("nodes", "time", "queue", "account", "batch_args")}
        shape = {"array": self.array, "groups": [group.asked for group in self.groups]}
        return given | self.batch_options | {name: value for name, value in shape.items() if value}

    @property
    def time_limit(self) -> float | None:
        """Its `time`, in seconds."""
        return None if self.time is None else seconds("time", self.time)

    def __repr__(self) -> str:
        given = ", ".join(f"{name}={value!r}" for name, value in vars(self).items() if value)
        return f"BatchSettings({given})"


def _united(parts: Iterable[RunSettings]) -> dict[str, str]:
    """The environment of programs of one step, which is one."""
    env: dict[str, str] = {}
    for part in parts:
        for name, value in part.env_vars.items():
            if env.setdefault(name, value) != value:
                raise InputValueError(
                    f"make_mpmd: {name} is {env[name]!r} for one program and {value!r} for another, and they share an "
                    "environment; give both one value, or set it on their command lines, by env(1)"
                )
    return env


def _together(parts: list[Need], apart: bool) -> Need:
    """What programs of one step need; Slurm puts each of them on nodes of its own."""
    if not apart:
        return Need(sum(part.total for part in parts))
    nodes = sum(part.nodes or 1 for part in parts)
    return Need(nodes * max(-(-part.total // (part.nodes or 1)) for part in parts), 1, nodes)


def find_program(exe: object, subject: str = "exe") -> str:
    """The absolute path of a program: looked for on PATH, then below the working directory."""
    arguments = "run_args" if subject == "run_command" else "exe_args"
    if not isinstance(exe, (str, PurePath)):
        raise InputTypeError(f"{subject}: {exe!r} is no program; give its name or path, and its arguments as {arguments}")
    name = _text(subject, exe)
    if not name.strip():
        raise InputValueError(f"{subject}: {name!r} is no program; give its name or path")
    if found := shutil.which(name) or shutil.which(os.path.join(".", name)):
        return os.path.abspath(found)
    if os.path.isdir(name):
        raise NotExecutableError(f"{name}: is a directory; give the program in it")
    if os.path.exists(name):
        raise NotExecutableError(f"{name}: may not be executed; run chmod +x {shlex.quote(name)}")
    beside = os.path.join(os.path.dirname(sys.executable), name)
    if os.path.dirname(name):
        raise MissingFileError(f"{name}: no such program; give the path of one that is there")
    if os.access(beside, os.X_OK):
        raise MissingFileError(f"{name}: no such program on PATH; there is {beside}: give that, or activate the environment")
    if len(name.split()) > 1:
        raise MissingFileError(f"{name}: no such program on PATH; give its name alone, and its arguments as {arguments}")
    raise MissingFileError(f"{name}: no such program on PATH; give its path, or install it")


def words(subject: str, given: Words) -> list[str]:
    """`given` as words of a command line.

    >>> words("exe_args", "-in 'my file'"), words("exe_args", ["-in", "my file", 4])
    (['-in', 'my file'], ['-in', 'my file', '4'])
    """
    if isinstance(given, str):
        try:
            given = shlex.split(given)
        except ValueError as error:
            raise InputValueError(f"{subject}: {given!r} cannot be split ({error}); give a list of arguments") from None
    if isinstance(given, (bytes, Mapping, set, frozenset)) or not isinstance(given, Iterable):
        raise InputTypeError(f"{subject}: {given!r} is no list of arguments; for example ['-in', 'in.melt']")
    return [_text(subject, word) for word in given]


def options(given: Mapping[str, object]) -> list[str]:
    """Options of a command, as it wants to see them.

    >>> options({"n": 2, "map-by": "core", "oversubscribe": None})
    ['-n', '2', '--map-by=core', '--oversubscribe']
    """
    spelled: list[str] = []
    for name, value in given.items():
        option = name if name.startswith("-") else ("-" if len(name) == 1 else "--") + name
        if value is None:
            spelled.append(option)
        elif option.startswith("--"):
            spelled.append(f"{option}={value}")
        else:
            spelled += [option, str(value)]
    return spelled


def _options(subject: str, given: object) -> dict[str, object]:
    """Options of a command, checked."""
    if not isinstance(given, Mapping):
        raise InputTypeError(f"{subject}: {given!r} is no dictionary; for example {{'n': 2}}")
    for name, value in given.items():
        if not isinstance(name, str) or not name.strip("-") or not name.isprintable():
            raise InputValueError(f"{subject}: {name!r} is no name of an option; for example {{'n': 2}}")
        if value is not None:
            _text(f"{subject}[{name!r}]", value)
    return dict(given)


def _lines(given: str | Iterable[str]) -> list[str]:
    """Lines of shell, checked."""
    if isinstance(given, (bytes, Mapping, set, frozenset)) or not isinstance(given, Iterable):
        raise InputTypeError(f"preamble: {given!r} is no text and no list of lines; for example 'module load lammps'")
    added = given.splitlines() if isinstance(given, str) else list(given)
    if not all(isinstance(line, str) for line in added):
        raise InputTypeError(f"preamble: {given!r} holds what is no text; give lines of shell")
    return [_text("preamble", line) for line in added]


def _line(subject: str, value: object) -> str | None:
    """`value` as one line of text, or None for none."""
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise InputTypeError(f"{subject}: {value!r} is no text; give its name")
    if not value.isprintable():
        raise InputValueError(f"{subject}: {value!r} is more than a line of text; give its name")
    return value


def _text(subject: str, value: object) -> str:
    """`value` as text that the system can pass to a program."""
    value = plain(value)
    if not isinstance(value, (str, int, float, PurePath)):
        raise InputTypeError(f"{subject}: {value!r} is neither text nor a number; give one of these")
    if "\0" in str(value):
        raise InputValueError(f"{subject}: {value!r} holds a NUL character, which no program can receive; take it out")
    return str(value)
