"""SmartSim's functions for Slurm, which is not in this version."""

from smartensemble.compat.missing import SCHEDULER, missing

__all__ = [
    "get_allocation",
    "get_default_partition",
    "get_hosts",
    "get_queue",
    "get_tasks",
    "get_tasks_per_node",
    "release_allocation",
    "validate",
]

get_allocation = missing("get_allocation", SCHEDULER)
release_allocation = missing("release_allocation", SCHEDULER)
validate = missing("validate", SCHEDULER)
get_default_partition = missing("get_default_partition", SCHEDULER)
get_hosts = missing("get_hosts", SCHEDULER)
get_queue = missing("get_queue", SCHEDULER)
get_tasks = missing("get_tasks", SCHEDULER)
get_tasks_per_node = missing("get_tasks_per_node", SCHEDULER)
