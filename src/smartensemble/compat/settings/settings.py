"""SmartSim's functions that make settings for a launcher."""

from collections.abc import Callable, Mapping
from pathlib import PurePath
from typing import Any

from smartensemble.compat.settings.alpsSettings import AprunSettings
from smartensemble.compat.settings.base import BatchSettings, RunSettings
from smartensemble.compat.settings.containers import Container
from smartensemble.compat.settings.dragonRunSettings import DragonRunSettings
from smartensemble.compat.settings.lsfSettings import BsubBatchSettings, JsrunSettings
from smartensemble.compat.settings.mpiSettings import MpiexecSettings, MpirunSettings, OrterunSettings
from smartensemble.compat.settings.palsSettings import PalsMpiexecSettings
from smartensemble.compat.settings.pbsSettings import QsubBatchSettings
from smartensemble.compat.settings.sgeSettings import SgeQsubBatchSettings
from smartensemble.compat.settings.slurmSettings import SbatchSettings, SrunSettings
from smartensemble.duration import Duration
from smartensemble.errors import UnsupportedError, did_you_mean, public, shown
from smartensemble.results.no_effect import no_effect
from smartensemble.settings.arguments import Arguments
from smartensemble.settings.executable import is_here
from smartensemble.wlm import detect_launcher

#: What a job asks for, by the launcher. On this machine a script runs with bash.
BATCH: Mapping[str, type[BatchSettings]] = {
    "local": BatchSettings,
    "slurm": SbatchSettings,
    "pbs": QsubBatchSettings,
    "pals": QsubBatchSettings,
    "lsf": BsubBatchSettings,
    "sge": SgeQsubBatchSettings,
    "dragon": SbatchSettings,
}
#: The settings of a run command, by its name.
RUN: Mapping[str, type[RunSettings]] = {
    "aprun": AprunSettings,
    "srun": SrunSettings,
    "mpirun": MpirunSettings,
    "mpiexec": MpiexecSettings,
    "orterun": OrterunSettings,
    "jsrun": JsrunSettings,
}
#: The run commands of each launcher, in the order in which they are looked for.
RUN_COMMANDS: Mapping[str, tuple[str, ...]] = {
    "local": (),
    "dragon": (),
    "slurm": ("srun", "mpirun", "mpiexec"),
    "pbs": ("aprun", "mpirun", "mpiexec"),
    "pals": ("mpiexec",),
    "lsf": ("jsrun", "mpirun", "mpiexec"),
    "sge": ("mpirun", "mpiexec"),
}


@public
def create_batch_settings(
    launcher: str,
    nodes: int | None = None,
    time: Duration | None = "",
    queue: str | None = None,
    account: str | None = None,
    batch_args: Mapping[str, object] | None = None,
    **kwargs: Any,
) -> BatchSettings:
    """The settings of a batch job for `launcher`.

    >>> create_batch_settings("pbs", nodes=1, ncpus=10).format_batch_args()
    ['-l nodes=1:ncpus=10']

    :raises UnsupportedError: there is no such launcher.
    """
    made: Callable[..., BatchSettings] = BATCH[_known(launcher)]
    given: dict[str, Any] = {"nodes": nodes, "time": time, "queue": queue, "account": account}
    if made is BatchSettings:
        return made("bash", batch_args, **given, **kwargs)
    return made(batch_args=batch_args, **given, **kwargs)


@public
def create_run_settings(
    launcher: str,
    exe: str | PurePath,
    exe_args: Arguments | None = None,
    run_command: str | None = "auto",
    run_args: Mapping[str, object] | None = None,
    env_vars: Mapping[str, object] | None = None,
    container: Container | None = None,
    *,
    time_limit: Duration | None = None,
    **kwargs: Any,
) -> RunSettings:
    """How a program is run by `launcher`: with ``"auto"`` by the first of its run commands that is here, or its first.

    >>> type(create_run_settings("lsf", "echo", run_command="jsrun")).__name__
    'JsrunSettings'

    :raises UnsupportedError: there is no such launcher.
    """
    name = _known(launcher)
    given: dict[str, Any] = {"env_vars": env_vars, "container": container, "time_limit": time_limit, **kwargs}
    if name == "dragon":
        if run_args:
            no_effect("create_run_settings: run_args", "Dragon has no run command; use the methods of DragonRunSettings")
        return DragonRunSettings(exe, exe_args, **given)
    command = run_command.lower() if isinstance(run_command, str) and run_command.lower() in (*RUN, "auto") else run_command
    if command == "auto":
        known = RUN_COMMANDS[name]
        command = next((each for each in known if is_here(each)), known[0] if known else None)
    if not isinstance(command, str) or command not in RUN:
        return RunSettings(exe, exe_args, command, run_args, **given)
    made: Callable[..., RunSettings] = PalsMpiexecSettings if (name, command) == ("pals", "mpiexec") else RUN[command]
    return made(exe, exe_args, run_args, **given)


def _known(launcher: object) -> str:
    """The name of a launcher that SmartSim has."""
    name = launcher.lower() if isinstance(launcher, str) else launcher
    if name == "auto":
        return detect_launcher()
    if not isinstance(name, str) or name not in BATCH:
        raise UnsupportedError(f"launcher: {shown(launcher)} is none of SmartSim's{did_you_mean(launcher, BATCH)}")
    return name
