"""What runs on a node of a cluster for a database: one of its servers, or a worker.

``python -m smartensemble.runtime.servers.node_agent FILE server 2`` says in a file where server 2 will listen, waits until the
others have said so too, and becomes the server: nobody but the node itself knows its addresses and its free ports. Without a
number it is the one that its run command gives the process. ``worker`` waits until the servers answer, and becomes a worker.
"""

import json
import os
import socket
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NoReturn

from smartensemble.command import Command
from smartensemble.databases.config import configuration, data_name, nodes
from smartensemble.databases.shard import BUS, Secrets, Shard
from smartensemble.errors import SmartEnsembleError, StateError
from smartensemble.runtime.servers.addresses import PORTS, address_of, free_port, is_free, write_private
from smartensemble.runtime.servers.resp import Refusal, ask
from smartensemble.runtime.servers.workers import WORKER, url
from smartensemble.schedulers.script import member_script

SILENCE = 60.0  #: seconds that a server may wait for the others to say where they listen
PAUSE = 0.02
#: Where run commands say which of its processes this one is.
RANKS = ("SLURM_PROCID", "PALS_RANKID", "PMI_RANK", "OMPI_COMM_WORLD_RANK")


@dataclass(frozen=True)
class Asked:
    """What the driver asks of all servers of a database, in a file that only its owner reads."""

    identifier: str
    token: str  #: of this start: what an earlier one has left is not taken for an answer
    names: list[str]
    ids: list[str]  #: what the servers of a cluster call each other
    program: str
    interface: list[str]
    port: int | None
    conf: dict[str, str]
    secrets: Secrets | None
    module: str | None
    worker: list[str]  #: options of a worker

    def write(self, path: Path) -> None:
        """Write it for the nodes to read."""
        write_private(path, json.dumps(asdict(self)))

    @classmethod
    def read(cls, path: Path) -> "Asked":
        """What was written."""
        said = json.loads(path.read_text())
        return cls(**said | {"secrets": said["secrets"] and Secrets(*said["secrets"])})


def announced(directory: Path, name: str, token: str) -> tuple[Shard, str] | None:
    """Where the server `name` said that it listens, and on which host it runs; None if it has not said so yet."""
    try:
        said = json.loads((directory / f"{name}.address").read_text())
    except (OSError, ValueError):
        return None
    return (Shard.at(name, said["address"]), said["host"]) if said["token"] == token else None


def main(argv: list[str]) -> int:
    """Become a server, or a worker; the exit code if that cannot be."""
    path, role, *number = argv
    directory = Path(path).parent
    asked = Asked.read(Path(path))
    if role == "worker":
        work(asked, directory)
    name = asked.identifier
    try:
        rank = int(number[0]) if number else next((int(os.environ[rank]) for rank in RANKS if rank in os.environ), 0)
        name = asked.names[rank]
        serve(asked, directory, rank)
    except (SmartEnsembleError, OSError) as error:
        (directory / f"{name}.err").write_text(f"{error}\n")
        (directory / f"{name}.exit").write_text("1\n")  # so that the driver need not wait for those that wait for this one
        print(error, file=sys.stderr)
    return 1


def serve(asked: Asked, directory: Path, number: int) -> NoReturn:
    """Become server `number`."""
    name, cluster = asked.names[number], len(asked.names) > 1
    host = address_of(asked.identifier, asked.interface[0])
    if asked.port is None:
        port = free_port(host, cluster, set(), PORTS[number :: len(asked.names)])  # two of one host do not choose the same
    else:
        port = asked.port + number
        if not is_free(host, port) or (cluster and not is_free(host, port + BUS)):
            raise StateError(f"{name}: port {port} of {host} is in use; leave port out, and a free one is chosen")
    mine = {"token": asked.token, "address": f"{host}:{port}", "host": socket.gethostname()}
    write_private(directory / f"{name}.address", json.dumps(mine))
    shards = [shard._replace(node=node) for shard, node in zip(gather(asked, directory), asked.ids, strict=True)]
    data = data_name(shards[number], len(shards))
    conf = configuration(shards[number], str(directory), data, asked.conf, asked.secrets, asked.module, cluster)
    write_private(directory / f"{name}.conf", conf)
    if cluster:
        write_private(directory / f"{name}.nodes", nodes(shards, shards[number]))
    script = directory / f"{name}.sh"
    script.write_text(member_script(Command((asked.program, f"{directory}/{name}.conf"), directory, {"LC_ALL": "C"}, name)))
    os.execv("/bin/bash", ["bash", str(script)])


def gather(asked: Asked, directory: Path) -> list[Shard]:
    """The servers, when all of them have said where they listen."""
    limit = time.monotonic() + SILENCE
    while True:
        said = {name: announced(directory, name, asked.token) for name in asked.names}
        if all(said.values()):
            return [answer[0] for answer in said.values() if answer]
        if time.monotonic() > limit:
            silent = next(name for name, answer in said.items() if answer is None)
            raise StateError(f"{silent}: has not said where it listens within {SILENCE:g} s; look at its .err file")
        time.sleep(PAUSE)


def work(asked: Asked, directory: Path) -> NoReturn:
    """Become a worker, when the servers answer: one that reads much data may take any time."""
    shards = gather(asked, directory)
    for shard in shards:
        while True:
            try:
                ask(shard, "PING", password=asked.secrets.user if asked.secrets else None)
                break
            except (OSError, Refusal):
                if (directory / f"{shard.name}.exit").exists():
                    sys.exit(f"{shard.name}: has ended")
                time.sleep(PAUSE)
    if asked.secrets:
        os.environ["REDISCLI_AUTH"] = asked.secrets.worker
    addresses = [word for shard in shards for word in ("--address", url(shard, asked.secrets))]
    os.execv(WORKER[0], [*WORKER, *asked.worker, *addresses])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
