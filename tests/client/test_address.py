"""Where a database is, and how long a client waits for it, is read from the environment, or from what the caller gives."""

import json
from pathlib import Path

import pytest

from smartensemble.client import ConfigOptions, RedisConnectionError, RedisKeyError
from smartensemble.client.address import Limits, Target, target
from smartensemble.errors import InputTypeError, InputValueError, MissingFileError

ONE = (("n1", 6379),)
CASES: dict[str, tuple[dict[str, str], Target]] = {
    "a port": ({"SSDB": "n1:6379"}, Target(ONE)),
    "no port": ({"SSDB": "n1"}, Target(ONE)),
    "tcp": ({"SSDB": "tcp://n1:6379"}, Target(ONE)),
    "IPv6": ({"SSDB": "[fe80::1]:7"}, Target((("fe80::1", 7),))),
    "a socket": ({"SSDB": "unix:///run/a b"}, Target(("/run/a b",))),
    "several": ({"SSDB": "n1:6379, n2:1,"}, Target((*ONE, ("n2", 1)))),
    "sharded": ({"SSDB": "n1", "SR_DB_TYPE": "CLUSTERED"}, Target(ONE, "Clustered")),
    "colocated": ({"SSDB": "n1", "SR_DB_TYPE": "Colocated"}, Target(ONE, "Standalone")),
    "prefixes": ({"SSDB": "n1", "SSKEYIN": "a,,b", "SSKEYOUT": "c"}, Target(ONE, writes_as="c", reads_from=("a", "b"))),
    "empty ones": ({"SSDB": "n1", "SSKEYIN": "", "SSKEYOUT": "", "SR_DB_TYPE": "", "SR_CMD_TIMEOUT": ""}, Target(ONE)),
    "times": (
        {"SSDB": "n1", "SR_CONN_TIMEOUT": "1", "SR_CMD_TIMEOUT": "2", "SR_SOCKET_TIMEOUT": "3000", "SR_MODEL_TIMEOUT": "4000"},
        Target(ONE, limits=Limits(1, 2, 3, 4)),
    ),
    "intervals": (
        {"SSDB": "n1", "SR_CONN_INTERVAL": "1000", "SR_CMD_INTERVAL": "2000"},
        Target(ONE, limits=Limits(connect_interval=1, command_interval=2)),
    ),
}


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SSDB", "SR_DB_TYPE", "SSKEYIN", "SSKEYOUT", "SMARTENSEMBLE_DB"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("suffix", ["", "results"])
@pytest.mark.parametrize(("variables", "expected"), CASES.values(), ids=CASES)
def test_variables_say_what_to_connect_to(
    variables: dict[str, str], expected: Target, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        end = f"_{suffix}" if suffix and name != "SR_MODEL_TIMEOUT" else ""
        monkeypatch.setenv(f"{name}{end}", value)

    assert target(ConfigOptions.create_from_environment(suffix)) == expected


WRONG = {
    "nothing": ({}, RedisConnectionError, "^Client: SSDB_d is not set; run it in a member"),
    "an empty one": ({"SSDB": ""}, RedisConnectionError, "is not set"),
    "commas": ({"SSDB": ","}, RedisConnectionError, "^SSDB_d: ',' names no server; "),
    "no number": ({"SSDB": "n1:x"}, RedisConnectionError, "^SSDB_d: 'n1:x' is no address; give host:port"),
    "a large number": ({"SSDB": "n1:65536"}, RedisConnectionError, "is no address"),
    "no path": ({"SSDB": "unix://"}, RedisConnectionError, "is no address"),
    "a URL": ({"SSDB": "redis://n1:1"}, RedisConnectionError, "is no address"),
    "two colons": ({"SSDB": "fe80::1"}, RedisConnectionError, "is no address"),
    "no time": ({"SSDB": "n1", "SR_CONN_TIMEOUT": "soon"}, InputValueError, "^SR_CONN_TIMEOUT_d: 'soon' is no number; "),
    "zero": ({"SSDB": "n1", "SR_SOCKET_TIMEOUT": "0"}, InputValueError, "^SR_SOCKET_TIMEOUT_d: 0 is no time to wait; "),
    "below zero": ({"SSDB": "n1", "SR_CMD_INTERVAL": "-1"}, InputValueError, "-1 is no time to wait"),
    "much": ({"SSDB": "n1", "SR_CMD_TIMEOUT": "9" * 30}, InputValueError, "is no number"),
    "no record": ({"SSDB": "n1", "SMARTENSEMBLE_DB": "/nowhere"}, MissingFileError, "^SMARTENSEMBLE_DB_d: no file /nowhere; "),
}


@pytest.mark.parametrize(("variables", "error", "message"), WRONG.values(), ids=WRONG)
def test_a_value_that_cannot_be_used_is_named(
    variables: dict[str, str], error: type[Exception], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(f"{name}_d", value)

    with pytest.raises(error, match=message):
        target(ConfigOptions.create_from_environment("d"))


@pytest.mark.parametrize(
    ("record", "login"),
    [
        ({"user": "me", "password": "secret"}, ("me", "secret")),
        ({"password": "secret"}, ("default", "secret")),
        ({"shards": []}, None),
    ],
)
def test_the_password_is_in_the_file_that_members_know(record: dict[str, object], login: object, tmp_path: Path) -> None:
    (tmp_path / "db.json").write_text(json.dumps(record))
    options = ConfigOptions()
    options.override_string_option("SSDB", "n1")
    options.override_string_option("SMARTENSEMBLE_DB", str(tmp_path / "db.json"))

    assert target(options).login == login


@pytest.mark.parametrize("text", ["", "{", "[]", "7"])
def test_a_file_that_is_no_record_is_named(text: str, tmp_path: Path) -> None:
    (tmp_path / "db.json").write_text(text)
    options = ConfigOptions()
    options.override_string_option("SSDB", "n1")
    options.override_string_option("SMARTENSEMBLE_DB", str(tmp_path / "db.json"))

    with pytest.raises(InputValueError, match=r"^SMARTENSEMBLE_DB: .* is no record of a database; "):
        target(options)


def test_options_are_read_and_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SR_CMD_TIMEOUT_d", "7")
    options, others = ConfigOptions.create_from_environment("d"), ConfigOptions.create_from_environment("d")

    options.override_integer_option("SR_THREAD_COUNT", 3)
    options.override_integer_option("SR_CMD_TIMEOUT", 8)

    assert (options.get_integer_option("SR_CMD_TIMEOUT"), others.get_integer_option("SR_CMD_TIMEOUT")) == (8, 7)
    assert (options.is_configured("SR_THREAD_COUNT"), others.is_configured("SR_THREAD_COUNT")) == (True, False)
    assert others.get_string_option("SR_CMD_TIMEOUT") == "7"


def test_an_option_that_is_not_set_has_no_value() -> None:
    options = ConfigOptions.create_from_environment("d")

    with pytest.raises(RedisKeyError, match=r"^SSDB_d: is not set; "):
        options.get_string_option("SSDB")
    with pytest.raises(InputValueError, match=r"option_name: is empty"):
        options.is_configured("")
    with pytest.raises(InputTypeError, match=r"value: '1' is no whole number"):
        options.override_integer_option("SSDB", "1")  # type: ignore[arg-type]
