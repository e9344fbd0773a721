"""What a worker and the module send each other: how a request is read, and how an answer is written.

``module.c`` has the other side in `tell` and `answer`. Requests are the reply to AI._NEXT. An answer is the end of a command,
each part of it one argument; a reply in it is written as in RESP, but without lengths, because an argument has its own.
"""

from collections.abc import Callable, Sequence
from typing import Any

from smartensemble.inference.connection import Argument
from smartensemble.inference.model_format import KINDS, Buffer, Kind
from smartensemble.inference.requests import NONE, Answer, ClientReply, Error, Request, SimpleString, Statistics

#: Where an input lies in the memory that the database shares: offset and length.
Span = list[int]


def read_request(parts: Sequence[Any], now: float, shared: Callable[[Span], memoryview]) -> tuple[int, Request]:
    """The number of a request, and the request; `shared` returns what lies in shared memory."""
    number, waited, argv, read, written, statistics, chunk_size = parts
    values: dict[bytes, Buffer | None] = {
        key: shared(value) if type(value) is list else value for key, value in zip(read[::2], read[1::2], strict=True)
    }
    kinds = {key: KINDS.get(magic, Kind.OTHER) for key, magic in zip(written[::2], written[1::2], strict=True)}
    return number, Request(argv, values, kinds, now - waited / 1e6, Statistics(*statistics) if statistics else NONE, chunk_size)


def write_answer(number: int, request: Request, answer: Answer) -> list[Argument]:
    """The arguments that answer a request."""
    done = answer.statistics
    head = [number, done.calls, done.samples, done.duration, done.errors, int(answer.reset), answer.chunk_size or 0]
    arguments: list[Argument] = [*head, len(answer.writes)]
    for key, value in answer.writes.items():
        arguments += (key, _deleted(request) if value is None else value)
    _write(answer.reply, arguments)
    return arguments


def _deleted(request: Request) -> bytes:
    """What stands for no value: the kind of what is deleted, and nothing else."""
    kind: bytes = (Kind.MODEL if request.argv[0].upper() == b"AI.MODELDEL" else Kind.SCRIPT).value
    return kind


def _write(reply: ClientReply, arguments: list[Argument]) -> None:
    match reply:
        case SimpleString(text):
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
