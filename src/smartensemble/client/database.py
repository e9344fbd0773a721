"""The connections of one database: a command goes to the server that has its key, and not twice if that makes a difference."""

import errno
import os
import re
import threading
import time
import weakref
from collections.abc import Callable, Sequence
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
from smartensemble.client.servers import Server, Servers, moved_to
from smartensemble.errors import StateError, located

Reply = TypeVar("Reply")
Command = Sequence[Argument]

#: What can be sent again after the connection was lost, because it changes nothing.
REPEATABLE = frozenset(
    [
        *("PING", "CLUSTER", "INFO", "TYPE", "EXISTS", "HEXISTS", "HGETALL", "LLEN", "LRANGE"),
        *("AI.TENSORGET", "AI.MODELGET", "AI.SCRIPTGET"),
    ]
)
#: How a server refuses a command that it would carry out later.
LATER = ("LOADING", "TRYAGAIN", "CLUSTERDOWN", "MASTERDOWN")
#: How a server that has all slots, or an older one, answers the question for them.
ALL_SLOTS = re.compile("cluster support disabled|unknown (sub)?command", re.IGNORECASE)
#: What a server that is about to begin, or to accept more clients, may answer.
BEGINS = (errno.ECONNREFUSED, errno.ENOENT, errno.EAGAIN, errno.ECONNRESET, errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.EPIPE)


