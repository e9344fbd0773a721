"""The broker of a confined worker: a process beside it that is not confined, and opens for it what it may not open itself.

The worker sends the number of a server, and gets a connection that is logged in, and the memory that the server shares. So it
never has the password, and can reach nothing but those servers.
"""

import os
import socket
import struct
from collections.abc import Sequence

import redis

from smartensemble.inference.opening import Opened, Server

NUMBER = struct.Struct("=H")
OPENED, GONE, REFUSED = b"+", b"?", b"-"  #: how an answer begins; the text of an error follows
LONGEST_ANSWER = 1000


class Broker:
    """The broker, as its worker sees it."""

    def __init__(self, channel: socket.socket) -> None:
        self.channel = channel

    def open(self, number: int) -> Opened:
        """A new connection to a server.

        :raises redis.ConnectionError: it does not answer.
        :raises redis.RedisError: it refuses.
        """
        self.channel.sendall(NUMBER.pack(number))
        answer, files, _, _ = socket.recv_fds(self.channel, LONGEST_ANSWER, 2)
        if not answer:
            raise EOFError("the broker of this worker has ended")
        if not files:
            kind = redis.ConnectionError if answer.startswith(GONE) else redis.RedisError
            raise kind(answer[1:].decode(errors="replace"))
        return Opened(socket.socket(fileno=files[0]), files[1] if len(files) > 1 else None)


def start_broker(addresses: Sequence[str]) -> Broker:
    """Start the broker of this process, for the servers at `addresses`. It ends with this process."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    if os.fork():
        theirs.close()
        return Broker(ours)
    try:
        ours.close()
        serve(theirs, [Server(address) for address in addresses])
    finally:
        os._exit(0)


def serve(channel: socket.socket, servers: Sequence[Server]) -> None:
    """Open what the worker asks for, until it has ended. It may send anything, because what it runs may be a stranger's."""
    while wanted := channel.recv(NUMBER.size):
        try:
            opened = servers[NUMBER.unpack(wanted)[0]].open()
        except redis.RedisError as error:
            sign = GONE if isinstance(error, (redis.ConnectionError, redis.TimeoutError)) else REFUSED
            channel.sendall(sign + str(error).encode()[: LONGEST_ANSWER - 1])
        else:
            socket.send_fds(channel, [OPENED], [file for file in (opened.socket.fileno(), opened.memory) if file is not None])
            opened.close()
