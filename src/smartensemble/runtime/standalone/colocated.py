"""A small program that runs a member with a database of its own around it.

It is started by its path in the member's place, on the member's host, with nothing but the standard library: first it starts a
server and its workers; when the server answers, and has what is stored in it, the member, which finds it by SSDB. It passes on
the signals that it gets, and ends as the member does, by the same exit code or signal, after it has ended the server. When it
is killed, the kernel kills all its children: see PR_SET_PDEATHSIG in prctl(2).

Of a member of several processes each process is started by it. On each host the first one has the server; the others connect to
its gate, a socket, and are told there when and where the server answers. They keep the connection while they run, so that the
first one knows when nobody needs the server any more.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import re
import resource
import shutil
import signal
import socket
import struct
import sys
import tempfile
import time
import zlib
from contextlib import suppress

TYPE_CHECKING = False  # importing typing would cost a third of the time that this program takes to start
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    Address = str | tuple[str, int]  #: the path of a unix socket, or a host and a port

PR_SET_PDEATHSIG = 1
SILENCE = 60.0  #: seconds that the server may take to answer
PATIENCE = 5.0  #: seconds that it may take to end
FAILED = 125  #: the exit code when the member could not be run, as of timeout(1)
LONGEST_SOCKET = 100  #: bytes of a path that a socket may have
SIOCGIFADDR = 0x8915  #: see netdevice(7)

#: Where run commands say which process this is, which one of its host, and how many there are on its host.
PLACES = (
    ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_LOCAL_RANK", "OMPI_COMM_WORLD_LOCAL_SIZE"),
    ("PMI_RANK", "MPI_LOCALRANKID", "MPI_LOCALNRANKS"),
    ("SLURM_PROCID", "SLURM_LOCALID", "SLURM_STEP_TASKS_PER_NODE"),
)


class LostError(Exception):
    """Why the member cannot be run."""


def main(asked: dict[str, Any], argv: list[str]) -> None:
    """Run `argv` with the server that is asked for."""
    signals = set(signal.valid_signals()) - {signal.SIGKILL, signal.SIGSTOP}
    signals -= {signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGABRT, signal.SIGTSTP, signal.SIGTTIN}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)  # they wait until we ask for them, and none is lost
    rank, local, size = place(os.environ) if asked.get("shared") else (0, 0, 1)
    if local:
        leave(guest(asked, argv, signals))
    made, gate = "", None
    server, workers, stage = 0, [], "its database could not be started"
    address: Address = ""
    ready = False
    try:
        if rank:
            asked["name"] += f".{rank}"  # files of other hosts are in the same directory
        if size > 1:
            gate = open_gate(size)
        made, address, conf = settings(asked)
        server = spawn([asked["server"], conf], f"{asked['name']}.db.out", asked.get("pinning", ()))
        wait_until_ready(server, address, asked["name"], signals)
        ready = True
        where = f"unix://{address}" if isinstance(address, str) else "{}:{}".format(*address)
        worker = [*asked["worker"], "--address", where]
        workers += [spawn(worker, f"{asked['name']}.worker.err") for _ in range(asked.get("workers", 0))]
        if "store" in asked:
            stage = "its database could not be given what was added"
            path, keys = asked["store"]
            store(address, path, keys, signals)
        os.environ[asked["variable"]] = where
        stage = "could not be run"
        keeper = keep_gate(gate, size - 1, where) if gate else 0
        status = run(argv, signals)
        if keeper:
            wait_for_guests(keeper, signals)
    except (LostError, OSError) as reason:
        print(f"{asked['name']}: {stage}: {reason}", file=sys.stderr)
        status = FAILED << 8
    finally:
        for process in workers:
            os.kill(process, signal.SIGTERM)
        if server:
            end(server, address if ready else None)
        for process in workers:
            reap(process)
        if made:
            shutil.rmtree(made, ignore_errors=True)
        if gate:
            shutil.rmtree(gate_directory(), ignore_errors=True)
    leave(status)


def settings(asked: dict[str, Any]) -> tuple[str, Address, str]:
    """Write the server's configuration: a temporary directory, if one is needed; where it listens; and the file."""
    name, made = asked["name"], ""
    address: Address
    if "host" in asked or "interface" in asked:
        host = asked.get("host") or address_of(asked["interface"])
        address = (host, asked.get("port") or free_port(host))
        lines = [f"bind {address[0]}", f"port {address[1]}", "protected-mode no"]
    else:
        address = path = str(asked.get("socket", ""))
        if not path:
            made = tempfile.mkdtemp(prefix=".db-", dir=home())
            address = f"{made}/db"
        elif os.path.lexists(path):
            free_socket(path)
        lines = ["port 0", f'unixsocket "{address}"', f"unixsocketperm {asked.get('permissions', '700')}"]
    lines += [
        'save ""',
        *(" ".join([key, json.dumps(value) if key == "loadmodule" else value]) for key, value in asked["conf"]),
    ]
    conf = os.path.abspath(f"{name}.db.conf")
    with open(conf, "w") as file:
        file.write("\n".join(lines) + "\n")
    return made, address, conf


