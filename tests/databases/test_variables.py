"""Members find their databases by environment variables."""

import pytest

from smartensemble.databases.variables import CLIENT_TIMEOUT_MS, Endpoint, variables
from smartensemble.errors import InputValueError

CLIENT = {"SR_LOG_FILE": "/m/m.smartredis.log", "SR_LOG_LEVEL": "INFO"}
MAIN = Endpoint("orchestrator", "Standalone", ("unix:///s",))
BIG = Endpoint("big", "Clustered", ("h:1", "h:2", "h:3"))


def test_members_are_told_of_each_database_by_its_name() -> None:
    found = variables("m", "/m", [MAIN, BIG], True, ["a", "b_0"], {})

    limit = str(CLIENT_TIMEOUT_MS)
    assert found == CLIENT | {
        "SSDB": "unix:///s", "SR_DB_TYPE": "Standalone", "SSKEYOUT": "m", "SSKEYIN": "a,b_0", "SR_SOCKET_TIMEOUT": limit,
        "SSDB_big": "h:1,h:2,h:3", "SR_DB_TYPE_big": "Clustered", "SSKEYOUT_big": "m", "SSKEYIN_big": "a,b_0",
        "SR_SOCKET_TIMEOUT_big": limit,
    }  # fmt: skip


def test_without_a_database_members_are_told_nothing() -> None:
    assert variables("m", "/m", [], True, ["a"], {"SR_LOG_LEVEL": "QUIET"}) == {}


def test_a_database_of_the_users_own_counts() -> None:
    found = variables("m", "/m", [], True, [], {"SSDB_mine": "host:1"})

    assert found == CLIENT | {"SSKEYOUT_mine": "m", "SR_SOCKET_TIMEOUT_mine": str(CLIENT_TIMEOUT_MS)}


def test_what_is_said_of_clients_holds() -> None:
    others = {"SR_SOCKET_TIMEOUT": "5", "SR_LOG_LEVEL": "QUIET", "SSDB": "other:1"}

    found = variables("m", "/m", [MAIN], False, [], others)

    assert found == {"SSDB": "unix:///s", "SR_DB_TYPE": "Standalone", "SR_LOG_FILE": "/m/m.smartredis.log"}


def test_where_there_is_a_password_members_are_told_which_file_has_it() -> None:
    found = variables("m", "/m", [Endpoint("pw", "Standalone", ("h:1",), "/db/smartsim_db.json")], False, [], {})

    assert found["SMARTENSEMBLE_DB_pw"] == "/db/smartsim_db.json"


def test_names_that_a_variable_cannot_carry_are_an_error() -> None:
    with pytest.raises(InputValueError, match="a,b: has a comma"):
        variables("a,b", "/m", [MAIN], True, [], {})
    with pytest.raises(InputValueError, match="a,b: has a comma"):
        variables("m", "/m", [MAIN], False, ["a,b"], {})
    with pytest.raises(InputValueError, match="m: reads from 20000 members, whose names are too long"):
        variables("m", "/m", [MAIN], False, [f"member_{number}" for number in range(20000)], {})
