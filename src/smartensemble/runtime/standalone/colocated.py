"""A small program that runs a member with a database of its own around it.

It starts in the member's place, on the member's host, with the standard library alone. First it starts a server and its
workers. When the server answers and has the models and scripts that belong in it, the program starts the member, which finds
the server by SSDB. The program passes on the signals that it receives. When the member has ended, it ends the server, and then
itself by the member's exit code or signal. If somebody kills it, the kernel kills all its children: see PR_SET_PDEATHSIG in
prctl(2).

It runs once for each process of a member; those of one host share a server, see ``rendezvous.py``.
"""

from __future__ import annotations

import json
import os
import signal
import socket

from .children import block_signals, end_like, reap, run, start
from .errors import ENDING_S, EXIT_FAILED, LostError, restart_delay
from .inheritance import complain, put_right
from .network import (
    Address,
    address_of,
    free_port,
    make_socket_directory,
    own_socket,
    remove_socket_directory,
    request,
    url,
    url_of,
)
from .own_server import configuration, forget, store, wait_until_ready, write_private
from .rendezvous import Rank, enter, gate_directory, keep_gate, open_gate, wait_for_guests

TYPE_CHECKING = False  # importing typing would cost a third of the time that a program here takes to start
if TYPE_CHECKING:
    from collections.abc import Sequence


TRIES = 3  #: starts, if others take the free ports first
TAKEN = "Address already in use"  #: what a server says then


class Wrapping:
    """What a member is wrapped in. The program reads it from its first argument, which is JSON without the empty options."""

    def __init__(
        self,
        name: str,
        variable: str,
        server: str,
        conf: Sequence[Sequence[str]] = (),
        pinning: Sequence[int] = (),
        shared: bool = False,
        socket: str | None = None,
        permissions: str | None = None,
        host: str | None = None,
        interface: str | None = None,
        port: int | None = None,
        users: Sequence[str] = (),
        owner: str = "",
        worker_user: str = "",
        workers: int = 0,
        worker: Sequence[str] = (),
        commands: str | None = None,
        keys: Sequence[str] = (),
    ) -> None:
        self.name = name  #: the member's
        self.variable = variable  #: by which the member finds its server
        self.server = server  #: the program
        self.conf = conf  #: names and values of settings
        self.pinning = pinning  #: the CPUs that the server may use
        self.shared = shared  #: the member has several processes
        self.socket = socket  #: the path where the server listens; None lets the wrapper choose
        self.permissions = permissions  #: of the socket
        self.host = host  #: the address where it listens, instead of a socket
        self.interface = interface  #: the network that has this address, if only the host itself knows the address
        self.port = port
        self.users = users  #: lines of its configuration that say who may do what, with OWNER and WORKER for passwords
        self.owner = owner  #: the user who ends the server
        self.worker_user = worker_user
        self.workers = workers  #: how many
        self.worker = worker  #: the command of each
        self.commands = commands  #: a file with commands that store models and scripts
        self.keys = keys  #: what each of them stores

    def __str__(self) -> str:
        return json.dumps({name: value for name, value in vars(self).items() if value})


def main(arguments: list[str]) -> None:
    """Run a member's command with a server of its own, or with that of the first process on this host."""
    wrapping, argv = Wrapping(**json.loads(arguments[0])), arguments[1:]
    put_right()
    block_signals()
    rank = Rank.of(os.environ) if wrapping.shared else Rank()
    end_like(run_as_guest(wrapping, argv) if rank.local else run_as_host(wrapping, argv, rank))


def run_as_guest(wrapping: Wrapping, argv: list[str]) -> int:
    """Run `argv` with the server of the first process on this host."""
    try:
        with socket.socket(socket.AF_UNIX) as gate:
            os.environ[wrapping.variable] = enter(gate)
            return run(argv)
    except (LostError, OSError) as reason:
        complain(f"{wrapping.name}: its database could not be reached: {reason}")
        return EXIT_FAILED << 8


def run_as_host(wrapping: Wrapping, argv: list[str], rank: Rank) -> int:
    """Run `argv` with a server of its own, which ends when the processes of this host have ended."""
    database = OwnDatabase(wrapping, rank)
    try:
        database.start()
        database.stage = "could not be run"
        os.environ[wrapping.variable] = url(database.address)
        keeper = keep_gate(database.gate, rank.local_size - 1, url(database.address)) if database.gate else 0
        status = run(argv, database.look)
        if keeper:
            wait_for_guests(keeper)
        if lost := database.lost():
            complain(f"{database.name}: its database {lost} while it ran")
    except (LostError, OSError) as reason:
        complain(f"{database.name}: {database.stage}: {reason}")
        status = EXIT_FAILED << 8
    finally:
        database.end()
    return status


