"""What AI.MODELGET, AI.SCRIPTGET, AI.INFO and AI.CONFIG tell, in the order that clients know."""

from smartensemble.inference.jobs import OK, Answer, Job, Reply
from smartensemble.inference.model_format import Kind, Stored


def options(known: Stored) -> list[Reply]:
    """All that was given with a model or a script, name after name."""
    device: list[Reply] = [b"device", known.device.encode(), b"tag", known.tag]
    if known.kind is Kind.SCRIPT:
        return [*device, b"Entry Points", list(known.entry_points)]
    batches: list[Reply] = [b"batchsize", known.batch_size, b"minbatchsize", known.min_batch_size]
    names: list[Reply] = [b"inputs", list(known.inputs), b"outputs", list(known.outputs)]
    return [b"backend", known.backend.encode(), *device, *batches, *names, b"minbatchtimeout", known.min_batch_timeout]


def info(key: bytes, known: Stored, job: Job) -> list[Reply]:
    """How a model or a script has run; of scripts, nobody counts the samples."""
    done = job.statistics
    what: list[Reply] = [b"key", key, b"type", known.kind.name.encode(), b"backend", known.backend.encode()]
    what += [b"device", known.device.encode(), b"tag", known.tag]
    samples = done.samples if known.kind is Kind.MODEL else -1
    return [*what, b"duration", done.duration, b"samples", samples, b"calls", done.calls, b"errors", done.errors]


def config(name: str, chunk_size: int | None, job: Job) -> Answer:
    """The one setting that there is, or its change."""
    if chunk_size is not None:
        return Answer(OK, chunk_size=chunk_size)
    return Answer(job.chunk_size if name == "MODEL_CHUNK_SIZE" else None)