class Database:
    """The connections to the servers of a database. Threads that use them take turns.

    :raises RedisConnectionError: no server can be reached, or it does not let this client in.
    """

    def __init__(self, target: Target) -> None:
        self.target, self.limits = target, target.limits
        self._lock = threading.RLock()
        self._connections: dict[Address, Connection] = {}
        self._closed = False
        self.servers = Servers([Server(target.addresses[0])])
        try:
            self._find_servers(target.addresses)
        except BaseException:
            self.close()
            raise
        OPEN.add(self)

    @property
    def sharded(self) -> bool:
        """Whether the keys are divided among servers, also if there is only one."""
        return self.servers.sharded

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
        turn = Turn(self.servers.having(key).address, shown_key(key), command[0] in REPEATABLE)
        return self._exchange(turn, pack(command), Connection.read)

    def receive(self, key: bytes, command: Command, read: Callable[[Connection], Reply]) -> Reply:
        """What `read` makes of the reply to `command`, which changes nothing."""
        turn = Turn(self.servers.having(key).address, shown_key(key), True)
        return self._exchange(turn, pack(command), read)

    def send(self, key: bytes, buffers: Sequence[Buffer]) -> None:
        """Send a command whose bytes are `buffers` to the server that has `key`."""
        turn = Turn(self.servers.having(key).address, shown_key(key), False)
        self._exchange(turn, buffers, Connection.read)

    def call_at(self, server: Server, *command: Argument) -> Any:
        """The reply of one server to `command`."""
        subject = " ".join(str(word) for word in command[:2] if isinstance(word, str))
        return self._exchange(Turn(server.address, subject, command[0] in REPEATABLE), pack(command), Connection.read)

    def each_shard(self, *command: Argument) -> list[Any]:
        """The reply of each server to `command`, in the order of their slots."""
        return [self.call_at(server, *command) for server in self.servers.each]

    def call_many(
        self, commands: Sequence[tuple[bytes, Command]], read: Callable[[Connection], Any] = Connection.read
    ) -> list[Any]:
        """The replies to commands, each with its key: one journey to each server, and not one for each command.

        :raises RedisReplyError: the first error; the other commands are carried out.
        """
        with self._lock:
            turns = [
                Turn(self.servers.having(key).address, shown_key(key), command[0] in REPEATABLE) for key, command in commands
            ]
            packed = [pack(command) for _, command in commands]
            try:
                replies = self._exchange_many(turns, packed, read)
            except Lost as lost:
                if lost.late or not all(turn.repeatable for turn in turns):
                    raise lost_error(turns[0].subject, lost) from None
                return [self._exchange(turn, buffers, read) for turn, buffers in zip(turns, packed, strict=True)]
            for number, (turn, reply) in enumerate(zip(turns, replies, strict=True)):
                if isinstance(reply, Refused):  # perhaps only by this server, or for now
                    self._redirect(turn, reply)
                    replies[number] = self._exchange(turn, packed[number], read)
            return replies

    # --- exchanges ------------------------------------------------------------------------------------------------------

    def _exchange(self, turn: "Turn", buffers: Sequence[Buffer], read: Callable[[Connection], Reply]) -> Reply:
        """The reply to a command, which is sent again if its server has not taken it, or if that makes no difference."""
        with self._lock:
            while True:
                try:
                    connection = self._connections.get(turn.address) or self._connect(turn.address)
                    if turn.asking:
                        connection.send(pack(("ASKING",)))
                        connection.read()
                    connection.send(buffers)
                    return read(connection)
                except Refused as error:
                    self._redirect(turn, error)
                except Lost as lost:
                    self._drop(turn.address)
                    if turn.lost or lost.late or (lost.sent and not turn.repeatable):
                        raise lost_error(turn.subject, lost) from None
                    turn.lost = True
                except ProtocolError as error:
                    self._drop(turn.address)
                    raise RedisInternalError(f"{turn.subject}: {error}; connect to a Valkey or Redis server") from None
                except BaseException:  # what is left of the reply must not be taken for that to another command
                    self._drop(turn.address)
                    raise

    def _exchange_many(
        self, turns: "Sequence[Turn]", packed: Sequence[Sequence[Buffer]], read: Callable[[Connection], Any]
    ) -> list[Any]:
        """The replies to commands, or why they are refused; all are sent before the first reply is read."""
        shares: dict[Address, list[int]] = {}
        for number, turn in enumerate(turns):
            shares.setdefault(turn.address, []).append(number)
        replies: list[Any] = [None] * len(turns)
        try:
            connections = {address: self._connections.get(address) or self._connect(address) for address in shares}
            for address, numbers in shares.items():
                connections[address].send([buffer for number in numbers for buffer in packed[number]])
            for address, numbers in shares.items():
                for number in numbers:
                    replies[number] = reply_or_refusal(connections[address], read)
        except BaseException:
            self._drop(*shares)
            raise
        return replies

    def _redirect(self, turn: "Turn", refused: Refused) -> None:
        """Where and when a refused command goes next; or the error, if it is refused for good."""
        word, *rest = str(refused).split(" ")
        turn.deadline = turn.deadline or time.monotonic() + self.limits.command
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
            raise refusal(turn.subject, str(refused)) from None

    # --- connections ----------------------------------------------------------------------------------------------------

    def _connect(self, address: Address) -> Connection:
        """A connection to a server, which may have to begin to listen first."""
        if self._closed:
            raise StateError("Client: is closed; make another one")
        deadline = time.monotonic() + self.limits.connect
        while True:
            left = deadline - time.monotonic()
            try:
                made = Connection(address, self.target.login, max(left, self.limits.connect_interval), self.limits.reply)
            except (OSError, Lost, ProtocolError) as error:
                if left <= 0 or isinstance(error, ProtocolError) or getattr(error, "errno", errno.ECONNRESET) not in BEGINS:
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

    def _find_servers(self, known: Sequence[Address]) -> None:
        """Ask the first of `known` that answers which servers there are."""
        for number, address in enumerate(known, start=1):
            try:
                self.servers = Servers.of_slots(address, self._slots(address))
                return
            except RedisConnectionError:
                if number == len(known):
                    raise

    def _slots(self, address: Address) -> list[Any]:
        """What a server says of the slots; nothing if it has all of them."""
        if self.target.kind == "Standalone":
            self._connections.get(address) or self._connect(address)
            return []
        try:
            return list(self._exchange(Turn(address, spelled(address), True), pack(("CLUSTER", "SLOTS")), Connection.read))
        except RedisReplyError as error:
            if self.target.kind or not ALL_SLOTS.search(str(error)):
                raise RedisConnectionError(str(error)) from None
        return []


class Turn:
    """Where a command goes, and what has become of it so far."""

    __slots__ = ("address", "asking", "deadline", "lost", "repeatable", "subject")

    def __init__(self, address: Address, subject: str, repeatable: bool) -> None:
        self.address = address
        self.subject = subject  #: of a message about it
        self.repeatable = repeatable  #: it can be sent again
        self.deadline = 0.0  #: until when it is sent again, if a server refuses it for now
        self.asking = False  #: the server must be told that it gets a key that is on its way there
        self.lost = False  #: the connection has been lost already


def reply_or_refusal(connection: Connection, read: Callable[[Connection], Any]) -> Any:
    """The next reply, or why the command is refused."""
    try:
        return read(connection)
    except Refused as refused:
        return refused


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


def shown_key(key: bytes) -> str:
    """A key as a message shows it."""
    return located(key.decode(errors="backslashreplace"))


#: The databases of this process, whose connections a child process must not use.
OPEN: "weakref.WeakSet[Database]" = weakref.WeakSet()


def _forget_connections() -> None:
    for database in list(OPEN):
        database.forget_connections()


os.register_at_fork(after_in_child=_forget_connections)
