"""SmartSim's questions to a scheduler, which is not in this version."""

from smartensemble.compat.missing import SCHEDULER, missing
from smartensemble.compat.wlm import pbs, slurm

__all__ = ["detect_launcher", "get_hosts", "get_queue", "get_tasks", "get_tasks_per_node", "pbs", "slurm"]

get_hosts = missing("get_hosts", SCHEDULER)
get_queue = missing("get_queue", SCHEDULER)
get_tasks = missing("get_tasks", SCHEDULER)
get_tasks_per_node = missing("get_tasks_per_node", SCHEDULER)


def detect_launcher() -> str:
    """What ``Experiment(launcher="auto")`` chooses: ``"local"``, the only launcher of this version."""
    return "local"