def address_of(interface: str) -> str:
    """The address of a network interface of this host."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            answer = fcntl.ioctl(probe, SIOCGIFADDR, struct.pack("256s", interface.encode()[:15]))
        except OSError:
            known = ", ".join(name for _, name in socket.if_nameindex())
            raise LostError(f"no address of an interface {interface!r}; there are {known}") from None
    return socket.inet_ntoa(answer[20:24])


def home() -> str:
    """Where the directory of the socket may be: here, unless the path gets too long, or has what clients do not take."""
    here = f"{os.getcwd()}/.db-12345678/db"
    if len(here.encode()) <= LONGEST_SOCKET and re.fullmatch(r"[A-Za-z0-9./_-]+", here):
        return os.getcwd()
    return os.environ.get("XDG_RUNTIME_DIR") or "/tmp"  # noqa: S108


def free_port(host: str) -> int:
    """A port of `host` that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def free_socket(path: str) -> None:
    """Take away the socket of a server that has ended."""
    try:
        ask(path, b"PING")
    except ConnectionRefusedError:
        os.unlink(path)
        return
    raise LostError(f"a server that lives listens at {path}; give each member another unix_socket, or none")


# --- several processes on one host, which share a server --------------------------------------------------------------------


def place(environ: Mapping[str, str]) -> tuple[int, int, int]:
    """Which process of a member this is, which one of its host, and how many there are on its host.

    >>> place({"SLURM_PROCID": "3", "SLURM_LOCALID": "1", "SLURM_STEP_TASKS_PER_NODE": "2(x2),1", "SLURM_NODEID": "1"})
    (3, 1, 2)
    """
    for words in PLACES:
        if all(word in environ for word in words):
            rank, local, size = (environ[word] for word in words)
            counts: list[str] = []
            for part in size.split(","):
                count, _, times = part.rstrip(")").partition("(x")
                counts += [count] * int(times or 1)
            number = int(environ.get("SLURM_NODEID", 0)) if len(counts) > 1 else 0
            return int(rank), int(local), int(counts[number])
    return 0, 0, 1


def gate_directory() -> str:
    """The directory of the gate: the same for all processes of a member on this host, which have one parent."""
    return f"{home()}/.db-{zlib.crc32(f'{socket.gethostname()} {os.getppid()}'.encode()):08x}"


def open_gate(size: int) -> socket.socket:
    """The gate, at which the others wait until they are told."""
    directory = gate_directory()
    shutil.rmtree(directory, ignore_errors=True)
    os.mkdir(directory, 0o700)
    gate = socket.socket(socket.AF_UNIX)
    gate.bind(f"{directory}/gate")
    gate.listen(size)
    return gate


def keep_gate(gate: socket.socket, guests: int, where: str) -> int:
    """A process that tells the others where the server is, and ends when all of them have ended."""
    parent, pid = os.getpid(), os.fork()
    if pid:
        return pid
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() == parent:
        gate.settimeout(SILENCE)  # one that has not come by then will never come
        inside: list[socket.socket] = []
        with suppress(OSError):
            while len(inside) < guests:
                inside.append(gate.accept()[0])
                inside[-1].sendall(f"{where}\n".encode())
        for each in inside:
            each.settimeout(None)
            with suppress(OSError):
                each.recv(1)
    os._exit(0)


def wait_for_guests(keeper: int, signals: set[signal.Signals]) -> None:
    """Return when all others on this host have ended; signals they get themselves."""
    while not os.waitpid(keeper, os.WNOHANG)[0]:
        signal.sigtimedwait(signals, 1)


def guest(asked: dict[str, Any], argv: list[str], signals: set[signal.Signals]) -> int:
    """Run `argv` with the server of the first process on this host."""
    try:
        with socket.socket(socket.AF_UNIX) as gate:
            os.environ[asked["variable"]] = enter(gate, signals)
            return run(argv, signals)
    except (LostError, OSError) as reason:
        print(f"{asked['name']}: its database could not be reached: {reason}", file=sys.stderr)
        return FAILED << 8


def enter(gate: socket.socket, signals: set[signal.Signals]) -> str:
    """Wait at the gate until the server answers; where it is."""
    directory, limit, said = gate_directory(), time.monotonic() + SILENCE, b""
    while True:
        try:
            if os.stat(directory).st_uid == os.getuid():
                gate.connect(f"{directory}/gate")
                break
        except OSError:
            pass
        if time.monotonic() > limit:
            raise LostError("the first process on this host did not start")
        pause(signals)
    gate.settimeout(0.05)
    while not said.endswith(b"\n"):
        with suppress(TimeoutError):
            if not (more := gate.recv(1024)):
                raise LostError("the first process on this host could not start it")
            said += more
        pause(signals, 0)
    return said.decode().strip()


