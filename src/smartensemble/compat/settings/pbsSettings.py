"""SmartSim's settings for PBS: of ``qsub``."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from smartensemble.checks import empty
from smartensemble.compat.error import SSConfigError
from smartensemble.compat.settings.base import BatchSettings
from smartensemble.compat.settings.values import number, resource, resources, words
from smartensemble.duration import Duration
from smartensemble.errors import InputTypeError, InputValueError, public, shown


@public
class QsubBatchSettings(BatchSettings):
    """What a job asks of PBS' ``qsub``.

    >>> batch = QsubBatchSettings(nodes=1, ncpus=10, time="10:00:00", queue="default")
    >>> batch.format_batch_args()
    ['-l nodes=1:ncpus=10', '-l walltime=10:00:00', '-q default']
    """

    _keys: ClassVar[Mapping[str, str]] = {"queue": "q", "account": "A", "time": "walltime"}
    _scheduler = "pbs"

    def __init__(
        self,
        nodes: int | None = None,
        ncpus: int | None = None,
        time: Duration | None = None,
        queue: str | None = None,
        account: str | None = None,
        resources: Mapping[str, str | int] | None = None,
        batch_args: Mapping[str, object] | None = None,
        **kwargs: Any,
    ) -> None:
        """What a job asks for. See :class:`BatchSettings` for the other arguments.

        :param ncpus: the number of CPUs of each node.
        :param resources: resources by name; ``select`` or ``nodes`` say how many nodes.
        """
        self._ncpus = None if ncpus is None else number("ncpus", ncpus)
        self._hosts: list[str] = []
        self.resources = {} if empty(resources) else resources  # type: ignore[assignment]
        if nodes and self.resources.get("nodes"):
            raise InputValueError("nodes: is said by nodes= and in resources; give one of them")
        super().__init__("qsub", batch_args, nodes=nodes, queue=queue, time=time, account=account, **kwargs)

    @property
    def resources(self) -> dict[str, Any]:
        """A copy of its resources, by name. You can set others."""
        return self._resources.copy()

    @resources.setter
    def resources(self, given: Mapping[str, str | int]) -> None:
        self._sanity_check_resources(found := resources(given))
        self._resources = found

    def set_resource(self, resource_name: str, value: str | int) -> None:
        """Set a resource."""
        self.resources = {**self.resources, **resource(resource_name, value)}

    def set_option(self, option: str, value: object) -> None:
        """Set an option by its portable name: nodes and time are resources."""
        if option in ("nodes", "time"):
            self.set_resource({"time": "walltime"}.get(option, option), value)  # type: ignore[arg-type]
        else:
            super().set_option(option, value)

    def set_nodes(self, num_nodes: int | None) -> None:
        """Set the number of nodes."""
        if not empty(num_nodes):
            self.set_resource("nodes", num_nodes)  # type: ignore[arg-type]

    def set_ncpus(self, num_cpus: int | str) -> None:
        """Set the number of CPUs of each node."""
        self._ncpus = number("num_cpus", num_cpus)

    def set_hostlist(self, host_list: str | Iterable[str]) -> None:
        """Set the hosts to run on."""
        self._hosts = words("host_list", host_list)

    def format_batch_args(self) -> list[str]:
        """The options of the job, as SmartSim spells them.

        :raises SSConfigError: nobody said how many nodes.
        """
        for name, value in self.batch_args.items():
            if not value:
                raise InputValueError(f"batch_args: {name!r} has no value, and PBS has no option without one; give it one")
        return [*self._create_resource_list(), *(f"-{name} {value}" for name, value in self.batch_args.items())]

    def _sanity_check_resources(self, given: Mapping[str, Any] | None = None) -> None:
        """An error, if `given` has select and nodes, or text for one of them."""
        found = self._resources if given is None else given
        if found.get("select") and found.get("nodes"):
            raise SSConfigError("resources: 'select' and 'nodes' both say how many nodes; give one of them")
        for name in ("select", "nodes"):
            if found.get(name) and not isinstance(found[name], int):
                raise InputTypeError(f"resources: {name!r} is {shown(found[name])}; give a whole number")

    def _create_resource_list(self) -> list[str]:
        """The options for its resources."""
        left = self.resources
        name = "select" if left.get("select") else "nodes"
        if not (count := left.pop(name, None)):
            raise SSConfigError("resources: neither 'nodes' nor 'select' says how many nodes; give nodes=1")
        left = {each: value for each, value in left.items() if value or each not in ("select", "nodes")}
        words = [f"-l {name}={count}", *([f"ncpus={self._ncpus}"] if self._ncpus else [])]
        words += ["+".join(f"host={host}" for host in self._hosts)] if self._hosts else []
        return [":".join(words), *(f"-l {each}={value}" for each, value in left.items())]

    @property
    def time_limit(self) -> None:
        """None: PBS keeps it."""

    def _as_set(self) -> dict[str, object]:
        return dict.fromkeys(self.format_batch_args())
