"""The environment variables by which a member finds its databases."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from smartensemble.errors import InputValueError, shown

DEFAULT_IDENTIFIER = "orchestrator"  #: the identifier of the database whose variables have no suffix
MAX_VARIABLE_BYTES = 128 * 1024  #: that the kernel takes, with the name of the variable
#: Milliseconds that a client waits for an answer before it sends its command again. Its own default is 250, and a model may run
#: for minutes, so the client would run it again and again. It still notices at once when a server ends: the socket closes.
CLIENT_TIMEOUT_MS = 600_000


@dataclass(frozen=True)
class Endpoint:
    """Where a member finds a database."""

    identifier: str
    kind: str  #: "Standalone", "Clustered" or "Colocated"
    addresses: tuple[str, ...] = ()  #: none where the member's own server chooses one when it starts
    record: str | None = None  #: the file with the password, if there is one


def check_identifier(identifier: object) -> None:
    """An error, unless variables may end in `identifier`."""
    if not isinstance(identifier, str) or not re.fullmatch(r"[A-Za-z0-9_]{1,64}", identifier):
        raise InputValueError(f"db_identifier: {shown(identifier)} cannot end the name of a variable; use letters, digits, _")


def suffix(identifier: str) -> str:
    """What the variables of a database end in.

    >>> suffix("orchestrator"), suffix("results")
    ('', '_results')
    """
    return "" if identifier in (DEFAULT_IDENTIFIER, "") else f"_{identifier}"


def variables(
    name: str, cwd: str, databases: Iterable[Endpoint], prefixing: bool, incoming: Sequence[str], others: Mapping[str, str]
) -> dict[str, str]:
    """The variables by which the member `name`, which runs in `cwd`, finds its databases.

    :param prefixing: the keys that it writes get its name as a prefix.
    :param incoming: the members whose data it reads.
    :param others: its other variables. A database of yours among them counts, and their settings for clients remain.
    :raises InputValueError: names that the variables cannot carry.

    >>> for item in variables("melt_0", "/melt_0", [Endpoint("results", "Standalone", ("n1:6379",))], True, ["a"], {}).items():
    ...     print("=".join(item))
    SSDB_results=n1:6379
    SR_DB_TYPE_results=Standalone
    SSKEYOUT_results=melt_0
    SSKEYIN_results=a
    SR_SOCKET_TIMEOUT_results=600000
    SR_LOG_FILE=/melt_0/melt_0.smartredis.log
    SR_LOG_LEVEL=INFO
    """
    found: dict[str, str] = {}
    ends = {other.removeprefix("SSDB"): None for other in others if re.match("SSDB(_|$)", other)}
    for database in databases:
        end = suffix(database.identifier)
        ends[end] = None
        if database.addresses:
            found[f"SSDB{end}"] = ",".join(database.addresses)
        found[f"SR_DB_TYPE{end}"] = database.kind
        if database.record is not None:
            found[f"SMARTENSEMBLE_DB{end}"] = database.record
    if not ends:
        return {}
    for end in ends:
        if prefixing:
            found[f"SSKEYOUT{end}"] = prefix_of(name)
        if incoming:
            found[f"SSKEYIN{end}"] = ",".join(prefix_of(producer) for producer in incoming)
        if len(found.get(f"SSKEYIN{end}", "")) > MAX_VARIABLE_BYTES - 100:
            raise InputValueError(
                f"{name}: reads from {len(incoming)} members, whose names are too long for a variable; use fewer"
            )
        found[f"SR_SOCKET_TIMEOUT{end}"] = str(CLIENT_TIMEOUT_MS)
    found |= {"SR_LOG_FILE": f"{cwd}/{name}.smartredis.log", "SR_LOG_LEVEL": "INFO"}
    client = ("SR_SOCKET_TIMEOUT", "SR_LOG_FILE", "SR_LOG_LEVEL")
    return {variable: value for variable, value in found.items() if variable not in others or not variable.startswith(client)}


def prefix_of(name: str) -> str:
    """The name of a member as a prefix of keys."""
    if "," in name:
        raise InputValueError(f"{name}: has a comma, so it cannot be a prefix of keys; give it another name")
    return name
