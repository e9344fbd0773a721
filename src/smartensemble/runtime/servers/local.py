"""Start the servers of a database, wait until they are ready, and end them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from secrets import token_urlsafe

from smartensemble.command import Command
from smartensemble.databases.config import configuration, data_name, nodes_file
from smartensemble.databases.orchestrator import Orchestrator
from smartensemble.databases.users import Secrets
from smartensemble.errors import StateError
from smartensemble.runtime.journal.process import Process
from smartensemble.runtime.runner import Runner
from smartensemble.runtime.servers import workers
from smartensemble.runtime.servers.addresses import check_data, choose_addresses, free_socket, private_directory, write_private
from smartensemble.runtime.servers.record import check_record, record
from smartensemble.runtime.servers.resp import Refusal
from smartensemble.runtime.servers.running import RunningServers, process_id
from smartensemble.runtime.servers.server_program import find_server, module
from smartensemble.runtime.standalone.errors import TERM_GRACE_S
from smartensemble.runtime.standalone.network import claim

TRIES = 3  #: starts, if others take the free ports first
TAKEN = "Address already in use"


def start(db: Orchestrator, runner: Runner, detached: bool) -> RunningServers:
    """The servers of `db`, started and ready.

    :raises StateError: they could not be started; nothing is left running.
    """
    library, program = module(), find_server(db.server)  # in this order: where there is no module, pip has no server either
    check_record(db)
    with claimed(db):
        check_record(db)  # another program may have been quicker
        return _start(db, runner, detached, program, library)


@contextmanager
def claimed(db: Orchestrator) -> Iterator[None]:
    """Let no other program of this machine start servers in the directory of `db` meanwhile.

    :raises StateError: another one does so now.
    """
    try:
        Path(db.path).parent.mkdir(parents=True, exist_ok=True)
        held = claim(db.path)
    except OSError as error:
        raise StateError(f"{db.db_identifier}: could not be started: {error}; look at {db.path}") from error
    if held is None:
        raise StateError(
            f"{db.db_identifier}: another program is starting a database in {db.path}; reconnect to it, or choose another path"
        )
    with held:
        yield


def _start(db: Orchestrator, runner: Runner, detached: bool, program: str, library: str) -> RunningServers:
    for left in reversed(range(TRIES)):
        servers = RunningServers(db.db_identifier, db.path, choose_addresses(db), draw(db))
        try:
            commands = write(db, servers, program, library)
            servers.runs, _ = runner.serve(commands, detached)
            servers.wait_until_ready(runner)
            for shard in servers.shards:
                pid = process_id(str(servers.request(shard, "INFO", "server")))
                servers.processes.append(Process.of(pid))
            record(db, servers)
            if worker_commands := workers.commands(db, servers.shards, servers.secrets):
                # Only now: they do not wait for a server that reads its data.
                servers.workers, servers.journal = runner.serve(worker_commands, detached)
                record(db, servers)
        except BaseException as error:
            runner.stop([*servers.runs, *servers.workers], TERM_GRACE_S)
            servers.clean()
            if isinstance(error, StateError) and TAKEN in str(error) and db.port is None and left:
                continue
            if isinstance(error, (OSError, Refusal)):
                raise StateError(f"{db.db_identifier}: could not be started: {error}; look at {db.path}") from error
            raise
        return servers
    raise AssertionError  # the last try returns or raises


def draw(db: Orchestrator) -> Secrets:
    """Passwords that nobody can guess."""
    return Secrets(token_urlsafe(32), token_urlsafe(32), token_urlsafe(32) if db.access == "password" else None)


def write(db: Orchestrator, servers: RunningServers, program: str, library: str) -> list[Command]:
    """Write the files of the servers; the commands that start them."""
    directory = Path(db.path)
    directory.mkdir(mode=0o700, exist_ok=True)  # the server writes data that everybody may read
    if db.access == "private":
        shard = servers.shards[0]
        path, made = private_directory(db.path, shard.name)
        servers.directory = path if made else None
        shard = replace(shard, socket=os.path.join(path, shard.name))
        free_socket(db.db_identifier, shard)
        servers.shards = (shard,)  # only now is the socket ours to take away
    check_data(db, servers.shards)
    commands = []
    for shard in servers.shards:
        data = data_name(shard, len(servers.shards))
        text = configuration(shard, db.path, data, db.conf, servers.secrets, library, sharded=len(servers.shards) > 1)
        write_private(directory / f"{shard.name}.conf", text)
        if len(servers.shards) > 1:
            write_private(directory / f"{shard.name}.nodes", nodes_file(servers.shards, shard))
        # A server refuses to start where the locale of its environment is not installed.
        commands.append(Command((program, str(directory / f"{shard.name}.conf")), directory, {"LC_ALL": "C"}, shard.name))
    return commands
