"""Databases as clients meet them, and the two clients: ours, and SmartRedis' where it is installed."""

from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any, cast

import pytest

import smartensemble.client
from smartensemble import Experiment, Orchestrator
from smartensemble.databases.orchestrator import running_servers
from smartensemble.runtime.servers.running import RunningServers

#: The ways in which a client reaches a database: how it is created.
MODES: dict[str, dict[str, Any]] = {
    "unix": {"access": "private"},
    "tcp": {"access": "open"},
    "shards": {"access": "open", "db_nodes": 3},
    "password": {"access": "password"},
}
QUIET = {"SR_LOG_LEVEL": "QUIET", "SR_LOG_FILE": "/dev/null"}


class Clients:
    """A database, and clients that connect to it as members do."""

    def __init__(self, mode: str, db: Orchestrator, monkeypatch: pytest.MonkeyPatch) -> None:
        self.mode, self.db, self._monkeypatch = mode, db, monkeypatch
        self._ours: list[smartensemble.client.Client] = []

    def connect(self, module: ModuleType = smartensemble.client, **variables: str) -> Any:
        """A client of `module` with the variables of a member, and these."""
        with self._monkeypatch.context() as patch:
            for name, value in (self.db.env | variables).items():
                patch.setenv(name, value)
            client = module.Client(None, "test")
        if isinstance(client, smartensemble.client.Client):
            self._ours.append(client)
        return client

    def ask(self, *command: str | bytes) -> list[Any]:
        """The reply of each server to its owner."""
        servers = cast(RunningServers, running_servers(self.db))
        return [servers.request(shard, *command) for shard in servers.shards]

    def keys(self) -> set[str]:
        """All keys."""
        return {str(key) for keys in self.ask("KEYS", "*") for key in keys}

    def close(self) -> None:
        """Close our clients; SmartRedis' cannot be closed."""
        for client in self._ours:
            client.close()


@pytest.fixture(scope="module")
def created(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Orchestrator]]:
    """Databases of the tests of a file, one at a time: the same one for tests of one mode that follow each other."""
    running: dict[str, tuple[Experiment, Orchestrator]] = {}

    def created(mode: str) -> Orchestrator:
        if mode not in running:
            stop()
            exp = Experiment("study", tmp_path_factory.mktemp("clients"))
            running[mode] = exp, exp.create_database(**MODES[mode])
            exp.start(running[mode][1])
        return running[mode][1]

    def stop() -> None:
        while running:
            running.popitem()[1][0].stop(grace=0)

    yield created
    stop()


@pytest.fixture(params=[pytest.param(mode, marks=pytest.mark.needs("database")) for mode in MODES])
def mode(request: pytest.FixtureRequest) -> str:
    """How a client reaches its database."""
    return str(request.param)


@pytest.fixture
def clients(mode: str, created: Callable[[str], Orchestrator], monkeypatch: pytest.MonkeyPatch) -> Iterator[Clients]:
    """A database of each kind, without keys."""
    for name, value in QUIET.items():
        monkeypatch.setenv(name, value)
    made = Clients(mode, created(mode), monkeypatch)
    made.ask("FLUSHALL")
    yield made
    made.close()


@pytest.fixture
def client(clients: Clients) -> Any:
    """Our client of a database of each kind."""
    return clients.connect()
