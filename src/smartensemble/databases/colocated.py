"""A database of a member's own."""

from collections.abc import Iterable
from pathlib import PurePath
from typing import NamedTuple

from smartensemble.checks import positive, whole
from smartensemble.databases.variables import DEFAULT, Endpoint, check_identifier
from smartensemble.duration import Duration, seconds
from smartensemble.errors import InputTypeError
from smartensemble.settings.executable import find_program

MODEL_TIME_LIMIT = 300.0  #: seconds that a run of a model may take, unless it is told


class Colocated(NamedTuple):
    """A database of a member's own, which starts before it on its host, and ends with it."""

    identifier: str
    socket: str | None = None  #: where it listens, if it is told
    permissions: str = "700"  #: of the socket
    tcp: bool = False
    port: int | None = None
    interface: str = "lo"
    pinning: tuple[int, ...] = ()  #: the CPUs that it may use
    conf: tuple[tuple[str, str], ...] = ()
    server: str | None = None  #: the program
    workers: int = 1  #: the processes that run its models and scripts
    intra_op_threads: int = 1  #: of each of them
    model_time_limit: float = MODEL_TIME_LIMIT  #: seconds that a run may take

    @property
    def endpoint(self) -> Endpoint:
        """What its member is told of it; the address it learns from its server."""
        return Endpoint(self.identifier, "Colocated")


def colocated(
    name: str,
    cpus: int,
    pinning: Iterable[int] | None,
    debug: bool,
    identifier: str,
    server: str | PurePath | None,
    workers: int,
    intra_op_threads: int,
    model_time_limit: Duration,
) -> Colocated:
    """What the two ways to colocate a database with the model `name` have in common, checked."""
    check_identifier(identifier or DEFAULT)
    chosen = () if pinning is None else tuple(pinning)
    if not all(isinstance(cpu, int) and cpu >= 0 for cpu in chosen):
        raise InputTypeError(f"{name}: custom_pinning is {pinning!r}; give numbers of CPUs, such as [0, 1]")
    threads = [("io-threads", str(cpus))] if positive("db_cpus", cpus) > 1 else []
    conf = (*threads, *([("loglevel", "debug")] if debug else []))
    program = None if server is None else find_program(server, "server")
    threads_each, limit = positive("intra_op_threads", intra_op_threads), seconds(f"{name}: model_time_limit", model_time_limit)
    return Colocated(
        identifier,
        pinning=chosen,
        conf=tuple(conf),
        server=program,
        workers=whole("workers", workers),
        intra_op_threads=threads_each,
        model_time_limit=limit,
    )
