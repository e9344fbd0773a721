"""The servers of a database as text: their addresses, the file that configures each, and how they share the keys.

A cluster is formed before its servers start: each finds all others, and who serves which keys, in its own nodes file. So there
is nothing to negotiate, and a cluster that is started again on other ports has its data. The format of the file is what
``CLUSTER NODES`` answers, see https://valkey.io/commands/cluster-nodes/.
"""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from smartensemble.errors import InputTypeError, InputValueError

SLOTS = 16384  #: into which a cluster divides all keys
BUS = 10_000  #: what a server of a cluster adds to its port, to talk to the others
LONGEST_SOCKET = 100  #: bytes; the kernel takes 107, and some clients less
USER = "smartensemble"  #: who may log in where access is "password"
WORKER_USER = "smartensemble_worker"  #: and as whom workers do
#: The commands of the module that are for workers alone: who sends them takes what is meant for these.
PRIVATE = ("ai._next", "ai._done", "ai._shared")

#: What no caller configures, and the argument that does.
OURS = {
    **dict.fromkeys(("port", "bind", "unixsocket", "unixsocketperm", "protected-mode"), "port, interface and access"),
    **dict.fromkeys(("requirepass", "user", "aclfile"), "access='password'"),
    **dict.fromkeys(("dir", "dbfilename", "appendfilename", "logfile", "pidfile"), "path"),
    **dict.fromkeys(("cluster-enabled", "cluster-config-file"), "db_nodes"),
    **dict.fromkeys(("daemonize", "supervised"), "start(detach=True)"),
}


class Secrets(NamedTuple):
    """The passwords of a database that asks for one."""

    user: str
    worker: str


class Shard(NamedTuple):
    """One server: its name, and where it listens. Several of them make a cluster.

    >>> Shard("db_0", host="127.0.0.1", port=6379).address, Shard("db", socket="/run/db/socket").address
    ('127.0.0.1:6379', 'unix:///run/db/socket')
    """

    name: str
    host: str = ""
    port: int = 0
    socket: str = ""  #: the path of its unix socket, instead of host and port
    node: str = ""  #: what the servers of a cluster call it: 40 hexadecimal digits

    @property
    def address(self) -> str:
        """What SSDB takes."""
        return f"unix://{self.socket}" if self.socket else f"{self.host}:{self.port}"

    @classmethod
    def at(cls, name: str, address: str) -> "Shard":
        """The server `name` that listens at `address`."""
        if address.startswith("unix://"):
            return cls(name, socket=address.removeprefix("unix://"))
        host, _, port = address.rpartition(":")
        return cls(name, host, int(port))


def slot_range(number: int, count: int) -> tuple[int, int]:
    """The first and the last slot of server `number` of a cluster of `count`.

    >>> [slot_range(number, 3) for number in range(3)]
    [(0, 5460), (5461, 10921), (10922, 16383)]
    """
    return number * SLOTS // count, (number + 1) * SLOTS // count - 1


def slot_tag(slot: int) -> bytes:
    r"""The hash tag of a slot: what lies between braces in a key that belongs there. It is SmartRedis', and any bytes.

    >>> [slot_tag(slot_range(number, 3)[0]) for number in range(3)]
    [b'\x00\x00', b'8M', b'p\x9a']
    """
    value, bits = slot, 0
    while bits < 16 or {*b"{}"} & {*_tag_bytes(value, bits)}:  # longer, rather than with a brace
        if value >> bits & 1:
            value ^= 0x11021 << bits  # a multiple of the polynomial of CRC-16/XMODEM, which leaves the checksum as it is
        bits += 1
    return _tag_bytes(value, bits)


