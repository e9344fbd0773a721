"""The engine of a worker: requests in, answers out; it knows nothing about the connection."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any, ParamSpec, TypeVar

import numpy as np

from smartensemble.errors import CommandError, InputValueError
from smartensemble.inference import backends, model_format, replies
from smartensemble.inference.arguments import one_line
from smartensemble.inference.backends import Array
from smartensemble.inference.batching import ALONE, batches
from smartensemble.inference.commands import AICommand, Config, Delete, Get, Info, RunModel, RunScript, Scan, Store
from smartensemble.inference.grammar import parse
from smartensemble.inference.model_format import Kind, Metadata
from smartensemble.inference.preflight import (
    WRONG_TYPE,
    KeyValues,
    Ready,
    answer,
    check,
    read_any_metadata,
    read_metadata,
    scan_metadata,
)
from smartensemble.inference.requests import OK, TIMED_OUT, Answer, Error, Request, Statistics, Wait

#: The answer to a request whose client has gone.
UNWANTED = Answer(None)

P = ParamSpec("P")
R = TypeVar("R")


class Engine:
    """Answers requests, and keeps the latest models and scripts loaded.

    `fetch` gets the value of a key, for a model that is not loaded. `capacity` is the number of models that stay loaded,
    `threads` the number of threads that each of them uses, and `clock` the clock of requests, in seconds. A model is loaded in
    the context of `loading`. A `sharded` database has keys that its other servers hold.
    """

    def __init__(
        self,
        fetch: Callable[[bytes], bytes | None],
        capacity: int = 64,
        threads: int = 1,
        clock: Callable[[], float] = time.monotonic,
        loading: Callable[[], AbstractContextManager[None]] = nullcontext,
        sharded: bool = False,
    ) -> None:
        if capacity < 1 or threads < 1:
            raise InputValueError(f"Engine: {capacity} models, {threads} threads; give at least 1 of each")
        self.fetch = fetch
        self.capacity = capacity
        self.threads = threads
        self.clock = clock
        self.loading = loading
        self.sharded = sharded
        self._loaded: OrderedDict[bytes, Any] = OrderedDict()

    def execute(self, requests: Sequence[Request]) -> Iterator[tuple[int, Answer | Wait]]:
        """The answer to each of `requests`, which are in the order in which they came, by its index, as soon as it is known."""
        for answers in self.groups(requests):
            yield from answers

    def groups(self, requests: Sequence[Request], gone: Collection[int] = ()) -> Iterator[list[tuple[int, Answer | Wait]]]:
        """The same answers, but those that are known at the same time together; the next ones may take long.

        A request whose index is in `gone` is not run; more may come in while others run.
        """
        now = self.clock()
        prepared = [self._prepare(request, now) for request in requests]
        groups, waits = batches([item.candidate if isinstance(item, Ready) else ALONE for item in prepared], now)
        for group in groups:
            wanted = [index for index in group if index not in gone] if gone else group
            unwanted = [(index, UNWANTED) for index in group if index in gone]
            yield [*unwanted, *self._answers(requests, prepared, wanted)]
        if waits:
            limits = {index: item.limit for index in waits if isinstance(item := prepared[index], Ready)}
            yield [(index, Wait(min(until, limits.get(index, math.inf)))) for index, until in waits.items()]

    def _answers(
        self, requests: Sequence[Request], prepared: Sequence[Ready | Answer | AICommand], group: Sequence[int]
    ) -> list[tuple[int, Answer | Wait]]:
        """The answers to a group."""
        if not group:
            return []
        batch = [item for index in group if isinstance(item := prepared[index], Ready)]
        answers = self._run(batch) if batch else [self._answer(requests[group[0]], prepared[group[0]])]
        return list(zip(group, answers, strict=True))

    def _prepare(self, request: Request, now: float) -> Ready | Answer | AICommand:
        """A request that is ready to run, another command, or the answer, where nothing has to be done for it."""
        try:
            command = parse(request.argv)
            if not isinstance(command, (RunModel, RunScript)):
                return command
            ready = check(request, command, self.sharded)
        except CommandError as error:
            return Answer(Error(str(error)))
        return Answer(TIMED_OUT) if now > ready.limit else ready

    # --- runs -----------------------------------------------------------------------------------------------------------------

    def _run(self, batch: Sequence[Ready]) -> list[Answer]:
        """The answers to a batch; a request that an earlier batch has made too late is not run."""
        now = self.clock()
        if all(now <= ready.limit for ready in batch):
            return self._run_now(batch)
        in_time = [ready for ready in batch if now <= ready.limit]
        answers = iter(self._run_now(in_time) if in_time else [])
        return [next(answers) if now <= ready.limit else Answer(TIMED_OUT) for ready in batch]

    def _run_now(self, batch: Sequence[Ready]) -> list[Answer]:
        began = time.perf_counter_ns()
        try:
            outputs = self._outputs(batch)
            duration = (time.perf_counter_ns() - began) // 1000
            return [answer(ready, arrays, duration) for ready, arrays in zip(batch, outputs, strict=True)]
        except CommandError as error:
            return [Answer(Error(str(error)), statistics=Statistics(calls=1, errors=1))] * len(batch)

    def _outputs(self, batch: Sequence[Ready]) -> list[list[Array]]:
        """The outputs of each request of a batch."""
        first = batch[0]
        loaded = self._load(first)
        if isinstance(first.command, RunScript):
            command = first.command
            function = command.function.decode(errors="replace")
            return [_framework(loaded.run, function, first.tensors, command.keys, command.args)]
        if len(batch) == 1:
            return [_framework(loaded.run, first.tensors)]
        inputs = [np.concatenate(parts) for parts in zip(*(ready.tensors for ready in batch), strict=True)]
        rows = np.cumsum([ready.candidate.rows for ready in batch])
        outputs: list[Array] = _framework(loaded.run, inputs)
        if any(output.shape[:1] != (rows[-1],) for output in outputs):
            raise CommandError("ERR Model did not generate the expected batch size")
        return [list(parts) for parts in zip(*(np.split(output, rows[:-1]) for output in outputs), strict=True)]

    def _load(self, ready: Ready) -> Any:
        """The model or script of a request, loaded."""
        version = ready.metadata.version
        if version not in self._loaded:
            with self.loading():
                return self._keep(*self._whole(ready.command.key, ready.request.values, ready.metadata.kind))
        self._loaded.move_to_end(version)
        return self._loaded[version]

    def _whole(self, key: bytes, values: KeyValues, kind: Kind) -> tuple[Metadata, memoryview]:
        """A model or script and its blob: from the request or, if that brings the trailer alone, from the database."""
        metadata, blob = read_metadata(key, values, kind), model_format.blob(values[key] or b"")
        if blob is None:
            value = self.fetch(key)
            metadata, blob = read_metadata(key, {} if value is None else {key: value}, kind), model_format.blob(value or b"")
        if blob is None:
            raise CommandError(WRONG_TYPE)
        return metadata, blob

    def _keep(self, metadata: Metadata, blob: bytes | memoryview) -> Any:
        """Load a model or script, and drop the one that has not run for longest."""
        if metadata.kind is Kind.MODEL:
            load = backends.load
            loaded: Any = _framework(
                load, metadata.backend, blob, metadata.device, metadata.inputs, metadata.outputs, self.threads
            )
        else:
            loaded = _framework(backends.compile_script, blob, metadata.device, metadata.entry_points, self.threads)
        self._loaded[metadata.version] = loaded
        if len(self._loaded) > self.capacity:
            self._loaded.popitem(last=False)
        return loaded

    # --- all but runs ---------------------------------------------------------------------------------------------------------

    def _answer(self, request: Request, item: Answer | AICommand | Ready) -> Answer:
        try:
            match item:
                case Answer():
                    return item
                case Store():
                    return self._store(request, item)
                case Get(key, kind, meta, True):
                    metadata, blob = self._whole(key, request.values, kind)
                    name = b"blob" if kind is Kind.MODEL else b"source"
                    return Answer([*replies.options(metadata), name, bytes(blob)] if meta else bytes(blob))
                case Get(key, kind):
                    return Answer(replies.options(read_metadata(key, request.values, kind)))
                case Delete(key, kind):
                    read_metadata(key, request.values, kind)
                    return Answer(OK, {key: None}, reset=True)
                case Info(key, reset):
                    statistics = replies.info(key, read_any_metadata(key, request.values), request)
                    return Answer(OK, reset=True) if reset else Answer(statistics)
                case Scan(kind):
                    return Answer([[key, metadata.tag] for key, metadata in scan_metadata(request.values, kind)])
                case Config(name, chunk_size):
                    return replies.config(name, chunk_size, request)
        except CommandError as error:
            return Answer(Error(str(error)))
        raise TypeError(item)

    def _store(self, request: Request, command: Store) -> Answer:
        """Load a model or script at once, so its client learns if it cannot run; then store it."""
        metadata = command.metadata
        if request.kinds.get(command.key, metadata.kind) is not metadata.kind:
            raise CommandError(WRONG_TYPE)
        with self.loading():
            loaded = self._keep(metadata, command.blob)
        if metadata.kind is Kind.MODEL:
            metadata = replace(metadata, inputs=loaded.inputs, outputs=loaded.outputs)
        return Answer(OK, {command.key: model_format.encode(metadata, command.blob)}, reset=True)


def _framework(call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """The result of a call into a framework; whatever that raises, its text is the reply."""
    try:
        return call(*args, **kwargs)
    except CommandError:
        raise
    except Exception as error:
        raise CommandError(one_line(error) or type(error).__name__) from error
