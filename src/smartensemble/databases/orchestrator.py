"""A database that members share: its options, its addresses, and its settings before it starts and while it runs."""

import os
import re
from collections.abc import Collection, Iterable, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from smartensemble.checks import absolute_path, empty, flag, listed, positive, working_directory
from smartensemble.databases.config import checked_setting
from smartensemble.databases.descriptions import DATABASE
from smartensemble.databases.placement import OWN_KINDS, ClusterOptions, Kinds, Placement, placement, without_effect
from smartensemble.databases.shard import Shard, checked_port
from smartensemble.databases.users import USER
from smartensemble.databases.variables import DEFAULT_IDENTIFIER, Endpoint, check_identifier, suffix, variables
from smartensemble.databases.worker_options import MODEL_TIME_LIMIT, worker_options
from smartensemble.docstrings.described import described_by
from smartensemble.duration import Duration
from smartensemble.errors import InputTypeError, InputValueError, StateError, did_you_mean, public, shown
from smartensemble.settings.batch import BatchSettings
from smartensemble.settings.executable import find_program
from smartensemble.settings.run import RunSettings

if TYPE_CHECKING:
    from smartensemble.client import Client

ACCESS = ("private", "open", "password")
EVICTION = tuple(f"{kind}-{how}" for kind in ("volatile", "allkeys") for how in ("lru", "lfu", "random"))
EVICTION = (*EVICTION, "volatile-ttl", "noeviction")
CHECKPOINT_FILE = "smartsim_db.json"  #: in a database's directory, while it runs: what another process needs to reach it
OWNER_FILE = "smartensemble_owner.json"  #: beside it: the password of who may set, save and end it


class Servers(Protocol):
    """The running servers of a database."""

    @property
    def shards(self) -> Sequence[Shard]:
        """The servers."""

    @property
    def password(self) -> str | None:
        """What its user logs in with."""

    @property
    def dead(self) -> str:
        """Why they do not serve any more, where one of them is known to have ended."""

    def answer(self) -> bool:
        """All of them answer, and serve all keys."""

    def configure(self, key: str, value: str) -> None:
        """Change a setting of all of them."""


