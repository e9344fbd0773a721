"""What the AI.* commands say, one class for each kind, and which keys of the database each of them needs.

AI.TENSORSET and AI.TENSORGET are not here: the server answers them itself.
"""

from dataclasses import dataclass

from smartensemble.inference.model_format import Kind, Stored


@dataclass(frozen=True, slots=True)
class Store:
    """Keep a model or a script. Of `stored`, names of a model's inputs and outputs are there only if they were given."""

    key: bytes
    stored: Stored
    blob: bytes


@dataclass(frozen=True, slots=True)
class Get:
    """Give a model or a script back: its options, its bytes, or both."""

    key: bytes
    kind: Kind
    meta: bool
    blob: bool


@dataclass(frozen=True, slots=True)
class Delete:
    """Forget a model or a script."""

    key: bytes
    kind: Kind


@dataclass(frozen=True, slots=True)
class RunModel:
    """Run a model; `timeout` is how many milliseconds it may wait for its turn, 0 for ever."""

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
    """Tell how often a model or a script has run, or begin to count anew."""

    key: bytes
    reset: bool


@dataclass(frozen=True, slots=True)
class Config:
    """Ask for a setting by its name, or change the size of the pieces in which clients send models."""

    name: str
    chunk_size: int | None = None


Command = Store | Get | Delete | RunModel | RunScript | Scan | Info | Config


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys that a command needs the values of, and those that it may write or delete."""

    read: tuple[bytes, ...] = ()
    written: tuple[bytes, ...] = ()


def keys(command: Command) -> Keys:
    """The keys of a command; the first that it reads, or else writes, is that of the model or script.

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
