"""A worker: it takes requests from databases, has an engine run them, and sends the answers."""

import logging
import math
import mmap
import os
import select
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from smartensemble.inference.connection import Argument, Connection
from smartensemble.inference.engine import Engine
from smartensemble.inference.opening import Opened
from smartensemble.inference.protocol import Span, read_request, write_answer
from smartensemble.inference.replies import explained
from smartensemble.inference.requests import Answer, Request

logger = logging.getLogger(__name__)

RETRY_INTERVAL_S = 0.2  #: between two tries to connect
LOAD_LIMIT_S = 600.0  #: that a model may take to be loaded, with the import of its framework
RUN_LIMIT_S = 300.0  #: that a run may take by default
LONG_RUN_S = 0.05  #: after a run that takes longer, the clients of those that wait may have gone
LONGEST_MS = 2**31 - 1  #: what the database takes as a time

#: Receives, when something begins, the seconds that it may take; and 0.0 when nothing runs.
Heartbeat = Callable[[float], None]


class ShardConnection:
    """The connection of a worker to one server of a database, which `open_server` opens: for requests, and for models."""

    def __init__(
        self,
        address: str,
        open_server: Callable[[], Opened],
        at_once: int = 32,
        threads: int = 1,
        heartbeat: Heartbeat = lambda _: None,
        remedy: str = "",
        time_limit: float = RUN_LIMIT_S,
        sharded: bool = False,
    ) -> None:
        self.address = address
        self.open_server = open_server
        self.at_once = at_once
        self.heartbeat = heartbeat
        self.remedy = remedy
        self.time_limit = time_limit
        #: Since when there is no connection; None if there is one.
        self.lost: float | None = time.monotonic()
        self.reason = ""  #: why the last try to connect failed
        self.connection: Connection
        self.engine = Engine(self._get, threads=threads, loading=self._loading, sharded=sharded)
        self.held: list[tuple[int, Request]] = []  #: requests that wait for others
        self.owed = 0  #: replies to AI._DONE that have not been read
        self.memory: memoryview | None = None

    def __str__(self) -> str:
        return self.address

    def _get(self, key: bytes) -> bytes | None:
        while self.owed:
            self._read_reply()
        self.connection.send([["GET", key]])
        value: bytes | None = self.connection.read()
        return value

    def connect(self) -> bool:
        """Try to connect, and ask for requests; whether that worked."""
        try:
            opened = self.open_server()
            self.connection, self.memory = Connection(opened.socket), mapped(opened.memory)
            self.held, self.owed = [], 0
            self._promise("RUNS", self.time_limit)
            self._send_next([], math.inf)
        except ConnectionError as error:
            self.reason = str(error)
            return False
        self.lost = None
        logger.info("%s: waits for requests, %s", self, "shares memory" if self.memory else "shares no memory")
        return True

    def disconnect(self) -> None:
        """Drop the connection, and the requests that came by it: the database fails them."""
        self.connection.close()
        self.heartbeat(0.0)
        self.lost = time.monotonic()
        logger.warning("%s: does not answer", self)

    def fileno(self) -> int:
        """The file descriptor of the connection, for `select`."""
        return self.connection.fileno()

    def turn(self, *, wait: bool) -> None:
        """Run the requests that have come, answer them, and ask for more; with `wait`, wait for them."""
        while self.owed:
            self._read_reply()
            if not wait and not self.owed and not self.connection.has_data():
                return
        received = self.connection.read()
        now = time.monotonic()
        self.held += [read_request(parts, now, self._shared) for parts in received]
        self._send_next(*self._answers())

    def _answers(self) -> tuple[list[list[Argument]], float]:
        """Run the requests. The answers that are not sent yet, and until when those requests wait that have no answer."""
        held, waiting = self.held, []
        answers: list[list[Argument]] = []
        done, until = 0, math.inf
        gone: set[int] = set()  # the indices of those whose clients have gone
        began = self._begin()
        for group in self.engine.groups([request for _, request in held], gone):
            for index, answer in group:
                if isinstance(answer, Answer):
                    answers.append(write_answer(*held[index], explained(answer, self.remedy)))
                else:
                    waiting.append(index)
                    until = min(until, answer.until)
            done += len(group)
            if done < len(held):  # no client waits for the next group, which may take long
                self._send([["AI._DONE", *answer] for answer in answers])
                answers = []
                while self.owed and time.monotonic() > began + LONG_RUN_S:
                    numbers = self._read_reply()
                    gone.update(index for index, (number, _) in enumerate(held) if number in numbers)
            began = self._begin()
        self.heartbeat(0.0)
        self.held = [held[index] for index in sorted(waiting)]
        return answers, until

    def _begin(self) -> float:
        """A run may begin now: the time, by `time.monotonic`."""
        self.heartbeat(self.time_limit)
        return time.monotonic()

    @contextmanager
    def _loading(self) -> Iterator[None]:
        """While a model is loaded, another limit counts, and the run begins afterwards."""
        limit = max(LOAD_LIMIT_S, self.time_limit)
        self.heartbeat(limit)
        self._promise("LOADS", limit)
        try:
            yield
        finally:
            self._promise("RUNS", self.time_limit)
            self.heartbeat(self.time_limit)

    def _promise(self, what: str, limit: float) -> None:
        """Tell the database how long this worker may be silent now, with requests of its own."""
        self._send([["AI._DONE", what, min(math.ceil(limit * 1000), LONGEST_MS)]])

    def _read_reply(self) -> list[int]:
        """Read the reply to an AI._DONE: the numbers of requests whose clients have gone."""
        reply = self.connection.read()
        self.owed -= 1
        return reply if isinstance(reply, list) else []

    def _send_next(self, answers: list[list[Argument]], until: float) -> None:
        """Send answers, and ask for requests."""
        wait = 0 if until == math.inf else max(1, math.ceil((until - time.monotonic()) * 1000))
        last = answers.pop() if answers else []
        commands = [["AI._DONE", *answer] for answer in answers]
        self._send([*commands, ["AI._NEXT", self.at_once, wait, int(self.memory is not None), *last]])
        self.owed -= 1  # the reply to the last one is the requests

    def _send(self, commands: Sequence[Sequence[Argument]]) -> None:
        if commands:
            self.connection.send(commands)
            self.owed += len(commands)

    def _shared(self, span: Span) -> memoryview:
        """The bytes in a span of shared memory."""
        assert self.memory is not None, "the worker told the database that it shares no memory"
        offset, length = span
        return self.memory[offset : offset + length]