@public
@described_by(DATABASE)
class Orchestrator:
    """A database, of one server or of several that share the keys. :meth:`Experiment.create_database` makes it.

    :param launcher: where it runs: ``"local"``, this machine, or a scheduler's name. `run_command`, `batch`, `hosts`,
        `account`, `time`, `alloc`, `queue` and `per_node` have no effect on this machine, which a start reports.
    :param alloc: the number of an allocation to run in, as :func:`smartensemble.slurm.get_allocation` returns it.

    >>> db = Orchestrator(path="/scratch/db", port=6379)
    >>> db.access, db.num_shards, db.is_active()
    ('open', 1, False)
    """

    _kinds: ClassVar[Kinds] = OWN_KINDS  #: of its settings
    _shown: ClassVar[Collection[str]] = ()  #: launchers with which it can be shown, and not started

    def __init__(
        self,
        path: str | PurePath | None = None,
        port: int | None = None,
        interface: str | Iterable[str] | None = None,
        launcher: str = "local",
        run_command: str = "auto",
        db_nodes: int = 1,
        batch: bool = False,
        hosts: Iterable[str] | None = None,
        account: str | None = None,
        time: Duration | None = None,
        alloc: str | int | None = None,
        single_cmd: bool = True,
        *,
        queue: str | None = None,
        per_node: int = 1,
        db_identifier: str = DEFAULT_IDENTIFIER,
        access: str | None = None,
        server: str | PurePath | None = None,
        workers: int = 1,
        intra_op_threads: int = 1,
        model_time_limit: Duration = MODEL_TIME_LIMIT,
        confine: bool = True,
    ) -> None:
        check_identifier(db_identifier)
        if not isinstance(launcher, str):
            raise InputTypeError(f"{db_identifier}: launcher is {shown(launcher)}; give the name of one, such as 'local'")
        self.launcher = "local" if launcher in ("local", "auto") else launcher
        options = ClusterOptions(
            batch=flag("batch", batch),
            hosts=hosts,
            account=account,
            time=time,
            alloc=alloc,
            queue=queue,
            run_command=run_command,
            per_node=per_node,
            single_cmd=flag("single_cmd", single_cmd),
        )
        self._ignored = without_effect(self.launcher, options)
        self.db_identifier = self.name = db_identifier
        self.db_nodes = positive("db_nodes", db_nodes)
        self.port = None if port is None else checked_port(db_identifier, port, self.db_nodes)
        self.interface = _interfaces(db_identifier, interface)
        self._placement: Placement | None = None  #: where its servers run on a cluster; None for this machine
        if self.launcher not in ("local", *self._shown):
            self._placement = placement(db_identifier, self.launcher, self.db_nodes, self.interface, options, self._kinds)
        self.access = _access(db_identifier, access, self.port is not None or bool(self.interface), self.db_nodes)
        self.server = None if server is None else find_program(server, "server")
        self.worker_options = worker_options(db_identifier, workers, intra_op_threads, model_time_limit, confine)
        self.conf: dict[str, str] = {"save": ""}  #: settings of its servers, by the names in their configuration files
        self._home = working_directory(db_identifier) if path is None else ""
        self._path = None if path is None else absolute_path(db_identifier, path)
        self._servers: Servers | None = None

    @property
    def path(self) -> str:
        """Its directory. You can set another before it starts."""
        return os.path.join(self._home, self.db_identifier) if self._path is None else self._path

    @path.setter
    def path(self, path: str | PurePath) -> None:
        if self.started:
            raise StateError(f"{self.db_identifier}: runs in {self.path}; stop it first")
        self._path = absolute_path(self.db_identifier, path)

    # --- ask --------------------------------------------------------------------------------------------------------

    @property
    def started(self) -> bool:
        """True if it was started or reconnected to, and not stopped since."""
        return self._servers is not None

    def is_active(self) -> bool:
        """True if all its servers answer now and, if it has several, serve all keys.

        :returns: whether it can be used now.
        """
        return self._servers is not None and self._servers.answer()

    def get_address(self) -> list[str]:
        """Where each of its servers listens, as the variable SSDB takes it: ``host:port``, or ``unix:///path``.

        :returns: an address for each server.
        :raises StateError: it does not run, or not any more.
        """
        servers = running_servers(self)
        if why := servers.dead:
            cause = why.partition(";")[0]  # without the last lines of its output
            raise StateError(f"{self.db_identifier}: does not run any more: {cause}; start it again with exp.start(...)")
        return [shard.address for shard in servers.shards]

    @property
    def env(self) -> dict[str, str]:
        """The environment variables that members get, for a client in your own program or in a terminal.

        :raises StateError: it does not run, or not any more.
        """
        return variables(f"{self.db_identifier}_client", self.path, [endpoint_of(self)], False, (), {})

    def client(self, *, timeout: float | None = None) -> "Client":
        """A client of it, for your own program: it has what :attr:`env` says, whatever the environment of your program is.

        :param timeout: how many seconds it waits for the reply to a command; by default as long as members do, ten minutes.
        :returns: a :class:`Client` that is connected; close it, or use it in a ``with`` block.
        :raises StateError: it does not run, or not any more.
        :raises RedisConnectionError: it cannot be reached from here.
        :raises UnsupportedError: NumPy or hiredis is not installed.
        :raises InputTypeError: `timeout` is no number.
        :raises InputValueError: `timeout` is not above zero.
        """
        from smartensemble.client import Client, ConfigOptions

        options, env, end = ConfigOptions(), self.env, suffix(self.db_identifier)
        for name in ("SSDB", "SR_DB_TYPE", "SMARTENSEMBLE_DB", "SSKEYIN", "SSKEYOUT", "SR_SOCKET_TIMEOUT"):
            options.override_string_option(name, env.get(f"{name}{end}", ""))
        return Client(options, self.db_identifier, timeout=timeout)

    @property
    def hosts(self) -> list[str]:
        """The hosts that its servers listen on; none when they do not run, or only on a unix socket."""
        shards = self._servers.shards if self._servers else ()
        return list(dict.fromkeys(shard.host for shard in shards if shard.host))

    @property
    def num_shards(self) -> int:
        """The servers that divide the keys among them: the same as `db_nodes`."""
        return self.db_nodes

    @property
    def batch(self) -> bool:
        """True if it runs in a job of its own."""
        return self.batch_settings is not None

    @property
    def batch_settings(self) -> BatchSettings | None:
        """The settings of its own job, if it has one. Set options there that are not arguments of this class."""
        return None if self._placement is None else self._placement.batch_settings

    @property
    def run_settings(self) -> RunSettings | None:
        """The settings that start its servers on a cluster: ``set_cpus_per_task`` reserves CPUs for each of them."""
        return None if self._placement is None else self._placement.run_settings

    @property
    def type(self) -> str:
        """The name of its class."""
        return type(self).__name__

    @property
    def checkpoint_file(self) -> str:
        """The file with which another process reconnects while it runs: JSON that only you can read."""
        return os.path.join(self.path, CHECKPOINT_FILE)

    @property
    def owner_file(self) -> str:
        """The file with the owner's user and password while it runs: JSON that only you can read."""
        return os.path.join(self.path, OWNER_FILE)

    @property
    def user(self) -> str | None:
        """The user who logs in if access is ``"password"``."""
        return USER if self.access == "password" else None

    @property
    def password(self) -> str | None:
        """The password of `user`; None if there is no user. Each start chooses a new one.

        :raises StateError: it does not run.
        """
        return running_servers(self).password

    # --- set, before it starts and while it runs --------------------------------------------------------------------

    def set_db_conf(self, key: str, value: str | int) -> None:
        """Set an option of the server's configuration file. It applies at the start, and at once if the server runs.

        :param key: the name of the option.
        :param value: its value, as in a line of the file.
        :raises InputTypeError: one of them is no text, and no number.
        :raises InputValueError: an argument of this class sets it, it is no option, or a running server refuses it.
        """
        name, text = checked_setting(self.db_identifier, key, value)
        if self._servers is not None:
            self._servers.configure(name, text)
        self.conf[name] = text

    def enable_checkpoints(self, frequency: int) -> None:
        """Write its data to disk from time to time, and when it stops.

        A database that starts in the same directory has the data of the last one.
        ``set_db_conf("appendonly", "yes")`` writes down every change instead, as it happens.

        :param frequency: seconds after which changed data is written, from 1 on.
        :raises InputTypeError: it is no whole number.
        :raises InputValueError: it is less than 1, or a running server refuses it.
        """
        self.set_db_conf("save", f"{positive('enable_checkpoints', frequency)} 1")

    def set_max_memory(self, mem: str) -> None:
        """Set the most memory that the data may take in each server.

        :param mem: a whole number with ``b``, ``k``, ``kb``, ``m``, ``mb``, ``g`` or ``gb``, such as ``"3gb"``.
        :raises InputValueError: it is something else, or a running server refuses it.
        """
        if not isinstance(mem, str) or not re.fullmatch(r"\d+ *([kmg]?b?)", mem, re.IGNORECASE):
            raise InputValueError(f"{self.db_identifier}: max_memory is {shown(mem)}; give a number and a unit, such as '3gb'")
        self.set_db_conf("maxmemory", mem.replace(" ", ""))

    def set_eviction_strategy(self, strategy: str) -> None:
        """Set what to evict when memory is full. By default nothing is evicted, and writes fail.

        :param strategy: ``"allkeys-lru"``, which evicts the keys that were not used for the longest time, or another policy of
            the server.
        :raises InputValueError: there is no such policy; the message lists them.
        """
        if not isinstance(strategy, str) or strategy not in EVICTION:
            raise InputValueError(
                f"{self.db_identifier}: no eviction strategy {shown(strategy)}{did_you_mean(strategy, EVICTION)}"
            )
        self.set_db_conf("maxmemory-policy", strategy)

    def set_max_clients(self, clients: int = 50_000) -> None:
        """Set the most clients that each server accepts at a time.

        :param clients: how many, from 1 on.
        :raises InputTypeError: it is no whole number.
        :raises InputValueError: it is less than 1, or a running server refuses it.
        """
        self.set_db_conf("maxclients", positive("max_clients", clients))

    def set_max_message_size(self, size: int = 1_073_741_824) -> None:
        """Set the largest size of one tensor or model.

        :param size: bytes, from 1 MiB on.
        :raises InputTypeError: it is no whole number.
        :raises InputValueError: it is less than 1 MiB, or a running server refuses it.
        """
        if positive("max_message_size", size) < 1 << 20:
            raise InputValueError(f"{self.db_identifier}: max_message_size is {size}; servers take 1048576 bytes or more")
        self.set_db_conf("proto-max-bulk-len", size)

    def __reduce_ex__(self, protocol: Any) -> Any:
        """How copy and pickle make another one: while it runs, only a reconnection does."""
        if self._servers is not None:
            raise StateError(
                f"{self.db_identifier}: runs, and is not copied; reconnect_orchestrator({self.checkpoint_file!r}) does that"
            )
        return super().__reduce_ex__(protocol)

    def __repr__(self) -> str:
        return f"Orchestrator({self.db_identifier!r}, {self.db_nodes} server{'s' * (self.db_nodes != 1)}, {self.access})"


