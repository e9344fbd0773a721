"""What is asked of a database is checked when it is described.

Tests colocated and worker_options.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from smartensemble import Experiment, Model, RunSettings
from smartensemble.databases.orchestrator import Orchestrator
from smartensemble.errors import InputTypeError, InputValueError, MissingFileError, StateError


@pytest.mark.parametrize(
    ("given", "access"),
    [
        ({}, "private"),
        ({"port": 6379}, "open"),
        ({"db_nodes": 3}, "open"),
        ({"interface": "lo"}, "open"),
        ({"access": "open"}, "open"),
        ({"access": "password"}, "password"),
        ({"access": "password", "db_nodes": 2, "port": 7000}, "password"),
    ],
)
def test_who_may_reach_it_follows_from_what_is_asked_for(given: dict[str, Any], access: str) -> None:
    assert Orchestrator(**given).access == access


@pytest.mark.parametrize(
    ("given", "error", "why"),
    [
        ({"access": "private", "port": 6379}, InputValueError, "access='private' is a unix socket, which has no port"),
        ({"access": "private", "db_nodes": 3}, InputValueError, "access='private' is a unix socket"),
        ({"access": "publik"}, InputValueError, "no access 'publik'; there are private, open, password"),
        ({"port": "6379"}, InputTypeError, "port is '6379'; give a number"),
        ({"interface": 3}, InputTypeError, "interface is 3; give its name, such as 'ib0'"),
        ({"interface": ["lo", 3]}, InputTypeError, "give its name, such as 'ib0'"),
        ({"port": 80}, InputValueError, "port is 80; give one from 1024 to 65535"),
        ({"port": 60000, "db_nodes": 3}, InputValueError, "port is 60000; give one from 1024 to 55533"),
        ({"db_nodes": 0}, InputValueError, "db_nodes"),
        ({"db_identifier": "a-b"}, InputValueError, "'a-b' cannot end the name of a variable"),
        ({"server": "no-such-server"}, MissingFileError, "no-such-server: no such program"),
        ({"acess": "open"}, InputTypeError, "no argument 'acess'; did you mean 'access'?"),
    ],
)
def test_what_cannot_be_is_an_error_when_it_is_described(given: dict[str, Any], error: type[Exception], why: str) -> None:
    with pytest.raises(error, match=why):
        Orchestrator(**given)


@pytest.mark.parametrize(
    ("given", "error", "why"),
    [
        ({"unix_socket": "/tmp/a b"}, InputValueError, "unix_socket '/tmp/a b' is too long, or has characters"),
        ({"socket_permissions": 9}, InputValueError, "socket_permissions is 9; give three octal digits"),
        ({"custom_pinning": ["x"]}, InputTypeError, r"custom_pinning is \['x'\]; give numbers of CPUs"),
        ({"db_cpus": 0}, InputValueError, "db_cpus"),
        ({"db_identifier": "a-b"}, InputValueError, "cannot end the name of a variable"),
        ({"limit_app_cpus": True}, InputTypeError, "no argument 'limit_app_cpus'"),
    ],
)
def test_what_a_database_of_a_members_own_cannot_be_is_an_error_too(
    given: dict[str, Any], error: type[Exception], why: str
) -> None:
    with pytest.raises(error, match=why):
        Model("model", {}, RunSettings("true")).colocate_db_uds(**given)


@pytest.mark.parametrize(
    ("act", "line"),
    [
        (lambda db: db.enable_checkpoints(60), ("save", "60 1")),
        (lambda db: db.set_max_memory("3 gb"), ("maxmemory", "3gb")),
        (lambda db: db.set_eviction_strategy("allkeys-lru"), ("maxmemory-policy", "allkeys-lru")),
        (lambda db: db.set_max_clients(), ("maxclients", "50000")),
        (lambda db: db.set_max_message_size(), ("proto-max-bulk-len", "1073741824")),
        (lambda db: db.set_db_conf("appendonly", "yes"), ("appendonly", "yes")),
    ],
)
def test_settings_are_lines_of_the_configuration(act: Callable[[Orchestrator], None], line: tuple[str, str]) -> None:
    db = Orchestrator()

    act(db)

    assert line in db.conf.items()


@pytest.mark.parametrize(
    "act",
    [
        lambda db: db.enable_checkpoints(0),
        lambda db: db.set_max_memory("much"),
        lambda db: db.set_eviction_strategy("oldest"),
        lambda db: db.set_max_clients(0),
        lambda db: db.set_max_message_size(1024),
    ],
)
def test_a_setting_that_makes_no_sense_is_an_error(act: Callable[[Orchestrator], None]) -> None:
    with pytest.raises(InputValueError):
        act(Orchestrator())


def test_a_database_that_does_not_run_has_no_address() -> None:
    db = Orchestrator()

    assert (db.is_active(), db.hosts, db.started) == (False, [], False)
    with pytest.raises(StateError, match=r"orchestrator: does not run; start it with exp.start"):
        db.get_address()


def test_a_database_is_put_elsewhere_before_it_starts(tmp_path: Path) -> None:
    db = Experiment("exp", tmp_path).create_database()

    db.path = tmp_path / "elsewhere"

    assert (db.path, db.checkpoint_file) == (f"{tmp_path}/elsewhere", f"{tmp_path}/elsewhere/smartsim_db.json")