def _tag_bytes(value: int, bits: int) -> bytes:
    return (value >> 16).to_bytes((bits + 7) // 8, "big")


def nodes(shards: Sequence[Shard], mine: Shard) -> str:
    """The nodes file of the server `mine` of a cluster: all servers, and the slots of each.

    >>> print(nodes([Shard("db_0", "127.0.0.1", 7000, node="a" * 40)], Shard("db_0", node="a" * 40)), end="")
    aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa 127.0.0.1:7000@17000 myself,master - 0 0 1 connected 0-16383
    vars currentEpoch 1 lastVoteEpoch 0
    """
    lines = []
    for number, shard in enumerate(shards):
        first, last = slot_range(number, len(shards))
        role = "myself,master" if shard.node == mine.node else "master"
        where = f"{shard.host}:{shard.port}@{shard.port + BUS}"
        lines.append(f"{shard.node} {where} {role} - 0 0 {number + 1} connected {first}-{last}\n")
    return "".join([*lines, f"vars currentEpoch {len(shards)} lastVoteEpoch 0\n"])


def data_name(shard: Shard, count: int) -> str:
    """What the data files of a server are called. Those of a cluster say of how many, since each holds a share of the keys."""
    return shard.name if count == 1 else f"{shard.name}_of_{count}"


def configuration(
    shard: Shard, directory: str, data: str, conf: Mapping[str, str], secrets: Secrets | None, module: str | None, cluster: bool
) -> str:
    """The configuration file of a server, whose data files are called `data`.

    >>> print(configuration(Shard("db", socket="/run/a b"), "/db", "db", {"save": "60 1"}, None, None, False), end="")
    port 0
    unixsocket "/run/a b"
    unixsocketperm 700
    dir "/db"
    dbfilename "db.rdb"
    appendfilename "db.aof"
    save 60 1
    """
    if shard.socket:
        lines = ["port 0", f"unixsocket {quoted(shard.socket)}", "unixsocketperm 700"]
    else:
        lines = [f"port {shard.port}", f"bind {shard.host}", "protected-mode no"]
    lines += [f"dir {quoted(directory)}", f"dbfilename {quoted(data + '.rdb')}", f"appendfilename {quoted(data + '.aof')}"]
    if cluster:
        lines += ["cluster-enabled yes", f"cluster-config-file {quoted(shard.name + '.nodes')}"]
    if secrets is not None:
        lines += users(secrets, module is not None)
    if module is not None:
        lines.append(f"loadmodule {quoted(module)}")
    lines += [f"{key} {value or chr(34) * 2}" for key, value in conf.items()]
    return "\n".join(lines) + "\n"


def users(secrets: Secrets, module: bool) -> list[str]:
    """Who may log in, and do what. A server without the `module` does not know its commands, nor how to deny them.

    >>> for line in users(Secrets("one", "two"), module=True):
    ...     print(line)
    user default off
    user smartensemble on >one ~* &* +@all -ai._next -ai._done -ai._shared
    user smartensemble_worker on >two ~* -@all +@connection +get +ai._next +ai._done +ai._shared
    """
    allowed = f"user {USER} on >{secrets.user} ~* &* +@all"
    if not module:
        return ["user default off", allowed]
    denied, given = (" ".join(sign + name for name in PRIVATE) for sign in "-+")
    return [
        "user default off",
        f"{allowed} {denied}",
        f"user {WORKER_USER} on >{secrets.worker} ~* -@all +@connection +get {given}",
    ]


def quoted(text: str) -> str:
    r"""`text` as one word of a configuration file.

    >>> print(quoted('/home/a "b"'))
    "/home/a \"b\""
    """
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return f'"{escaped}"'


def checked_setting(subject: str, key: object, value: object) -> tuple[str, str]:
    """A line of configuration that a caller may set."""
    if not isinstance(key, str) or isinstance(value, bool) or not isinstance(value, (str, int)):
        raise InputTypeError(f"{subject}: set_db_conf({key!r}, {value!r}): give text; for example ('maxmemory', '2gb')")
    name = key.lower()
    if not re.fullmatch(r"[a-z0-9-]+", name):
        raise InputValueError(f"{subject}: {key!r} is no name of a setting; for example 'maxmemory'")
    if name in OURS:
        raise InputValueError(f"{subject}: {key!r} is not set by set_db_conf; it follows from {OURS[name]}")
    if not str(value).isprintable():
        raise InputValueError(f"{subject}: {key}: {value!r} is more than a line of text; give one line")
    return name, str(value)


def speakable(socket: str) -> bool:
    """A unix socket that every client can be told of: short, and of characters that SSDB takes.

    >>> speakable("/tmp/study/db"), speakable("/tmp/my study/db"), speakable("/" + "d" * 200)
    (True, False, False)
    """
    return len(socket.encode()) <= LONGEST_SOCKET and re.fullmatch(r"[A-Za-z0-9./_-]+", socket) is not None
