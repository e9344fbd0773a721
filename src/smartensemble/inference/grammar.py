"""How the AI.* commands are spelled: `parse` makes a value of one, or the error that its client gets.

The grammar and the words of the errors are those of RedisAI 1.2.7, which existing clients know. Keywords and devices may be in
any case, keys are any bytes.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from typing import NamedTuple

from smartensemble.errors import CommandError
from smartensemble.inference.arguments import Words, text
from smartensemble.inference.commands import Command, Config, Delete, Get, Info, RunModel, RunScript, Scan, Store
from smartensemble.inference.model_format import Kind, Stored

RUNS = {b"AI.MODELEXECUTE", b"AI.MODELRUN"}
SHORT = 32  #: words of a run that is remembered
BACKENDS = (b"TF", b"TFLITE", b"TORCH", b"ONNX")


class Side(NamedTuple):
    """The errors of a count and the words that it counts: no number, too low, and fewer words than that."""

    wrong: str
    low: str
    few_names: str
    few_keys: str


IN, OUT = (
    Side(
        f"ERR Invalid argument for {side}_count",
        f"ERR {side.capitalize()} count must be a positive integer",
        f"ERR number of model {side}s does not match the number of given arguments",
        f"ERR number of {side} keys to AI.MODELEXECUTE command does not match the number of given arguments",
    )
    for side in ("input", "output")
)


def parse(argv: Sequence[bytes]) -> Command:
    """The command in `argv`.

    >>> parse([b"ai.modelexecute", b"m", b"inputs", b"1", b"x", b"outputs", b"1", b"y"])
    RunModel(key=b'm', inputs=(b'x',), outputs=(b'y',), timeout=0)
    """
    name = argv[0].upper()
    if name in RUNS and len(argv) <= SHORT:
        return _parse_run(name, tuple(argv))
    if name in COMMANDS:
        return COMMANDS[name](argv)
    if name.startswith(b"AI.DAG"):
        instead = "send its AI.MODELEXECUTE and AI.SCRIPTEXECUTE one after another, with keys for what passes between them"
        raise CommandError(f"ERR {text(name)}: chains of commands are not offered here; {instead}")
    raise CommandError(f"ERR unknown command '{text(argv[0])}'")


@lru_cache(maxsize=256)  # members run the same models on the same keys again and again
def _parse_run(name: bytes, argv: tuple[bytes, ...]) -> Command:
    return COMMANDS[name](argv)


# --- models -----------------------------------------------------------------------------------------------------------------


def model_store(argv: Sequence[bytes]) -> Store:
    """AI.MODELSTORE key backend device [options] [INPUTS n name ... OUTPUTS n name ...] BLOB part [part ...]."""
    words = Words(argv, 6)
    key, stored = _model(words)
    if words.skip(b"INPUTS"):
        if stored.backend != "TF":
            raise CommandError("ERR INPUTS argument should not be specified for this backend")
        inputs = _counted(words, IN, IN.few_names)
        if not words.skip(b"OUTPUTS"):
            raise CommandError("ERR OUTPUTS not specified for TF")
        stored = replace(stored, inputs=inputs, outputs=_counted(words, OUT, OUT.few_names))
    elif stored.backend == "TF":
        raise CommandError("ERR INPUTS not specified for TF")
    return Store(key, stored, _blob(words))


def model_set(argv: Sequence[bytes]) -> Store:
    """AI.MODELSET key backend device [options] [INPUTS name ... OUTPUTS name ...] BLOB part [part ...]."""
    words = Words(argv, 4)
    key, stored = _model(words)
    if stored.backend == "TF":
        if not words.skip(b"INPUTS"):
            raise CommandError("ERR INPUTS not specified")
        inputs = words.until(b"OUTPUTS", b"BLOB")
        if not words.skip(b"OUTPUTS"):
            raise CommandError("ERR OUTPUTS not specified")
        stored = replace(stored, inputs=inputs, outputs=words.until(b"BLOB"))
    return Store(key, stored, _blob(words))


def _model(words: Words) -> tuple[bytes, Stored]:
    """Key backend device [TAG tag] [BATCHSIZE n [MINBATCHSIZE m [MINBATCHTIMEOUT milliseconds]]]."""
    key = words.word("")
    backend = words.word("").upper()
    if backend not in BACKENDS:
        raise CommandError("ERR unsupported backend")
    device = words.device()
    tag = words.word("ERR Insufficient arguments, missing model BLOB") if words.skip(b"TAG") else b""
    sizes = {b"BATCHSIZE": 0, b"MINBATCHSIZE": 0, b"MINBATCHTIMEOUT": 0}
    needs = None
    for option in sizes:
        if words.skip(option):
            if option == b"BATCHSIZE" and backend == b"TFLITE":
                raise CommandError("ERR Auto-batching not supported by the TFLITE backend")
            if needs and not sizes[needs]:
                raise CommandError(f"ERR {text(option)} specified without {text(needs)}")
            sizes[option] = words.number(f"ERR Invalid argument for {text(option)}")
        needs = option
    if not words:
        raise CommandError("ERR Insufficient arguments, missing model BLOB")
    batch_size, min_batch_size, min_batch_timeout = sizes.values()
    return key, Stored(Kind.MODEL, backend.decode(), device, tag, batch_size, min_batch_size, min_batch_timeout)


def _blob(words: Words) -> bytes:
    """BLOB part [part ...]."""
    if not words.skip(b"BLOB"):
        raise CommandError("ERR Invalid argument, expected BLOB")
    if not words:
        raise CommandError("ERR Insufficient arguments, missing model BLOB")
    return b"".join(words.rest())


def model_execute(argv: Sequence[bytes]) -> RunModel:
    """AI.MODELEXECUTE key INPUTS n key ... OUTPUTS n key ... [TIMEOUT milliseconds]."""
    words = Words(argv, 8)
    key = words.word("")
    if not words.skip(b"INPUTS"):
        raise CommandError("ERR INPUTS not specified")
    inputs = _counted(words, IN, IN.few_keys)
    if not words.skip(b"OUTPUTS"):
        raise CommandError("ERR OUTPUTS not specified")
    outputs = _counted(words, OUT, OUT.few_keys)
    timeout = words.timeout("ERR No value provided for TIMEOUT") if words.skip(b"TIMEOUT") else 0
    if words:
        raise CommandError(f"Invalid argument: {text(words.word(''))}")
    return RunModel(key, inputs, outputs, timeout)


def _counted(words: Words, side: Side, few: str) -> tuple[bytes, ...]:
    """N name [name ...]."""
    return words.some(words.number(side.wrong, 1, side.low), few)


def model_run(argv: Sequence[bytes]) -> RunModel:
    """AI.MODELRUN key [TIMEOUT milliseconds] INPUTS key ... OUTPUTS key ...."""
    words = Words(argv, 6)
    key = words.word("")
    timeout = words.timeout("ERR No value provided for TIMEOUT") if words.skip(b"TIMEOUT") else 0
    if not words.skip(b"INPUTS"):
        raise CommandError("ERR INPUTS not specified")
    inputs = words.until(b"OUTPUTS")
    if not words.skip(b"OUTPUTS"):
        raise CommandError("ERR OUTPUTS not specified")
    return RunModel(key, inputs, words.rest(), timeout)


# --- scripts ----------------------------------------------------------------------------------------------------------------


def script_set(argv: Sequence[bytes]) -> Store:
    """AI.SCRIPTSET key device [TAG tag] SOURCE source."""
    words = Words(argv, 5, 7)
    if len(argv) == 6:
        raise CommandError("ERR wrong number of arguments for 'ai.scriptset' command")
    key, device, tag = words.word(""), words.device(), _tag(words)
    return Store(key, Stored(Kind.SCRIPT, "TORCH", device, tag), _source(words))


def script_store(argv: Sequence[bytes]) -> Store:
    """AI.SCRIPTSTORE key device [TAG tag] ENTRY_POINTS n function ... SOURCE source."""
    words = Words(argv, 4)
    key, device, tag = words.word(""), words.device(), _tag(words)
    missing = "ERR Insufficient arguments, missing script entry points"
    if not words.skip(b"ENTRY_POINTS"):
        raise CommandError(missing)
    count = words.number("ERR Non numeric entry points number provided to AI.SCRIPTSTORE command", 1, missing)
    names = words.some(count, missing)
    return Store(key, Stored(Kind.SCRIPT, "TORCH", device, tag, entry_points=names), _source(words))


def _tag(words: Words) -> bytes:
    """[TAG tag]."""
    return words.word("ERR Insufficient arguments, missing script SOURCE") if words.skip(b"TAG") else b""


def _source(words: Words) -> bytes:
    """SOURCE source."""
    missing = "ERR Insufficient arguments, missing script SOURCE"
    if not words.skip(b"SOURCE"):
        raise CommandError(missing)
    source = words.word(missing)
    if words:
        raise CommandError(f"Invalid argument: {text(words.word(''))}")
    return source


def _function(words: Words) -> bytes:
    function = words.word("")
    if function.upper() in (b"TIMEOUT", b"INPUTS", b"OUTPUTS", b"KEYS", b"ARGS"):
        raise CommandError("ERR function name not specified")
    return function


def script_run(argv: Sequence[bytes]) -> RunScript:
    """AI.SCRIPTRUN key function [TIMEOUT milliseconds] [INPUTS key ... [$ key ...]] [OUTPUTS key ...]."""
    words = Words(argv, 3)
    key, function = words.word(""), _function(words)
    inputs: list[bytes] = []
    outputs: list[bytes] = []
    here: list[bytes] | None = None
    timeout = lists = 0
    while words:
        if words.skip(b"TIMEOUT"):
            if timeout:
                raise CommandError("ERR Already encountered an TIMEOUT section in SCRIPTRUN")
            timeout = words.timeout("ERR No value provided for TIMEOUT")
        elif words.skip(b"INPUTS"):
            if here is not None:
                kind = "section" if here is outputs else "keyword"
                raise CommandError(f"ERR Already encountered an INPUTS {kind} in SCRIPTRUN")
            here = inputs
        elif words.skip(b"OUTPUTS"):
            if here is outputs:
                raise CommandError("ERR Already encountered an OUTPUTS keyword in SCRIPTRUN")
            here = outputs
        elif words.skip(b"$"):
            # All inputs that a function does not take one by one are its list anyway, with this mark or without it.
            if here is not inputs:
                raise CommandError("ERR Encountered a variable size list of tensors outside of input section")
            lists += 1
            if lists > 1:
                raise CommandError("ERR Already encountered a variable size list of tensors")
        elif here is None:
            raise CommandError("ERR Unrecongnized parameter to SCRIPTRUN")
        else:
            here.append(words.word(""))
    return RunScript(key, function, tuple(inputs), tuple(outputs), timeout)


def script_execute(argv: Sequence[bytes]) -> RunScript:
    """AI.SCRIPTEXECUTE key function [KEYS n key ...] [INPUTS n key ...] [ARGS n arg ...] [OUTPUTS n key ...] [TIMEOUT ms]."""
    words = Words(argv, 4)
    key, function = words.word(""), _function(words)
    given: dict[str, tuple[bytes, ...]] = {}
    timeout = 0
    if words.argv[words.at].upper() not in (b"KEYS", b"INPUTS"):
        raise CommandError("ERR KEYS or INPUTS scope must be provided first for AI.SCRIPTEXECUTE command")
    while words and not timeout:
        if words.skip(b"TIMEOUT"):
            timeout = words.timeout("ERR No value provided for TIMEOUT in AI.SCRIPTEXECUTE")
            continue
        scope = words.word("").upper().decode(errors="replace")
        if scope not in ("KEYS", "INPUTS", "ARGS", "OUTPUTS"):
            raise CommandError("ERR Unrecongnized parameter to AI.SCRIPTEXECUTE")
        if scope in given:
            raise CommandError(f"ERR Already encountered {scope} scope in AI.SCRIPTEXECUTE command")
        if not words:
            raise CommandError("ERR Invalid arguments provided to AI.SCRIPTEXECUTE")
        count = words.number(f"ERR Invalid argument for {scope.lower()} count in AI.SCRIPTEXECUTE")
        missing = f"ERR number of {scope.lower()} to AI.SCRIPTEXECUTE command does not match the number of given arguments"
        given[scope] = words.some(count, missing)
    if words:
        raise CommandError("ERR Encountered problem parsing AI.SCRIPTEXECUTE")
    return RunScript(key, function, timeout=timeout, **{scope.lower(): names for scope, names in given.items()})


# --- both, and settings -----------------------------------------------------------------------------------------------------


def get(kind: Kind, whole: bytes, argv: Sequence[bytes]) -> Get:
    """AI.MODELGET key [META] [BLOB], and AI.SCRIPTGET key [META] [SOURCE]; without either word it is both."""
    words = Words(argv, 2, 4)
    key = words.word("")
    meta = words.skip(b"META")
    blob = words.skip(whole)
    meta = meta or words.skip(b"META")
    if words:
        raise CommandError(f"Invalid argument: {text(words.word(''))}")
    return Get(key, kind, meta or not blob, blob or not meta)


def delete(kind: Kind, argv: Sequence[bytes]) -> Delete:
    """AI.MODELDEL key, and AI.SCRIPTDEL key."""
    return Delete(Words(argv, 2, 2).word(""), kind)


def scan(kind: Kind, argv: Sequence[bytes]) -> Scan:
    """AI._MODELSCAN, and AI._SCRIPTSCAN."""
    Words(argv, 1, 1)
    return Scan(kind)


def info(argv: Sequence[bytes]) -> Info:
    """AI.INFO key [RESETSTAT]."""
    words = Words(argv, 2, 3)
    key = words.word("")
    reset = words.skip(b"RESETSTAT")
    if words:
        raise CommandError("ERR unsupported subcommand")
    return Info(key, reset)


def config(argv: Sequence[bytes]) -> Config:
    """AI.CONFIG GET name, and AI.CONFIG MODEL_CHUNK_SIZE bytes."""
    words = Words(argv, 2)
    if words.skip(b"GET"):
        return Config(text(words.word("ERR wrong number of arguments for 'ai.config' command")).upper())
    if words.skip(b"MODEL_CHUNK_SIZE"):
        return Config("MODEL_CHUNK_SIZE", words.number("ERR MODEL_CHUNK_SIZE: invalid chunk size", 1))
    name = text(words.word("")).upper()
    if name in ("LOADBACKEND", "BACKENDSPATH"):
        raise CommandError(
            f"ERR {name}: backends are Python packages here, imported when they are used; there is nothing to set"
        )
    raise CommandError("ERR unsupported subcommand")


COMMANDS: dict[bytes, Callable[[Sequence[bytes]], Command]] = {
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
