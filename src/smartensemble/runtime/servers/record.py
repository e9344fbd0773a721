"""The record of a database that runs, by which another process finds it."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from smartensemble.databases.orchestrator import Orchestrator
from smartensemble.databases.shard import USER, WORKER_USER, Secrets, Shard
from smartensemble.errors import InputValueError, StateError
from smartensemble.runtime.journal.process import Process
from smartensemble.runtime.servers.addresses import write_private
from smartensemble.runtime.servers.running import RunningServers, lives


@dataclass(frozen=True)
class ServerRecord:
    """One server: where it listens, and as which process it runs."""

    name: str
    address: str
    process: Process

    @property
    def shard(self) -> Shard:
        """The server, to send requests to."""
        return Shard.at(self.name, self.address)


@dataclass(frozen=True)
class DatabaseRecord:
    """How another process reaches and ends the servers of a database; the file has these field names."""

    db_identifier: str
    access: str
    shards: tuple[ServerRecord, ...]
    launcher: str = "local"
    job: tuple[str, str] | None = None  #: that the servers run in: its scheduler, and its number there
    socket_directory: str | None = None  #: made for the socket
    workers: str | None = None  #: the journal of the workers
    user: str | None = None
    password: str | None = None
    worker_user: str | None = None
    worker_password: str | None = None

    @classmethod
    def of(cls, db: Orchestrator, servers: RunningServers) -> "DatabaseRecord":
        """The record of a database that was started."""
        pairs = zip(servers.shards, servers.processes, strict=True)
        secrets = servers.secrets
        return cls(
            db_identifier=db.db_identifier,
            access=db.access,
            shards=tuple(ServerRecord(shard.name, shard.address, process) for shard, process in pairs),
            launcher=db.launcher,
            job=servers.job,
            socket_directory=servers.directory,
            workers=str(servers.journal) if servers.journal else None,
            user=USER if secrets else None,
            password=secrets.user if secrets else None,
            worker_user=WORKER_USER if secrets else None,
            worker_password=secrets.worker if secrets else None,
        )

    @classmethod
    def read(cls, path: Path) -> "DatabaseRecord":
        """The record in a file.

        :raises OSError: it cannot be read.
        :raises ValueError: it is no record; TypeError or LookupError if a field has another type, or is missing.
        """
        fields = json.loads(path.read_text())
        shards = tuple(ServerRecord(each["name"], each["address"], Process.read(each["process"])) for each in fields["shards"])
        known = {name: fields[name] for name in cls.__dataclass_fields__ if name in fields}  # a later version may write more
        return cls(**known | {"shards": shards, "job": tuple(fields["job"]) if fields.get("job") else None})

    def write(self, path: Path) -> None:
        """Write it to a file that only its owner can read, without the login fields if there is no password."""
        fields = asdict(self)
        if self.password is None:
            for name in ("user", "password", "worker_user", "worker_password"):
                del fields[name]
        write_private(path, json.dumps(fields, indent=1) + "\n")

    @property
    def secrets(self) -> Secrets | None:
        """The passwords, if it has some."""
        return Secrets(self.password, self.worker_password) if self.password and self.worker_password else None

    def database(self, directory: Path, kind: type[Orchestrator]) -> Orchestrator:
        """The database, whose files are in `directory`, as one of `kind`."""
        first = self.shards[0].shard
        network = None if first.socket else first.port
        count = len(self.shards)
        db = kind(directory, network, db_nodes=count, db_identifier=self.db_identifier, access=self.access)
        db.launcher = self.launcher
        return db

    def servers(self) -> RunningServers:
        """Its servers, to send requests to, and to end."""
        servers = RunningServers(self.db_identifier, [each.shard for each in self.shards], self.secrets)
        servers.journal = Path(self.workers) if self.workers else None
        servers.processes = [each.process for each in self.shards]
        servers.directory = self.socket_directory
        servers.job = self.job
        return servers


def record(db: Orchestrator, servers: RunningServers) -> None:
    """Record how another process reaches the servers."""
    DatabaseRecord.of(db, servers).write(Path(db.checkpoint_file))


def check_record(db: Orchestrator) -> None:
    """An error, if servers run in the directory of `db`."""
    try:
        found = DatabaseRecord.read(Path(db.checkpoint_file)).shards
        living = [each.process for each in found if lives(each.shard, each.process)]
    except (OSError, ValueError, LookupError, TypeError):
        return
    if living:
        raise StateError(
            f"{db.db_identifier}: runs in {db.path} already, as {living[0]}; reconnect to it or stop it, or choose another path"
        )


def reconnect(checkpoint: str, kind: type[Orchestrator] = Orchestrator) -> tuple[Orchestrator, RunningServers]:
    """The database that was started by another process, which wrote `checkpoint`, and its servers.

    :raises InputValueError: `checkpoint` is not such a file.
    :raises StateError: its servers do not answer.
    """
    path = Path(checkpoint).absolute()
    try:
        found = DatabaseRecord.read(path)
        db, servers = found.database(path.parent, kind), found.servers()
    except FileNotFoundError:
        raise InputValueError(f"{path}: is not there; give the checkpoint_file of a database that runs") from None
    except OSError as error:
        raise InputValueError(f"{path}: cannot be read: {error.strerror}; give the checkpoint_file of a database") from None
    except (ValueError, LookupError, TypeError) as error:
        raise InputValueError(f"{path}: describes no database ({error}); give the checkpoint_file of one") from None
    if not servers.answer():
        addresses = ", ".join(each.address for each in found.shards)
        raise StateError(f"{found.db_identifier}: does not answer at {addresses}; start it again")
    return db, servers


def forget(db: Orchestrator) -> None:
    """Delete the record, when the servers have ended."""
    Path(db.checkpoint_file).unlink(missing_ok=True)
