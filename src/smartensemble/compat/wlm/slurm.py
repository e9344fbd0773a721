"""SmartSim's functions for Slurm."""

from smartensemble.slurm import (
    get_allocation,
    get_default_partition,
    get_hosts,
    get_queue,
    get_tasks,
    get_tasks_per_node,
    release_allocation,
    validate,
)

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
