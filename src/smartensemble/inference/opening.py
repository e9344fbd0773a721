"""How a server is opened for a worker: a connection that is logged in, and the memory that the server shares."""

import os
import socket
from collections.abc import Iterable
from contextlib import suppress
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from smartensemble.errors import InputValueError
from smartensemble.inference.connection import Connection, ReplyError


class Opened(NamedTuple):
    """An open connection, and the file of the memory that the server shares; None if it shares none with this host."""

    socket: socket.socket
    memory: int | None

    def close(self) -> None:
        """Close both."""
        self.socket.close()
        if self.memory is not None:
            os.close(self.memory)


class Server(NamedTuple):
    """Where a worker finds a server of its database, and as whom it logs in."""

    where: str | tuple[str, int]  #: the path of a unix socket, or a host and a port
    login: tuple[str, ...]  #: a user and a password, or a password, or nothing

    @classmethod
    def parse(cls, address: str, password: str = "") -> "Server":
        """The server at an address; `password` is that of a user who has none there.

        >>> Server.parse("redis://ann@n7:6379", "secret"), Server.parse("unix:///run/db")
        (Server(where=('n7', 6379), login=('ann', 'secret')), Server(where='/run/db', login=()))
        """
        url = urlsplit(address if "://" in address else f"redis://{address}")
        where: str | tuple[str, int] = ""
        with suppress(ValueError):  # a port that is no number
            if url.scheme == "unix":
                where = "".join(address.removeprefix("unix://").partition("/")[1:])  # a path may have any characters
            elif url.scheme == "redis":
                where = (url.hostname or "localhost", url.port or 6379)
        if not where:
            raise InputValueError(
                f"{address}: is no address of a server; give host:port, unix:///path or redis://user@host:port"
            )
        password = unquote(url.password or "") or password
        user = (unquote(url.username),) if url.username else ()
        return cls(where, (*user, password) if password else ())

    def open(self) -> Opened:
        """Connect and log in.

        :raises ConnectionError: the server does not answer, or refuses.
        """
        try:
            connection = Connection(self._connect())
            if self.login:
                connection.send([["AUTH", *self.login]])
                connection.read()
            return Opened(connection.socket, shared_memory(connection))
        except (OSError, ReplyError) as error:
            raise ConnectionError(str(error)) from error

    def _connect(self) -> socket.socket:
        if isinstance(self.where, tuple):
            connected = socket.create_connection(self.where)
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return connected
        connected = socket.socket(socket.AF_UNIX)
        connected.connect(self.where)
        return connected


def servers(addresses: Iterable[str]) -> list[Server]:
    """The servers at addresses; the password is in a variable, because everybody may read a command line."""
    return [Server.parse(address, os.environ.get("REDISCLI_AUTH", "")) for address in addresses]


def shared_memory(connection: Connection) -> int | None:
    """The file of the memory that a server shares, if it is on this host and this process may open it."""
    connection.send([["AI._SHARED"]])
    reply = connection.read()
    if not reply:
        return None
    process, number, size, token = reply
    with suppress(OSError):
        file = os.open(f"/proc/{process}/fd/{number}", os.O_RDWR | os.O_CLOEXEC)
        if os.fstat(file).st_size == size and os.pread(file, len(token), 0) == token:
            return file
        os.close(file)
    return None
