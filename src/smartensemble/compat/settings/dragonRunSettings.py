"""SmartSim's settings for Dragon."""

from collections.abc import Iterable, Mapping
from pathlib import PurePath
from typing import Any, ClassVar

from smartensemble.compat.settings.base import RunSettings
from smartensemble.compat.settings.containers import Container
from smartensemble.compat.settings.values import commas, numbers
from smartensemble.duration import Duration
from smartensemble.errors import public
from smartensemble.settings.arguments import Arguments


@public
class DragonRunSettings(RunSettings):
    """How a program is run by Dragon. Here it runs without a run command, and the options have no effect.

    >>> settings = DragonRunSettings("echo")
    >>> settings.set_nodes(2)
    >>> settings.set_cpu_affinity([0, 1])
    >>> settings.run_args
    {'nodes': 2, 'cpu-affinity': '0,1'}
    """

    _keys: ClassVar[Mapping[str, str]] = {
        "nodes": "nodes",
        "tasks_per_node": "tasks-per-node",
        "features": "node-feature",
        "cpu_affinity": "cpu-affinity",
        "gpu_affinity": "gpu-affinity",
    }

    def __init__(
        self,
        exe: str | PurePath,
        exe_args: Arguments | None = None,
        env_vars: Mapping[str, object] | None = None,
        *,
        run_args: Mapping[str, object] | None = None,
        container: Container | None = None,
        time_limit: Duration | None = None,
        **kwargs: Any,
    ) -> None:
        """The same as :class:`RunSettings`, without a run command."""
        super().__init__(exe, exe_args, "", run_args, env_vars, container, time_limit=time_limit, **kwargs)

    def set_nodes(self, nodes: int) -> None:
        """Set the number of nodes."""
        self._set("nodes", nodes)

    def set_tasks_per_node(self, tasks_per_node: int) -> None:
        """Set the number of processes on each node."""
        self._set("tasks_per_node", tasks_per_node)

    def set_node_feature(self, feature_list: str | Iterable[str]) -> None:
        """Set the features that each node must have; text is split at blanks."""
        self._set("features", feature_list.split() if isinstance(feature_list, str) else feature_list, commas)

    def set_cpu_affinity(self, devices: Iterable[int]) -> None:
        """Set the CPUs to run on."""
        self.set_option("cpu_affinity", numbers("devices", devices))

    def set_gpu_affinity(self, devices: Iterable[int]) -> None:
        """Set the GPUs to run on."""
        self.set_option("gpu_affinity", numbers("devices", devices))
