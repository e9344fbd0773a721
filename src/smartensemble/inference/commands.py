"""The AI.* commands, one class for each kind, and the keys of the database that each of them needs.

AI.TENSORSET and AI.TENSORGET are missing, because the server answers them itself.
"""

from dataclasses import dataclass

from smartensemble.inference.model_format import Kind, Metadata


@dataclass(frozen=True, slots=True)
class Store:
    """Store a model or script; `metadata` names a model's inputs and outputs only if the client did."""

    key: bytes
    metadata: Metadata
    blob: bytes


@dataclass(frozen=True, slots=True)
class Get:
    """Return a model or script: its options, its bytes, or both."""

    key: bytes
    kind: Kind
    meta: bool
    blob: bool


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete a model or script."""

    key: bytes
    kind: Kind


@dataclass(frozen=True, slots=True)
class RunModel:
    """Run a model; `timeout` is the milliseconds that it may wait for its turn, 0 for no limit."""

    key: bytes
    inputs: tuple[bytes, ...]
    outputs: tuple[bytes, ...]
    timeout: int = 0


@dataclass(frozen=True, slots=True)
class RunScript:
    """Run a function of a script; `keys` and `args` are for functions that are entry points."""

    key: bytes
    function: bytes
    inputs: tuple[bytes, ...] = ()
    outputs: tuple[bytes, ...] = ()
    timeout: int = 0
    keys: tuple[bytes, ...] = ()
    args: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Scan:
    """List all models, or all scripts, and their tags."""

    kind: Kind


@dataclass(frozen=True, slots=True)
class Info:
    """Report how often a model or script has run, or set its statistics to zero."""

    key: bytes
    reset: bool


@dataclass(frozen=True, slots=True)
class Config:
    """Read a setting by its name, or change the size of the chunks in which clients send models."""

    name: str
    chunk_size: int | None = None


AICommand = Store | Get | Delete | RunModel | RunScript | Scan | Info | Config


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys whose values a command needs, and those that it may write or delete."""

    read: tuple[bytes, ...] = ()
    written: tuple[bytes, ...] = ()


def keys(command: AICommand) -> Keys:
    """The keys of a command; the first one that it reads, or else writes, holds the model or script.

    >>> keys(RunModel(b"m", inputs=(b"x",), outputs=(b"y",)))
    Keys(read=(b'm', b'x'), written=(b'y',))
    """
    match command:
        case Store(key):
            return Keys(written=(key,))
        case Get(key) | Info(key):
            return Keys(read=(key,))
        case Delete(key):
            return Keys(read=(key,), written=(key,))
        case RunModel(key, inputs, outputs) | RunScript(key, _, inputs, outputs):
            return Keys((key, *inputs), outputs)
    return Keys()
