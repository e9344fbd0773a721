"""The connection on which jobs come and answers go: made by redis-py, and then read and written without it.

What redis-py does around a reply costs more than a small model does, most of all in a process that has just been woken.
"""

import select
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import hiredis
import redis

Argument = bytes | int | str

PIECE = 64 << 10  #: bytes that are read at once


class Line:
    """A connection that is used by one thread; it raises `redis.ConnectionError` when it is gone."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection

    def connect(self) -> None:
        """Connect, and say who we are."""
        self.connection.connect()
        self.socket = self.connection._sock
        self.reader = hiredis.Reader(protocolError=redis.ConnectionError, replyError=redis.ResponseError, notEnoughData=self)

    def disconnect(self) -> None:
        """Close the connection, if there is one."""
        self.connection.disconnect()

    def fileno(self) -> int:
        """The descriptor, for `select`."""
        number: int = self.socket.fileno()
        return number

    def send(self, commands: Sequence[Sequence[Argument]]) -> None:
        """Send commands."""
        try:
            for piece in _pieces(commands):
                self.socket.sendall(piece)
        except OSError as error:
            raise redis.ConnectionError(f"not sent: {error}") from error

    def read(self) -> Any:
        """The next reply, which it waits for."""
        while (reply := self.reader.gets()) is self:
            try:
                piece = self.socket.recv(PIECE)
            except OSError as error:
                raise redis.ConnectionError(f"not read: {error}") from error
            if not piece:
                raise redis.ConnectionError("the server has closed the connection")
            self.reader.feed(piece)
        if isinstance(reply, redis.ResponseError):
            raise reply
        return reply

    def waits(self) -> bool:
        """Whether something has come that has not been read."""
        return self.reader.has_data() or bool(select.select([self], [], [], 0)[0])


#: Its hints tell of a command of one word only.
_packed: Callable[[tuple[Argument, ...]], bytes] = hiredis.pack_command  # type: ignore[assignment]


def _pieces(commands: Sequence[Sequence[Argument]]) -> Iterator[bytes]:
    """The bytes of commands. What is large goes by itself: to put it between others would copy it."""
    small: list[bytes] = []
    for command in commands:
        if all(isinstance(argument, int) or len(argument) < PIECE for argument in command):
            small.append(_packed(tuple(command)))
            continue
        small.append(b"*%d\r\n" % len(command))
        for argument in command:
            word = argument if isinstance(argument, bytes) else str(argument).encode()
            small.append(b"$%d\r\n" % len(word))
            if len(word) >= PIECE:
                yield b"".join(small)
                yield word
                small = [b"\r\n"]
            else:
                small += (word, b"\r\n")
    yield b"".join(small)
