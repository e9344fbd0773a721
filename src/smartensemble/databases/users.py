"""The users of a database: who may log in to its servers, and what each of them may do.

Members may do everything with data, and nothing with the server; workers have the commands that are made for them; the owner,
which is this package, has all. A rule names a command, and never what follows it; for CONFIG SET, see ``inference/module.c``.
The rules hold on each server from Redis 6.2 on, whose manual is https://valkey.io/topics/acl/.
"""

from dataclasses import dataclass

USER = "smartensemble"  #: as whom members log in where access is "password"; elsewhere they need not
WORKER_USER = "smartensemble_worker"  #: as whom workers do, everywhere
OWNER_USER = "smartensemble_owner"  #: and what starts, sets, saves and ends the servers

#: The commands of the module that are for workers alone: another client that sends them takes a worker's jobs away.
WORKER_COMMANDS = ("ai._next", "ai._done", "ai._shared")

#: What members may send of the commands that are an administrator's or dangerous, as the server sees it.
GRANTED = (
    "@read",  # KEYS and SORT_RO, which read as GET does
    *("sort", "flushdb", "flushall"),  # which write, as SET and DEL do
    *("info", "role", "config|get"),  # which tell how the server is
    *("save", "bgsave", "lastsave"),  # which write the file that the owner has named
    # Servers before 7.0 see no subcommands in a category, so these are denied there with all others of their command.
    *("acl|cat", "acl|genpass", "acl|help", "acl|whoami"),
    *("client|caching", "client|getname", "client|getredir", "client|help", "client|id", "client|info"),
    *("client|reply", "client|setname", "client|tracking", "client|trackinginfo"),
    *("cluster|countkeysinslot", "cluster|getkeysinslot", "cluster|help", "cluster|info"),
    *("cluster|keyslot", "cluster|myid", "cluster|nodes", "cluster|slots"),
    *("script|exists", "script|flush", "script|help", "script|kill", "script|load"),  # all but DEBUG, which stops the server
)


@dataclass(frozen=True)
class Secrets:
    """The passwords of a database's users."""

    owner: str
    worker: str
    member: str | None = None  #: None where members need none


def users(secrets: Secrets) -> list[str]:
    """The lines of a server's configuration that say who may log in, and do what.

    >>> for line in users(Secrets("one", "two")):
    ...     print(line[:80].partition(" -")[0])
    user default on nopass ~* &* +@all
    user smartensemble_worker on >two ~* resetchannels
    user smartensemble_owner on >one ~* &* +@all
    """
    denied = " ".join(f"-{name}" for name in WORKER_COMMANDS)
    members = f"~* &* +@all -@admin -@dangerous -script {' '.join(f'+{name}' for name in GRANTED)} {denied}"
    workers = f"-@all +@connection -@admin -@dangerous +get {' '.join(f'+{name}' for name in WORKER_COMMANDS)}"
    return [
        *([f"user default on nopass {members}"] if secrets.member is None else []),
        *(["user default off", f"user {USER} on >{secrets.member} {members}"] if secrets.member else []),
        f"user {WORKER_USER} on >{secrets.worker} ~* resetchannels {workers}",
        f"user {OWNER_USER} on >{secrets.owner} ~* &* +@all",
    ]