def pause(signals: set[signal.Signals], seconds: float = 0.005) -> None:
    """Wait a moment; a signal ends the waiting for good."""
    if got := signal.sigtimedwait(signals - {signal.SIGCHLD}, seconds):
        raise LostError(f"got {signal.Signals(got.si_signo).name} before it was ready")


# --- processes ------------------------------------------------------------------------------------------------------------


def spawn(argv: list[str], output: str = "", pinning: tuple[int, ...] = ()) -> int:
    """Start a program that does not outlive us. There are no threads here, so that a fork may do more than exec."""
    parent, pid = os.getpid(), os.fork()
    if pid:
        return pid
    try:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(FAILED)
        if output:
            os.environ["LC_ALL"] = "C"  # a server refuses to start where its locale is not installed
            descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o666)
            os.dup2(descriptor, 1)
            os.dup2(descriptor, 2)
        if pinning:
            os.sched_setaffinity(0, pinning)
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        os.execvp(argv[0], argv)
    except OSError as error:
        print(f"{argv[0]}: {error.strerror}", file=sys.stderr)
    os._exit(127)


def ask(address: Address, command: bytes) -> bytes:
    """What the server says to `command`."""
    with connect(address) as connection:
        connection.sendall(command + b"\r\n")
        return connection.recv(4096)


def connect(address: Address) -> socket.socket:
    """A connection to the server, which does not wait for ever."""
    connection = socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET)
    try:
        connection.settimeout(PATIENCE)
        connection.connect(address)
    except OSError:
        connection.close()
        raise
    return connection


def wait_until_ready(server: int, address: Address, name: str, signals: set[signal.Signals]) -> None:
    """Return when the server answers: this one, for another may listen at a port or path that was named."""
    limit, sign = time.monotonic() + SILENCE, f"process_id:{server}\r\n".encode()
    while time.monotonic() < limit:
        if os.waitid(os.P_PID, server, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            with open(f"{name}.db.out", errors="replace") as file:
                words = file.read().strip().splitlines()[-3:]
            raise LostError("the server ended; the end of its output:\n  " + "\n  ".join(words))
        try:
            if sign in ask(address, b"INFO server"):
                return
        except OSError:
            pass
        pause(signals)
    raise LostError(f"the server does not answer; look at {name}.db.out")


def store(address: Address, path: str, keys: list[str], signals: set[signal.Signals]) -> None:
    """Send the commands in a file, and read the answers: one line for each, which stores one of `keys`."""
    with connect(address) as connection, open(path, "rb") as file:
        connection.settimeout(None)
        connection.sendfile(file)
        connection.settimeout(0.05)
        said = b""
        while said.count(b"\n") < len(keys):
            with suppress(TimeoutError):
                said += connection.recv(65536) or b"-the server hung up\r\n" * len(keys)
            if got := signal.sigtimedwait(signals - {signal.SIGCHLD}, 0):
                raise LostError(f"got {signal.Signals(got.si_signo).name} before it was done")
    for key, line in zip(keys, said.decode(errors="replace").splitlines()):  # noqa: B905 - lines that nobody asked for
        if line.startswith("-"):
            raise LostError(f"{key!r}: {line[1:]}")


def run(argv: list[str], signals: set[signal.Signals]) -> int:
    """Run the member, pass signals on to it, and return how it ended."""
    member = spawn(argv)
    while True:
        number = signal.sigwaitinfo(signals).si_signo
        if number != signal.SIGCHLD:
            os.kill(member, number)
            continue
        ended, status = os.waitpid(member, os.WNOHANG)
        if ended:
            return status


def end(server: int, address: Address | None) -> None:
    """End the server, whose data nobody needs any more. It obeys a command at once, and a signal after up to 0.1 s.

    One that has not answered gets no command: who listens there may be another.
    """
    with suppress(OSError):
        if address is None:
            os.kill(server, signal.SIGTERM)
        else:
            ask(address, b"SHUTDOWN NOSAVE")
    reap(server)


def reap(process: int) -> None:
    """Wait until a process has ended that was told to, and kill it if it does not obey."""
    try:
        limit = time.monotonic() + PATIENCE
        while not os.waitpid(process, os.WNOHANG)[0]:
            if time.monotonic() > limit:
                os.kill(process, signal.SIGKILL)
            signal.sigtimedwait({signal.SIGCHLD}, 0.1)
    except (ProcessLookupError, ChildProcessError):
        pass


def leave(status: int) -> None:
    """End as the member did."""
    sys.stdout.flush()
    sys.stderr.flush()
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # the member has left one, if any is wanted
        if number != signal.SIGKILL:
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
    os._exit(os.WEXITSTATUS(status))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]), sys.argv[2:])