def running_servers(db: Orchestrator) -> Servers:
    """The running servers of `db`.

    :raises StateError: it was not started, or was stopped.
    """
    if db._servers is None:
        raise StateError(f"{db.db_identifier}: does not run; start it with exp.start(...)")
    return db._servers


def attach(db: Orchestrator, servers: Servers | None) -> None:
    """Give `db` its running servers, or take them away."""
    db._servers = servers


def endpoint_of(db: Orchestrator) -> Endpoint:
    """Where members find the running `db`."""
    kind = "Standalone" if db.db_nodes == 1 else "Clustered"
    record = db.checkpoint_file if db.access == "password" else None
    return Endpoint(db.db_identifier, kind, tuple(db.get_address()), record)


def placement_of(db: Orchestrator) -> Placement | None:
    """Where the servers of `db` run on a cluster; None for this machine."""
    return db._placement


def ignored_options(db: Orchestrator) -> dict[str, str]:
    """The options of `db` that have no effect where it runs, and why."""
    return db._ignored


def set_home(db: Orchestrator, home: str) -> None:
    """Put the directory of `db` below `home`, unless it has a path of its own."""
    db._home = home


def _interfaces(subject: str, interface: object) -> list[str]:
    """The names of network interfaces."""
    several = listed(interface)
    found = [] if empty(interface) else [interface] if several is None else several
    names = [name for name in found if isinstance(name, str) and name and name.isprintable()]
    if len(names) < len(found):
        raise InputTypeError(f"{subject}: interface is {shown(interface)}; give its name, such as 'ib0'")
    return names


def _access(subject: str, access: str | None, network: bool, count: int) -> str:
    """Who may reach a database: by `access`, or by default from the other arguments."""
    network = network or count > 1
    if access is None:
        return "open" if network else "private"
    if not isinstance(access, str) or access not in ACCESS:
        raise InputValueError(f"{subject}: no access {shown(access)}{did_you_mean(access, ACCESS)}")
    if access == "private" and network:
        raise InputValueError(
            f"{subject}: access='private' is a unix socket, which has no port and no interface, and one server; "
            "leave these out, or give access='password' or 'open'"
        )
    return access
