"""The program that runs on a node of a cluster for a database, and becomes one of its servers, or a worker.

``python -m smartensemble.runtime.servers.node_agent FILE server 2`` writes into a file where server 2 will listen, waits until
the others have done so too, and becomes the server: only the node itself knows its addresses and its free ports. Without a
number, the agent takes its rank from the run command. ``worker`` waits until the servers answer, and becomes a worker.
"""

import json
import os
import signal
import socket
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import NamedTuple, NoReturn

from smartensemble.command import Command
from smartensemble.databases.config import configuration, data_name, nodes_file
from smartensemble.databases.shard import BUS, Shard
from smartensemble.databases.users import WORKER_USER, Secrets
from smartensemble.errors import SmartEnsembleError, StateError
from smartensemble.results.notes import Notes
from smartensemble.runtime.servers.addresses import PORTS, address_of, choose_port, is_free, write_private
from smartensemble.runtime.servers.resp import Refusal, request
from smartensemble.runtime.servers.workers import WORKER, url
from smartensemble.schedulers.script import member_script

ADDRESS_TIMEOUT_S = 60.0  #: until all servers have announced their addresses
POLL_INTERVAL_S = 0.02  #: between two looks for that, and between two attempts to reach a server
#: Where run commands say which of its processes this one is.
RANK_NUMBERS = ("SLURM_PROCID", "PALS_RANKID", "PMI_RANK", "OMPI_COMM_WORLD_RANK")


@dataclass(frozen=True)
class Assignment:
    """The assignment of all servers of a database. The driver writes it for the nodes, to a private file."""

    identifier: str
    token: str  #: of this start: what an earlier one has left is not taken for an answer
    names: list[str]
    ids: list[str]  #: what the servers of a sharded database call each other
    program: str
    interface: list[str]
    port: int | None
    conf: dict[str, str]
    secrets: Secrets
    module: str
    worker: list[str]  #: options of a worker

    def write(self, path: Path) -> None:
        """Write it for the nodes."""
        write_private(path, json.dumps(asdict(self)))

    @classmethod
    def read(cls, path: Path) -> "Assignment":
        """The assignment in a file."""
        fields = json.loads(path.read_text())
        return cls(**fields | {"secrets": Secrets(**fields["secrets"])})


class Announcement(NamedTuple):
    """Where a server will listen, which it announces before it starts."""

    shard: Shard  #: where it will listen
    host: str  #: the name of the machine it runs on


def announced(directory: Path, name: str, token: str) -> Announcement | None:
    """The announcement of the server `name`; None if there is none yet."""
    try:
        fields = json.loads((directory / f"{name}.address").read_text())
    except (OSError, ValueError):
        return None
    return Announcement(Shard.at(name, fields["address"]), fields["host"]) if fields["token"] == token else None


def main(argv: list[str]) -> int:
    """Become a server, or a worker; if that fails, the exit code."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # whoever started us may have ignored it, and the server inherits that
    path, role, *number = argv
    directory = Path(path).parent
    assignment = Assignment.read(Path(path))
    if role == "worker":
        work(assignment, directory)
    name = assignment.identifier
    try:
        rank = int(number[0]) if number else next((int(os.environ[rank]) for rank in RANK_NUMBERS if rank in os.environ), 0)
        name = assignment.names[rank]
        serve(assignment, directory, rank)
    except (SmartEnsembleError, OSError) as error:
        with suppress(OSError):  # of a full disk, standard error and the exit code still tell
            (directory / f"{name}.err").write_text(f"{error}\n")
            (directory / f"{name}.exit").write_text("1\n")  # the driver need not wait for those that wait for this one
        Notes(sys.stderr).say(str(error))
    return 1


def serve(assignment: Assignment, directory: Path, number: int) -> NoReturn:
    """Become server `number`."""
    name, sharded = assignment.names[number], len(assignment.names) > 1
    host = address_of(assignment.identifier, assignment.interface[0])
    if assignment.port is None:
        ports = PORTS[number :: len(assignment.names)]  # two servers of one host do not choose the same
        port = choose_port(host, sharded, set(), ports)
    else:
        port = assignment.port + number
        if not is_free(host, port) or (sharded and not is_free(host, port + BUS)):
            raise StateError(f"{name}: port {port} of {host} is in use; leave port out, and a free one is chosen")
    mine = {"token": assignment.token, "address": f"{host}:{port}", "host": socket.gethostname()}
    write_private(directory / f"{name}.address", json.dumps(mine))
    found = collect_addresses(assignment, directory)
    shards = [replace(shard, node=node) for shard, node in zip(found, assignment.ids, strict=True)]
    data = data_name(shards[number], len(shards))
    conf = configuration(
        shards[number], str(directory), data, assignment.conf, assignment.secrets, assignment.module, sharded=sharded
    )
    write_private(directory / f"{name}.conf", conf)
    if sharded:
        write_private(directory / f"{name}.nodes", nodes_file(shards, shards[number]))
    script = directory / f"{name}.sh"
    server = Command((assignment.program, f"{directory}/{name}.conf"), directory, {"LC_ALL": "C"}, name)
    script.write_text(member_script(server))
    os.execv("/bin/bash", ["bash", str(script)])


def collect_addresses(assignment: Assignment, directory: Path) -> list[Shard]:
    """The servers, when all of them have announced their addresses."""
    limit = time.monotonic() + ADDRESS_TIMEOUT_S
    while True:
        answers = {name: announced(directory, name, assignment.token) for name in assignment.names}
        if all(answers.values()):
            return [answer.shard for answer in answers.values() if answer]
        if time.monotonic() > limit:
            silent = next(name for name, answer in answers.items() if answer is None)
            raise StateError(f"{silent}: has not said where it listens within {ADDRESS_TIMEOUT_S:g} s; look at its .err file")
        time.sleep(POLL_INTERVAL_S)


def work(assignment: Assignment, directory: Path) -> NoReturn:
    """Become a worker, when the servers answer. A server that reads much data may need any time for that."""
    shards = collect_addresses(assignment, directory)
    for shard in shards:
        while True:
            try:
                request(shard, "PING", password=assignment.secrets.worker, user=WORKER_USER)
                break
            except (OSError, Refusal):
                if (directory / f"{shard.name}.exit").exists():
                    sys.exit(f"{shard.name}: has ended")
                time.sleep(POLL_INTERVAL_S)
    os.environ["REDISCLI_AUTH"] = assignment.secrets.worker
    addresses = [word for shard in shards for word in ("--address", url(shard))]
    os.execv(WORKER[0], [*WORKER, *assignment.worker, *addresses])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
