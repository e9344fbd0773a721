"""What a worker and the module say to each other: how a job is read, and how an answer is written.

``module.c`` has the same at `tell` and `answer`. Jobs come as the reply to AI._NEXT. An answer is the end of a command, each
part of it one argument, and a reply in it is written as RESP would, but that an argument needs no length.
"""

from collections.abc import Callable, Sequence
from typing import Any

from smartensemble.inference.connection import Argument
from smartensemble.inference.jobs import NONE, Answer, Error, Job, Reply, Statistics, Status
from smartensemble.inference.model_format import KINDS, Buffer, Kind

#: Where the database has put an input in the memory that it shares, and its length.
Place = list[int]


def read_job(told: Sequence[Any], now: float, shared: Callable[[Place], memoryview]) -> tuple[int, Job]:
    """The number of a job, and the job; `shared` finds what is in shared memory."""
    number, waited, argv, read, written, known, chunk_size = told
    values: dict[bytes, Buffer | None] = {
        key: shared(value) if type(value) is list else value for key, value in zip(read[::2], read[1::2], strict=True)
    }
    kinds = {key: KINDS.get(magic, Kind.OTHER) for key, magic in zip(written[::2], written[1::2], strict=True)}
    return number, Job(argv, values, kinds, now - waited / 1e6, Statistics(*known) if known else NONE, chunk_size)


def write_answer(number: int, job: Job, answer: Answer) -> list[Argument]:
    """The arguments that answer a job."""
    done = answer.statistics
    head = [number, done.calls, done.samples, done.duration, done.errors, int(answer.reset), answer.chunk_size or 0]
    arguments: list[Argument] = [*head, len(answer.writes)]
    for key, value in answer.writes.items():
        arguments += (key, _deleted(job) if value is None else value)
    _write(answer.reply, arguments)
    return arguments


def _deleted(job: Job) -> bytes:
    """What stands for no value: the kind of what is to be deleted, and nothing else."""
    kind: bytes = (Kind.MODEL if job.argv[0].upper() == b"AI.MODELDEL" else Kind.SCRIPT).value
    return kind


def _write(reply: Reply, arguments: list[Argument]) -> None:
    match reply:
        case Status(text):
            arguments.append(b"+" + text.encode())
        case Error(text):
            arguments.append(b"-" + text.encode(errors="surrogateescape").replace(b"\0", b"\\0"))
        case bytes():
            arguments += (b"$", reply)
        case int():
            arguments.append(b":%d" % reply)
        case None:
            arguments.append(b"_")
        case list():
            arguments.append(b"*%d" % len(reply))
            for part in reply:
                _write(part, arguments)
