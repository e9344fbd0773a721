"""How the AI.* commands are spelled: `parse` makes a value of one, or the error that its client gets.

The grammar and the texts of the errors are those of RedisAI 1.2.7, which existing clients know. Keywords and devices may be in
upper or lower case, keys are any bytes.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache, partial

from smartensemble.errors import CommandError
from smartensemble.inference.arguments import ArgumentReader, text
from smartensemble.inference.commands import AICommand, Config, Delete, Get, Info, Scan
from smartensemble.inference.grammar.models import model_execute, model_run, model_set, model_store
from smartensemble.inference.grammar.scripts import script_execute, script_run, script_set, script_store
from smartensemble.inference.model_format import Kind

CACHED = {b"AI.MODELEXECUTE", b"AI.MODELRUN"}  #: members run the same models on the same keys again and again
MAX_CACHED_ARGUMENTS = 32


def parse(argv: Sequence[bytes]) -> AICommand:
    """The command in `argv`.

    >>> parse([b"ai.modelexecute", b"m", b"inputs", b"1", b"x", b"outputs", b"1", b"y"])
    RunModel(key=b'm', inputs=(b'x',), outputs=(b'y',), timeout=0)
    """
    name = argv[0].upper()
    if name in CACHED and len(argv) <= MAX_CACHED_ARGUMENTS:
        return _parse_cached(name, tuple(argv))
    if name in COMMANDS:
        return COMMANDS[name](argv)
    if name.startswith(b"AI.DAG"):
        instead = "send its AI.MODELEXECUTE and AI.SCRIPTEXECUTE one after another, with keys for what passes between them"
        raise CommandError(f"ERR {text(name)}: chains of commands are not offered here; {instead}")
    raise CommandError(f"ERR unknown command '{text(argv[0])}'")


@lru_cache(maxsize=256)
def _parse_cached(name: bytes, argv: tuple[bytes, ...]) -> AICommand:
    return COMMANDS[name](argv)


def get(kind: Kind, whole: bytes, argv: Sequence[bytes]) -> Get:
    """AI.MODELGET key [META] [BLOB], and AI.SCRIPTGET key [META] [SOURCE]; without either keyword it is both."""
    arguments = ArgumentReader(argv, 2, 4)
    key = arguments.next("")
    meta = arguments.skip(b"META")
    blob = arguments.skip(whole)
    meta = meta or arguments.skip(b"META")
    if arguments:
        raise CommandError(f"Invalid argument: {text(arguments.next(''))}")
    return Get(key, kind, meta or not blob, blob or not meta)


def delete(kind: Kind, argv: Sequence[bytes]) -> Delete:
    """AI.MODELDEL key, and AI.SCRIPTDEL key."""
    return Delete(ArgumentReader(argv, 2, 2).next(""), kind)


def scan(kind: Kind, argv: Sequence[bytes]) -> Scan:
    """AI._MODELSCAN, and AI._SCRIPTSCAN."""
    ArgumentReader(argv, 1, 1)
    return Scan(kind)


def info(argv: Sequence[bytes]) -> Info:
    """AI.INFO key [RESETSTAT]."""
    arguments = ArgumentReader(argv, 2, 3)
    key = arguments.next("")
    reset = arguments.skip(b"RESETSTAT")
    if arguments:
        raise CommandError("ERR unsupported subcommand")
    return Info(key, reset)


def config(argv: Sequence[bytes]) -> Config:
    """AI.CONFIG GET name, and AI.CONFIG MODEL_CHUNK_SIZE bytes."""
    arguments = ArgumentReader(argv, 2)
    if arguments.skip(b"GET"):
        return Config(text(arguments.next("ERR wrong number of arguments for 'ai.config' command")).upper())
    if arguments.skip(b"MODEL_CHUNK_SIZE"):
        return Config("MODEL_CHUNK_SIZE", arguments.number("ERR MODEL_CHUNK_SIZE: invalid chunk size", 1))
    name = text(arguments.next("")).upper()
    if name in ("LOADBACKEND", "BACKENDSPATH"):
        raise CommandError(
            f"ERR {name}: backends are Python packages here, imported when they are used; there is nothing to set"
        )
    raise CommandError("ERR unsupported subcommand")


COMMANDS: dict[bytes, Callable[[Sequence[bytes]], AICommand]] = {
    b"AI.MODELSTORE": model_store,
    b"AI.MODELSET": model_set,
    b"AI.MODELGET": partial(get, Kind.MODEL, b"BLOB"),
    b"AI.MODELDEL": partial(delete, Kind.MODEL),
    b"AI.MODELEXECUTE": model_execute,
    b"AI.MODELRUN": model_run,
    b"AI.SCRIPTSTORE": script_store,
    b"AI.SCRIPTSET": script_set,
    b"AI.SCRIPTGET": partial(get, Kind.SCRIPT, b"SOURCE"),
    b"AI.SCRIPTDEL": partial(delete, Kind.SCRIPT),
    b"AI.SCRIPTEXECUTE": script_execute,
    b"AI.SCRIPTRUN": script_run,
    b"AI._MODELSCAN": partial(scan, Kind.MODEL),
    b"AI._SCRIPTSCAN": partial(scan, Kind.SCRIPT),
    b"AI.INFO": info,
    b"AI.CONFIG": config,
}
