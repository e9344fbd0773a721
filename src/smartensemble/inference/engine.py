"""The engine of a worker: jobs in, answers out, and nothing of the connection that they travel on."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, ParamSpec, TypeVar

import numpy as np

from smartensemble.errors import CommandError, InputValueError
from smartensemble.inference import backends, replies
from smartensemble.inference import model_format as stored
from smartensemble.inference.arguments import one_line
from smartensemble.inference.backends import Array
from smartensemble.inference.batching import ALONE, plan
from smartensemble.inference.commands import Command, Config, Delete, Get, Info, RunModel, RunScript, Scan, Store
from smartensemble.inference.grammar import parse
from smartensemble.inference.jobs import OK, TIMED_OUT, Answer, Error, Job, Statistics, Wait
from smartensemble.inference.model_format import Kind, Stored
from smartensemble.inference.preflight import WRONG_TYPE, Ready, Values, find, find_all, find_any, ready, written

P = ParamSpec("P")
R = TypeVar("R")


class Engine:
    """Answers jobs, and keeps loaded what has run last.

    `fetch` gets the value of a key, for a model that is not loaded; `capacity` is how many stay loaded, `threads` how many
    each of them uses, and `clock` the one that the jobs go by, in seconds.
    """

    def __init__(
        self,
        fetch: Callable[[bytes], bytes | None],
        capacity: int = 64,
        threads: int = 1,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if capacity < 1 or threads < 1:
            raise InputValueError(f"Engine: {capacity} models, {threads} threads; give at least 1 of each")
        self.fetch = fetch
        self.capacity = capacity
        self.threads = threads
        self.clock = clock
        self._loaded: OrderedDict[bytes, Any] = OrderedDict()

    def execute(self, jobs: Sequence[Job]) -> Iterator[tuple[int, Answer | Wait]]:
        """The answer to each of `jobs`, by its number, as soon as there is one; they are in the order in which they came."""
        for answers in self.groups(jobs):
            yield from answers

    def groups(self, jobs: Sequence[Job]) -> Iterator[list[tuple[int, Answer | Wait]]]:
        """The same, but the answers that are there at once together; what comes next may take long."""
        now = self.clock()
        prepared = [self._prepare(job, now) for job in jobs]
        groups, waits = plan([item.run if isinstance(item, Ready) else ALONE for item in prepared], now)
        for group in groups:
            members = [item for number in group if isinstance(item := prepared[number], Ready)]
            answers = self._run(members) if members else [self._answer(jobs[group[0]], prepared[group[0]])]
            yield list(zip(group, answers, strict=True))
        if waits:
            limits = {number: item.limit for number in waits if isinstance(item := prepared[number], Ready)}
            yield [(number, Wait(min(until, limits.get(number, math.inf)))) for number, until in waits.items()]

    def _prepare(self, job: Job, now: float) -> Ready | Answer | Command:
        """A run that is ready, another command, or the answer if there is one without doing anything."""
        try:
            command = parse(job.argv)
            if not isinstance(command, (RunModel, RunScript)):
                return command
            run = ready(job, command)
        except CommandError as error:
            return Answer(Error(str(error)))
        return Answer(TIMED_OUT) if now > run.limit else run

    # --- runs -----------------------------------------------------------------------------------------------------------------

    def _run(self, members: Sequence[Ready]) -> list[Answer]:
        """The answers to runs that go together; those that others have made late are left out."""
        now = self.clock()
        if all(now <= member.limit for member in members):
            return self._run_now(members)
        there = [member for member in members if now <= member.limit]
        answers = iter(self._run_now(there) if there else [])
        return [next(answers) if now <= member.limit else Answer(TIMED_OUT) for member in members]

    def _run_now(self, members: Sequence[Ready]) -> list[Answer]:
        began = time.perf_counter_ns()
        try:
            outputs = self._outputs(members)
            duration = (time.perf_counter_ns() - began) // 1000
            return [written(member, arrays, duration) for member, arrays in zip(members, outputs, strict=True)]
        except CommandError as error:
            return [Answer(Error(str(error)), statistics=Statistics(calls=1, errors=1))] * len(members)

    def _outputs(self, members: Sequence[Ready]) -> list[list[Array]]:
        """What each of several runs makes of its inputs."""
        first = members[0]
        loaded = self._load(first)
        if isinstance(first.command, RunScript):
            command = first.command
            function = command.function.decode(errors="replace")
            return [_framework(loaded.run, function, first.tensors, command.keys, command.args)]
        if len(members) == 1:
            return [_framework(loaded.run, first.tensors)]
        batch = [np.concatenate(parts) for parts in zip(*(member.tensors for member in members), strict=True)]
        rows = np.cumsum([member.run.rows for member in members])
        outputs: list[Array] = _framework(loaded.run, batch)
        if any(output.shape[:1] != (rows[-1],) for output in outputs):
            raise CommandError("ERR Model did not generate the expected batch size")
        return [list(parts) for parts in zip(*(np.split(output, rows[:-1]) for output in outputs), strict=True)]

    def _load(self, ready: Ready) -> Any:
        """The model or script of a run, loaded."""
        version = ready.known.version
        if version not in self._loaded:
            return self._keep(*self._whole(ready.command.key, ready.job.values, ready.known.kind))
        self._loaded.move_to_end(version)
        return self._loaded[version]

    def _whole(self, key: bytes, values: Values, kind: Kind) -> tuple[Stored, memoryview]:
        """A model or script and its blob: as the job brings it or, if that is the trailer alone, as it is now."""
        known, blob = find(key, values, kind), stored.blob(values[key] or b"")
        if blob is None:
            value = self.fetch(key)
            known, blob = find(key, {} if value is None else {key: value}, kind), stored.blob(value or b"")
        if blob is None:
            raise CommandError(WRONG_TYPE)
        return known, blob

    def _keep(self, known: Stored, blob: bytes | memoryview) -> Any:
        """Load a model or script, and let go of the one that has not run for longest."""
        if known.kind is Kind.MODEL:
            load = backends.load
            loaded: Any = _framework(load, known.backend, blob, known.device, known.inputs, known.outputs, self.threads)
        else:
            loaded = _framework(backends.compile_script, blob, known.device, known.entry_points, self.threads)
        self._loaded[known.version] = loaded
        if len(self._loaded) > self.capacity:
            self._loaded.popitem(last=False)
        return loaded

    # --- all but runs ---------------------------------------------------------------------------------------------------------

    def _answer(self, job: Job, item: Answer | Command | Ready) -> Answer:
        try:
            match item:
                case Answer():
                    return item
                case Store():
                    return self._store(job, item)
                case Get(key, kind, meta, True):
                    known, blob = self._whole(key, job.values, kind)
                    name = b"blob" if kind is Kind.MODEL else b"source"
                    return Answer([*replies.options(known), name, bytes(blob)] if meta else bytes(blob))
                case Get(key, kind):
                    return Answer(replies.options(find(key, job.values, kind)))
                case Delete(key, kind):
                    find(key, job.values, kind)
                    return Answer(OK, {key: None}, reset=True)
                case Info(key, reset):
                    told = replies.info(key, find_any(key, job.values), job)
                    return Answer(OK, reset=True) if reset else Answer(told)
                case Scan(kind):
                    return Answer([[key, known.tag] for key, known in find_all(job.values, kind)])
                case Config(name, chunk_size):
                    return replies.config(name, chunk_size, job)
        except CommandError as error:
            return Answer(Error(str(error)))
        raise TypeError(item)

    def _store(self, job: Job, command: Store) -> Answer:
        """Load a model or script at once, so that who stores what cannot run is told; then it is written."""
        known = command.stored
        if job.kinds.get(command.key, known.kind) is not known.kind:
            raise CommandError(WRONG_TYPE)
        loaded = self._keep(known, command.blob)
        if known.kind is Kind.MODEL:
            known = replace(known, inputs=loaded.inputs, outputs=loaded.outputs)
        return Answer(OK, {command.key: stored.encode(known, command.blob)}, reset=True)


def _framework(call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """The result of a call into a framework, which may raise anything: its text is the reply."""
    try:
        return call(*args, **kwargs)
    except CommandError:
        raise
    except Exception as error:
        raise CommandError(one_line(error) or type(error).__name__) from error
