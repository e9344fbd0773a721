"""Options that have no effect where something runs: they are kept, and a start and a preview say so."""

from collections.abc import Mapping

from smartensemble.settings.options import in_order
from smartensemble.settings.run import RunSettings, plain

#: Why options have no effect.
NO_RUN_COMMAND = "there is no run command to take it; give run_command='srun' or 'mpirun'"
BASH = "the script runs with bash on this machine"
NO_SCHEDULER = "this machine has no scheduler"
NO_JOB = "it belongs to a job of its own; give batch=True too"


def notes(ignored: Mapping[str, str]) -> list[str]:
    """A line for each reason why options have no effect.

    >>> notes({"time": NO_SCHEDULER, "hosts": NO_SCHEDULER})
    ['time, hosts: no effect, because this machine has no scheduler']
    """
    reasons = dict.fromkeys(ignored.values())
    named = {reason: [option for option, why in ignored.items() if why == reason] for reason in reasons}
    return [f"{', '.join(options)}: no effect, because {reason}" for reason, options in named.items()]


def without_effect(settings: RunSettings) -> dict[str, str]:
    """The options of `settings` that nothing reads, and why.

    >>> list(without_effect(RunSettings("echo", run_args={"n": 2})))
    ['n']
    """
    one = plain(settings)
    return {} if one.run_command else {option.name: NO_RUN_COMMAND for option in in_order(one)}
