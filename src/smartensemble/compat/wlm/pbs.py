"""SmartSim's functions for PBS, which is not in this version."""

from smartensemble.compat.missing import SCHEDULER, missing

get_hosts = missing("get_hosts", SCHEDULER)
get_queue = missing("get_queue", SCHEDULER)
get_tasks = missing("get_tasks", SCHEDULER)
get_tasks_per_node = missing("get_tasks_per_node", SCHEDULER)
