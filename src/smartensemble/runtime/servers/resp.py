"""Send one command to a server, over a connection of its own, and read the reply.

It implements the part of RESP that starting, checking and stopping a server need, see https://valkey.io/topics/protocol/.
Importing redis-py for that would take four times as long as the server takes to start.
"""

import select
import socket
from collections.abc import Callable, Sequence
from typing import BinaryIO

from smartensemble.databases.shard import Shard
from smartensemble.databases.users import USER
from smartensemble.runtime.standalone.network import connect

REPLY_TIMEOUT_S = 5.0  #: unless the caller names another
MEANWHILE_INTERVAL_S = 0.2  #: between two calls of a function while there is no reply


class Refusal(Exception):  # noqa: N818 - a reply, not an error of ours
    """The server answered with an error."""


Reply = str | int | None | list["Reply"]


def request(
    shard: Shard,
    *command: str | bytes,
    password: str | None = None,
    user: str = USER,
    timeout: float | None = REPLY_TIMEOUT_S,
    meanwhile: Callable[[], object] | None = None,
) -> Reply:
    """The reply of a server to `command`, which `user` sends if there is a password, and otherwise whoever need not log in.

    Until it comes, `meanwhile` is called every so often, and may raise.

    :raises Refusal: it answered with an error.
    :raises OSError: it cannot be reached, does not answer in time, or hangs up.
    """
    with connect(shard.socket or (shard.host, shard.port), timeout) as connection, connection.makefile("rb") as replies:
        if password is not None:
            _send(connection, "AUTH", user, password)
            _read(replies)
        _send(connection, *command)
        while meanwhile and not select.select([connection], [], [], MEANWHILE_INTERVAL_S)[0]:
            meanwhile()
        return _read(replies)


def answers(shard: Shard, timeout: float = REPLY_TIMEOUT_S) -> bool:
    """A server listens there, and answers."""
    try:
        request(shard, "PING", timeout=timeout)
    except Refusal:
        return True
    except OSError:
        return False
    return True


def _send(connection: socket.socket, *command: str | bytes) -> None:
    connection.sendall(encode(command))


def encode(command: Sequence[str | bytes]) -> bytes:
    r"""A command, as it is sent.

    >>> encode(["GET", "T"])
    b'*2\r\n$3\r\nGET\r\n$1\r\nT\r\n'
    """
    parts = [word.encode() if isinstance(word, str) else word for word in command]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)


def _read(replies: BinaryIO) -> Reply:
    line = replies.readline()
    if not line.endswith(b"\r\n"):
        raise ConnectionResetError("the server hung up")
    kind, text = line[:1], line[1:-2].decode(errors="replace")
    if kind == b"-":
        raise Refusal(text)
    if kind == b":":
        return int(text)
    if kind == b"$":
        return None if int(text) < 0 else replies.read(int(text) + 2)[:-2].decode(errors="replace")
    if kind == b"*":
        return [_read(replies) for _ in range(int(text))]
    return text
