"""How commands about models are spelled: AI.MODELSTORE, AI.MODELSET, AI.MODELEXECUTE and AI.MODELRUN."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from smartensemble.errors import CommandError
from smartensemble.inference.arguments import ArgumentReader, text
from smartensemble.inference.commands import RunModel, Store
from smartensemble.inference.model_format import Kind, Metadata

BACKENDS = (b"TF", b"TFLITE", b"TORCH", b"ONNX")


class Side(NamedTuple):
    """The errors of a count and of the names that it counts: no number, a number too low, and fewer names than that."""

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


def model_store(argv: Sequence[bytes]) -> Store:
    """AI.MODELSTORE key backend device [options] [INPUTS n name ... OUTPUTS n name ...] BLOB part [part ...]."""
    arguments = ArgumentReader(argv, 6)
    key, metadata = _model(arguments)
    if arguments.skip(b"INPUTS"):
        if metadata.backend != "TF":
            raise CommandError("ERR INPUTS argument should not be specified for this backend")
        inputs = _counted(arguments, IN, IN.few_names)
        if not arguments.skip(b"OUTPUTS"):
            raise CommandError("ERR OUTPUTS not specified for TF")
        metadata = replace(metadata, inputs=inputs, outputs=_counted(arguments, OUT, OUT.few_names))
    elif metadata.backend == "TF":
        raise CommandError("ERR INPUTS not specified for TF")
    return Store(key, metadata, _blob(arguments))


def model_set(argv: Sequence[bytes]) -> Store:
    """AI.MODELSET key backend device [options] [INPUTS name ... OUTPUTS name ...] BLOB part [part ...]."""
    arguments = ArgumentReader(argv, 4)
    key, metadata = _model(arguments)
    if metadata.backend == "TF":
        if not arguments.skip(b"INPUTS"):
            raise CommandError("ERR INPUTS not specified")
        inputs = arguments.until(b"OUTPUTS", b"BLOB")
        if not arguments.skip(b"OUTPUTS"):
            raise CommandError("ERR OUTPUTS not specified")
        metadata = replace(metadata, inputs=inputs, outputs=arguments.until(b"BLOB"))
    return Store(key, metadata, _blob(arguments))


def _model(arguments: ArgumentReader) -> tuple[bytes, Metadata]:
    """Key backend device [TAG tag] [BATCHSIZE n [MINBATCHSIZE m [MINBATCHTIMEOUT milliseconds]]]."""
    key = arguments.next("")
    backend = arguments.next("").upper()
    if backend not in BACKENDS:
        raise CommandError("ERR unsupported backend")
    device = arguments.device()
    tag = arguments.next("ERR Insufficient arguments, missing model BLOB") if arguments.skip(b"TAG") else b""
    sizes = {b"BATCHSIZE": 0, b"MINBATCHSIZE": 0, b"MINBATCHTIMEOUT": 0}
    needs = None
    for option in sizes:
        if arguments.skip(option):
            if option == b"BATCHSIZE" and backend == b"TFLITE":
                raise CommandError("ERR Auto-batching not supported by the TFLITE backend")
            if needs and not sizes[needs]:
                raise CommandError(f"ERR {text(option)} specified without {text(needs)}")
            sizes[option] = arguments.number(f"ERR Invalid argument for {text(option)}")
        needs = option
    if not arguments:
        raise CommandError("ERR Insufficient arguments, missing model BLOB")
    batch_size, min_batch_size, min_batch_timeout = sizes.values()
    return key, Metadata(Kind.MODEL, backend.decode(), device, tag, batch_size, min_batch_size, min_batch_timeout)


def _blob(arguments: ArgumentReader) -> bytes:
    """BLOB part [part ...]."""
    if not arguments.skip(b"BLOB"):
        raise CommandError("ERR Invalid argument, expected BLOB")
    if not arguments:
        raise CommandError("ERR Insufficient arguments, missing model BLOB")
    return b"".join(arguments.rest())


def model_execute(argv: Sequence[bytes]) -> RunModel:
    """AI.MODELEXECUTE key INPUTS n key ... OUTPUTS n key ... [TIMEOUT milliseconds]."""
    arguments = ArgumentReader(argv, 8)
    key = arguments.next("")
    if not arguments.skip(b"INPUTS"):
        raise CommandError("ERR INPUTS not specified")
    inputs = _counted(arguments, IN, IN.few_keys)
    if not arguments.skip(b"OUTPUTS"):
        raise CommandError("ERR OUTPUTS not specified")
    outputs = _counted(arguments, OUT, OUT.few_keys)
    timeout = arguments.timeout("ERR No value provided for TIMEOUT") if arguments.skip(b"TIMEOUT") else 0
    if arguments:
        raise CommandError(f"Invalid argument: {text(arguments.next(''))}")
    return RunModel(key, inputs, outputs, timeout)


def _counted(arguments: ArgumentReader, side: Side, few: str) -> tuple[bytes, ...]:
    """N name [name ...]."""
    return arguments.several(arguments.number(side.wrong, 1, side.low), few)


def model_run(argv: Sequence[bytes]) -> RunModel:
    """AI.MODELRUN key [TIMEOUT milliseconds] INPUTS key ... OUTPUTS key ...."""
    arguments = ArgumentReader(argv, 6)
    key = arguments.next("")
    timeout = arguments.timeout("ERR No value provided for TIMEOUT") if arguments.skip(b"TIMEOUT") else 0
    if not arguments.skip(b"INPUTS"):
        raise CommandError("ERR INPUTS not specified")
    inputs = arguments.until(b"OUTPUTS")
    if not arguments.skip(b"OUTPUTS"):
        raise CommandError("ERR OUTPUTS not specified")
    return RunModel(key, inputs, arguments.rest(), timeout)