class OwnDatabase:
    """The server of a member with its workers, and their files."""

    def __init__(self, wrapping: Wrapping, rank: Rank) -> None:
        self.wrapping = wrapping
        # Files of other hosts are in the same directory.
        self.name = f"{wrapping.name}.{rank.number}" if rank.number else wrapping.name
        self.address_file = os.path.abspath(f"{self.name}.db.address")  #: other programs find the server by it while it runs
        self.guests = rank.local_size - 1
        self.stage = "its database could not be started"  #: what was being done, if it fails
        self.gate: socket.socket | None = None
        self.made = ""  #: a directory for its socket
        self.claim: socket.socket | None = None  #: of the path that the user chose for its socket
        self.address: Address = ""
        self.owner_password, self.worker_password = os.urandom(32).hex(), os.urandom(32).hex()
        self.server = 0  #: its process
        self.ready = False
        self.ended: int | None = None  #: the status of a server that has ended by itself
        self.workers: list[int] = []
        self.deaths = 0  #: of workers that a signal ended

    def start(self) -> None:
        """Start the server and, when it answers, its workers; then store the uploads.

        :raises LostError: one of these failed; :meth:`end` ends the rest.
        """
        wrapping = self.wrapping
        forget(self.address_file)  # of a run that was killed
        if self.guests:
            self.gate = open_gate(self.guests + 1)
        for left in reversed(range(TRIES)):
            try:
                self.start_server()
                break
            except LostError as reason:
                if not left or wrapping.port or isinstance(self.address, str) or TAKEN not in str(reason):
                    raise
        for _ in range(wrapping.workers):
            self.start_worker()
        if wrapping.commands:
            self.stage = "its database could not be given what was added"
            store(self.address, wrapping.commands, wrapping.keys)
        write_private(self.address_file, f"{url(self.address)}\n")

    def start_server(self) -> None:
        """Start the server, and wait until it answers."""
        self.listen()
        conf = os.path.abspath(f"{self.name}.db.conf")
        write_private(conf, configuration(self.wrapping, self.address, self.owner_password, self.worker_password))
        self.server = start([self.wrapping.server, conf], f"{self.name}.db.out", self.wrapping.pinning)
        wait_until_ready(self.server, self.address, self.name)
        self.ready = True

    def start_worker(self) -> None:
        """Start a worker of the server."""
        worker = [*self.wrapping.worker, "--address", url_of(self.wrapping.worker_user, self.address)]
        env = {"REDISCLI_AUTH": self.worker_password}  # everybody may read a command line
        self.workers.append(start(worker, f"{self.name}.worker.err", env=env))

    def look(self) -> None:
        """See what became of the server and its workers: one that a signal has ended or stopped gets a successor."""
        if self.server and self.ended is None:
            ended, status = os.waitpid(self.server, os.WNOHANG)
            self.ended = status if ended else None
        for worker in list(self.workers):
            ended, status = os.waitpid(worker, os.WNOHANG | os.WUNTRACED)
            if ended and os.WIFSTOPPED(status):
                os.kill(worker, signal.SIGKILL)
            elif ended:
                self.workers.remove(worker)
                self.deaths += 1
                if os.WIFSIGNALED(status) and self.ended is None and restart_delay(self.deaths) is not None:
                    self.start_worker()

    def lost(self) -> str:
        """How the server ended, if it did so by itself."""
        try:
            request(self.address, b"PING")
        except OSError:  # it may be about to end
            signal.sigtimedwait({signal.SIGCHLD}, ENDING_S)
        self.look()
        if self.ended is None:
            return ""
        if os.WIFSIGNALED(self.ended):
            return f"was ended by {signal.Signals(os.WTERMSIG(self.ended)).name}"
        return f"ended with exit code {os.WEXITSTATUS(self.ended)}; look at {self.name}.db.out"

    def listen(self) -> None:
        """Decide where the server listens; make room for its socket."""
        wrapping = self.wrapping
        if wrapping.host or wrapping.interface:
            host = wrapping.host or address_of(wrapping.interface or "")
            self.address = (host, wrapping.port or free_port(host))
        elif wrapping.socket:
            self.address = wrapping.socket
            self.claim = own_socket(wrapping.socket)
        else:
            self.made = make_socket_directory()
            self.address = f"{self.made}/db"

    def end(self) -> None:
        """End the server and its workers, and remove their files."""
        forget(self.address_file)
        for worker in self.workers:
            os.kill(worker, signal.SIGTERM)
        if self.server and self.ended is None:
            self.end_server()
        for worker in self.workers:
            reap(worker)
        if self.made:
            remove_socket_directory(self.made)
        if self.gate:
            remove_socket_directory(gate_directory())

    def end_server(self) -> None:
        """End the server, whose data nobody needs any more. It obeys a command at once, and a signal after up to 0.1 s.

        A server that has not answered gets no command, because another one may listen there.
        """
        try:
            if self.ready:
                request(self.address, f"AUTH {self.wrapping.owner} {self.owner_password}\r\nSHUTDOWN NOSAVE".encode())
            else:
                os.kill(self.server, signal.SIGTERM)
        except OSError:
            pass
        reap(self.server)
