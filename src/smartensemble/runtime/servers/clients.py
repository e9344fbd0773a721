"""Clients for the driver: of a database of its experiment, or of a member's own."""

import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from smartensemble.databases.orchestrator import Orchestrator
from smartensemble.errors import InputTypeError, InputValueError, StateError, did_you_mean, shown
from smartensemble.model import Model

if TYPE_CHECKING:
    from smartensemble.client import Client
    from smartensemble.runtime.runner import Runner

BEGIN_TIMEOUT_S = 10.0  #: for the server of a member's own, which starts when the member does
CONF_INTERVAL_S = 0.05  #: between two looks for its configuration
ANSWER_TIMEOUT_S = 1.0  #: for its answer, before the configuration is read again


def chosen(subject: str, known: Mapping[str, Orchestrator], db: object) -> Orchestrator:
    """The database that is meant: `db` itself, the one of this identifier, or by default the only one that runs.

    :raises StateError: none runs.
    :raises InputValueError: several do, or `known` has none of this identifier.
    """
    if isinstance(db, Orchestrator):
        return db
    if isinstance(db, str):
        if db not in known:
            raise InputValueError(f"{subject}: no database {shown(db)}{did_you_mean(db, known)}")
        return known[db]
    if db is not None:
        raise InputTypeError(f"{subject}: {shown(db)} is no database; give one, its identifier, or a model that has one")
    running = [each for each in known.values() if each.started]
    if not running:
        raise StateError(f"{subject}: no database runs; start one with exp.start(db)")
    if len(running) > 1:
        raise InputValueError(f"{subject}: {len(running)} databases run; give one of {', '.join(known)}")
    return running[0]


def own_client(runner: "Runner", model: Model, timeout: float | None) -> "Client":
    """A client of the database of a member's own, which may be about to start.

    :raises InputValueError: it has none.
    :raises StateError: it does not run.
    :raises RedisConnectionError: its server cannot be reached from here.
    """
    from smartensemble.client import Client, RedisConnectionError

    if model.colocated_database is None:
        raise InputValueError(
            f"{model.name}: has no database of its own; call colocate_db_uds() or colocate_db_tcp() before it starts"
        )
    limit = time.monotonic() + BEGIN_TIMEOUT_S
    while True:
        runner.refresh()
        if not model.status.active:
            raise StateError(
                f"{model.name}: does not run, nor does its own database; start it with exp.start(..., block=False)"
            )
        late = time.monotonic() > limit
        if address := listening(Path(model.path, f"{model.name}.db.conf")):
            try:
                return Client(False, address, model.name, timeout=timeout, connect_timeout=ANSWER_TIMEOUT_S)
            except RedisConnectionError:
                if late:
                    raise
        elif late:
            raise StateError(f"{model.name}: its own database has not begun; wait until the member runs")
        time.sleep(CONF_INTERVAL_S)


def listening(conf: Path) -> str:
    """Where the server of a configuration file listens; nothing if there is no such file yet."""
    try:
        text = conf.read_text()
    except OSError:
        return ""
    return address_in(text)


def address_in(conf: str) -> str:
    r"""Where a server listens, by its configuration.

    >>> address_in("bind 127.0.0.1\nport 6379\n"), address_in('port 0\nunixsocket "/run/db"\n'), address_in("")
    ('127.0.0.1:6379', 'unix:///run/db', '')
    """
    lines: dict[str, str] = dict(re.findall(r"^(bind|port|unixsocket) (.+)$", conf, re.MULTILINE))
    if "unixsocket" in lines:
        return "unix://" + lines["unixsocket"].strip('"')
    return f"{lines['bind']}:{lines['port']}" if "bind" in lines and "port" in lines else ""
