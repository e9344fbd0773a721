"""What passes between the database and an engine, however it travels.

A job is a command with what its keys held when it came; an answer is the reply to the client, and what changes with it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from smartensemble.inference.model_format import Buffer, Kind

CHUNK_SIZE = 511 << 20  #: the bytes of a model in one argument of AI.MODELSTORE, which clients ask for; as RedisAI has it


@dataclass(frozen=True, slots=True)
class Status:
    """A reply that is a simple string."""

    text: str


@dataclass(frozen=True, slots=True)
class Error:
    """A reply that is an error: all of its text, on one line."""

    text: str


#: What a client gets; None is RESP's nil.
Reply = Status | Error | int | bytes | list["Reply"] | None

OK = Status("OK")
TIMED_OUT = Status("TIMEDOUT")


@dataclass(frozen=True, slots=True)
class Statistics:
    """How often a model or script has run, and for how long."""

    calls: int = 0
    samples: int = 0
    duration: int = 0  #: in microseconds
    errors: int = 0


NONE = Statistics()


@dataclass(frozen=True, slots=True)
class Job:
    """A command, and what the database held when it came."""

    argv: Sequence[bytes]
    #: What the keys that the command reads hold. A key that is not there is missing here; None is what is no string. Of a model
    #: or a script, its trailer will do. A scan gets all strings, or their ends. No two jobs share a tensor, since a script may
    #: write into its own.
    values: Mapping[bytes, Buffer | None] = field(default_factory=dict)
    #: What kind the keys that the command writes hold; a key that is not there is missing here.
    kinds: Mapping[bytes, Kind] = field(default_factory=dict)
    #: When it came, by the clock of the engine.
    came: float = 0.0
    #: What is known for AI.INFO, and for AI.CONFIG.
    statistics: Statistics = NONE
    chunk_size: int = CHUNK_SIZE


@dataclass(frozen=True, slots=True)
class Answer:
    """The reply to a job, and what changes with it."""

    reply: Reply
    #: The values to set; None deletes a key. A key that meanwhile holds another kind than its new value must stay as it is.
    writes: Mapping[bytes, bytes | None] = field(default_factory=dict)
    #: To be added to what is known of the model or script, which is the first key of the command.
    statistics: Statistics = NONE
    #: What is known of the model or script begins anew.
    reset: bool = False
    #: The new one, if it changes.
    chunk_size: int | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """No answer yet: hand the job in again, with others that come, or when the clock of the engine says `until`."""

    until: float
