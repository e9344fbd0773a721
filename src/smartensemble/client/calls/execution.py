"""Run a model or a script in the database: on tensors that lie where it does, or on copies of them.

A server of a sharded database runs what it has on keys of its own only. Each has a copy of every model and script; the inputs
are copied to the one that has the first of them, and the outputs from there to their own servers.
"""

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from smartensemble.client.connection import Argument
from smartensemble.client.database import shown_key
from smartensemble.client.errors import RedisReplyError, RedisTimeoutError
from smartensemble.client.keys import key_in

if TYPE_CHECKING:
    from smartensemble.client.database import Database

Keys = Sequence[bytes]
#: The command that runs something: its key, those of the inputs, and those of the outputs.
Command = Callable[[bytes, Keys, Keys], Sequence[Argument]]


def execute(database: "Database", key: bytes, inputs: Keys, outputs: Keys, command: Command) -> None:
    """Run what is stored under `key`.

    :raises RedisTimeoutError: its turn did not come in time.
    """
    if not database.sharded:
        _run(database, key, inputs, outputs, command)
        return
    tag = database.servers.having(inputs[0] if inputs else key).tag
    with _temporary(database, tag, [*inputs, *outputs]) as copies:
        here, there = copies[: len(inputs)], copies[len(inputs) :]
        _copy(database, inputs, here)
        _run(database, key_in(tag, key), here, there, command)
        _copy(database, there, outputs)


def _run(database: "Database", key: bytes, inputs: Keys, outputs: Keys, command: Command) -> None:
    check(key, database.call(key, *command(key, inputs, outputs)))


def check(key: bytes, reply: object) -> None:
    """An error if a run ended without one, and yet did not take place.

    >>> check(b"net", b"TIMEDOUT")
    Traceback (most recent call last):
    smartensemble.client.errors.RedisTimeoutError: net: its turn did not come in time; set SR_MODEL_TIMEOUT to more milliseconds
    >>> check(b"net", b"OK")
    """
    if reply == b"TIMEDOUT":
        raise RedisTimeoutError(f"{shown_key(key)}: its turn did not come in time; set SR_MODEL_TIMEOUT to more milliseconds")


@contextmanager
def _temporary(database: "Database", tag: bytes, keys: Keys) -> Iterator[list[bytes]]:
    """Keys of one run, on the server of `tag`, which are deleted in the end. No other run has them."""
    run = secrets.token_hex(8).encode()
    made = [key_in(tag, b"%s.%s.TMP" % (key, run)) for key in keys]
    try:
        yield made
    finally:
        with suppress(RedisReplyError):  # what the run raised says more
            if made:
                database.call(made[0], "UNLINK", *made)


def _copy(database: "Database", sources: Keys, targets: Keys) -> None:
    """Copy tensors, from any servers to any others."""
    if sources:
        found = database.call_many([(source, ("AI.TENSORGET", source, "META", "BLOB")) for source in sources])
        copies = [(target, copied(target, reply)) for target, reply in zip(targets, found, strict=True)]
        database.call_many(copies)


def copied(key: bytes, reply: Sequence[Any]) -> Sequence[Argument]:
    """The command that stores, under `key`, the tensor that AI.TENSORGET answered.

    >>> copied(b"y", [b"dtype", b"FLOAT", b"shape", [2], b"blob", bytes(8)])[:4]
    ('AI.TENSORSET', b'y', b'FLOAT', 2)
    """
    _, dtype, _, shape, _, blob = reply
    return ("AI.TENSORSET", key, dtype, *shape, "BLOB", blob)
