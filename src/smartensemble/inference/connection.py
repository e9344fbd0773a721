"""The connection for requests and answers, which the worker reads and writes by hiredis, without redis-py.

What redis-py does around a reply costs more than a small model does, most of all in a process that has just been woken; and its
import is a third of what a worker does before it serves.
"""

import select
import socket
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import hiredis

Argument = bytes | int | str

CHUNK_BYTES = 64 << 10  #: what one read takes at most, and the size from which an argument is sent by itself


class ReplyError(Exception):
    """A server answers with an error."""


class Connection:
    """A connection that one thread uses; it raises `ConnectionError` when the server is gone."""

    def __init__(self, opened: socket.socket) -> None:
        self.socket = opened
        self.reader = hiredis.Reader(protocolError=ConnectionError, replyError=ReplyError, notEnoughData=self)

    def close(self) -> None:
        """Close the connection."""
        self.socket.close()

    def fileno(self) -> int:
        """The file descriptor, for `select`."""
        number: int = self.socket.fileno()
        return number

    def send(self, commands: Sequence[Sequence[Argument]]) -> None:
        """Send commands."""
        try:
            for chunk in _chunks(commands):
                self.socket.sendall(chunk)
        except OSError as error:
            raise ConnectionError(f"not sent: {error}") from error

    def read(self) -> Any:
        """The next reply; waits for it."""
        while (reply := self.reader.gets()) is self:
            try:
                chunk = self.socket.recv(CHUNK_BYTES)
            except OSError as error:
                raise ConnectionError(f"not read: {error}") from error
            if not chunk:
                raise ConnectionError("the server has closed the connection")
            self.reader.feed(chunk)
        if isinstance(reply, ReplyError):
            raise reply
        return reply

    def has_data(self) -> bool:
        """Whether bytes have arrived that have not been read."""
        return self.reader.has_data() or bool(select.select([self], [], [], 0)[0])


#: Its type hints allow a command of one word only.
_pack: Callable[[tuple[Argument, ...]], bytes] = hiredis.pack_command  # type: ignore[assignment]


def _chunks(commands: Sequence[Sequence[Argument]]) -> Iterator[bytes]:
    """The bytes of commands. A large argument goes by itself, because joining it to others would copy it."""
    small: list[bytes] = []
    for command in commands:
        if all(isinstance(argument, int) or len(argument) < CHUNK_BYTES for argument in command):
            small.append(_pack(tuple(command)))
            continue
        small.append(b"*%d\r\n" % len(command))
        for argument in command:
            data = argument if isinstance(argument, bytes) else str(argument).encode()
            small.append(b"$%d\r\n" % len(data))
            if len(data) >= CHUNK_BYTES:
                yield b"".join(small)
                yield data
                small = [b"\r\n"]
            else:
                small += (data, b"\r\n")
    yield b"".join(small)
