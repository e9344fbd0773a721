"""What a client connects to, and how long it waits: from the variables of the environment, and from what its caller gives.

The variables are those of `SmartRedis <https://www.craylabs.org/docs/sr_runtime.html>`_; a database with an identifier has its
own, which end in it.
"""

import os
import re
from collections.abc import Mapping
from typing import Any, NamedTuple, Self

from smartensemble.checks import opened
from smartensemble.client.descriptions import OPTION
from smartensemble.client.errors import RedisConnectionError, RedisKeyError
from smartensemble.docstrings.described import calls_described_by
from smartensemble.errors import InputTypeError, InputValueError, public, shown

Address = str | tuple[str, int]  #: the path of a unix socket, or a host and a port

PORT = 6379  #: of an address that names none
MAX_VALUE = (1 << 31) - 1

#: In seconds, where neither a variable nor an argument says otherwise.
CONNECT_TIMEOUT_S = 10.0
COMMAND_TIMEOUT_S = 100.0
REPLY_TIMEOUT_S = 600.0
MODEL_TIMEOUT_S = 60_000.0
INTERVAL_S = 0.1


class Limits(NamedTuple):
    """How long a client waits, in seconds."""

    connect: float = CONNECT_TIMEOUT_S  #: for a server that does not listen yet
    command: float = COMMAND_TIMEOUT_S  #: for a server that listens, and is not ready: it loads its data, or has lost another
    reply: float = REPLY_TIMEOUT_S  #: for the reply to a command
    model: float = MODEL_TIMEOUT_S  #: for a model or script that waits for its turn
    connect_interval: float = INTERVAL_S  #: between two attempts to connect
    command_interval: float = INTERVAL_S  #: between two attempts to send a command that was refused


class Target(NamedTuple):
    """What a client connects to."""

    addresses: tuple[Address, ...]  #: of one database; the first that answers counts
    kind: str = ""  #: "Clustered", "Standalone", or nothing where the server is asked
    login: tuple[str, str] | None = None  #: the user and the password
    limits: Limits = Limits()
    writes_as: str = ""  #: the prefix of what it writes
    reads_from: tuple[str, ...] = ()  #: the prefixes of what it may read; the first one counts


#: The variables that say how long to wait, in which unit, and what to.
TIMES = {
    "SR_CONN_TIMEOUT": ("connect", 1.0),
    "SR_CMD_TIMEOUT": ("command", 1.0),
    "SR_SOCKET_TIMEOUT": ("reply", 0.001),
    "SR_MODEL_TIMEOUT": ("model", 0.001),
    "SR_CONN_INTERVAL": ("connect_interval", 0.001),
    "SR_CMD_INTERVAL": ("command_interval", 0.001),
}
UNSUFFIXED = ("SR_LOG_FILE", "SR_LOG_LEVEL", "SR_MODEL_TIMEOUT")  #: as SmartRedis reads them: for all databases at once


@public
@calls_described_by(OPTION)
class ConfigOptions:
    """The options of one database: variables of the environment, and what was put in their place.

    >>> options = ConfigOptions.create_from_environment("results")  # SSDB_results, SR_DB_TYPE_results ...
    >>> options.override_string_option("SSDB", "127.0.0.1:6379")
    >>> options.get_string_option("SSDB"), options.is_configured("SSKEYIN")
    ('127.0.0.1:6379', False)
    """

    def __init__(self) -> None:
        self._suffix = ""
        self._replaced: dict[str, str | int] = {}

    @classmethod
    def create_from_environment(cls, db_suffix: str) -> Self:
        """The options of a database, by its identifier.

        :param db_suffix: what follows ``_`` in the names of its variables; with ``""``, they are those without one.
        :returns: the options. They follow the environment until you put others in their place.
        :raises InputTypeError: `db_suffix` is no text.
        """
        options = cls()
        options._suffix = _text("db_suffix", db_suffix)
        return options

    def variable(self, option_name: str) -> str:
        """The variable of the environment that has an option.

        :returns: its name.
        """
        if not _text("option_name", option_name):
            raise InputValueError("option_name: is empty; give the name of an option, such as 'SSDB'")
        return option_name if not self._suffix or option_name in UNSUFFIXED else f"{option_name}_{self._suffix}"

    def is_configured(self, option_name: str) -> bool:
        """Whether an option has a value.

        :returns: True if it has.
        """
        return self.variable(option_name) in os.environ or option_name in self._replaced

    def get_string_option(self, option_name: str) -> str:
        """The value of an option.

        :returns: text.
        :raises RedisKeyError: it has none.
        """
        return str(self._value(option_name))

    def get_integer_option(self, option_name: str) -> int:
        """The value of an option that is a number.

        :returns: a whole number.
        :raises RedisKeyError: it has none.
        :raises InputValueError: it is no number.
        """
        return _number(self.variable(option_name), self._value(option_name))

    def override_string_option(self, option_name: str, value: str) -> None:
        """Put a value in the place of what the environment says."""
        self.variable(option_name)
        self._replaced[option_name] = _text("value", value)

    def override_integer_option(self, option_name: str, value: int) -> None:
        """Put a value in the place of what the environment says."""
        self.variable(option_name)
        if isinstance(value, bool) or not isinstance(value, int):
            raise InputTypeError(f"value: {shown(value)} is no whole number; give one")
        self._replaced[option_name] = value

    def _value(self, option_name: str) -> str | int:
        variable = self.variable(option_name)
        if option_name in self._replaced:
            return self._replaced[option_name]
        if variable not in os.environ:
            raise RedisKeyError(f"{variable}: is not set; set it, or call override_string_option({option_name!r}, ...)")
        return os.environ[variable]

    def values(self) -> dict[str, str | int]:
        """The options that a client reads, and that have a value.

        :returns: the values by the names of the options, without a suffix.
        """
        names = ("SSDB", "SR_DB_TYPE", "SSKEYIN", "SSKEYOUT", "SMARTENSEMBLE_DB", *TIMES)
        return {name: value for name in names if self.is_configured(name) and (value := self._value(name)) != ""}

    def __repr__(self) -> str:
        return f"ConfigOptions({self._suffix!r})"


