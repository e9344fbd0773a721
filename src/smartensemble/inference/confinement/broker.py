"""The broker of a confined worker: a process beside it that is not confined, and opens for it what it may not open itself.

The worker sends the number of a server, and gets a connection that is logged in, and the memory that the server shares. So it
never has the password, and can reach nothing but those servers.
"""

import os
import signal
import socket
import struct
from collections.abc import Sequence

from smartensemble.inference.opening import Opened, Server, servers
from smartensemble.inference.watchdog import end_with_parent

NUMBER = struct.Struct("=H")
LONGEST_ANSWER = 1000  #: the text of an error; files come without one


class Broker:
    """The broker, as its worker sees it."""

    def __init__(self, channel: socket.socket) -> None:
        self.channel = channel

    def open(self, number: int) -> Opened:
        """A new connection to a server.

        :raises ConnectionError: it does not answer, or refuses.
        """
        self.channel.sendall(NUMBER.pack(number))
        answer, files, _, _ = socket.recv_fds(self.channel, LONGEST_ANSWER, 2)
        if not answer:
            raise EOFError("the broker of this worker has ended")
        if not files:
            raise ConnectionError(answer.decode(errors="replace"))
        return Opened(socket.socket(fileno=files[0]), files[1] if len(files) > 1 else None)


def start_broker(addresses: Sequence[str]) -> Broker:
    """Start the broker of this process, for the servers at `addresses`. It ends with this process."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    worker = os.getpid()
    if os.fork():
        theirs.close()
        return Broker(ours)
    try:
        ours.close()
        end_with_parent(signal.SIGKILL)  # one that is stopped would not notice
        if os.getppid() == worker:
            serve(theirs, servers(addresses))
    finally:
        os._exit(0)


def serve(channel: socket.socket, known: Sequence[Server]) -> None:
    """Open what the worker asks for, until it has ended. It may send anything, because what it runs may be a stranger's."""
    while wanted := channel.recv(NUMBER.size):
        try:
            opened = known[NUMBER.unpack(wanted)[0]].open()
        except ConnectionError as error:
            channel.sendall(str(error).encode()[:LONGEST_ANSWER] or b"?")
        else:
            socket.send_fds(channel, [b"+"], [file for file in (opened.socket.fileno(), opened.memory) if file is not None])
            opened.close()
