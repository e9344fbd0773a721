"""The connections of one database: each command goes to the server that has its key, and never twice if that makes a difference."""

import os
import re
import threading
import time
import weakref
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from smartensemble.client.address import Address, Target, spelled
from smartensemble.client.connection import Argument, Buffer, Connection, Lost, ProtocolError, Refused, pack
from smartensemble.client.errors import (
    RedisConnectionError,
    RedisDatabaseError,
    RedisInternalError,
    RedisReplyError,
    RedisTimeoutError,
    refusal,
)
from smartensemble.errors import InputValueError, StateError, shown
from smartensemble.wire.slots import SLOTS, slot_of, slot_tag

Read = TypeVar("Read")
Command = Sequence[Argument]

#: What can be sent again after the connection was lost, because it changes nothing.
REPEATABLE = frozenset(
    ("PING", "EXISTS", "HEXISTS", "HGETALL", "LLEN", "LRANGE", "INFO", "CLUSTER", "TYPE")
    + ("AI.TENSORGET", "AI.MODELGET", "AI.SCRIPTGET")
)
#: How a server refuses a command that it would carry out later.
LATER = ("LOADING", "TRYAGAIN", "CLUSTERDOWN", "MASTERDOWN")
NO_CLUSTER = re.compile("cluster support disabled|unknown (sub)?command|NOPERM", re.IGNORECASE)


@dataclass(frozen=True)
class Server:
    """One server of a database: where it listens, and the slots that it has; several ranges of them make several of these."""

    address: Address
    first: int = 0
    last: int = SLOTS - 1
    tag: bytes = b""  #: the hash tag of its keys of models and scripts, if it is one of several

    @property
    def name(self) -> str:
        """Its address, as SSDB has it."""
        return spelled(self.address)


