"""The servers of a database, by SmartSim's names."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from smartensemble.checks import names
from smartensemble.compat.entity.entity import SmartSimEntity
from smartensemble.compat.settings import RunSettings
from smartensemble.errors import StateError, UnsupportedError, public

if TYPE_CHECKING:
    from smartensemble.compat.database.orchestrator import Orchestrator


@dataclass(frozen=True)
class LaunchedShardData:
    """Where a server of a database listens.

    >>> LaunchedShardData("db_0", "127.0.0.1", 7000, cluster=True).cluster_conf_file
    'db_0.nodes'
    """

    name: str
    hostname: str
    port: int
    cluster: bool

    @property
    def cluster_conf_file(self) -> str | None:
        """The file in which it finds the others; None if there are none."""
        return f"{self.name}.nodes" if self.cluster else None

    def to_dict(self) -> dict[str, Any]:
        """Its fields."""
        return asdict(self)


@public
class DBNode(SmartSimEntity):
    """A server of a database: one of `Orchestrator.entities`."""

    num_shards = 1
    is_mpmd = False
    _db: "Orchestrator"
    _number: int

    def __init__(self, *args: object, **kwargs: object) -> None:  # noqa: ARG002
        """An error: a database makes its servers."""
        raise UnsupportedError("DBNode: is made by its database; make that, and see its entities")

    @property
    def name(self) -> str:  # type: ignore[override]
        """Its name."""
        return self._db.server_names[self._number]

    @property
    def path(self) -> str:
        """The directory of its database. You can set another."""
        return self._db.path

    @path.setter
    def path(self, path: str) -> None:
        self.set_path(path)

    @property
    def run_settings(self) -> RunSettings:  # type: ignore[override]
        """How the servers are started; all of one database have the same."""
        return self._db.run_settings

    @property
    def db_identifier(self) -> str:
        """The identifier of its database."""
        return self._db.db_identifier

    @property
    def ports(self) -> list[int]:
        """Its port, when that is known; none for a unix socket."""
        ports = self._db.ports
        return ports[self._number : self._number + 1]

    @property
    def hosts(self) -> list[str]:
        """The host that it listens on.

        :raises StateError: it does not run.
        """
        return [shard.hostname for shard in self.get_launched_shard_info()]

    @property
    def host(self) -> str:
        """The host that it listens on.

        :raises StateError: it does not run.
        """
        return self.hosts[0]

    def set_hosts(self, hosts: Iterable[str]) -> None:
        """Set the node that it runs on."""
        self._db.set_hosts(names(f"{self.name}: hosts", hosts))

    def clear_hosts(self) -> None:
        """Let the scheduler choose the node."""
        self._db.reset_hosts()

    def set_path(self, path: object) -> None:
        """Set the directory of its database."""
        self._db.set_path(path)  # type: ignore[arg-type]

    def remove_stale_dbnode_files(self) -> None:
        """Delete what an earlier start has left of its database."""
        self._db.remove_stale_files()

    def get_launched_shard_info(self) -> list[LaunchedShardData]:
        """Where it listens.

        :raises StateError: it does not run.
        """
        address = self._db.get_address()[self._number]
        host, _, port = address.rpartition(":")
        if not port.isdecimal():
            raise StateError(f"{self.name}: listens at {address}, and has no host; give its database a port")
        return [LaunchedShardData(self.name, host, int(port), self._db.db_nodes > 1)]


def server(db: "Orchestrator", number: int) -> DBNode:
    """Server `number` of `db`."""
    made = DBNode.__new__(DBNode)
    made._db, made._number = db, number
    return made
