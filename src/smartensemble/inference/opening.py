"""How a server is opened for a worker: a connection that is logged in, and the memory that the server shares."""

import os
import socket
from contextlib import suppress
from typing import Any, NamedTuple

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from smartensemble.inference.connection import Connection


class Opened(NamedTuple):
    """An open connection, and the file of the memory that the server shares; None if it shares none with this host."""

    socket: socket.socket
    memory: int | None

    def close(self) -> None:
        """Close both."""
        self.socket.close()
        if self.memory is not None:
            os.close(self.memory)


class OpenSocket:
    """Gives away the socket of a redis-py connection; only a subclass may use what its base has."""

    _sock: socket.socket | None

    def take_socket(self) -> socket.socket | None:
        """The socket, which the connection then neither has nor closes."""
        taken, self._sock = self._sock, None
        return taken


class Server:
    """A server of a database, as a worker finds it: by its address, and by the password in a variable."""

    def __init__(self, address: str) -> None:
        url = address if "://" in address else f"redis://{address}"
        password = os.environ.get("REDISCLI_AUTH")
        options: dict[str, Any] = {"password": password} if password else {}
        once = Retry(NoBackoff(), 0)
        pool = redis.ConnectionPool.from_url(url, protocol=2, socket_timeout=None, retry=once, **options)
        self.kind: Any = type("OpenConnection", (OpenSocket, pool.connection_class), {})
        self.options = pool.connection_kwargs

    def open(self) -> Opened:
        """Connect and log in.

        :raises redis.RedisError: it does not answer, or refuses.
        """
        connection = self.kind(**self.options)
        connection.connect()
        sock: socket.socket = connection.take_socket()
        return Opened(sock, shared_memory(Connection(sock)))


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