class Database:
    """The connections to the servers of a database, which take turns: threads wait for each other.

    :raises RedisConnectionError: no server can be reached, or it does not let this client in.
    """

    def __init__(self, target: Target) -> None:
        self.target, self.limits = target, target.limits
        self._lock = threading.RLock()
        self._connections: dict[Address, Connection] = {}
        self._closed = False
        self.servers: tuple[Server, ...] = ()
        self._last_slots: list[int] = []
        self._find_servers(target.addresses)
        OPEN.add(self)

    @property
    def sharded(self) -> bool:
        """Whether the keys are divided among servers, also if there is only one."""
        return bool(self.servers[0].tag)

    @property
    def shards(self) -> list[Server]:
        """The servers, each once."""
        return list({server.address: server for server in reversed(self.servers)}.values())[::-1]

    def close(self) -> None:
        """Close all connections; a second time, do nothing."""
        with self._lock:
            self._closed = True
            self._drop(*self._connections)

    def forget_connections(self) -> None:
        """In a child process: leave the connections, and their lock, to the process that they belong to."""
        self._lock = threading.RLock()
        self._drop(*self._connections)

    # --- commands -------------------------------------------------------------------------------------------------------

    def call(self, key: bytes, *command: Argument) -> Any:
        """The reply to `command`, from the server that has `key`.

        :raises RedisReplyError: the server answers with an error, or not at all.
        """
        return self._exchange(self.address_of(key), pack(command), Connection.read, _shown(key), command[0] in REPEATABLE)

    def receive(self, key: bytes, command: Command, read: Callable[[Connection], Read]) -> Read:
        """What `read` makes of the reply to `command`, which can be sent again."""
        return self._exchange(self.address_of(key), pack(command), read, _shown(key), True)

    def send(self, key: bytes, buffers: Sequence[Buffer]) -> Any:
        """The reply to a command whose bytes are `buffers`, from the server that has `key`."""
        return self._exchange(self.address_of(key), buffers, Connection.read, _shown(key), False)

    def call_at(self, server: Server, *command: Argument) -> Any:
        """The reply of one server to `command`."""
        subject = " ".join(map(str, command[:2]))
        return self._exchange(server.address, pack(command), Connection.read, subject, command[0] in REPEATABLE)

    def each_shard(self, *command: Argument) -> list[Any]:
        """The reply of each server to `command`, in the order of their slots."""
        return [self.call_at(server, *command) for server in self.shards]

    def call_many(
        self, commands: Sequence[tuple[bytes, Command]], read: Callable[[Connection], Any] = Connection.read
    ) -> list[Any]:
        """The replies to commands, each with its key: one journey to each server, and not one for each command.

        :raises RedisReplyError: the first error; the other commands are carried out.
        """
        with self._lock:
            repeatable = all(command[0] in REPEATABLE for _, command in commands)
            try:
                replies = self._exchange_many(commands, read)
            except Lost as lost:
                if lost.late or not repeatable:
                    raise lost_error(_shown(commands[0][0]), lost) from None
                try:
                    replies = self._exchange_many(commands, read)
                except Lost as again:
                    raise lost_error(_shown(commands[0][0]), again) from None
            for number, ((key, command), reply) in enumerate(zip(commands, replies, strict=True)):
                if isinstance(reply, Refused):  # perhaps only by this server, or for now
                    replies[number] = self._exchange(
                        self.address_of(key), pack(command), read, _shown(key), command[0] in REPEATABLE, reply
                    )
            return replies

    def address_of(self, key: bytes) -> Address:
        """The address of the server that has a key."""
        return self.server_of(key).address

    def server_of(self, key: bytes) -> Server:
        """The server that has a key."""
        if len(self._last_slots) == 1:
            return self.servers[0]
        return self.servers[bisect_left(self._last_slots, slot_of(key))]

    def server_at(self, subject: str, text: object) -> Server:
        """The server of an address, as SSDB has it."""
        for server in self.servers:
            if text in (server.name, f"tcp://{server.name}"):
                return server
        known = ", ".join(dict.fromkeys(server.name for server in self.servers))
        raise InputValueError(f"{subject}: {shown(text)} is no server of this database; there are {known}")

    # --- one exchange ---------------------------------------------------------------------------------------------------

    def _exchange(
        self,
        address: Address,
        buffers: Sequence[Buffer],
        read: Callable[[Connection], Read],
        subject: str,
        repeatable: bool,
        refused: Refused | None = None,
    ) -> Read:
        """The reply to a command, which is sent again if its server has not taken it, or if it is `repeatable`."""
        with self._lock:
            turn = Turn(address, time.monotonic() + self.limits.command)
            if refused:
                self._redirect(turn, refused, subject)
            while True:
                try:
                    connection = self._connections.get(turn.address) or self._connect(turn.address)
                    if turn.asking:
                        connection.send(pack(("ASKING",)))
                        connection.read()
                    connection.send(buffers)
                    return read(connection)
                except Refused as error:
                    self._redirect(turn, error, subject)
                except Lost as lost:
                    self._drop(turn.address)
                    if turn.lost or lost.late or (lost.sent and not repeatable):
                        raise lost_error(subject, lost) from None
                    turn.lost = True
                except ProtocolError as error:
                    self._drop(turn.address)
                    raise RedisInternalError(f"{subject}: {error}; connect to a Valkey or Redis server") from None
                except BaseException:  # what is left of the reply must not be taken for that to another command
                    self._drop(turn.address)
                    raise

    def _exchange_many(self, commands: Sequence[tuple[bytes, Command]], read: Callable[[Connection], Any]) -> list[Any]:
        """The replies to commands, or why they are refused; all are sent before the first reply is read."""
        shares: dict[Address, list[int]] = {}
        for number, (key, _) in enumerate(commands):
            shares.setdefault(self.address_of(key), []).append(number)
        replies: list[Any] = [None] * len(commands)
        try:
            connections = {address: self._connections.get(address) or self._connect(address) for address in shares}
            for address, numbers in shares.items():
                connections[address].send([buffer for number in numbers for buffer in pack(commands[number][1])])
            for address, numbers in shares.items():
                for number in numbers:
                    try:
                        replies[number] = read(connections[address])
                    except Refused as refused:
                        replies[number] = refused
        except BaseException:
            self._drop(*shares)
            raise
        return replies

    def _redirect(self, turn: "Turn", refused: Refused, subject: str) -> None:
        """Where and when to send a command next; or the error, if it is refused for good."""
        word, *rest = str(refused).split(" ")
        late = time.monotonic() >= turn.deadline
        turn.asking = False
        if word in LATER and not late:
            time.sleep(self.limits.command_interval)
        elif word in ("MOVED", "ASK") and len(rest) == 2 and self.sharded and not late:
            turn.address = moved_to(rest[1], turn.address)
            turn.asking = word == "ASK"
            if word == "MOVED":
                self._find_servers((turn.address,))
        else:
            raise refusal(subject, str(refused)) from None

    def _connect(self, address: Address) -> Connection:
        """A connection to a server, which may have to begin to listen first."""
        if self._closed:
            raise StateError("Client: is closed; make another one")
        deadline = time.monotonic() + self.limits.connect
        while True:
            left = deadline - time.monotonic()
            try:
                made = Connection(address, self.target.login, max(left, self.limits.connect_interval), self.limits.reply)
            except (OSError, Lost) as error:
                if left <= 0:
                    raise unreachable(address, error) from None
                time.sleep(min(self.limits.connect_interval, left))
            except Refused as error:
                raise RedisConnectionError(str(refusal(spelled(address), str(error)))) from None
            else:
                self._connections[address] = made
                return made

    def _drop(self, *addresses: Address) -> None:
        for address in addresses:
            if connection := self._connections.pop(address, None):
                connection.close()

    # --- the servers ----------------------------------------------------------------------------------------------------

    def _find_servers(self, known: Sequence[Address]) -> None:
        """Ask the first of `known` that answers which servers there are."""
        for number, address in enumerate(known, start=1):
            try:
                self._set_servers(address, self._slots(address))
                return
            except (RedisConnectionError, RedisDatabaseError):
                if number == len(known):
                    raise

    def _slots(self, address: Address) -> list[Any]:
        """What a server says of the slots; nothing if it has all of them."""
        subject = spelled(address)
        try:
            if self.target.kind != "Standalone":
                return list(self._exchange(address, pack(("CLUSTER", "SLOTS")), Connection.read, subject, True))
            self._exchange(address, pack(("PING",)), Connection.read, subject, True)
        except RedisReplyError as error:
            if self.target.kind or not NO_CLUSTER.search(str(error)):
                raise RedisConnectionError(str(error)) from None
        return []

    def _set_servers(self, address: Address, slots: Sequence[Any]) -> None:
        found = [Server(address)]
        if slots:
            ranges = sorted((int(first), int(last), owner) for first, last, owner, *_ in slots)
            tags: dict[Address, bytes] = {}
            found = []
            for first, last, (host, port, *_) in ranges:
                at = (host.decode() if host not in (None, b"", b"?") else own_host(address), port)
                found.append(Server(at, first, last, tags.setdefault(at, slot_tag(first))))
        self.servers = tuple(found)
        self._last_slots = [server.last for server in found]


