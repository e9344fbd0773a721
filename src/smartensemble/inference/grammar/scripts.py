"""How commands about scripts are spelled: AI.SCRIPTSET, AI.SCRIPTSTORE, AI.SCRIPTRUN and AI.SCRIPTEXECUTE."""

from collections.abc import Sequence

from smartensemble.errors import CommandError
from smartensemble.inference.arguments import ArgumentReader, text
from smartensemble.inference.commands import RunScript, Store
from smartensemble.inference.model_format import Kind, Metadata


def script_set(argv: Sequence[bytes]) -> Store:
    """AI.SCRIPTSET key device [TAG tag] SOURCE source."""
    arguments = ArgumentReader(argv, 5, 7)
    if len(argv) == 6:
        raise CommandError("ERR wrong number of arguments for 'ai.scriptset' command")
    key, device, tag = arguments.next(""), arguments.device(), _tag(arguments)
    return Store(key, Metadata(Kind.SCRIPT, "TORCH", device, tag), _source(arguments))


def script_store(argv: Sequence[bytes]) -> Store:
    """AI.SCRIPTSTORE key device [TAG tag] ENTRY_POINTS n function ... SOURCE source."""
    arguments = ArgumentReader(argv, 4)
    key, device, tag = arguments.next(""), arguments.device(), _tag(arguments)
    missing = "ERR Insufficient arguments, missing script entry points"
    if not arguments.skip(b"ENTRY_POINTS"):
        raise CommandError(missing)
    count = arguments.number("ERR Non numeric entry points number provided to AI.SCRIPTSTORE command", 1, missing)
    names = arguments.several(count, missing)
    return Store(key, Metadata(Kind.SCRIPT, "TORCH", device, tag, entry_points=names), _source(arguments))


def _tag(arguments: ArgumentReader) -> bytes:
    """[TAG tag]."""
    return arguments.next("ERR Insufficient arguments, missing script SOURCE") if arguments.skip(b"TAG") else b""


def _source(arguments: ArgumentReader) -> bytes:
    """SOURCE source."""
    missing = "ERR Insufficient arguments, missing script SOURCE"
    if not arguments.skip(b"SOURCE"):
        raise CommandError(missing)
    source = arguments.next(missing)
    if arguments:
        raise CommandError(f"Invalid argument: {text(arguments.next(''))}")
    return source


def _function(arguments: ArgumentReader) -> bytes:
    function = arguments.next("")
    if function.upper() in (b"TIMEOUT", b"INPUTS", b"OUTPUTS", b"KEYS", b"ARGS"):
        raise CommandError("ERR function name not specified")
    return function


def script_run(argv: Sequence[bytes]) -> RunScript:
    """AI.SCRIPTRUN key function [TIMEOUT milliseconds] [INPUTS key ... [$ key ...]] [OUTPUTS key ...]."""
    arguments = ArgumentReader(argv, 3)
    key, function = arguments.next(""), _function(arguments)
    inputs: list[bytes] = []
    outputs: list[bytes] = []
    here: list[bytes] | None = None
    timeout = lists = 0
    while arguments:
        if arguments.skip(b"TIMEOUT"):
            if timeout:
                raise CommandError("ERR Already encountered an TIMEOUT section in SCRIPTRUN")
            timeout = arguments.timeout("ERR No value provided for TIMEOUT")
        elif arguments.skip(b"INPUTS"):
            if here is not None:
                kind = "section" if here is outputs else "keyword"
                raise CommandError(f"ERR Already encountered an INPUTS {kind} in SCRIPTRUN")
            here = inputs
        elif arguments.skip(b"OUTPUTS"):
            if here is outputs:
                raise CommandError("ERR Already encountered an OUTPUTS keyword in SCRIPTRUN")
            here = outputs
        elif arguments.skip(b"$"):
            # All inputs that a function does not take one by one are its list anyway, with this mark or without it.
            if here is not inputs:
                raise CommandError("ERR Encountered a variable size list of tensors outside of input section")
            lists += 1
            if lists > 1:
                raise CommandError("ERR Already encountered a variable size list of tensors")
        elif here is None:
            raise CommandError("ERR Unrecongnized parameter to SCRIPTRUN")
        else:
            here.append(arguments.next(""))
    return RunScript(key, function, tuple(inputs), tuple(outputs), timeout)


def script_execute(argv: Sequence[bytes]) -> RunScript:
    """AI.SCRIPTEXECUTE key function [KEYS n key ...] [INPUTS n key ...] [ARGS n arg ...] [OUTPUTS n key ...] [TIMEOUT ms]."""
    arguments = ArgumentReader(argv, 4)
    key, function = arguments.next(""), _function(arguments)
    scopes: dict[str, tuple[bytes, ...]] = {}
    timeout = 0
    if arguments.argv[arguments.index].upper() not in (b"KEYS", b"INPUTS"):
        raise CommandError("ERR KEYS or INPUTS scope must be provided first for AI.SCRIPTEXECUTE command")
    while arguments and not timeout:
        if arguments.skip(b"TIMEOUT"):
            timeout = arguments.timeout("ERR No value provided for TIMEOUT in AI.SCRIPTEXECUTE")
            continue
        scope = arguments.next("").upper().decode(errors="replace")
        if scope not in ("KEYS", "INPUTS", "ARGS", "OUTPUTS"):
            raise CommandError("ERR Unrecongnized parameter to AI.SCRIPTEXECUTE")
        if scope in scopes:
            raise CommandError(f"ERR Already encountered {scope} scope in AI.SCRIPTEXECUTE command")
        if not arguments:
            raise CommandError("ERR Invalid arguments provided to AI.SCRIPTEXECUTE")
        count = arguments.number(f"ERR Invalid argument for {scope.lower()} count in AI.SCRIPTEXECUTE")
        missing = f"ERR number of {scope.lower()} to AI.SCRIPTEXECUTE command does not match the number of given arguments"
        scopes[scope] = arguments.several(count, missing)
    if arguments:
        raise CommandError("ERR Encountered problem parsing AI.SCRIPTEXECUTE")
    return RunScript(key, function, timeout=timeout, **{scope.lower(): names for scope, names in scopes.items()})
