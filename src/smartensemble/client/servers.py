"""The servers of a database, and which of them has a key: pure."""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Any, NamedTuple

from smartensemble.client.address import Address, spelled
from smartensemble.client.errors import RedisRuntimeError
from smartensemble.errors import did_you_mean, shown
from smartensemble.wire.slots import SLOTS, slot_of, slot_tag


class Server(NamedTuple):
    """One server of a database, and a range of slots that it has."""

    address: Address
    first: int = 0
    last: int = SLOTS - 1
    tag: bytes = b""  #: the hash tag of its models and scripts, if it is one of several

    @property
    def name(self) -> str:
        """Its address, as SSDB has it."""
        return spelled(self.address)


class Servers:
    """The servers of a database.

    >>> shards = Servers.of_slots(("n1", 6379), [[8192, 16383, [b"n1", 6380, b"id"]], [0, 8191, [b"", 6379, b"id"]]])
    >>> [server.name for server in shards.each], shards.having(b"rho").name, shards.sharded
    (['n1:6379', 'n1:6380'], 'n1:6380', True)
    """

    def __init__(self, ranges: Sequence[Server]) -> None:
        self._ranges = ranges
        self._ends = [server.last for server in ranges[:-1]]
        #: each once, in the order of their slots
        self.each: list[Server] = list({server.address: server for server in reversed(ranges)}.values())[::-1]
        self.sharded = bool(ranges[0].tag)

    @classmethod
    def of_slots(cls, asked: Address, slots: Sequence[Any]) -> "Servers":
        """The servers in the reply to CLUSTER SLOTS of the server `asked`; without one, it has all slots."""
        tags: dict[Address, bytes] = {}
        ranges = []
        for first, last, (host, port, *_), *_ in sorted(slots, key=lambda part: int(part[0])):
            address = (host.decode() if host not in (None, b"", b"?") else host_of(asked), int(port))
            ranges.append(Server(address, first, last, tags.setdefault(address, slot_tag(first))))
        return cls(ranges or [Server(asked)])

    def having(self, key: bytes) -> Server:
        """The server that has a key."""
        return self._ranges[bisect_left(self._ends, slot_of(key))] if self._ends else self._ranges[0]

    def at(self, subject: str, address: object) -> Server:
        """The server that listens at `address`, as SSDB has it; of several addresses, at the first."""
        known = {server.name: server for server in self.each}
        text = address.split(",")[0].removeprefix("tcp://") if isinstance(address, str) else None
        if text not in known:
            raise RedisRuntimeError(
                f"{subject}: no server of this database listens at {shown(address)}{did_you_mean(text, known)}"
            )
        return known[text]


def host_of(address: Address) -> str:
    """The host of an address; of a unix socket, this one."""
    return "127.0.0.1" if isinstance(address, str) else address[0]


def moved_to(text: str, asked: Address) -> Address:
    """The address to which the server `asked` sends a client.

    >>> moved_to("n2:6380", ("n1", 6379)), moved_to(":6380", ("n1", 6379))
    (('n2', 6380), ('n1', 6380))
    """
    host, _, port = text.rpartition(":")
    return host or host_of(asked), int(port)
