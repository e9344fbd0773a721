"""A database of a member's own: it runs on the member's host, starts before it, and ends with it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import PurePath

from smartensemble.checks import positive
from smartensemble.databases.shard import checked_port, speakable
from smartensemble.databases.variables import DEFAULT_IDENTIFIER, Endpoint, check_identifier
from smartensemble.databases.worker_options import WorkerOptions, worker_options
from smartensemble.duration import Duration
from smartensemble.errors import InputTypeError, InputValueError, strict
from smartensemble.settings.executable import find_program


@dataclass(frozen=True)
class Colocated:
    """The options of a database of a member's own."""

    identifier: str
    socket: str | None = None  #: where it listens; None: a path is chosen when it starts
    permissions: str = "700"  #: of the socket
    tcp: bool = False  #: it listens at a port, and not at a socket
    port: int | None = None  #: None: a free one is chosen when it starts
    interface: str = "lo"
    pinning: tuple[int, ...] = ()  #: the CPUs that it may use
    conf: tuple[tuple[str, str], ...] = ()
    server: str | None = None  #: the program; None for the default one
    worker_options: WorkerOptions = field(default=WorkerOptions())

    @property
    def endpoint(self) -> Endpoint:
        """Where its member finds it. The member learns the address from the server."""
        return Endpoint(self.identifier, "Colocated")


class Colocating:
    """A model, as far as it may have a database of its own."""

    __slots__ = ()
    name: str
    _colocated: Colocated | None

    def _colocate(self, database: Colocated) -> None:
        """Have `database` start with it."""
        raise NotImplementedError

    @strict
    def colocate_db_uds(
        self,
        unix_socket: str | PurePath | None = None,
        socket_permissions: int = 700,
        db_cpus: int = 1,
        custom_pinning: Iterable[int] | None = None,
        debug: bool = False,
        db_identifier: str = "",
        *,
        server: str | PurePath | None = None,
        workers: int = 1,
        intra_op_threads: int = 1,
        model_time_limit: Duration = 300.0,
    ) -> None:
        """Give it a database of its own, on its host, that it reaches by a unix socket. It begins and ends with the model.

        :param unix_socket: its path; by default one that no other has, in a directory that only you enter.
        :param socket_permissions: who may connect, as ``chmod`` takes it.
        :param db_cpus: threads of the server that read and write at a time.
        :param custom_pinning: the CPUs that the server may use; by default all.
        :param debug: have the server write more into ``NAME.db.out``.
        :param db_identifier: what its variables end in, as ``SSDB_name``; by default nothing.
        :param server: the program, as :meth:`Experiment.create_database` takes it.
        :param workers: the processes that run its models and scripts; 0 for none.
        :param intra_op_threads: the threads that a model may use in each of them.
        :param model_time_limit: how long a run of a model may take.
        """
        database = Colocated(
            _identifier(db_identifier),
            pinning=_pinning(self.name, custom_pinning),
            conf=_conf(db_cpus, debug),
            server=None if server is None else find_program(server, "server"),
            worker_options=worker_options(self.name, workers, intra_op_threads, model_time_limit),
            socket=None if unix_socket is None else _socket(self.name, str(unix_socket)),
            permissions=_permissions(self.name, socket_permissions),
        )
        self._colocate(database)

    @strict
    def colocate_db_tcp(
        self,
        port: int | None = None,
        ifname: str = "lo",
        db_cpus: int = 1,
        custom_pinning: Iterable[int] | None = None,
        debug: bool = False,
        db_identifier: str = "",
        *,
        server: str | PurePath | None = None,
        workers: int = 1,
        intra_op_threads: int = 1,
        model_time_limit: Duration = 300.0,
    ) -> None:
        """Give it a database of its own, on its host, that it reaches by a port, as does every user of that host.

        The other arguments are those of :meth:`colocate_db_uds`.

        :param port: its port; by default a free one is chosen when the model starts.
        :param ifname: the network interface that it listens on.
        """
        database = Colocated(
            _identifier(db_identifier),
            pinning=_pinning(self.name, custom_pinning),
            conf=_conf(db_cpus, debug),
            server=None if server is None else find_program(server, "server"),
            worker_options=worker_options(self.name, workers, intra_op_threads, model_time_limit),
            tcp=True,
            port=None if port is None else checked_port(self.name, port),
            interface=ifname,
        )
        self._colocate(database)

    colocate_db = colocate_db_tcp

    @property
    def colocated(self) -> bool:
        """It has a database of its own."""
        return self._colocated is not None

    @property
    def colocated_database(self) -> Colocated | None:
        """The options of its own database; None if it has none."""
        return self._colocated


def _identifier(identifier: str) -> str:
    check_identifier(identifier or DEFAULT_IDENTIFIER)
    return identifier


def _pinning(name: str, cpus: Iterable[int] | None) -> tuple[int, ...]:
    chosen = () if cpus is None else tuple(cpus)
    if not all(isinstance(cpu, int) and cpu >= 0 for cpu in chosen):
        raise InputTypeError(f"{name}: custom_pinning is {cpus!r}; give numbers of CPUs, such as [0, 1]")
    return chosen


def _conf(cpus: int, debug: bool) -> tuple[tuple[str, str], ...]:
    """The lines of its configuration."""
    threads = [("io-threads", str(cpus))] if positive("db_cpus", cpus) > 1 else []
    return (*threads, *([("loglevel", "debug")] if debug else []))


def _socket(name: str, path: str) -> str:
    if not speakable(path):
        raise InputValueError(
            f"{name}: unix_socket {path!r} is too long, or has characters that clients do not take; leave it out"
        )
    return path


def _permissions(name: str, permissions: object) -> str:
    if not re.fullmatch(r"0?[0-7]{3}", str(permissions)):
        raise InputValueError(f"{name}: socket_permissions is {permissions!r}; give three octal digits, as 700")
    return str(permissions)
