"""SmartSim's questions to the scheduler in whose allocation a program runs."""

from smartensemble.compat.error import SSUnsupportedError
from smartensemble.compat.wlm import pbs, slurm
from smartensemble.wlm import detect_launcher, get_hosts, get_queue, get_tasks, get_tasks_per_node

__all__ = ["SSUnsupportedError", "detect_launcher", "get_hosts", "get_queue", "get_tasks", "get_tasks_per_node", "pbs", "slurm"]
