"""Settings of a batch job, which its scheduler reads."""

from collections.abc import Iterable, Mapping
from typing import ClassVar

from smartensemble.checks import flag, positive
from smartensemble.duration import Duration, seconds
from smartensemble.errors import InputTypeError, InputValueError, public, shown
from smartensemble.settings.arguments import dashed, raw_options, shell_lines
from smartensemble.settings.options import BatchOptions
from smartensemble.settings.preamble import split


@public
class BatchSettings(BatchOptions):
    """Settings of a batch job for a whole ensemble.

    :param nodes: the number of nodes of the whole job, not of each member. By default as many as all members need to run at
        once, or all that exist; with fewer, members wait for their turn.
    :param time: how long the job may run: seconds, a timedelta or ``"HH:MM:SS"``.
    :param queue: the queue or partition.
    :param account: the account that is charged.
    :param batch_args: further options of the scheduler, by its own names: ``{"gres": "gpu:1"}``, passed on as they are.
    :param preamble: lines of shell that run before the members start, for all of them.
    :param overcommit: run all members at once, also on fewer CPUs.
    :param array: make a job array of the members, each of which then waits and runs by itself, as soon as there is room for
        one. For members of one task.
    :raises InputTypeError: an argument has another type.
    :raises InputValueError: an argument has a value that cannot be used; the message says which can.

    >>> settings = BatchSettings(nodes=2, time="01:00:00")
    >>> settings.add_preamble("module load lammps")
    >>> settings
    BatchSettings(nodes=2, time='01:00:00', preamble=['module load lammps'])
    """

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
        self.nodes = None if nodes is None else positive("nodes", nodes)
        self.time = None if isinstance(time, str) and not time else time
        self.queue = _optional_line("queue", queue)
        self.account = _optional_line("account", account)
        self.batch_args = {} if batch_args is None else raw_options("batch_args", batch_args)
        for name, value in self.batch_args.items():
            if "\n" in str(value):
                raise InputValueError(
                    f"batch_args[{name!r}]: {shown(value)} is more than a line of text; take the line break out"
                )
        self.batch_options: dict[str, object] = {}
        self.groups: list[BatchSettings] = []
        self.overcommit, self.array = flag("overcommit", overcommit), flag("array", array)
        self.preamble: list[str] = []
        if self.time is not None:
            seconds("time", self.time)
        self.add_preamble(preamble)

    def add_preamble(self, lines: str | Iterable[str]) -> None:
        """Add lines of shell that run before the members start. The scheduler reads lines with its options: ``#SBATCH ...``.

        :param lines: a list of lines, or text of several.
        :raises InputTypeError: it is neither.
        :raises InputValueError: no shell can receive a line.
        """
        self.preamble += shell_lines(lines)

    def add_het_group(self, settings: "BatchSettings") -> None:
        """Give the job more nodes, of another kind.

        The first group, number 0, is what these settings ask for. A member runs on group 1 by ``set_het_group([1])`` of its
        run settings, and programs of one MPI may run on several (:meth:`RunSettings.make_mpmd`).

        :param settings: the nodes and options of the group.
        :raises InputTypeError: they are no BatchSettings.
        :raises InputValueError: they are these settings themselves, or ask for more than nodes and options;
            or this job is an array.
        """
        if not isinstance(settings, BatchSettings):
            raise InputTypeError(f"add_het_group: {shown(settings)} are no batch settings; give BatchSettings(nodes=...)")
        if settings is self:
            raise InputValueError("add_het_group: a job is no group of itself; give other BatchSettings(nodes=...)")
        if settings.groups or settings.array or settings.overcommit or settings.preamble or self.array:
            raise InputValueError("add_het_group: a group has nodes and options only, and no job of groups is an array")
        self.groups.append(settings)

    @property
    def time_limit(self) -> float | None:
        """Its `time`, in seconds."""
        return None if self.time is None else seconds("time", self.time)

    #: The only scheduler that reads these settings; "" for any.
    _scheduler: ClassVar[str] = ""

    def _as_set(self) -> dict[str, object]:
        """Its options in the order in which they were set: its arguments, then what methods set."""
        arguments = {name: getattr(self, name) for name in ("nodes", "time", "queue", "account")}
        return arguments | {dashed(name): value for name, value in self.batch_args.items()} | self.batch_options

    def __repr__(self) -> str:
        arguments = ", ".join(f"{name}={shown(value)}" for name, value in vars(self).items() if value)
        return f"BatchSettings({arguments})"


def portable_options(settings: BatchSettings) -> dict[str, object]:
    """The options of `settings` for a scheduler, by portable names.

    >>> {name: value for name, value in portable_options(BatchSettings(nodes=2, queue="debug")).items() if value}
    {'nodes': 2, 'queue': 'debug'}
    """
    shape = {
        "array": settings.array,
        "groups": [portable_options(group) for group in settings.groups],
        "directives": split(settings.preamble).directives,
    }
    return settings._as_set() | {name: value for name, value in shape.items() if value}


def scheduler_of(settings: BatchSettings) -> str:
    """The only scheduler that reads `settings`; "" for any."""
    return settings._scheduler


def _optional_line(subject: str, value: object) -> str | None:
    """`value` as one line of text, or None for none."""
    if value is None or (isinstance(value, str) and not value):
        return None
    if not isinstance(value, str):
        raise InputTypeError(f"{subject}: {shown(value)} is no text; give its name")
    if not value.isprintable():
        raise InputValueError(f"{subject}: {shown(value)} is more than a line of text; give its name")
    return value
