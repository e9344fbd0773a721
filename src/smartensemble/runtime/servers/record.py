"""The record of a database that runs, by which another process finds it."""

import json
from dataclasses import asdict
from pathlib import Path

from smartensemble.databases.orchestrator import Orchestrator
from smartensemble.databases.shard import USER, WORKER_USER, Secrets, Shard
from smartensemble.errors import InputValueError, StateError
from smartensemble.runtime.journal.process import Process
from smartensemble.runtime.servers.addresses import write_private
from smartensemble.runtime.servers.running import RunningServers, lives


def record(db: Orchestrator, servers: RunningServers) -> None:
    """Write down how another process reaches the servers."""
    shards = [
        {"name": shard.name, "address": shard.address, "process": asdict(process)}
        for shard, process in zip(servers.shards, servers.processes, strict=True)
    ]
    said: dict[str, object] = {"db_identifier": db.db_identifier, "access": db.access, "shards": shards}
    said |= {"launcher": db.launcher, "job": servers.job, "socket_directory": servers.directory}
    said |= {"workers": str(servers.journal) if servers.journal else None}
    if servers.secrets is not None:
        said |= {"user": USER, "password": servers.secrets.user}
        said |= {"worker_user": WORKER_USER, "worker_password": servers.secrets.worker}
    write_private(Path(db.checkpoint_file), json.dumps(said, indent=1) + "\n")


def check_record(db: Orchestrator) -> None:
    """An error, if servers run in the directory of `db`."""
    try:
        said = json.loads(Path(db.checkpoint_file).read_text())
        found = [(Shard.at(shard["name"], shard["address"]), Process(**shard["process"])) for shard in said["shards"]]
        living = [process for shard, process in found if lives(shard, process)]
    except (OSError, ValueError, KeyError, TypeError):
        return
    if living:
        raise StateError(
            f"{db.db_identifier}: runs in {db.path} already, as {living[0]}; reconnect to it or stop it, or choose another path"
        )


def reconnect(checkpoint: str) -> tuple[Orchestrator, RunningServers]:
    """The database that was started by another process, which wrote `checkpoint`, and its servers.

    :raises InputValueError: it is no such file.
    :raises StateError: its servers do not answer.
    """
    path = Path(checkpoint).absolute()
    try:
        said = json.loads(path.read_text())
        shards = [Shard.at(shard["name"], shard["address"]) for shard in said["shards"]]
        network = None if shards[0].socket else shards[0].port
        name, access = said["db_identifier"], said["access"]
        db = Orchestrator(path.parent, network, db_nodes=len(shards), db_identifier=name, access=access)
        secrets = Secrets(said["password"], said["worker_password"]) if "password" in said else None
        servers = RunningServers(name, shards, secrets)
        servers.journal = Path(said["workers"]) if said["workers"] else None
        servers.processes = [Process(**shard["process"]) for shard in said["shards"]]
        servers.directory = said["socket_directory"]
        db.launcher = said.get("launcher", "local")
        servers.job = tuple(said["job"]) if said.get("job") else None
    except FileNotFoundError:
        raise InputValueError(f"{path}: is not there; give the checkpoint_file of a database that runs") from None
    except OSError as error:
        raise InputValueError(f"{path}: cannot be read: {error.strerror}; give the checkpoint_file of a database") from None
    except (ValueError, LookupError, TypeError) as error:
        raise InputValueError(f"{path}: describes no database ({error}); give the checkpoint_file of one") from None
    if not servers.answer():
        raise StateError(f"{name}: does not answer at {', '.join(shard.address for shard in shards)}; start it again")
    return db, servers


def forget(db: Orchestrator) -> None:
    """Delete the record, when the servers have ended."""
    Path(db.checkpoint_file).unlink(missing_ok=True)
