"""A worker: it asks databases for jobs, has an engine do them, and sends the answers."""

import logging
import math
import mmap
import os
import select
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from smartensemble.inference.connection import Argument, Line
from smartensemble.inference.engine import Engine
from smartensemble.inference.jobs import Answer, Job
from smartensemble.inference.protocol import Place, read_job, write_answer

logger = logging.getLogger(__name__)

RETRY = 0.2  #: seconds between two tries to connect

#: Told when each round of work begins, by `time.monotonic`, and 0.0 when there is none.
Beat = Callable[[float], None]


class Shard:
    """A database, or one server of it, as a worker sees it: one connection for jobs, and another one for models."""

    def __init__(self, address: str, at_once: int = 32, threads: int = 1, beat: Beat = lambda _: None) -> None:
        self.address = address
        self.at_once = at_once
        self.beat = beat
        #: Since when there is no connection; None if there is one.
        self.lost: float | None = time.monotonic()
        url = address if "://" in address else f"redis://{address}"
        password = os.environ.get("REDISCLI_AUTH")
        options: dict[str, Any] = {"password": password} if password else {}
        once = Retry(NoBackoff(), 0)
        self.pool = redis.ConnectionPool.from_url(url, protocol=2, socket_timeout=None, retry=once, **options)
        self.line = Line(self.pool.make_connection())
        self.client: Any = redis.Redis(connection_pool=self.pool)
        self.engine = Engine(self._get, threads=threads)
        self.held: list[tuple[int, Job]] = []  #: jobs that wait for others
        self.owed = 0  #: replies to AI._DONE that have not been read
        self.memory: memoryview | None = None

    def _get(self, key: bytes) -> bytes | None:
        value: bytes | None = self.client.get(key)
        return value

    def connect(self) -> bool:
        """Try to connect, and ask for jobs; whether that went well."""
        try:
            self.line.connect()
            self.memory = self._memory()
            self.held, self.owed = [], 0
            self._ask([], math.inf)
        except (redis.ConnectionError, redis.TimeoutError):
            self.line.disconnect()
            return False
        self.lost = None
        logger.info("%s: waits for jobs, %s", self.address, "shares memory" if self.memory else "shares no memory")
        return True

    def disconnect(self) -> None:
        """Forget the connection, and the jobs that came by it: the database fails them."""
        self.line.disconnect()
        self.lost = time.monotonic()
        logger.warning("%s: does not answer", self.address)

    def fileno(self) -> int:
        """The descriptor of the connection, for `select`."""
        return self.line.fileno()

    def turn(self, wait: bool) -> None:
        """Do the jobs that have come, answer them, and ask for more; with `wait`, wait for them."""
        while self.owed:
            self.line.read()
            self.owed -= 1
            if not wait and not self.owed and not self.line.waits():
                return
        told = self.line.read()
        now = time.monotonic()
        self.held += [read_job(job, now, self._shared) for job in told]
        self._ask(*self._answers())

    def _answers(self) -> tuple[list[list[Argument]], float]:
        """Work. The last answers, of which others have been sent, and until when those jobs wait that have none."""
        jobs, waiting = self.held, []
        answers: list[list[Argument]] = []
        done, until = 0, math.inf
        self.beat(time.monotonic())
        for group in self.engine.groups([job for _, job in jobs]):
            for index, answer in group:
                if isinstance(answer, Answer):
                    answers.append(write_answer(*jobs[index], answer))
                else:
                    waiting.append(index)
                    until = min(until, answer.until)
            done += len(group)
            if done < len(jobs):  # nobody waits for the next group, which may take long
                self._send([["AI._DONE", *answer] for answer in answers])
                answers = []
            self.beat(time.monotonic())
        self.beat(0.0)
        self.held = [jobs[index] for index in sorted(waiting)]
        return answers, until

    def _ask(self, answers: list[list[Argument]], until: float) -> None:
        """Send answers, and ask for jobs."""
        wait = 0 if until == math.inf else max(1, math.ceil((until - time.monotonic()) * 1000))
        last = answers.pop() if answers else []
        commands = [["AI._DONE", *answer] for answer in answers]
        self._send([*commands, ["AI._NEXT", self.at_once, wait, int(self.memory is not None), *last]])
        self.owed -= 1  # jobs are the reply to the last one

    def _send(self, commands: Sequence[Sequence[Argument]]) -> None:
        if commands:
            self.line.send(commands)
            self.owed += len(commands)

    def _shared(self, place: Place) -> memoryview:
        """What lies in shared memory."""
        assert self.memory is not None, "the database was told that there is none"
        at, length = place
        return self.memory[at : at + length]

    def _memory(self) -> memoryview | None:
        """The memory that the database shares, if it is on this host and lets us have it."""
        self.line.send([["AI._SHARED"]])
        told = self.line.read()
        if not told:
            return None
        process, number, size, token = told
        with suppress(OSError), open(f"/proc/{process}/fd/{number}", "r+b") as file:
            if os.fstat(file.fileno()).st_size == size:
                memory = memoryview(mmap.mmap(file.fileno(), size))
                if memory[: len(token)] == token:
                    return memory
        return None


def serve(shards: Sequence[Shard], patience: float = 10.0) -> None:
    """Work until no database has answered for `patience` seconds."""
    began = time.monotonic()
    alone = len(shards) == 1
    while True:
        lost = [shard for shard in shards if shard.lost is not None and not shard.connect()]
        here = [shard for shard in shards if shard.lost is None]
        now = time.monotonic()
        if not here and now - max(began, *(shard.lost or 0.0 for shard in shards)) > patience:
            logger.info("%s: no database answers any more", ", ".join(shard.address for shard in shards))
            return
        # With one database, reading waits as well as `select`.
        for shard in here if alone and here else select.select(here, [], [], RETRY if lost else None)[0]:
            try:
                shard.turn(alone)
            except redis.ConnectionError:
                shard.disconnect()
