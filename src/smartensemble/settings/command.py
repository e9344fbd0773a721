"""The command that runs a program by its run settings, and what the command needs on a cluster."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from smartensemble.checks import positive
from smartensemble.command import Command, Need
from smartensemble.errors import InputValueError, shown
from smartensemble.settings.arguments import dashed
from smartensemble.settings.container import inside
from smartensemble.settings.executable import find_late
from smartensemble.settings.options import SetOption, in_order, row_of
from smartensemble.settings.run import RunSettings, plain

if TYPE_CHECKING:
    from smartensemble.schedulers.run_commands import RunCommand

#: Options that say what a command needs, and their names in `run_args`, where a user gives them in the run command's spelling.
RAW = {
    "tasks": ("n", "np", "ntasks"),
    "cpus_per_task": ("c", "cpus-per-task"),
    "nodes": ("N", "nodes"),
    "tasks_per_node": ("ntasks-per-node", "ppn"),
}


def command_of(settings: RunSettings, name: str, cwd: str, arguments: Iterable[str] = ()) -> Command:
    """The command that runs the program of `settings` in `cwd`, with `arguments` after its own.

    >>> print(command_of(RunSettings("/bin/echo", "a b"), "member", "/scratch", ["-T", "1"]))
    /bin/echo a b -T 1
    """
    settings = plain(settings)
    programs = (settings, *settings.mpmd)
    preamble = tuple(line for each in programs for line in each.preamble)
    if settings.run_command is None:
        argv = _program(settings, arguments)
        return Command(argv, Path(cwd), dict(settings.env_vars), name, settings.time_limit, preamble=preamble)
    several = len(programs) > 1
    launcher = (find_late(settings.run_command), *launch_options(settings, several))
    others = [word for each in settings.mpmd for word in (":", *launch_options(each, several), *_program(each))]
    return Command(
        (*launcher, *_program(settings, arguments), *others),
        Path(cwd),
        _shared_environment(programs),
        name,
        time_limit=min((each.time_limit for each in programs if each.time_limit is not None), default=None),
        need=_need_together([_need(each) for each in programs], _is_step(settings)) if several else _need(settings),
        launcher_prefix=len(launcher),
        shareable=_is_shareable(settings) and not (several and _is_step(settings)),
        preamble=preamble,
    )


def launch_options(settings: RunSettings, several: bool = False) -> list[str]:
    """The options of the run command, as it wants to see them; `several` programs share the step."""
    options = in_order(settings)
    if several and _size(settings, "tasks") is None:  # what a program leaves open would be taken from its neighbors
        options.insert(0, SetOption("tasks", _need(settings).tasks, portable=True))
    row = row_of(settings) if any(option.portable for option in options) else None
    return [word for option in options for word in _words(option, row, settings.separate_values)]


def _words(option: SetOption, row: "RunCommand | None", separate: bool) -> Iterable[str]:
    """An option as the run command wants to see it."""
    one = {option.name: option.value}
    if not option.portable:
        return spelled(one, separate)
    return row.arguments(one) if row else ()


def spelled(options: Mapping[str, object], separate: bool = False) -> list[str]:
    """Options that a user gave in a program's own names, as the program wants to see them.

    >>> spelled({"n": 2, "map-by": "core", "oversubscribe": None})
    ['-n', '2', '--map-by=core', '--oversubscribe']
    >>> spelled({"map-by": "core"}, separate=True)
    ['--map-by', 'core']
    """
    found: list[str] = []
    for name, value in options.items():
        option = dashed(name)
        if value is None:
            found.append(option)
        elif option.startswith("--") and not separate:
            found.append(f"{option}={value}")
        else:
            found += [option, str(value)]
    return found


def _program(settings: RunSettings, arguments: Iterable[str] = ()) -> tuple[str, ...]:
    """The program and its arguments, in its container."""
    argv = (settings.exe if settings.container else find_late(settings.exe), *settings.exe_args, *arguments)
    return inside(settings.container, argv) if settings.container else argv


def _shared_environment(programs: Iterable[RunSettings]) -> dict[str, str]:
    """The environment of programs of one step, which is one."""
    env: dict[str, str] = {}
    for program in programs:
        for name, value in program.env_vars.items():
            if env.setdefault(name, value) != value:
                raise InputValueError(
                    f"make_mpmd: {name} is {env[name]!r} for one program and {shown(value)} for another, and they share an "
                    "environment; give both one value, or set it on their command lines, by env(1)"
                )
    return env


# --- what it takes of a cluster -----------------------------------------------------------------------------------------


def _need(settings: RunSettings) -> Need:
    """What one program needs on a cluster."""
    nodes, per_node = _size(settings, "nodes"), _size(settings, "tasks_per_node")
    tasks = _size(settings, "tasks") or (nodes or 1) * (per_node or 1)
    if nodes is None and per_node:
        nodes = -(-tasks // per_node)
    return Need(max(tasks, nodes or 1), _size(settings, "cpus_per_task") or 1, nodes)


def _need_together(needs: list[Need], step: bool) -> Need:
    """What the programs of one step need. In a step of Slurm, each of them gets nodes of its own."""
    if not step:
        return Need(sum(need.total for need in needs))
    nodes = sum(need.nodes or 1 for need in needs)
    return Need(nodes * max(-(-need.total // (need.nodes or 1)) for need in needs), 1, nodes)


def _size(settings: RunSettings, option: str) -> int | None:
    """The number for `option`, by its portable name or in `run_args`; None if there is none."""
    spellings = [raw for name in RAW[option] for raw in (name, f"-{name}", f"--{name}") if raw in settings.run_args]
    raw = settings.run_args[spellings[0]] if spellings else None
    value = settings.run_options.get(option, raw)
    try:
        return None if value is None else positive(option, int(str(value).partition("-")[0]))
    except ValueError:
        raise InputValueError(f"{option}: {shown(value)} is no number; give how many") from None


def _is_step(settings: RunSettings) -> bool:
    """Its run command is a scheduler's own. The name is enough to know that, so this runs no program."""
    if settings.run_command is None:
        return False
    from smartensemble.schedulers.run_commands import ROWS

    row = ROWS.get(Path(settings.run_command).name)
    return row is not None and row.starts_steps


def _is_shareable(settings: RunSettings) -> bool:
    """It sets only its size, so it can run as a task of a step that others share."""
    if not settings.run_command:
        return True
    if not _is_step(settings):  # it starts its own processes, on the node where it is put
        return (_need(settings).nodes or 1) == 1
    sizes = {name for names in RAW.values() for name in names}
    more = settings.run_options.keys() - RAW.keys() or {name.lstrip("-") for name in settings.run_args} - sizes
    return _need(settings).tasks == 1 and not more
