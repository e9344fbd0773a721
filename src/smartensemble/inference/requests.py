"""The requests and answers between a database and an engine, on any connection.

A request is a client's command with what its keys held when it came; an answer is the reply to the client, and the values to
write.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from smartensemble.inference.model_format import Buffer, Kind

#: The bytes of a model in one argument of AI.MODELSTORE, which clients ask for; the default is RedisAI's.
CHUNK_SIZE = 511 << 20


@dataclass(frozen=True, slots=True)
class SimpleString:
    """A reply that is a simple string of RESP."""

    text: str


@dataclass(frozen=True, slots=True)
class Error:
    """A reply that is an error: all of its text, on one line."""

    text: str


#: What a client gets; None is RESP's nil.
ClientReply = SimpleString | Error | int | bytes | list["ClientReply"] | None

OK = SimpleString("OK")
TIMED_OUT = SimpleString("TIMEDOUT")


@dataclass(frozen=True, slots=True)
class Statistics:
    """How often a model or script has run, and for how long."""

    calls: int = 0
    samples: int = 0
    duration: int = 0  #: in microseconds
    errors: int = 0


NONE = Statistics()


@dataclass(frozen=True, slots=True)
class Request:
    """A command, and what the database held when it came."""

    argv: Sequence[bytes]
    #: The values of the keys that the command reads. A key that does not exist is missing here; None is a value that is no
    #: string. Of a model or script, the trailer is enough. A scan gets all strings, or their ends. No two requests share a
    #: tensor, because a script may write into its own.
    values: Mapping[bytes, Buffer | None] = field(default_factory=dict)
    #: The kinds of the keys that the command writes; a key that does not exist is missing here.
    kinds: Mapping[bytes, Kind] = field(default_factory=dict)
    #: When it arrived, by the clock of the engine.
    arrived: float = 0.0
    #: What AI.INFO and AI.CONFIG report.
    statistics: Statistics = NONE
    chunk_size: int = CHUNK_SIZE


@dataclass(frozen=True, slots=True)
class Answer:
    """The reply to a request, and what changes with it."""

    reply: ClientReply
    #: The values to set; None deletes a key. A key that meanwhile holds another kind than its new value must stay as it is.
    writes: Mapping[bytes, bytes | None] = field(default_factory=dict)
    #: To be added to the statistics of the model or script, which is the first key of the command.
    statistics: Statistics = NONE
    #: The statistics of the model or script start from zero.
    reset: bool = False
    #: The new chunk size, if it changes.
    chunk_size: int | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """No answer yet: hand the request in again, with others that come, or when the clock of the engine says `until`."""

    until: float
