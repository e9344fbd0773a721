"""The CPU that a program takes from its start to its end, with all that it starts."""

import resource
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from statistics import median

from smartensemble.runtime import standalone
from smartensemble.runtime.servers.server_program import find_server
from smartensemble.runtime.standalone.colocated import Wrapping
from smartensemble.runtime.standalone.network import request

TIMES = 5
SERVER = find_server()


def bare() -> None:
    """A Python that does nothing, with the flags of our programs."""
    subprocess.run([sys.executable, *standalone.FLAGS, "-c", "pass"], check=True)


def bare_beside_server() -> None:
    """The same, and a server from its start to its first answer, and to its end."""
    bare()
    with subprocess.Popen([SERVER, "--port", "0", "--unixsocket", "s", "--save", ""], stdout=subprocess.DEVNULL):
        while True:
            try:
                request("s", b"SHUTDOWN NOSAVE")
                return
            except OSError:
                time.sleep(0.005)


def supervisor() -> None:
    """A supervisor whose driver has ended when it is ready to serve."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.shutdown(socket.SHUT_WR)
        argv = [*standalone.command("supervisor"), str(theirs.fileno()), "-1"]
        subprocess.run(argv, pass_fds=[theirs.fileno()], stdout=subprocess.DEVNULL, check=True)


def colocated() -> None:
    """The wrapper of a member, with a server of its own around /bin/true."""
    wrapping = Wrapping(name="member", variable="SSDB", server=SERVER)
    subprocess.run([*standalone.command("colocated"), str(wrapping), "/bin/true"], check=True)


FLOORS = {"supervisor": bare, "colocated": bare_beside_server}
OURS = {"supervisor": supervisor, "colocated": colocated}


def cpu(program: Callable[[], None]) -> float:
    """The seconds of CPU that a program takes: the median of some runs."""
    program()  # the first one compiles what it imports
    return median(_cpu(program) for _ in range(TIMES))


def _cpu(program: Callable[[], None]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    program()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
