"""Lines of options from a user's preamble: what they ask for, beside the options that follow from settings."""

import shlex
from collections.abc import Iterable, Iterator

from smartensemble.errors import InputValueError, UnsupportedError
from smartensemble.schedulers.base import PortableOptions, Scheduler

#: What smartensemble decides itself, because it finds the files and members of a job by it.
DECIDED = ("name", "output", "error", "array")
#: What the size of a job depends on, so it is taken from a line as if the settings said it.
TAKEN = ("nodes", "queue")


def with_directives(name: str, options: PortableOptions, scheduler: Scheduler) -> dict[str, object]:
    """The options of the job `name`, with what its size depends on by portable names, whoever says it.

    >>> from smartensemble.schedulers.slurm import SLURM
    >>> with_directives("melt", {"time": 60, "directives": ["#SBATCH -N 2 --gres=gpu:1"]}, SLURM)["nodes"]
    2

    :raises InputValueError: a line and the settings say two things, or it says what smartensemble decides.
    :raises UnsupportedError: it is for another scheduler.
    """
    found = dict(_portable_sizes(name, options, scheduler))
    for line, option, value in _said(found, scheduler):
        if option in DECIDED:
            raise InputValueError(f"{name}: preamble: {line!r} says what smartensemble decides, its {option}; leave it out")
        if found.get(option):
            raise InputValueError(f"{name}: preamble: {line!r} and {option}={found[option]!r} say two things; keep one")
        if option in TAKEN and value:
            found[option] = int(value) if value.isdigit() else value
    return found


def _portable_sizes(name: str, options: PortableOptions, scheduler: Scheduler) -> Iterator[tuple[str, object]]:
    """`options`, with those that the scheduler's own names spell, and that its size depends on, by portable names."""
    spelled = _spelled(scheduler)
    for option, value in options.items():
        word = option.lstrip("-")
        portable = spelled.get(scheduler.short_options.get(word, word)) if option.startswith("-") else None
        if portable not in TAKEN or (portable == "nodes" and not str(value).isdecimal()):
            yield option, value
        elif options.get(portable):
            raise InputValueError(f"{name}: batch_args: {word!r} and {portable}={options[portable]!r} say two things; keep one")
        else:
            yield portable, int(str(value)) if portable == "nodes" else value


def _spelled(scheduler: Scheduler) -> dict[str, str]:
    """The portable options of a scheduler by its own long names."""
    return {spelling.partition("=")[0].lstrip("-"): option for option, spelling in scheduler.options.items() if spelling}


def _said(options: PortableOptions, scheduler: Scheduler) -> Iterator[tuple[str, str, str]]:
    """The portable options that lines set: the line, the option and its value."""
    spelled = _spelled(scheduler)
    lines = options.get("directives")
    for line in lines if isinstance(lines, list) else ():
        if line.split()[0] != scheduler.directive:
            raise UnsupportedError(f"preamble: {line!r} is for another scheduler; {scheduler.name} reads {scheduler.directive}")
        for word, value in words(line):
            if option := spelled.get(scheduler.short_options.get(word, word)):
                yield line, option, value


def names(options: PortableOptions) -> set[str]:
    """The names of all options that are set in the scheduler's own words, also in lines, without dashes."""
    lines = options.get("directives")
    found = {option.lstrip("-") for option in options if option.startswith("-")}
    return found | {word for line in (lines if isinstance(lines, list) else ()) for word, _ in words(line)}


def words(line: str) -> Iterable[tuple[str, str]]:
    """The options in a line, with their values.

    >>> words("#SBATCH -N2 -t 10 --gres=gpu:1 --exclusive  # a remark")
    [('N', '2'), ('t', '10'), ('gres', 'gpu:1'), ('exclusive', '')]
    """
    try:
        parts = shlex.split(line.split(maxsplit=1)[1], comments=True)
    except ValueError as error:
        raise InputValueError(f"preamble: {line!r} cannot be read ({error}); quote it as a shell would") from None
    found: list[tuple[str, str]] = []
    for part in parts:
        if part.startswith("--"):
            name, _, value = part[2:].partition("=")
            found.append((name, value))
        elif part.startswith("-"):
            found.append((part[1:2], part[2:]))
        elif found and not found[-1][1]:
            found[-1] = (found[-1][0], part)
    return found
