"""Where the processes of a member on one host meet: the first of them has the server, and the others wait for it.

The first one opens a gate, a socket. The others connect to it and read from it where the server answers, once it does. They
keep the connection while they run, so the first one knows when nobody needs the server any more.
"""

from __future__ import annotations

import os
import signal
import socket
import time
import zlib

from .children import SIGNALS, pause
from .errors import GATE_TIMEOUT_S, LostError
from .network import remove_socket_directory, socket_home
from .prctl import end_with

TYPE_CHECKING = False  # importing typing would cost a third of the time that a program here takes to start
if TYPE_CHECKING:
    from collections.abc import Mapping

#: Where run commands say which process this is, which one of its host, and how many there are on its host.
RANK_VARIABLES = (
    ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_LOCAL_RANK", "OMPI_COMM_WORLD_LOCAL_SIZE"),
    ("PMI_RANK", "MPI_LOCALRANKID", "MPI_LOCALNRANKS"),
    ("SLURM_PROCID", "SLURM_LOCALID", "SLURM_STEP_TASKS_PER_NODE"),
)


class Rank:
    """Which process of a member this is, which one of its host, and how many there are on its host."""

    def __init__(self, number: int = 0, local: int = 0, local_size: int = 1) -> None:
        self.number = number
        self.local = local
        self.local_size = local_size

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Rank:
        """The rank of the process that has the variables `environ`; rank 0 of one process, if they have no rank.

        >>> Rank.of({"SLURM_PROCID": "3", "SLURM_LOCALID": "1", "SLURM_STEP_TASKS_PER_NODE": "2(x2),1", "SLURM_NODEID": "1"})
        Rank(3, 1, 2)
        """
        for variables in RANK_VARIABLES:
            if all(variable in environ for variable in variables):
                number, local, sizes = (environ[variable] for variable in variables)
                return cls(int(number), int(local), local_size(sizes, int(environ.get("SLURM_NODEID", 0))))
        return cls()

    def __repr__(self) -> str:
        return f"Rank({self.number}, {self.local}, {self.local_size})"


def local_size(sizes: str, node: int) -> int:
    """How many processes there are on this host: one number, or Slurm's numbers for all nodes.

    >>> local_size("4", 7), local_size("2(x2),1", 1), local_size("2(x2),1", 2)
    (4, 2, 1)
    """
    counts: list[str] = []
    for part in sizes.split(","):
        count, _, times = part.rstrip(")").partition("(x")
        counts += [count] * int(times or 1)
    return int(counts[node if len(counts) > 1 else 0])


def gate_directory() -> str:
    """The directory of the gate: the same for all processes of a member on this host, which have one parent."""
    return f"{socket_home()}/.db-{zlib.crc32(f'{socket.gethostname()} {os.getppid()}'.encode()):08x}"


def open_gate(size: int) -> socket.socket:
    """The gate, at which the others wait for the server's address."""
    directory = gate_directory()
    remove_socket_directory(directory)
    os.mkdir(directory, 0o700)
    gate = socket.socket(socket.AF_UNIX)
    gate.bind(f"{directory}/gate")
    gate.listen(size)
    return gate


def keep_gate(gate: socket.socket, guests: int, where: str) -> int:
    """Start a process that sends the others the server's address, and ends when all of them have ended."""
    parent, pid = os.getpid(), os.fork()
    if pid:
        return pid
    if end_with(parent, signal.SIGKILL):
        inside = _let_in(gate, guests, where)
        for guest in inside:
            guest.settimeout(None)
            try:
                guest.recv(1)
            except OSError:
                pass
    os._exit(0)


def _let_in(gate: socket.socket, guests: int, where: str) -> list[socket.socket]:
    """The connections of the processes that have come in time. All of them have the address."""
    gate.settimeout(GATE_TIMEOUT_S)
    inside: list[socket.socket] = []
    try:
        while len(inside) < guests:
            inside.append(gate.accept()[0])
            inside[-1].sendall(f"{where}\n".encode())
    except OSError:  # one that has not come by now will never come
        pass
    return inside


def wait_for_guests(keeper: int) -> None:
    """Return when all others on this host have ended. They receive signals themselves."""
    while not os.waitpid(keeper, os.WNOHANG)[0]:
        signal.sigtimedwait(SIGNALS, 1)


def enter(gate: socket.socket) -> str:
    """Wait at the gate until the server answers, and return its address.

    :raises LostError: the first process has no server.
    """
    _arrive(gate)
    gate.settimeout(0.05)
    answer = b""
    while not answer.endswith(b"\n"):
        try:
            if not (more := gate.recv(1024)):
                raise LostError("the first process on this host could not start it")
            answer += more
        except TimeoutError:
            pass
        pause(0)
    return answer.decode().strip()


def _arrive(gate: socket.socket) -> None:
    """Connect to the gate, as soon as it exists."""
    directory, limit = gate_directory(), time.monotonic() + GATE_TIMEOUT_S
    while True:
        try:
            if os.stat(directory).st_uid == os.getuid():
                gate.connect(f"{directory}/gate")
                return
        except OSError:
            pass
        if time.monotonic() > limit:
            raise LostError("the first process on this host did not start")
        pause()