def _text(subject: str, value: object) -> str:
    if not isinstance(value, str):
        raise InputTypeError(f"{subject}: {shown(value)} is no text; give text")
    return value


def _number(variable: str, value: str | int) -> int:
    if not re.fullmatch(r"-?[0-9]{1,10}", str(value)) or abs(int(value)) > MAX_VALUE:
        raise InputValueError(f"{variable}: {shown(value)} is no number; set it to a whole one, or leave it out")
    return int(value)


def target(options: ConfigOptions) -> Target:
    """What a client of these options connects to.

    :raises RedisConnectionError: they have no address, or one that is none.
    :raises InputValueError: one of them has a value that cannot be used.
    """
    values = options.values()
    if "SSDB" not in values:
        raise RedisConnectionError(
            f"Client: {options.variable('SSDB')} is not set; run it in a member, give address=, or call db.client() in a driver"
        )
    return Target(
        addresses(options.variable("SSDB"), str(values["SSDB"])),
        database_kind(str(values.get("SR_DB_TYPE", ""))),
        _login(options.variable("SMARTENSEMBLE_DB"), values.get("SMARTENSEMBLE_DB")),
        limits(options, values),
        str(values.get("SSKEYOUT", "")),
        tuple(filter(None, str(values.get("SSKEYIN", "")).split(","))),
    )


def addresses(variable: str, text: str) -> tuple[Address, ...]:
    """The addresses of a database, as SSDB has them.

    >>> addresses("SSDB", "n1:6379,tcp://n2:6380"), addresses("SSDB", "unix:///run/db")
    ((('n1', 6379), ('n2', 6380)), ('/run/db',))
    """
    found = tuple(address(variable, part.strip()) for part in text.split(",") if part.strip())
    if not found:
        raise RedisConnectionError(f"{variable}: {shown(text)} names no server; set it to host:port, or unix:///path")
    return found


def address(variable: str, text: str) -> Address:
    """One address.

    >>> address("SSDB", "[::1]:6379"), address("SSDB", "localhost")
    (('::1', 6379), ('localhost', 6379))
    """
    if text.startswith("unix://"):
        path = text.removeprefix("unix://")
        if path and "\0" not in path:
            return path
    elif match := re.fullmatch(r"(?:tcp://)?(?:\[([0-9a-fA-F:.]+)\]|([^\s:/\[\]@]+))(?::([0-9]{1,5}))?", text):
        port = int(match[3] or PORT)
        if 0 < port < 1 << 16:
            return match[1] or match[2], port
    raise RedisConnectionError(f"{variable}: {shown(text)} is no address; give host:port, or unix:///path")


def database_kind(text: str) -> str:
    """Whether a database is of several servers, by SR_DB_TYPE; as SmartRedis reads it, any other word means one server.

    >>> database_kind("clustered"), database_kind("Colocated"), database_kind("")
    ('Clustered', 'Standalone', '')
    """
    return "" if not text else "Clustered" if text.lower() == "clustered" else "Standalone"


def limits(options: ConfigOptions, values: Mapping[str, str | int]) -> Limits:
    """How long to wait, by the variables that are set."""
    found = {}
    for name, (field, unit) in TIMES.items():
        if name in values:
            number = _number(options.variable(name), values[name])
            if number <= 0:
                raise InputValueError(f"{options.variable(name)}: {number} is no time to wait; set it to a number above zero")
            found[field] = number * unit
    return Limits(**found)


def _login(variable: str, record: str | int | None) -> tuple[str, str] | None:
    """The user and the password of a database, from the file that a member's variable names."""
    if record is None:
        return None
    import json  # few clients need a password

    with opened(str(record), variable) as file:
        try:
            fields: Any = json.load(file)
            user, password = fields.get("user"), fields.get("password")
        except (ValueError, AttributeError, RecursionError):
            raise InputValueError(
                f"{variable}: {shown(record)} is no record of a database; set it to smartsim_db.json"
            ) from None
    return None if password is None else (str(user or "default"), str(password))


def spelled(address: Address) -> str:
    """An address as SSDB has it.

    >>> spelled(("n1", 6379)), spelled("/run/db"), spelled(("::1", 6379))
    ('n1:6379', 'unix:///run/db', '[::1]:6379')
    """
    if isinstance(address, str):
        return f"unix://{address}"
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
