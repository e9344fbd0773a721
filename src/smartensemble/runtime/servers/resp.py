"""Ask a server one thing: a command goes out on a connection of its own, and its reply comes back.

It speaks as much of RESP as starting, looking at and stopping a server need, see https://valkey.io/topics/protocol/. Importing
redis-py for that would take four times as long as the server takes to start.
"""

import select
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import BinaryIO

from smartensemble.databases.shard import USER, Shard
from smartensemble.runtime.standalone.network import connect

PATIENCE = 5.0  #: seconds to wait for a reply, unless the caller says otherwise
LOOK = 0.2  #: seconds between two looks of who waits for a reply


class Refusal(Exception):  # noqa: N818 - a reply, not an error of ours
    """The server answered with an error."""


Reply = str | int | None | list["Reply"]


def ask(
    shard: Shard,
    *words: str | bytes,
    password: str | None = None,
    timeout: float | None = PATIENCE,
    look: Callable[[], object] | None = None,
) -> Reply:
    """The reply of a server to the command `words`. While there is none, `look` is called every so often, and may raise.

    :raises Refusal: it answered with an error.
    :raises OSError: it is not there, does not answer in time, or hangs up.
    """
    with connect(shard.socket or (shard.host, shard.port), timeout) as connection, connection.makefile("rb") as replies:
        if password is not None:
            _send(connection, "AUTH", USER, password)
            _read(replies)
        _send(connection, *words)
        while look and not select.select([connection], [], [], LOOK)[0]:
            look()
        return _read(replies)


def shut_down(shard: Shard, password: str | None) -> None:
    """Ask a server to end, after it has saved what it was told to save. It takes its time: there is much to write, maybe.

    :raises Refusal: it goes on, since it could not save.
    """
    with suppress(ConnectionError):  # it hangs up instead of an answer
        ask(shard, "SHUTDOWN", password=password, timeout=None)


def answers(shard: Shard, timeout: float = PATIENCE) -> bool:
    """Somebody is there, and lives."""
    try:
        ask(shard, "PING", timeout=timeout)
    except Refusal:
        return True
    except OSError:
        return False
    return True


def _send(connection: socket.socket, *words: str | bytes) -> None:
    connection.sendall(encode(words))


def encode(words: Sequence[str | bytes]) -> bytes:
    r"""A command, as it is sent.

    >>> encode(["GET", "T"])
    b'*2\r\n$3\r\nGET\r\n$1\r\nT\r\n'
    """
    parts = [word.encode() if isinstance(word, str) else word for word in words]
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
