"""Where the servers of a database listen: free ports, and sockets that only their owner reaches."""

import errno
import glob
import os
import random
import secrets
import socket
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from smartensemble.databases.config import data_name
from smartensemble.databases.orchestrator import Orchestrator
from smartensemble.databases.shard import BUS, Shard, speakable
from smartensemble.errors import InputValueError, StateError
from smartensemble.runtime.servers.resp import answers
from smartensemble.runtime.standalone import network
from smartensemble.runtime.standalone.errors import LostError

#: Where ports are chosen: below those that the kernel gives to outgoing connections, also with BUS added.
PORTS = range(10_000, 22_000)


def choose_addresses(db: Orchestrator) -> list[Shard]:
    """The servers of `db`, on free ports. The socket of a private one is chosen later.

    :raises StateError: a port that the caller chose is in use.
    """
    names = [db.db_identifier] if db.db_nodes == 1 else [f"{db.db_identifier}_{number}" for number in range(db.db_nodes)]
    if db.access == "private":
        return [Shard(names[0])]
    host = " ".join(address_of(db.db_identifier, name) for name in db.interface) or "127.0.0.1"
    host, sharded = host.split()[0], db.db_nodes > 1
    taken: set[int] = set()
    shards = []
    for number, name in enumerate(names):
        if db.port is None:
            port = choose_port(host, sharded, taken)
        else:
            port = db.port + number
            if not is_free(host, port) or (sharded and not is_free(host, port + BUS)):
                raise StateError(
                    f"{db.db_identifier}: port {port} of {host} is in use; leave port out, and a free one is chosen"
                )
        taken.add(port)
        shards.append(Shard(name, host, port, node=secrets.token_hex(20) if sharded else ""))
    return shards


def choose_port(host: str, sharded: bool, taken: set[int], ports: range = PORTS) -> int:
    """A port of `host` that nobody listens on."""
    for port in random.sample(ports, len(ports)):
        if port not in taken and is_free(host, port) and (not sharded or is_free(host, port + BUS)):
            return port
    raise StateError(f"{host}: no free port from {PORTS.start} to {PORTS.stop - 1}; name one as port=")


def is_free(host: str, port: int) -> bool:
    """Nobody listens on a port of `host`.

    :raises StateError: `host` is no address of this machine.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False
            raise StateError(
                f"{host}:{port}: cannot be listened on: {error.strerror}; choose another port or interface"
            ) from None
    return True


def address_of(subject: str, interface: str) -> str:
    """The address of a network interface.

    :raises InputValueError: there is no such interface, or it has no address.
    """
    try:
        return network.address_of(interface)
    except LostError as error:
        raise InputValueError(f"{subject}: {error}") from None


def private_directory(home: str, name: str) -> tuple[str, bool]:
    """A directory for the socket `name` that only its owner can enter, and whether it is temporary.

    It is in `home`, unless its path would be too long for a socket, or has characters that clients reject.
    """
    path = os.path.join(home, "socket")
    if speakable(os.path.join(path, name)):
        with suppress(FileExistsError):
            os.makedirs(path, mode=0o700)
            os.chmod(path, 0o700)
        if stat.S_IMODE(os.stat(path).st_mode) == 0o700:  # else it is somebody's own, with a mode that they chose
            return path, False
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    parents = [parent for parent in (runtime, tempfile.gettempdir()) if os.path.isdir(parent)]
    parent = next((parent for parent in parents if speakable(f"{parent}/db-12345678/{name}")), "/tmp")  # noqa: S108
    return tempfile.mkdtemp(prefix="db-", dir=parent), True


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, stat.S_IRUSR | stat.S_IWUSR), "w") as file:
        file.write(text)
    new.replace(path)


def free_socket(subject: str, shard: Shard) -> None:
    """Remove the socket of a server that has ended.

    :raises StateError: a living server listens there.
    """
    if not os.path.lexists(shard.socket):
        return
    if not stat.S_ISSOCK(os.lstat(shard.socket).st_mode):
        raise StateError(f"{subject}: {shard.socket} is no socket, and nothing replaces it; choose another path")
    if answers(shard, timeout=1):
        raise StateError(f"{subject}: a server that lives listens at {shard.socket}; stop it, or choose another path")
    network.remove_socket(shard.socket)


def check_data(db: Orchestrator, shards: list[Shard] | tuple[Shard, ...]) -> None:
    """An error, if `db` could not read the data in its directory.

    :raises StateError: another number of servers wrote them, or in another format.
    """
    expected = [data_name(shard, len(shards)) for shard in shards]
    folder = glob.escape(db.path)
    there = [os.path.basename(path) for kind in ("rdb", "aof*") for path in glob.glob(f"{folder}/{db.db_identifier}*.{kind}")]
    there += [os.path.basename(path) for path in glob.glob(f"{folder}/appendonlydir/{db.db_identifier}*.aof*")]
    if strange := [name for name in there if name.partition(".")[0] not in expected]:
        raise StateError(
            f"{db.db_identifier}: {db.path} has data of another number of servers ({strange[0]}); "
            "start as many as then, or choose another path"
        )
    logs = any(".aof" in name for name in there)
    if there and logs != (db.conf.get("appendonly") == "yes"):
        which = "has an append-only log; set_db_conf('appendonly', 'yes')"
        if not logs:
            which = "has checkpoints and no append-only log; set_db_conf('appendonly', 'yes') only when it runs"
        raise StateError(f"{db.db_identifier}: {db.path} {which}, or choose another path")
