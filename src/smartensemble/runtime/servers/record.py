"""The record of a database that runs, by which another process finds it; and, apart from it, the owner's passwords."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from smartensemble.checks import read
from smartensemble.databases.orchestrator import Orchestrator
from smartensemble.databases.shard import Shard
from smartensemble.databases.users import OWNER_USER, USER, WORKER_USER, Secrets
from smartensemble.errors import InputValueError, StateError, located
from smartensemble.runtime.journal.process import Process
from smartensemble.runtime.servers.addresses import write_private
from smartensemble.runtime.servers.resp import answers
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
    owner: str  #: the file with the owner's password; this record is for members too
    launcher: str = "local"
    job: tuple[str, str] | None = None  #: that the servers run in: its scheduler, and its number there
    socket_directory: str | None = None  #: made for the socket
    workers: str | None = None  #: the journal of the workers
    user: str | None = None
    password: str | None = None

    @classmethod
    def of(cls, db: Orchestrator, servers: RunningServers) -> "DatabaseRecord":
        """The record of a database that was started."""
        pairs = zip(servers.shards, servers.processes, strict=True)
        secrets = servers.secrets
        return cls(
            db_identifier=db.db_identifier,
            access=db.access,
            shards=tuple(ServerRecord(shard.name, shard.address, process) for shard, process in pairs),
            owner=db.owner_file,
            launcher=db.launcher,
            job=servers.job,
            socket_directory=servers.directory,
            workers=str(servers.journal) if servers.journal else None,
            user=USER if secrets.member else None,
            password=secrets.member,
        )

    @classmethod
    def read(cls, path: Path) -> "DatabaseRecord":
        """The record in a file.

        :raises OSError: it cannot be read.
        :raises ValueError: it is no record; TypeError or LookupError if a field has another type, or is missing.
        """
        fields = json.loads(read(path))
        shards = tuple(ServerRecord(each["name"], each["address"], Process.read(each["process"])) for each in fields["shards"])
        known = {name: fields[name] for name in cls.__dataclass_fields__ if name in fields}  # a later version may write more
        return cls(**known | {"shards": shards, "job": tuple(fields["job"]) if fields.get("job") else None})

    def write(self, path: Path) -> None:
        """Write it to a file that only its owner can read, without the login fields if there is no password."""
        fields = asdict(self)
        if self.password is None:
            del fields["user"], fields["password"]
        write_private(path, json.dumps(fields, indent=1) + "\n")

    def secrets(self) -> Secrets:
        """The passwords of all users, if this process may read them.

        :raises StateError: its servers do not answer, so the file with the passwords may be gone.
        :raises InputValueError: they do, and the file cannot be read.
        """
        try:
            fields = json.loads(read(Path(self.owner)))
            return Secrets(fields["password"], fields["worker_password"], self.password)
        except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
            if not any(answers(each.shard) for each in self.shards):
                raise self.silent() from None
            raise InputValueError(
                f"{self.owner}: cannot be read ({error}), and has the owner's password; reconnect as the user who started "
                f"{self.db_identifier}"
            ) from None

    def silent(self) -> StateError:
        """The error that its servers do not answer."""
        addresses = ", ".join(each.address for each in self.shards)
        return StateError(f"{self.db_identifier}: does not answer at {addresses}; start it again")

    def database(self, directory: Path, kind: type[Orchestrator]) -> Orchestrator:
        """The database, whose files are in `directory`, as one of `kind`."""
        first = self.shards[0].shard
        network = None if first.socket else first.port
        count = len(self.shards)
        db = kind(directory, network, db_nodes=count, db_identifier=self.db_identifier, access=self.access)
        db.launcher = self.launcher
        return db

    def servers(self, directory: Path) -> RunningServers:
        """Its servers, to send requests to, and to end."""
        servers = RunningServers(self.db_identifier, str(directory), [each.shard for each in self.shards], self.secrets())
        servers.journal = Path(self.workers) if self.workers else None
        servers.processes = [each.process for each in self.shards]
        servers.directory = self.socket_directory
        servers.job = self.job
        return servers


def record(db: Orchestrator, servers: RunningServers) -> None:
    """Record how another process reaches the servers, and how their owner does."""
    secrets = servers.secrets
    owner = {"user": OWNER_USER, "password": secrets.owner, "worker_user": WORKER_USER, "worker_password": secrets.worker}
    write_private(Path(db.owner_file), json.dumps(owner, indent=1) + "\n")
    DatabaseRecord.of(db, servers).write(Path(db.checkpoint_file))


def check_record(db: Orchestrator) -> None:
    """An error, if servers run in the directory of `db`."""
    try:
        found = DatabaseRecord.read(Path(db.checkpoint_file)).shards
        living = [each.process for each in found if lives(each.shard, each.process)]
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return
    if living:
        raise StateError(
            f"{db.db_identifier}: runs in {db.path} already, as {living[0]}; reconnect to it or stop it, or choose another path"
        )


def reconnect(checkpoint: str, kind: type[Orchestrator] = Orchestrator) -> tuple[Orchestrator, RunningServers]:
    """The database that was started by another process, which wrote `checkpoint`, and its servers.

    :raises InputValueError: `checkpoint` is not such a file, or the owner's password cannot be read.
    :raises StateError: its servers do not answer.
    """
    path = Path(checkpoint).absolute()
    try:
        found = DatabaseRecord.read(path)
        db = found.database(path.parent, kind)
    except FileNotFoundError:
        raise InputValueError(f"{located(str(path))}: is not there; give the checkpoint_file of a database that runs") from None
    except OSError as error:
        raise InputValueError(
            f"{located(str(path))}: cannot be read: {error.strerror or 'is no file'}; give the checkpoint_file of a database"
        ) from None
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise InputValueError(
            f"{located(str(path))}: describes no database ({error}); give the checkpoint_file of one"
        ) from None
    servers = found.servers(path.parent)
    if not servers.answer():
        raise found.silent()
    return db, servers


def forget(db: Orchestrator) -> None:
    """Delete the record and the passwords, when the servers have ended."""
    for path in (db.checkpoint_file, db.owner_file):
        Path(path).unlink(missing_ok=True)
