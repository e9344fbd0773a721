"""One server of a database: where it listens, and which of the keys it has if several servers share them."""

import re
from dataclasses import dataclass

from smartensemble.errors import InputTypeError, InputValueError, shown
from smartensemble.wire.slots import SLOTS

BUS = 10_000  #: what a server adds to its port to talk to the others of a sharded database
MAX_SOCKET_BYTES = 100  #: of the path of a unix socket; the kernel takes 107, and some clients fewer


@dataclass(frozen=True)
class Shard:
    """One server: its name, and where it listens. A sharded database has several.

    >>> Shard("db_0", host="127.0.0.1", port=6379).address, Shard("db", socket="/run/db/socket").address
    ('127.0.0.1:6379', 'unix:///run/db/socket')
    """

    name: str
    host: str = ""
    port: int = 0
    socket: str = ""  #: the path of its unix socket, instead of host and port
    node: str = ""  #: what the other servers of a sharded database call it: 40 hexadecimal digits

    @property
    def address(self) -> str:
        """The address as SSDB takes it."""
        return f"unix://{self.socket}" if self.socket else f"{self.host}:{self.port}"

    @classmethod
    def at(cls, name: str, address: str) -> "Shard":
        """The server `name` that listens at `address`."""
        if address.startswith("unix://"):
            return cls(name, socket=address.removeprefix("unix://"))
        host, _, port = address.rpartition(":")
        return cls(name, host, int(port))


def slot_range(number: int, count: int) -> tuple[int, int]:
    """The first and the last slot of server `number` of a database of `count` servers.

    >>> [slot_range(number, 3) for number in range(3)]
    [(0, 5460), (5461, 10921), (10922, 16383)]
    """
    return number * SLOTS // count, (number + 1) * SLOTS // count - 1


def speakable(socket: str) -> bool:
    """Whether every client can use a unix socket: its path is short, and has only characters that SSDB takes.

    >>> speakable("/tmp/study/db"), speakable("/tmp/my study/db"), speakable("/" + "d" * 200)
    (True, False, False)
    """
    return len(socket) <= MAX_SOCKET_BYTES and re.fullmatch(r"[A-Za-z0-9./_-]+", socket) is not None


def checked_port(subject: str, port: object, count: int = 1) -> int:
    """A port for the first of `count` servers."""
    last = (65535 if count == 1 else 65535 - BUS) + 1 - count
    if isinstance(port, bool) or not isinstance(port, int):
        raise InputTypeError(f"{subject}: port is {shown(port)}; give a number, or leave it out")
    if not 1024 <= port <= last:
        raise InputValueError(f"{subject}: port is {shown(port)}; give one from 1024 to {last}, or leave it out")
    return port
