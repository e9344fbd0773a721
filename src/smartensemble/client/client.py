"""A client: the calls of all subjects, to one database."""

import inspect
from collections.abc import Callable
from types import TracebackType
from typing import Any, NoReturn, Self, overload

from smartensemble.checks import span
from smartensemble.client.address import ConfigOptions, Limits, Target, addresses, target
from smartensemble.client.calls.datasets import DatasetCalls
from smartensemble.client.calls.lists import ListCalls
from smartensemble.client.calls.models import ModelCalls
from smartensemble.client.calls.prefixes import PrefixCalls
from smartensemble.client.calls.scripts import ScriptCalls
from smartensemble.client.calls.server import ServerCalls
from smartensemble.client.calls.tensors import TensorCalls
from smartensemble.client.database import Database
from smartensemble.client.keys import Names
from smartensemble.client.log import SRObject
from smartensemble.errors import InputTypeError, InputValueError, StateError, did_you_mean, public, shown


@public
class Client(TensorCalls, DatasetCalls, ListCalls, ModelCalls, ScriptCalls, PrefixCalls, ServerCalls, SRObject):
    """A client of a database, which it finds by the variables of its environment, as a member has them.

    Write ``Client()`` in a member, ``exp.client()`` in a driver, and ``Client(address="host:port")`` elsewhere. It has one
    connection to each server, and threads take turns on it; a child process gets connections of its own. :meth:`close`, or the
    end of a ``with`` block, closes them.

    :param config_options: the variables of another database than the one without an identifier.
    :param logger_name: what its lines in the log begin with.
    :param cluster: the database has several servers; by default the client asks.
    :param address: ``host:port`` or ``unix:///path``, or several of them with commas, instead of the variable SSDB.
    :param user: as whom it logs in, with `password`; by default what the variable SMARTENSEMBLE_DB says.
    :param password: the password of `user`; alone, that of the user ``default``.
    :param timeout: how many seconds it waits for the reply to a command; by default SR_SOCKET_TIMEOUT, or else 600.
    :param connect_timeout: how many seconds it waits for a server to listen; by default SR_CONN_TIMEOUT, or else 10.
    :raises RedisConnectionError: no server can be reached, or it does not let this client in.
    :raises InputTypeError: an argument has another type, or there is none of this name.
    :raises InputValueError: an argument, or a variable, has a value that cannot be used; the message says which can.
    """

    _database: Database
    _names: Names

    @overload
    def __init__(
        self,
        config_options: ConfigOptions | None = None,
        logger_name: str = "Default",
        *,
        user: str | None = None,
        password: str | None = None,
        timeout: float | None = None,
        connect_timeout: float | None = None,
    ) -> None: ...

    @overload
    def __init__(
        self,
        cluster: bool,
        address: str | None = None,
        logger_name: str = "Default",
        *,
        user: str | None = None,
        password: str | None = None,
        timeout: float | None = None,
        connect_timeout: float | None = None,
    ) -> None: ...

    @overload
    def __init__(
        self,
        *,
        address: str,
        cluster: bool | None = None,
        logger_name: str = "Default",
        user: str | None = None,
        password: str | None = None,
        timeout: float | None = None,
        connect_timeout: float | None = None,
    ) -> None: ...

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        by_address = (args and isinstance(args[0], bool)) or "address" in kwargs or "cluster" in kwargs
        form = _by_address if by_address else _by_options
        _check_arguments(form, args, kwargs)
        self._open(*form(*args, **kwargs))

    def _open(self, wanted: Target, name: str) -> None:
        """Connect to a database."""
        SRObject.__init__(self, name)
        self._names = Names(wanted.writes_as, wanted.reads_from)
        self._database = Database(wanted)

    def close(self) -> None:
        """Close the connections; every later call but this raises StateError."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        """An error, which copy and pickle raise: a connection belongs to one process."""
        raise StateError("Client: is not to be copied or pickled; make another one there, of the same arguments")

    def __repr__(self) -> str:
        return f"Client({', '.join(server.name for server in self._database.servers.each)})"

    def __str__(self) -> str:
        """Where it is connected, how it names what it reads and writes, and how long it waits."""
        names, limits = self._names, self._database.limits
        return "\n".join(
            [
                f"{self!r}",
                f"reads from: {names.source or 'no prefix'}",
                f"writes as: {names.writes_as or 'no prefix'}",
                f"waits for: a server {limits.connect:g} s, a reply {limits.reply:g} s, the turn of a model {limits.model:g} s",
            ]
        )


def connect(wanted: Target, name: str) -> Client:
    """A client of a database that is known, whatever the environment says."""
    client = Client.__new__(Client)
    client._open(wanted, name)
    return client


def _by_options(
    config_options: ConfigOptions | None = None,
    logger_name: str = "Default",
    *,
    user: str | None = None,
    password: str | None = None,
    timeout: float | None = None,
    connect_timeout: float | None = None,
) -> tuple[Target, str]:
    """What a client is to connect to, by variables of the environment."""
    if config_options is not None and not isinstance(config_options, ConfigOptions):
        raise InputTypeError(
            f"Client: config_options {shown(config_options)} is no ConfigOptions; leave it out, or give address='host:port'"
        )
    wanted = target(ConfigOptions() if config_options is None else config_options)
    return _adjusted(wanted, user, password, timeout, connect_timeout), logger_name


def _by_address(
    cluster: bool | None = None,
    address: str | None = None,
    logger_name: str = "Default",
    *,
    user: str | None = None,
    password: str | None = None,
    timeout: float | None = None,
    connect_timeout: float | None = None,
) -> tuple[Target, str]:
    """What a client is to connect to, by an address."""
    if cluster is not None and not isinstance(cluster, bool):
        raise InputTypeError(f"Client: cluster is {shown(cluster)}; give True or False, or leave it out")
    if address is not None and not isinstance(address, str):
        raise InputTypeError(f"Client: address {shown(address)} is no text; give 'host:port', or 'unix:///path'")
    options = ConfigOptions()
    if address:
        addresses("address", address)
        options.override_string_option("SSDB", address)
        options.override_string_option("SMARTENSEMBLE_DB", "")  # which belongs to another address
        options.override_string_option("SR_DB_TYPE", "")
    if cluster is not None:
        options.override_string_option("SR_DB_TYPE", "Clustered" if cluster else "Standalone")
    return _adjusted(target(options), user, password, timeout, connect_timeout), logger_name


def _adjusted(
    wanted: Target, user: str | None, password: str | None, timeout: float | None, connect_timeout: float | None
) -> Target:
    """`wanted`, with what the caller gives in the place of variables."""
    limits: Limits = wanted.limits
    if timeout is not None:
        limits = limits._replace(reply=seconds("timeout", timeout))
    if connect_timeout is not None:
        limits = limits._replace(connect=seconds("connect_timeout", connect_timeout))
    for name, value in (("user", user), ("password", password)):
        if value is not None and not isinstance(value, str):
            raise InputTypeError(f"Client: {name} is no text; give text, or leave it out")
    if user is not None and password is None:
        raise InputValueError(f"Client: has a user, {shown(user)}, and no password; give both")
    login = wanted.login if password is None else (user or "default", password)
    return wanted._replace(limits=limits, login=login)


def seconds(subject: str, value: object) -> float:
    """A time to wait."""
    if not (found := span(subject, value)):
        raise InputValueError(f"{subject}: {shown(value)} is no time to wait; give seconds above zero")
    return found


def _check_arguments(form: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """An error, unless a client can be made of these arguments."""
    known = [*inspect.signature(_by_address).parameters, "config_options"]
    for word in kwargs:
        if word not in known:
            raise InputTypeError(f"Client: no argument {word!r}{did_you_mean(word, known)}")
    try:
        inspect.signature(form).bind(*args, **kwargs)
    except TypeError as error:
        raise InputTypeError(f"Client: {error}; give Client(), or Client(address='host:port')") from None