@dataclass
class Turn:
    """Where a command goes next."""

    address: Address
    deadline: float  #: until when it is sent again, if a server refuses it for now
    asking: bool = False  #: the server must be told that it gets a key that is on its way there
    lost: bool = False  #: the connection has been lost already


def moved_to(text: str, address: Address) -> Address:
    """The address that a server answers with; without a host, that of the server itself."""
    host, _, port = text.rpartition(":")
    return host or own_host(address), int(port)


def own_host(address: Address) -> str:
    """The host of an address; of a unix socket, this one."""
    return "127.0.0.1" if isinstance(address, str) else address[0]


def unreachable(address: Address, error: Exception) -> RedisConnectionError:
    """The error that nobody listens at `address`."""
    why = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return RedisConnectionError(
        f"{spelled(address)}: no server answers there ({why}); start the database, or correct SSDB or address="
    )


def lost_error(subject: str, lost: Lost) -> RedisReplyError:
    """The error that a command has no reply."""
    if lost.late:
        return RedisTimeoutError(
            f"{subject}: {lost}, and may have carried out the command; look, and give it more time: timeout="
        )
    if lost.sent:
        return RedisDatabaseError(f"{subject}: {lost}, and may have carried out the command; look before you do it again")
    return RedisDatabaseError(f"{subject}: {lost}; see whether the database still runs")


def _shown(key: bytes) -> str:
    return key.decode(errors="backslashreplace")


#: The databases of this process, whose connections a child process must not use.
OPEN: "weakref.WeakSet[Database]" = weakref.WeakSet()


def _forget_connections() -> None:
    for database in list(OPEN):
        database.forget_connections()


os.register_at_fork(after_in_child=_forget_connections)
