"""The servers of a database: their information, their settings, and all of their data at once."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from smartensemble.checks import flag, listed
from smartensemble.client.descriptions import CALL, SERVER
from smartensemble.client.errors import RedisRuntimeError
from smartensemble.client.keys import key_in, key_of
from smartensemble.docstrings.described import calls_described_by
from smartensemble.errors import InputTypeError, public, shown

if TYPE_CHECKING:
    from smartensemble.client.database import Database
    from smartensemble.client.servers import Server


@public
@calls_described_by(SERVER, CALL)
class ServerCalls:
    """The calls about servers. They name a server by its address, as SSDB has it: ``host:port``, or ``unix:///path``."""

    _database: "Database"

    def get_db_node_info(self, addresses: Sequence[str]) -> list[dict[str, dict[str, str]]]:
        """What each of these servers says of itself.

        :returns: a dictionary for each server: its sections, such as ``"Memory"``, and in each the values by their names, which
            are those of the `command INFO <https://valkey.io/commands/info/>`_.
        """
        return [sections(_text(self._database.call_at(server, "INFO", "EVERYTHING"))) for server in self._at(addresses)]

    def get_db_cluster_info(self, addresses: Sequence[str]) -> list[dict[str, str]]:
        """What each of these servers says of the sharded database that it belongs to.

        :returns: a dictionary for each server: values by their names, such as ``"cluster_state"``.
        :raises RedisRuntimeError: the database has one server, and is not sharded.
        """
        servers = self._at(addresses)
        if not self._database.sharded:
            raise RedisRuntimeError("get_db_cluster_info: the database has one server only; call get_db_node_info()")
        return [pairs(_text(self._database.call_at(server, "CLUSTER", "INFO"))) for server in servers]

    def get_ai_info(self, address: Sequence[str], key: str, reset_stat: bool = False) -> list[dict[str, str]]:
        """What each of these servers knows of a model or script: its device and tag, and how often and how long it ran.

        :param address: the addresses of the servers.
        :param key: the name of the model or script, with its prefix if it has one.
        :param reset_stat: count from zero after this.
        :returns: a dictionary for each server: values by their names, such as ``"device"`` and ``"calls"``.
        :raises RedisRuntimeError: there is no such model or script.
        """
        found, name, reset = [], key_of("key", key), flag("reset_stat", reset_stat)
        for server in self._at(address):
            stored = key_in(server.tag, name)
            reply = self._database.call_at(server, "AI.INFO", stored)
            found.append(ai_info(reply, server.tag))
            if reset:
                self._database.call_at(server, "AI.INFO", stored, "RESETSTAT")
        return found

    def flush_db(self, addresses: Sequence[str]) -> None:
        """Delete all data in each of these servers: tensors, datasets, lists, models and scripts."""
        for server in self._at(addresses):
            self._database.call_at(server, "FLUSHDB")

    def save(self, addresses: Sequence[str]) -> None:
        """Write all data of each of these servers to a file in the directory of the database; return when it is written."""
        for server in self._at(addresses):
            self._database.call_at(server, "SAVE")

    def config_get(self, expression: str, address: str) -> dict[str, str]:
        """The settings of a server, by their names.

        :param expression: the name of a setting, or a pattern, such as ``"max*"``.
        :returns: the values by the names of the settings.
        """
        pattern = key_of("expression", expression)
        reply = self._database.call_at(self._one("config_get", address), "CONFIG", "GET", pattern)
        return dict(zip(map(_text, reply[::2]), map(_text, reply[1::2]), strict=True))

    def config_set(self, config_param: str, value: str, address: str) -> None:
        """Change a setting of a server.

        :param config_param: the name of the setting.
        :param value: its value, as text.
        :raises RedisRuntimeError: it has no such setting, or this user may not change it: members may not; ``db.set_db_conf()``
            in the driver may.
        """
        words = (key_of("config_param", config_param), key_of("value", value))
        self._database.call_at(self._one("config_set", address), "CONFIG", "SET", *words)

    def _one(self, subject: str, address: object) -> "Server":
        if not isinstance(address, str):
            raise InputTypeError(f"{subject}: address {shown(address)} is no text; give host:port, or unix:///path")
        return self._database.servers.at(subject, address)

    def _at(self, addresses: object) -> "list[Server]":
        """The servers of several addresses."""
        if not (several := listed(addresses)):
            raise InputTypeError(f"addresses: {shown(addresses)} is no list of addresses; give db.get_address()")
        return [self._one("addresses", address) for address in several]


def sections(text: str) -> dict[str, dict[str, str]]:
    r"""The sections of a server's information.

    >>> sections("# Memory\r\nused_memory:1024\r\n\r\n# CPU\r\n")
    {'Memory': {'used_memory': '1024'}, 'CPU': {}}
    """
    found: dict[str, dict[str, str]] = {}
    for part in ("\n" + text).replace("\r", "").split("\n# ")[1:]:
        title, _, lines = part.partition("\n")
        found[title] = pairs(lines)
    return found


def pairs(text: str) -> dict[str, str]:
    r"""The values in lines of a server, by their names.

    >>> pairs("cluster_state:ok\r\ncluster_size:3\r\n")
    {'cluster_state': 'ok', 'cluster_size': '3'}
    """
    lines = (line.partition(":") for line in text.splitlines() if ":" in line)
    return {name: value for name, _, value in lines}


def ai_info(reply: Sequence[Any], tag: bytes) -> dict[str, str]:
    """The reply to AI.INFO, as text; keys are without the `tag` of their server.

    >>> ai_info([b"key", b"{8M}.net", b"calls", 2], b"8M")
    {'key': 'net', 'calls': '2'}
    """
    before = b"{%s}." % tag
    values = [value.removeprefix(before) if isinstance(value, bytes) else str(value).encode() for value in reply[1::2]]
    return dict(zip(map(_text, reply[::2]), map(_text, values), strict=True))


def _text(value: bytes) -> str:
    return value.decode(errors="replace")
