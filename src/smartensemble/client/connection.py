"""A connection to one server: commands go out, and large tensors come in, without a copy on the way.

hiredis reads what is short. A large tensor is received straight into its array; a large argument is sent from where it lies.
"""

import re
import select
import socket
import struct
from collections.abc import Callable, Sequence
from typing import Any

import hiredis

from smartensemble.client.address import Address

Argument = bytes | int | str | memoryview
Buffer = bytes | memoryview

CHUNK_BYTES = 66 << 10  #: what one read takes: a tensor of 64 KiB with what precedes it
APART_BYTES = 16 << 10  #: the size from which an argument is sent by itself, because joining it to others copies it
MAX_BUFFERS = 512  #: of one call of sendmsg; the kernel takes 1024
MAX_HEAD_BYTES = 4096  #: of what precedes the elements of a tensor
MICROSECONDS = 1_000_000


class Refused(Exception):  # noqa: N818 - a reply, which becomes an error of ours where its subject is known
    """A server answers with an error."""


class Lost(Exception):  # noqa: N818
    """The connection is of no use any more.

    :param sent: the server may have the whole command, and may carry it out.
    :param late: it is still there, and does not answer in time.
    """

    def __init__(self, why: str, sent: bool = True, late: bool = False) -> None:
        super().__init__(why)
        self.sent, self.late = sent, late


class Connection:
    """A connection that one thread uses at a time.

    :param timeout: how many seconds it waits for the next bytes of a reply.
    :raises OSError: nobody listens there, or not within `connect_timeout` seconds.
    :raises Refused: it does not take the user and password of `login`, or wants some.
    :raises Lost: it does not answer.
    """

    def __init__(self, address: Address, login: tuple[str, str] | None, connect_timeout: float, timeout: float) -> None:
        self._socket = connected(address, connect_timeout)
        self._watch = select.poll()
        self._watch.register(self._socket, select.POLLIN)
        self._chunk = memoryview(bytearray(CHUNK_BYTES))
        self._rest = b""  #: what has come, and does not belong to the reply before
        self._reader = hiredis.Reader(protocolError=ProtocolError, replyError=Refused, notEnoughData=self)
        try:
            self._limit(connect_timeout)
            self._greet(login)
            self._limit(timeout)
        except BaseException:
            self.close()
            raise

    def _greet(self, login: tuple[str, str] | None) -> None:
        """Log in, and see that a server answers, which may be busy with loading its data."""
        if login:
            self.send(pack(("AUTH", *login)))
            self.read()
        self.send(pack(("PING",)))
        try:
            self.read()
        except Refused as refused:
            if str(refused).startswith("NOAUTH"):
                raise

    def _limit(self, seconds: float) -> None:
        """Let the kernel keep the time: with a limit of its own, a socket of Python's makes twice as many system calls."""
        self._socket.settimeout(None)
        whole = min(int(seconds * MICROSECONDS) or 1, 1 << 53)
        limit = struct.pack("@ll", *divmod(whole, MICROSECONDS))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def send(self, buffers: Sequence[Buffer]) -> None:
        """Send the bytes of commands.

        :raises Lost: not all of them can be sent, so the server does not carry out the last one.
        """
        if self._watch.poll(0):  # nothing is due: the server has hung up, or speaks out of turn
            raise Lost("the server has closed the connection", sent=False)
        try:
            if len(buffers) == 1:
                self._socket.sendall(buffers[0])
            else:
                self._send_each(list(buffers))
        except BlockingIOError:
            raise Lost("the server takes no more", sent=False, late=True) from None
        except OSError as error:
            raise Lost(error.strerror or str(error), sent=False) from None

    def _send_each(self, buffers: list[Buffer]) -> None:
        """Send `buffers` in as few calls as possible, joining none."""
        first = 0
        while first < len(buffers):
            sent = self._socket.sendmsg(buffers[first : first + MAX_BUFFERS])
            while first < len(buffers) and sent >= len(buffers[first]):
                sent -= len(buffers[first])
                first += 1
            if sent:
                buffers[first] = memoryview(buffers[first])[sent:]

    def read(self) -> Any:
        """The next reply: bytes, a number, None, or a list of these; it waits for it.

        :raises Refused: it is an error.
        """
        if self._rest:
            self._reader.feed(self._rest)
            self._rest = b""
        while (reply := self._reader.gets()) is self:
            self._reader.feed(self._chunk[: self._receive()])
        if isinstance(reply, Refused):
            raise reply
        return reply

    def read_into(self, head: re.Pattern[bytes], place: Callable[[re.Match[bytes]], memoryview]) -> None:
        """Read a reply that begins with `head` and ends with a bulk string, which is received into the memory of `place`.

        `place` gets the match of the head, and answers with as many bytes as it announces. No other reply may have been
        read in part by `read`.

        :raises Refused: the reply is an error.
        """
        begun: bytes | memoryview = self._rest or self._chunk[: self._receive()]
        while (match := head.match(begun)) is None:
            begun = self._more(bytes(begun))
        into, start = place(match), match.end()
        here = min(len(begun) - start, len(into))
        into[:here] = begun[start : start + here]
        rest = bytes(begun[start + here :])
        if here < len(into):
            self._fill(into[here:])
        while len(rest) < 2:  # the line's end, and perhaps the next reply
            rest += self._chunk[: self._receive()]
        self._rest = rest[2:]

    def _more(self, begun: bytes) -> bytes:
        """More of a reply whose head has not come whole; or its error."""
        if begun[:1] == b"-" and b"\r\n" in begun:
            line, _, self._rest = begun[1:].partition(b"\r\n")
            raise Refused(line.decode(errors="replace"))
        if begun[:1] not in (b"-", b"*") or len(begun) > MAX_HEAD_BYTES:
            raise ProtocolError(f"an unknown reply, {begun[:40]!r}")
        return begun + self._chunk[: self._receive()]

    def _receive(self) -> int:
        """Receive what has come; how many bytes that is."""
        try:
            count = self._socket.recv_into(self._chunk)
        except BlockingIOError:
            raise Lost("the server does not answer in time", late=True) from None
        except OSError as error:
            raise Lost(error.strerror or str(error)) from None
        if not count:
            raise Lost("the server has closed the connection")
        return count

    def _fill(self, into: memoryview) -> None:
        """Receive as many bytes as `into` has, each to its place."""
        while len(into):
            try:
                count = self._socket.recv_into(into, 0, socket.MSG_WAITALL)
            except BlockingIOError:
                count = -1
            except OSError as error:
                raise Lost(error.strerror or str(error)) from None
            if count <= 0:
                why = "the server does not answer in time" if count else "the server has closed the connection"
                raise Lost(why, late=bool(count))
            into = into[count:]


