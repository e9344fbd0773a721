"""The keys of what a client names: the prefixes of who writes and of whose data is read.

They are those of SmartRedis 0.6.1: ``name``, ``PREFIX.name`` and, for a model or script in a sharded database, ``{TAG}.name``.
"""

from typing import Literal

from smartensemble.checks import flag
from smartensemble.client.errors import RedisRuntimeError
from smartensemble.errors import InputTypeError, InputValueError, printable, shown

Kind = Literal["tensor", "dataset", "list", "model"]


class Names:
    """What keys a client's names stand for.

    :param writes_as: the prefix of what it writes, from SSKEYOUT.
    :param reads_from: the prefixes of what it may read, from SSKEYIN; the first one counts.

    >>> names = Names("b", ("a", "b"))
    >>> names.written("tensor", "rho"), names.read("tensor", "rho"), names.read("model", "net")
    (b'b.rho', b'a.rho', b'net')
    """

    def __init__(self, writes_as: str = "", reads_from: tuple[str, ...] = ()) -> None:
        self.writes_as, self.sources = writes_as, reads_from
        self.source = reads_from[0] if reads_from else ""
        self.prefixed: dict[Kind, bool] = {"tensor": True, "dataset": True, "list": True, "model": False}

    def written(self, kind: Kind, name: str) -> bytes:
        """The key of what is written: with the prefix of who writes."""
        return _key(self.writes_as if self.prefixed[kind] else "", name)

    def read(self, kind: Kind, name: str) -> bytes:
        """The key of what is read, deleted or asked for: with the prefix of whose data is read."""
        return _key(self.source if self.prefixed[kind] else "", name)

    def use_prefix(self, kind: Kind, use: object) -> None:
        """Give the keys of this kind a prefix, or none."""
        self.prefixed[kind] = flag("use_prefix", use)

    def choose_source(self, source: str) -> None:
        """Read the data of `source` from now on, one of those that SSKEYIN names."""
        if not isinstance(source, str):
            raise InputTypeError(f"source_id: {shown(source)} is no text; give the name of a member")
        if source not in self.sources:
            known = f"there are {', '.join(self.sources)}" if self.sources else "SSKEYIN names none"
            raise RedisRuntimeError(
                f"set_data_source: {shown(source)} is no source of this client; {known}, from register_incoming_entity()"
            )
        self.source = source


def _key(prefix: str, name: str) -> bytes:
    if isinstance(name, str) and not name:
        raise InputValueError("name: is empty; give a name")
    return key_of("name", f"{prefix}.{name}" if prefix and isinstance(name, str) else name)


def key_of(subject: str, name: str) -> bytes:
    """A name as a key, without a prefix."""
    if not isinstance(name, str):
        raise InputTypeError(f"{subject}: {shown(name)} is no text; give a name")
    try:
        return name.encode()
    except UnicodeEncodeError:
        raise InputValueError(
            f"{subject}: {shown(printable(name))} has half of a surrogate pair; give whole characters"
        ) from None


def key_in(tag: bytes, key: bytes) -> bytes:
    r"""The key that a sharded database has on the server of `tag`, and any other database as it is.

    >>> key_in(b"8M", b"net"), key_in(b"", b"net")
    (b'{8M}.net', b'net')
    """
    return b"{%s}.%s" % (tag, key) if tag else key