def mapped(file: int | None) -> memoryview | None:
    """The memory in a file, which is closed."""
    if file is None:
        return None
    try:
        return memoryview(mmap.mmap(file, os.fstat(file).st_size))
    finally:
        os.close(file)


def serve(shards: Sequence[ShardConnection], patience: float = 10.0) -> None:
    """Work until no server has answered for `patience` seconds."""
    began = time.monotonic()
    alone = len(shards) == 1
    while True:
        lost = [shard for shard in shards if shard.lost is not None and not shard.connect()]
        connected = [shard for shard in shards if shard.lost is None]
        if not connected and given_up([shard.lost for shard in lost], began, time.monotonic(), patience):
            logger.info("%s: no database answers any more: %s", ", ".join(map(str, shards)), lost[0].reason)
            return
        # With one server, reading waits as well as `select`.
        for shard in (
            connected if alone and connected else select.select(connected, [], [], RETRY_INTERVAL_S if lost else None)[0]
        ):
            try:
                shard.turn(wait=alone)
            except ConnectionError:
                shard.disconnect()


def given_up(lost: Sequence[float | None], began: float, now: float, patience: float) -> bool:
    """Whether `patience` seconds have passed since the worker began and since each connection was lost."""
    return now - max(began, *(since or 0.0 for since in lost)) > patience