class ProtocolError(Exception):
    """A server answers with what is no reply."""


def connected(address: Address, timeout: float) -> socket.socket:
    """A socket that is connected to a server."""
    if not isinstance(address, str):
        opened = socket.create_connection(address, timeout)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return opened
    opened = socket.socket(socket.AF_UNIX)
    try:
        opened.settimeout(timeout)
        opened.connect(address)
    except BaseException:
        opened.close()
        raise
    return opened


#: Its type hints allow a command of one word only.
_pack: Callable[[tuple[Any, ...]], bytes] = hiredis.pack_command


def pack(command: Sequence[Argument]) -> list[Buffer]:
    r"""The bytes of a command; a large argument is one of the buffers as it is.

    >>> pack(("GET", "T"))
    [b'*2\r\n$3\r\nGET\r\n$1\r\nT\r\n']
    """
    if not any(isinstance(argument, memoryview) or _large(argument) for argument in command):
        return [_pack(tuple(command))]
    small, buffers = [b"*%d\r\n" % len(command)], []
    for argument in command:
        data = argument if isinstance(argument, (bytes, memoryview)) else str(argument).encode()
        small.append(b"$%d\r\n" % len(data))
        if len(data) >= APART_BYTES:
            buffers += [b"".join(small), data]
            small = [b"\r\n"]
        else:
            small += [bytes(data), b"\r\n"]
    return [*buffers, b"".join(small)]


def _large(argument: Argument) -> bool:
    return not isinstance(argument, int) and len(argument) >= APART_BYTES
