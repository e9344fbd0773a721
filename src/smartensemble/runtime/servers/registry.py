"""The databases of an experiment: those that it started, and those to which it reconnected."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from smartensemble.databases.orchestrator import Orchestrator, attach, ignored_options, placement_of, running_servers
from smartensemble.errors import EntityExistsError, InputValueError, StateError, UnsupportedError
from smartensemble.results import notes
from smartensemble.results.no_effect import no_effect
from smartensemble.results.table import Seconds
from smartensemble.runtime.own_files import check_servers
from smartensemble.runtime.runner import Runner
from smartensemble.runtime.servers import cluster, local, record
from smartensemble.runtime.servers.running import RunningServers
from smartensemble.runtime.servers.store import store
from smartensemble.runtime.servers.workers import report_confinement
from smartensemble.runtime.standalone.errors import TERM_GRACE_S
from smartensemble.status import Status
from smartensemble.wire.models import Upload

logger = notes.logger(__name__)

AGAIN = "stop it, and start it again"
END_INTERVAL_S = 0.05  #: between two looks at servers that another program has started
END_NEWS_TIMEOUT_S = 0.5  #: until this process knows of a server's end
WHO = {
    "private": "only you reach it",
    "password": "who has the password reaches it",
    "open": "without a password, {} can read and change its data, and run models and scripts, which are code; {} others out",
}


class Databases:
    """By identifier: each member gets the variables of all of them."""

    def __init__(self, name: str, runner: Runner) -> None:
        self.name = name
        self._runner = runner
        self.known: dict[str, Orchestrator] = {}
        self._servers: dict[str, RunningServers] = {}
        self._reported: list[RunningServers] = []  #: that failed, and whose failure is in the log

    def add(self, db: Orchestrator) -> None:
        """Add `db`, whose identifier must be unique.

        :raises EntityExistsError: another database has this identifier.
        """
        if self.known.setdefault(db.db_identifier, db) is not db:
            raise EntityExistsError(
                f"{self.name}: there is a database {db.db_identifier!r}; give this one another db_identifier"
            )

    def check(self, databases: Iterable[Orchestrator]) -> None:
        """An error, unless all of `databases` may be started."""
        for db in check_apart(databases):
            self.add(db)
            if db.started and not self._of(db).dead:
                raise StateError(f"{db.db_identifier}: runs already, at {', '.join(db.get_address())}; stop it first")
            if db.launcher != self._runner.launcher_name:
                raise InputValueError(
                    f"{db.db_identifier}: is made for launcher {db.launcher!r}, and {self.name} has "
                    f"{self._runner.launcher_name!r}; make it by create_database()"
                )
            check_servers(db.db_identifier, cluster.server_names(db), db.path, self._runner.history.written)
            if placement_of(db):
                cluster.check(db, self._runner)
            elif db.launcher != "local":
                raise StateError(
                    f"{db.db_identifier}: another program placed it on {db.launcher}; make it anew by create_database(path=...)"
                )

    @property
    def running(self) -> list[Orchestrator]:
        """The databases that were started, and not stopped since."""
        return [db for db in self.known.values() if db.started]

    def others(self, databases: Sequence[Orchestrator]) -> list[Orchestrator]:
        """The running ones without `databases`, of which one that has died may start again."""
        return [db for db in self.running if db not in databases]

    def ready(self) -> list[Orchestrator]:
        """The running databases, all of which answer.

        :raises StateError: one of them does not.
        """
        for db in self.running:
            if not db.is_active():
                servers = self._of(db)
                self._runner.wait(lambda servers=servers: bool(servers.ended), END_NEWS_TIMEOUT_S)  # type: ignore[misc]
                why = "; ".join(servers.ended) or "it does not answer"
                raise StateError(f"{db.db_identifier}: does not serve any more: {why}\n{AGAIN}")
        return self.running

    def tell(self) -> None:
        """Report each failed database once: members may wait minutes for it without a message."""
        for db in self.running:
            servers = self._of(db)
            if servers not in self._reported and (why := news(servers)):
                self._reported.append(servers)
                logger.warning("%s: %s\n%s", db.db_identifier, why, AGAIN)

    def check_reachable(self) -> None:
        """An error, if members run on a cluster, and a database only on this machine.

        :raises UnsupportedError: it listens where no other machine reaches it.
        """
        if not self._runner.scheduler.control:
            return
        for db in self.running:
            if db.launcher == "local" and all(host.startswith("127.") for host in db.hosts):
                raise UnsupportedError(
                    f"{db.db_identifier}: listens at {db.get_address()[0]}, and members on the cluster do not reach that; "
                    f"start one by create_database() of an experiment with launcher={self._runner.launcher_name!r}"
                )

    def store(self, uploads: Sequence[Upload]) -> None:
        """Store models and scripts in all running databases."""
        for db in self.running:
            store(self._of(db), uploads, self._runner)

    @contextmanager
    def started(self, databases: Sequence[Orchestrator], detached: bool) -> Iterator[None]:
        """`databases`, started: all of them, or none; and none, if their members cannot start."""
        started: list[Orchestrator] = []
        try:
            self.stop([db for db in databases if db.started], TERM_GRACE_S)  # what is left of one that has died
            for db in databases:
                start = cluster.start if placement_of(db) else local.start
                self._servers[db.db_identifier] = servers = start(db, self._runner, detached)
                attach(db, servers)
                started.append(db)
                everybody = f"whoever reaches {db.interface[0]}" if db.interface else "every user of this machine"
                others = "access='password' keeps" if placement_of(db) else "access='private' or 'password' keeps"
                for option, why in ignored_options(db).items():
                    no_effect(f"{db.db_identifier}: {option}", why)
                line = f"{db.db_identifier}: at {', '.join(db.get_address())}; {WHO[db.access].format(everybody, others)}"
                logger.log(logging.WARNING if db.access == "open" else logging.INFO, line)
                if not placement_of(db):  # only a node itself knows its kernel
                    report_confinement(db.worker_options)
            yield
        except BaseException:
            self.stop(started, 0)
            raise

    def stop(self, databases: Iterable[Orchestrator], grace: float) -> None:
        """End `databases`; a database that does not run stays as it is."""
        problems = []
        for db in databases:
            if db.started:
                try:
                    self._of(db).stop(self._runner, grace)
                except StateError as error:
                    problems.append(error)
                else:
                    record.forget(db)
                    attach(db, None)
        if problems:
            raise problems[0]

    def reconnect(self, checkpoint: str, kind: type[Orchestrator]) -> Orchestrator:
        """The database that another process has started and recorded in `checkpoint`, as an object of `kind`."""
        db, servers = record.reconnect(checkpoint, kind)
        former = self.known.get(db.db_identifier)
        if former is not None and not former.started and db.db_identifier in self._servers:  # it has ended
            del self.known[db.db_identifier]
        self.add(db)
        self._servers[db.db_identifier] = servers
        attach(db, servers)
        return db

    def statuses(self, db: Orchestrator) -> list[Status]:
        """The status of each server of `db`."""
        if not db.started and db.db_identifier not in self._servers:
            return [Status.NEW] * db.db_nodes
        return self._of(db).statuses()

    def wait(self, databases: Sequence[Orchestrator], others: Callable[[], bool], timeout: float | None) -> bool:
        """Wait until all servers of `databases` have ended, and `others` too; False if `timeout` seconds pass before.

        :raises InputValueError: a database was not started.
        """
        limit = None if timeout is None else time.monotonic() + timeout
        for db in databases:
            if Status.NEW in self.statuses(db):
                raise InputValueError(f"{db.db_identifier}: was not started; start it first")

        def ended() -> bool:
            return others() and all(status.final for db in databases for status in self.statuses(db))

        while not self._runner.wait(ended, END_INTERVAL_S):
            if limit is not None and time.monotonic() >= limit:
                return False
        return True

    def _of(self, db: Orchestrator) -> RunningServers:
        """The servers of `db`, which another experiment may have started; those that were stopped last, if it does not run."""
        servers = running_servers(db) if db.started else None
        return servers if isinstance(servers, RunningServers) else self._servers[db.db_identifier]

    def rows(self) -> list[dict[str, object]]:
        """A row of the summary for each started server."""
        return [
            {
                "Name": shard.name,
                "Entity-Type": "DBNode",
                "JobID": run.job or run.handle or "",
                "RunID": 0,
                "Time": Seconds(run.seconds or 0),
                "Status": str(run.status),
                "Returncode": run.exit_code,
            }
            for servers in self._servers.values()
            for shard, run in zip(servers.shards, servers.runs, strict=False)
        ]


def news(servers: RunningServers) -> str:
    """What those who use a database must know of it; nothing while all is well."""
    if why := servers.failed:
        return f"does not serve any more: {why}"
    if why := servers.lost_workers:
        return f"has no worker any more, and runs no models and scripts: {why}"
    return ""


def check_apart(databases: Iterable[Orchestrator]) -> list[Orchestrator]:
    """`databases`, unless two of them on this machine have one directory, or one port.

    :raises InputValueError: they do.
    """
    checked = list(databases)
    taken: dict[object, str] = {}
    for db in checked:
        host = (db.interface or ["lo"])[0]
        ports = [] if db.port is None or placement_of(db) else range(db.port, db.port + db.db_nodes)
        for place, what in [(db.path, f"the directory {db.path}"), *(((host, port), f"port {port}") for port in ports)]:
            if (other := taken.setdefault(place, db.db_identifier)) != db.db_identifier:
                raise InputValueError(f"{db.db_identifier}: has {what}, as {other} has; give it another, or leave it out")
    return checked
