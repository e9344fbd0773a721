"""The files that a server reads when it starts.

A sharded database is formed before its servers start: in its nodes file, each server finds the others, and the keys of each.
So the servers negotiate nothing, and a database that starts again on other ports has its data. The file has the format of the
reply to ``CLUSTER NODES``, see https://valkey.io/commands/cluster-nodes/.
"""

import re
from collections.abc import Mapping, Sequence

from smartensemble.checks import LARGEST
from smartensemble.databases.shard import BUS, Shard, slot_range
from smartensemble.databases.users import Secrets, users
from smartensemble.errors import InputTypeError, InputValueError, shown

#: The settings that follow from arguments, so no caller sets them, and the arguments that they follow from.
FIXED = {
    **dict.fromkeys(("port", "bind", "unixsocket", "unixsocketperm", "protected-mode"), "port, interface and access"),
    **dict.fromkeys(("requirepass", "user", "aclfile"), "access"),
    **dict.fromkeys(("dir", "dbfilename", "appendfilename", "logfile", "pidfile"), "path"),
    **dict.fromkeys(("cluster-enabled", "cluster-config-file"), "db_nodes"),
    **dict.fromkeys(("daemonize", "supervised"), "start(detach=True)"),
}
#: The first line of a configuration file, by which we know that it is ours.
OURS = "# written by smartensemble, anew at each start"


def nodes_file(shards: Sequence[Shard], mine: Shard) -> str:
    """The nodes file of the server `mine` of a sharded database: all servers, and the slots of each.

    >>> print(nodes_file([Shard("db_0", "127.0.0.1", 7000, node="a" * 40)], Shard("db_0", node="a" * 40)), end="")
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
    """The name of a server's data files. In a sharded database it has the number of servers, which share the keys."""
    return shard.name if count == 1 else f"{shard.name}_of_{count}"


def configuration(
    shard: Shard, directory: str, data: str, conf: Mapping[str, str], secrets: Secrets, module: str, sharded: bool
) -> str:
    """The configuration file of a server, whose data files are called `data`.

    >>> text = configuration(Shard("db", socket="/run/a b"), "/db", "db", {"save": "60 1"}, Secrets("1", "2"), "/m.so", False)
    >>> for line in text.splitlines():
    ...     if not line.startswith("user "):
    ...         print(line)
    # written by smartensemble, anew at each start
    port 0
    unixsocket "/run/a b"
    unixsocketperm 700
    dir "/db"
    dbfilename "db.rdb"
    appendfilename "db.aof"
    loadmodule "/m.so"
    save 60 1
    """
    if shard.socket:
        lines = [OURS, "port 0", f"unixsocket {quoted(shard.socket)}", "unixsocketperm 700"]
    else:
        lines = [OURS, f"port {shard.port}", f"bind {shard.host}", "protected-mode no"]
    lines += [f"dir {quoted(directory)}", f"dbfilename {quoted(data + '.rdb')}", f"appendfilename {quoted(data + '.aof')}"]
    if sharded:
        lines += ["cluster-enabled yes", f"cluster-config-file {quoted(shard.name + '.nodes')}"]
    lines += users(secrets)
    lines.append(f"loadmodule {quoted(module)}")
    lines += [f"{key} {value or chr(34) * 2}" for key, value in conf.items()]
    return "\n".join(lines) + "\n"


def quoted(text: str) -> str:
    r"""`text` as one word of a configuration file.

    >>> print(quoted('/home/a "b"'))
    "/home/a \"b\""
    """
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return f'"{escaped}"'


def checked_setting(subject: str, key: object, value: object) -> tuple[str, str]:
    """A line of configuration, if a caller may set it."""
    too_large = isinstance(value, int) and abs(value) > LARGEST
    if not isinstance(key, str) or isinstance(value, bool) or not isinstance(value, (str, int)) or too_large:
        raise InputTypeError(
            f"{subject}: set_db_conf({shown(key)}, {shown(value)}): give text; for example ('maxmemory', '2gb')"
        )
    name = key.lower()
    if not re.fullmatch(r"[a-z0-9-]+", name):
        raise InputValueError(f"{subject}: {shown(key)} is no name of a setting; for example 'maxmemory'")
    if name in FIXED:
        raise InputValueError(f"{subject}: {shown(key)} is not set by set_db_conf; it follows from {FIXED[name]}")
    if not str(value).isprintable():
        raise InputValueError(f"{subject}: {key}: {shown(value)} is more than a line of text; give one line")
    return name, str(value)
