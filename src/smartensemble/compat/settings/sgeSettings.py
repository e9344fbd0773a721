"""SmartSim's settings for Grid Engine: of ``qsub``."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from smartensemble.checks import empty
from smartensemble.compat.error import LauncherUnsupportedFeature, SSConfigError
from smartensemble.compat.settings.base import BatchSettings
from smartensemble.compat.settings.batch import line
from smartensemble.compat.settings.values import number, resource, resources
from smartensemble.duration import Duration
from smartensemble.errors import InputValueError, public, shown
from smartensemble.settings.arguments import text


@public
class SgeQsubBatchSettings(BatchSettings):
    """What a job asks of Grid Engine's ``qsub``.

    >>> batch = SgeQsubBatchSettings(time="01:00:00", ncpus=8, pe_type="mpi")
    >>> batch.format_batch_args()
    ['-pe mpi 8', '-l h_rt=01:00:00']
    """

    _keys: ClassVar[Mapping[str, str]] = {"account": "A", "time": "h_rt"}
    _scheduler = "sge"

    def __init__(
        self,
        time: Duration | None = None,
        ncpus: int | None = None,
        pe_type: str | None = None,
        account: str | None = None,
        shebang: str = "#!/bin/bash -l",
        resources: Mapping[str, str | int] | None = None,
        batch_args: Mapping[str, object] | None = None,
        *,
        nodes: int | None = None,  # noqa: ARG002
        **kwargs: Any,
    ) -> None:
        """What a job asks for. See :class:`BatchSettings` for the other arguments.

        :param ncpus: the number of CPUs, of the parallel environment `pe_type`.
        :param shebang: the first line of the script.
        :param nodes: has no effect: Grid Engine counts CPUs.
        """
        self.resources = {} if empty(resources) else resources  # type: ignore[assignment]
        if ncpus:
            self.set_ncpus(ncpus)
        self.set_pe_type(pe_type)
        self.set_shebang(shebang)
        self._context_variables: list[str] = []
        self._env_vars: dict[str, str] = {}
        super().__init__("qsub", batch_args, time=time, account=account, **kwargs)

    @property
    def resources(self) -> dict[str, Any]:
        """A copy of its resources, by name. You can set others."""
        return self._resources.copy()

    @resources.setter
    def resources(self, given: Mapping[str, str | int]) -> None:
        self._resources = resources(given)

    def set_resource(self, resource_name: str, value: str | int) -> None:
        """Set a resource."""
        self.resources = {**self.resources, **resource(resource_name, value)}

    def set_option(self, option: str, value: object) -> None:
        """Set an option by its portable name: time is a resource."""
        if option == "time":
            self.set_resource("h_rt", value)  # type: ignore[arg-type]
        else:
            super().set_option(option, value)

    def set_hostlist(self, host_list: str | Iterable[str]) -> None:
        """Raise an error: Grid Engine has no such option."""
        raise LauncherUnsupportedFeature(f"set_hostlist: Grid Engine takes no hosts, such as {shown(host_list)}; leave it out")

    def set_queue(self, queue: str | None) -> None:
        """Raise an error: SmartSim has no such option of Grid Engine's."""
        raise LauncherUnsupportedFeature(f"set_queue: {shown(queue)} is no option here; give batch_args={{'q': ...}}")

    def set_nodes(self, num_nodes: int | None) -> None:
        """Raise an error: Grid Engine has no such option."""
        if num_nodes:
            raise LauncherUnsupportedFeature(
                f"set_nodes: Grid Engine counts CPUs, and no nodes ({shown(num_nodes)}); give ncpus"
            )

    def set_shebang(self, shebang: str) -> None:
        """Set the first line of the script."""
        self.shebang = line("shebang", shebang)

    def set_ncpus(self, num_cpus: int | str) -> None:
        """Set the number of CPUs."""
        self.set_resource("ncpus", number("num_cpus", num_cpus))

    def set_ngpus(self, num_gpus: int | str) -> None:
        """Set the number of GPUs."""
        self.set_resource("gpu", num_gpus)

    def set_project(self, project: str | None) -> None:
        """Set the project that is charged."""
        if project:
            self.batch_args["P"] = line("project", project)

    def set_hyperthreading(self, enable: bool = True) -> None:
        """Use the hardware threads of a core, or not."""
        self.set_resource("threads", int(bool(enable)))

    def set_memory_per_pe(self, memory_spec: str) -> None:
        """Set the memory of each process, as ``"2G"``."""
        self.set_resource("mem", memory_spec)

    def set_pe_type(self, pe_type: str | None) -> None:
        """Set the parallel environment, as ``"mpi"``."""
        if pe_type:
            self.set_resource("pe_type", pe_type)

    def set_threads_per_pe(self, threads_per_core: int) -> None:
        """Set the threads of each process: OMP_NUM_THREADS."""
        self._env_vars["OMP_NUM_THREADS"] = text("threads_per_core", threads_per_core)

    def update_context_variables(self, action: str, var_name: str, value: int | str | None = None) -> None:
        """Add (``"ac"``), set (``"sc"``) or delete (``"dc"``) a variable of the job's context. The order counts."""
        if action not in ("ac", "sc", "dc"):
            raise InputValueError(f"update_context_variables: {shown(action)} is no action; there are 'ac', 'sc', 'dc'")
        if action == "dc" and value:
            raise SSConfigError(
                f"update_context_variables: 'dc' deletes {shown(var_name)}, which then has no value; leave it out"
            )
        self._context_variables.append(f"-{action} {var_name}" + (f"={value}" if value else ""))

    def format_batch_args(self) -> list[str]:
        """The options of the job, as SmartSim spells them."""
        for name, value in self.batch_args.items():
            if not value:
                raise InputValueError(f"batch_args: {name!r} has no value; give it one")
        return [*self._create_resource_list(), *(f"-{name} {value}" for name, value in self.batch_args.items())]

    def _create_resource_list(self) -> list[str]:
        """The options for its resources."""
        left = self.resources
        ncpus, environment = left.pop("ncpus", None), left.pop("pe_type", None)
        if bool(ncpus) != bool(environment):
            raise SSConfigError(f"resources: ncpus is {ncpus!r} and pe_type is {environment!r}; give both, or neither")
        found = [f"-pe {environment} {ncpus}"] if ncpus else []
        found += [*self._context_variables, *(f"-l {name}={value}" for name, value in left.items())]
        return [*found, *(f"-v {name}={value}" for name, value in self._env_vars.items())]

    @property
    def time_limit(self) -> None:
        """None: Grid Engine keeps it."""

    def _as_set(self) -> dict[str, object]:
        return dict.fromkeys(self.format_batch_args())
