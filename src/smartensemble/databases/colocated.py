"""A database of a member's own: it runs on the member's host, starts before it, and ends with it."""

import os
import re
import stat
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from smartensemble.checks import LARGEST, empty, flag, listed, path_text, positive
from smartensemble.databases.shard import speakable
from smartensemble.databases.variables import DEFAULT_IDENTIFIER, Endpoint, check_identifier
from smartensemble.databases.worker_options import WorkerOptions
from smartensemble.errors import InputTypeError, InputValueError, StateError, shown
from smartensemble.status import Run

LOOK_INTERVAL_S = 0.02  #: between two looks for the address of a database
CLOCK_S = 0.05  #: that the clock of a file system may be behind


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
        """Where its member finds it. The member gets the address when the server runs."""
        return Endpoint(self.identifier, "Colocated")


def check_apart(owners: Iterable[tuple[str, Colocated]], shared: Iterable[tuple[str, str, range]] = ()) -> None:
    """An error, if two databases of one host that run at a time would listen in the same place.

    :param owners: the members with databases of their own, by their names.
    :param shared: the databases that members share: the identifier, interface and ports of each.
    """
    ports = {(interface, port): name for name, interface, several in shared for port in several}
    sockets: dict[str, str] = {}
    for name, own in owners:
        if own.socket is not None and (other := sockets.setdefault(os.path.realpath(own.socket), name)) != name:
            raise InputValueError(
                f"{name}: its own database has the unix_socket {own.socket}, as {other} has; give each member another, "
                "leave it out, or run one member at a time (max_running=1)"
            )
        if own.tcp and own.port and (other := ports.setdefault((own.interface, own.port), name)) != name:
            raise InputValueError(
                f"{name}: its own database has port {own.port}, as {other} has; leave port out, and each gets a free one"
            )


def address(name: str, directory: str, run: Callable[[], Run], timeout: float) -> str:
    """Where the own database of the model `name` listens, once it answers.

    :param directory: that of the model.
    :param run: its run, now.
    :raises StateError: the model does not run, or its database does not answer within `timeout` seconds.
    """
    limit = time.monotonic() + timeout
    while not (found := _written(f"{directory}/{name}.db.address", now := run())):
        if not now.status.active:
            raise StateError(
                f"{name}: does not run, and its own database runs with it; start it with exp.start(..., block=False)"
            )
        if time.monotonic() > limit:
            raise StateError(
                f"{name}: its own database does not answer after {timeout:g} s; look at {name}.db.out, or wait longer"
            )
        time.sleep(LOOK_INTERVAL_S)
    return found


def _written(path: str, run: Run) -> str:
    """The address that a database has written into a file during `run`; empty, if it has not yet."""
    if run.started is None or not run.status.active:
        return ""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read().strip() if os.fstat(file.fileno()).st_mtime >= run.started - CLOCK_S else ""
    except FileNotFoundError:
        return ""


def checked_identifier(identifier: str) -> str:
    """The identifier of a database, which its variables end in."""
    check_identifier(DEFAULT_IDENTIFIER if empty(identifier) else identifier)
    return identifier


def pinned_cpus(name: str, cpus: Iterable[int] | None) -> tuple[int, ...]:
    """The CPUs that the server of the model `name` may use."""
    chosen = () if cpus is None else tuple(cpus) if isinstance(cpus, (set, frozenset)) else tuple(listed(cpus) or "?")
    if not all(isinstance(cpu, int) and not isinstance(cpu, bool) and 0 <= cpu <= LARGEST for cpu in chosen):
        raise InputTypeError(f"{name}: custom_pinning is {shown(cpus)}; give numbers of CPUs, such as [0, 1]")
    return chosen


def configured(cpus: int, debug: bool) -> tuple[tuple[str, str], ...]:
    """The lines of its configuration."""
    threads = [("io-threads", str(cpus))] if positive("db_cpus", cpus) > 1 else []
    return (*threads, *([("loglevel", "debug")] if flag("debug", debug) else []))


def checked_socket(name: str, socket: object) -> str:
    """The path of its unix socket."""
    path = path_text(f"{name}: unix_socket", socket)
    if not speakable(path):
        raise InputValueError(
            f"{name}: unix_socket {shown(path)} is too long, or has characters that clients do not take; leave it out"
        )
    if os.path.isabs(path) and os.path.lexists(path) and not stat.S_ISSOCK(os.lstat(path).st_mode):
        raise InputValueError(f"{name}: unix_socket {path!r} is there already, and is no socket; give another path, or none")
    return path


def checked_permissions(name: str, permissions: object) -> str:
    """Who may connect to its socket, as ``chmod`` takes it."""
    if not isinstance(permissions, (str, int)) or not re.fullmatch(r"0?[0-7]{3}", shown(permissions).strip("'")):
        raise InputValueError(f"{name}: socket_permissions is {shown(permissions)}; give three octal digits, as 700")
    return str(permissions)
