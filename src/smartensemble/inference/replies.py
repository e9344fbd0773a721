"""The replies to AI.MODELGET, AI.SCRIPTGET, AI.INFO and AI.CONFIG, in the order that clients know; what is added to errors."""

from dataclasses import replace

from smartensemble.inference.model_format import Kind, Metadata
from smartensemble.inference.requests import OK, Answer, ClientReply, Error, Request


def options(metadata: Metadata) -> list[ClientReply]:
    """The options that a model or script was stored with, name after name."""
    device: list[ClientReply] = [b"device", metadata.device.encode(), b"tag", metadata.tag]
    if metadata.kind is Kind.SCRIPT:
        return [*device, b"Entry Points", list(metadata.entry_points)]
    sizes: list[ClientReply] = [b"batchsize", metadata.batch_size, b"minbatchsize", metadata.min_batch_size]
    names: list[ClientReply] = [b"inputs", list(metadata.inputs), b"outputs", list(metadata.outputs)]
    return [b"backend", metadata.backend.encode(), *device, *sizes, *names, b"minbatchtimeout", metadata.min_batch_timeout]


def info(key: bytes, metadata: Metadata, request: Request) -> list[ClientReply]:
    """The statistics of a model or script; the samples of a script are not counted."""
    done = request.statistics
    head: list[ClientReply] = [b"key", key, b"type", metadata.kind.name.encode(), b"backend", metadata.backend.encode()]
    head += [b"device", metadata.device.encode(), b"tag", metadata.tag]
    samples = done.samples if metadata.kind is Kind.MODEL else -1
    return [*head, b"duration", done.duration, b"samples", samples, b"calls", done.calls, b"errors", done.errors]


def config(name: str, chunk_size: int | None, request: Request) -> Answer:
    """The one setting that exists, or its change."""
    if chunk_size is not None:
        return Answer(OK, chunk_size=chunk_size)
    return Answer(request.chunk_size if name == "MODEL_CHUNK_SIZE" else None)


#: How systems and frameworks say that the kernel refused something.
REFUSALS = ("Permission denied", "Operation not permitted")


def explained(answer: Answer, remedy: str) -> Answer:
    """`answer`, with the remedy behind an error that a confinement may have caused.

    >>> explained(Answer(Error("ERR x.txt; Permission denied")), "give confine=False").reply
    Error(text='ERR x.txt; Permission denied; give confine=False')
    """
    if remedy and isinstance(answer.reply, Error) and any(refusal in answer.reply.text for refusal in REFUSALS):
        return replace(answer, reply=Error(f"{answer.reply.text.rstrip()}; {remedy}"))
    return answer
