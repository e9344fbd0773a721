"""The queue of the module, seen by clients and by a worker that these tests play: who waits for whom, and who is told what."""

import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry

from smartensemble.inference import MODULE
from smartensemble.inference.model_format import Kind, Metadata, encode
from smartensemble.wire import tensor
from worlds.servers import Server, Start, free_port

Ask = Callable[..., Any]
Eventually = Callable[[Callable[[], object]], None]
Send = Callable[..., "Future[Any]"]

MODEL = encode(Metadata(Kind.MODEL, "TORCH", "CPU", b"tag", inputs=(b"x",), outputs=(b"y",)), b"model" * 1000)
TRAILER = MODEL[5000:]
TENSOR = tensor.encode(np.arange(4, dtype="float32"))
LARGE = tensor.encode(np.arange(10_000, dtype="float32"))
RUN = ("AI.MODELEXECUTE", "m", "INPUTS", 1, "x", "OUTPUTS", 1, "y")
ANSWER = (0, 0, 0, 0, 0, 0)  #: no statistics, no reset, no chunk size
GONE = "error: the inference worker ended before it answered; its log may say why, and another one may be tried"
REFUSED = "Cannot run RedisAI command within a transaction or a LUA script"


@pytest.fixture
def send() -> Iterator[Send]:
    """Send a command from a client of its own, without waiting for the reply, which may be an error."""
    with ThreadPoolExecutor(100) as pool:

        def send(server: Server, *command: object, protocol: int = 2) -> "Future[Any]":
            def ask() -> Any:
                client = server.connect(protocol)
                try:
                    return client.execute_command(*command)
                except redis.ResponseError as error:
                    return f"error: {error}"
                finally:
                    client.close()

            return pool.submit(ask)

        yield send


class Worker:
    """A connection that asks for requests."""

    def __init__(self, server: Server) -> None:
        self.connection = server.connection()

    def ask(self, *command: object) -> Any:
        self.connection.send_command(*command)
        try:
            return self.connection.read_response()
        except redis.ResponseError as error:
            return f"error: {error}"

    def next(self, count: int = 1, milliseconds: int = 0, shares: int = 0) -> list[list[Any]]:
        requests: list[list[Any]] = self.ask("AI._NEXT", count, milliseconds, shares)
        return requests

    def close(self) -> None:
        self.connection.disconnect()


@pytest.fixture
def worker(server: Server) -> Iterator[Worker]:
    """A worker of the server that is shared."""
    worker = Worker(server)
    server.client.mset({"m": MODEL, "x": TENSOR, "large": LARGE, "text": "text"})
    yield worker
    worker.close()


def test_a_job_brings_what_its_keys_held_when_it_came(server: Server, worker: Worker, send: Send) -> None:
    run = send(server, "AI.MODELRUN", "m", "INPUTS", "x", "text", "absent", "large", "OUTPUTS", "y", "x")
    (request,) = worker.next()
    number, waited, argv, read, written, known, chunk_size = request

    assert argv[:2] == [b"AI.MODELRUN", b"m"]
    assert waited >= 0
    assert read == [b"m", TRAILER, b"x", TENSOR, b"text", None, b"large", LARGE]
    assert (written, known, chunk_size) == ([b"x", b"TENSOR"], [], 511 << 20)

    assert worker.ask("AI._DONE", number, *ANSWER, 0, "+OK") == b"OK"
    assert run.result() == b"OK"


def test_what_came_first_goes_first_and_inputs_are_those_of_then(
    server: Server, start: Start, send: Send, eventually: Eventually
) -> None:
    private = start()
    private.client.mset({"m": MODEL, "x": TENSOR})
    runs = [send(private, *RUN)]
    eventually(lambda: private.client.info("clients")["blocked_clients"] == 1)
    private.client.set("x", LARGE)
    runs.append(send(private, *RUN))
    eventually(lambda: private.client.info("clients")["blocked_clients"] == 2)

    worker = Worker(private)
    requests = worker.next(10)

    assert [request[3][3] for request in requests] == [TENSOR, LARGE]
    for request in requests:
        worker.ask("AI._DONE", request[0], *ANSWER, 0, "+OK")
    assert [run.result() for run in runs] == [b"OK", b"OK"]
    worker.close()


@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (["+TIMEDOUT"], b"TIMEDOUT"),
        (["-ERR model key is empty"], "error: model key is empty"),
        ([":-5"], -5),
        (["_"], None),
        (["$", b"\r\n\0"], b"\r\n\0"),
        (["*3", "$", "a", "*2", ":1", "*0", "_"], [b"a", [1, []], None]),
    ],
)
def test_each_kind_of_reply_arrives(
    server: Server, worker: Worker, send: Send, protocol: int, reply: list[str], expected: object
) -> None:
    got = send(server, *RUN, protocol=protocol)
    (request,) = worker.next()

    assert worker.ask("AI._NEXT", 1, 1, 0, request[0], *ANSWER, 0, *reply) == []  # an answer, and a question

    assert got.result() == expected


@pytest.mark.parametrize(
    "wrong",
    [
        ["+OK", "+OK"],
        [],
        ["+a\r\nb"],
        ["+a\0b"],
        [":"],
        [":1x"],
        ["*2", "+OK"],
        ["*-1"],
        ["$"],
        ["?"],
        [""],
        ["*1"] * 20 + ["+OK"],
        ["*9999999999999999999", "+OK"],
    ],
)
def test_an_answer_that_cannot_be_read_is_an_error_for_both(
    server: Server, worker: Worker, send: Send, wrong: list[str]
) -> None:
    got = send(server, *RUN)
    (request,) = worker.next()

    assert worker.ask("AI._DONE", request[0], *ANSWER, 0, *wrong).startswith("error")

    assert got.result() == "error: the inference worker gave an answer that cannot be read"
    assert not server.client.exists("y")


@pytest.mark.parametrize("wrong", [(1,), ("x", *ANSWER, 0, "+OK"), (10**6, *ANSWER, 0, "+OK"), (-1, *ANSWER, 5, "a")])
def test_an_answer_to_nothing_is_refused(worker: Worker, wrong: tuple[object, ...]) -> None:
    assert worker.ask("AI._DONE", *wrong).startswith("error")
    assert worker.next(1, 1) == []
    assert worker.ask("AI._DONE", *wrong).startswith("error")


def test_results_are_written_and_deletes_too(server: Server, worker: Worker, send: Send) -> None:
    server.client.set("s", MODEL)
    run = send(server, *RUN)
    (request,) = worker.next()

    worker.ask("AI._DONE", request[0], *ANSWER, 2, "y", TENSOR, "s", "MODEL_", "+OK")

    assert run.result() == b"OK"
    assert server.client.get("y") == TENSOR
    assert not server.client.exists("s")


@pytest.mark.parametrize("other", [("RPUSH", "y", "x"), ("SET", "y", "text"), ("SET", "y", MODEL)])
def test_a_key_that_has_changed_meanwhile_stays_as_it_is(
    server: Server, ask: Ask, worker: Worker, send: Send, other: tuple[object, ...]
) -> None:
    run = send(server, *RUN)
    (request,) = worker.next()
    ask(*other)
    before = ask("DUMP", "y")

    assert worker.ask("AI._DONE", request[0], *ANSWER, 2, "z", TENSOR, "y", TENSOR, "+OK") == b"OK"

    assert run.result() == "error: WRONGTYPE Operation against a key holding the wrong kind of value"
    assert ask("DUMP", "y") == before
    assert not server.client.exists("z")
    assert ask("PING") in (b"PONG", True)


def test_a_replica_gets_plain_strings(start: Start, send: Send, eventually: Eventually) -> None:
    master = start("--repl-diskless-sync-delay", "0")
    master.client.set("m", MODEL)
    replica = start("--replicaof", "127.0.0.1", str(master.port), name="replica", module=False)
    run = send(master, *RUN)
    worker = Worker(master)
    (request,) = worker.next()
    eventually(lambda: master.client.wait(1, 100))

    worker.ask("AI._DONE", request[0], *ANSWER, 2, "y", TENSOR, "m", "MODEL_", "+OK")
    assert run.result() == b"OK"

    eventually(lambda: replica.client.get("y") == TENSOR)
    eventually(lambda: not replica.client.exists("m"))
    worker.close()


def test_the_only_job_of_a_worker_that_has_gone_fails_at_once(server: Server, worker: Worker, send: Send) -> None:
    run = send(server, *RUN)
    worker.next()

    worker.close()

    assert run.result() == GONE


def test_of_several_jobs_only_that_fails_which_ends_its_next_worker_too(
    start: Start, send: Send, eventually: Eventually
) -> None:
    server = start()
    server.client.mset({"m": MODEL, "x": TENSOR})
    runs = []
    for number in range(4):
        runs.append(send(server, *RUN[:-1], f"y{number}"))
        eventually(lambda: server.client.info("clients")["blocked_clients"] == len(runs))
    first = Worker(server)
    requests = first.next(4)
    assert [request[2][-1] for request in requests] == [b"y0", b"y1", b"y2", b"y3"]
    first.ask("AI._DONE", requests[0][0], *ANSWER, 0, "+OK")

    first.close()
    second = Worker(server)
    (guilty,) = second.next(4)
    second.close()
    third = Worker(server)
    (again,) = third.next(4)
    third.ask("AI._DONE", again[0], *ANSWER, 0, "+OK")
    (last,) = third.next(4)
    third.ask("AI._DONE", last[0], *ANSWER, 0, "+OK")
    third.close()

    assert guilty[2:] == requests[1][2:]
    assert [run.result() for run in runs] == [b"OK", GONE, b"OK", b"OK"]


@pytest.mark.parametrize("command", [("AI.SCRIPTSET", "s", "CPU", "SOURCE", "x"), (*RUN[:4], "large", *RUN[5:])])
def test_what_a_worker_may_have_changed_is_not_given_twice(
    start: Start, send: Send, eventually: Eventually, command: tuple[object, ...]
) -> None:
    server = start()
    server.client.mset({"m": MODEL, "x": TENSOR, "large": LARGE})
    runs = [send(server, *command)]
    eventually(lambda: server.client.info("clients")["blocked_clients"] == 1)
    runs.append(send(server, *RUN))
    eventually(lambda: server.client.info("clients")["blocked_clients"] == 2)
    waits, worker = Worker(server), Worker(server)
    assert len(worker.next(2, 0, 1)) == 2

    worker.close()

    assert runs[0].result() == GONE
    ((number, *_),) = waits.next()
    waits.ask("AI._DONE", number, *ANSWER, 0, "+OK")
    assert runs[1].result() == b"OK"
    waits.close()


def test_who_goes_takes_its_job_along(start: Start, eventually: Eventually) -> None:
    server = start()
    client = server.connection()
    client.send_command("AI.INFO", "first")
    other = server.connection()
    other.send_command("AI.INFO", "second")
    eventually(lambda: server.client.info("clients")["blocked_clients"] == 2)

    client.disconnect()
    eventually(lambda: server.client.info("clients")["blocked_clients"] == 1)
    worker = Worker(server)
    (request,) = worker.next(10)
    other.disconnect()
    eventually(lambda: server.client.info("clients")["blocked_clients"] == 0)

    assert request[2] == [b"AI.INFO", b"second"]
    assert worker.ask("AI._DONE", request[0], *ANSWER, 0, "+OK") == b"OK"
    worker.close()


def test_a_full_queue_names_its_limit(start: Start, send: Send, eventually: Eventually) -> None:
    server = start("QUEUE_LIMIT", "2")
    waiting = [send(server, "AI.INFO", "m") for _ in range(2)]
    eventually(lambda: server.client.info("clients")["blocked_clients"] == 2)

    refused = send(server, "AI.INFO", "m").result()
    server.stop()

    assert refused == "error: the queue for inference workers is full: QUEUE_LIMIT is 2; try again, or start more workers"
    assert all(isinstance(run.exception(), redis.ConnectionError) for run in waiting)


def test_large_inputs_fill_the_queue_too(start: Start, send: Send, eventually: Eventually) -> None:
    server = start("QUEUE_MEMORY", "10000", "SHARED_MEMORY", "0")
    server.client.mset({"m": MODEL, "x": LARGE})
    first = send(server, *RUN)
    eventually(lambda: server.client.info("clients")["blocked_clients"] == 1)

    assert "QUEUE_MEMORY is 10000" in send(server, *RUN).result()
    server.stop()
    assert isinstance(first.exception(), redis.ConnectionError)


def test_options_that_are_none_keep_the_module_out(program: str, tmp_path: Path) -> None:
    for options in (("QUEUE", "2"), ("QUEUE_LIMIT",), ("QUEUE_LIMIT", "x")):
        with pytest.raises(AssertionError, match=r"loadmodule|Can't load module"):
            Server(program, tmp_path, *options)


def test_who_waits_for_no_worker_is_told(start: Start, send: Send, eventually: Eventually) -> None:
    server = start("WORKER_TIMEOUT", "200")
    start_one = f"REDISCLI_AUTH=PASSWORD python -m smartensemble.inference --address unix://USER@{server.socket}"
    where = "USER and PASSWORD are in smartensemble_owner.json"
    text = f"error: no inference worker has come for this command in 200 ms; start one by: {start_one}; {where}"
    waiting = [send(server, "AI.INFO", "m") for _ in range(3)]

    assert {each.result() for each in waiting} == {text}

    worker = Worker(server)
    assert worker.next(1, 1) == []
    waits = send(server, "AI.INFO", "m")  # for as long as there is a worker
    eventually(lambda: server.client.info("clients")["blocked_clients"] == 1)
    worker.close()
    assert waits.result() == text


def test_who_waits_is_told_of_the_port_where_there_is_no_socket(program: str, tmp_path: Path) -> None:
    port = free_port()
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--loadmodule", str(MODULE), "WORKER_TIMEOUT", "1"]
    with (
        subprocess.Popen([program, *options], cwd=tmp_path, stdout=subprocess.DEVNULL) as process,
        redis.Redis(port=port, retry=Retry(ConstantBackoff(0.01), 1000)) as client,
    ):
        try:
            with pytest.raises(
                redis.ResponseError, match=rf"--address redis://USER@127\.0\.0\.1:{port}; USER and PASSWORD are in"
            ):
                client.execute_command("AI.INFO", "m")
        finally:
            process.kill()


@pytest.mark.parametrize(
    ("promise", "told"),
    [
        (
            ("RUNS", 20),
            "error: the inference worker ended before it answered: a run took longer than 0.02 s, its model_time_limit",
        ),
        (("LOADS", 20), "error: the inference worker ended before it answered: a model took longer than 0.02 s to load"),
        (("RUNS", 10**6), GONE),
        (("RUNS", 0), GONE),
    ],
)
def test_a_worker_that_goes_later_than_it_said_had_its_limit(
    server: Server, worker: Worker, send: Send, promise: tuple[object, ...], told: str
) -> None:
    assert worker.ask("AI._DONE", *promise) == b"OK"
    run = send(server, *RUN)
    worker.next()
    time.sleep(0.03)

    worker.close()

    assert run.result().startswith(told)


@pytest.mark.parametrize("wrong", [("RUNS", "x"), ("LOADS", -1), ("RUNS", 2**31), ("RUNS",), ("SLEEPS", 1)])
def test_a_promise_that_is_none_is_refused(worker: Worker, wrong: tuple[object, ...]) -> None:
    assert worker.ask("AI._DONE", *wrong).startswith("error")


def test_a_worker_that_is_silent_for_longer_than_it_said_loses_its_connection(start: Start, send: Send) -> None:
    """Some seconds longer, since what watches it on its host should have noticed by then."""
    server = start("WORKER_GRACE", "10")
    server.client.mset({"m": MODEL, "x": TENSOR})
    worker = Worker(server)
    worker.ask("AI._DONE", "RUNS", 1)
    run = send(server, *RUN)
    assert len(worker.next()) == 1

    assert "a run took longer than 0.001 s" in run.result()

    with pytest.raises(redis.ConnectionError):
        worker.next()


def test_a_worker_is_told_whose_clients_have_gone(start: Start, eventually: Eventually) -> None:
    server = start()
    clients = [server.connection() for _ in range(3)]
    for number, client in enumerate(clients, 1):
        client.send_command("AI.INFO", "m")
        eventually(lambda: server.client.info("clients")["blocked_clients"] == number)  # noqa: B023 - it is called now
    worker = Worker(server)
    numbers = [request[0] for request in worker.next(3)]
    clients[1].disconnect()
    eventually(lambda: server.client.info("clients")["blocked_clients"] == 2)

    assert worker.ask("AI._DONE", numbers[0], *ANSWER, 0, "+OK") == [numbers[1]]
    assert worker.ask("AI._DONE", numbers[1], *ANSWER, 0, "_") == b"OK"
    assert worker.ask("AI._DONE", numbers[2], *ANSWER, 0, "+OK") == b"OK"
    worker.close()


@pytest.mark.parametrize(
    ("there", "command", "similar"),
    [
        ("e_0.x", RUN[:-1], "e_0.x"),  # among few keys, by a look at them
        ("e_0.x", ("AI.SCRIPTRUN", "s", "f", "INPUTS", "x", "OUTPUTS"), "e_0.x"),
        ("e_0.xy", RUN[:-1], None),
        ("x.e_0", RUN[:-1], None),
        (".x", RUN[:-1], None),
    ],
)
@pytest.mark.parametrize("crowd", [0, 20_000])
def test_of_an_input_that_is_missing_a_worker_is_told_the_name_with_a_prefix(
    server: Server, worker: Worker, send: Send, there: str, command: tuple[object, ...], similar: str | None, crowd: int
) -> None:
    """Among many keys it is found by the prefix of an output, which the member writes too."""
    server.client.delete("x")
    server.client.mset({there: TENSOR, **{f"other{number}": "" for number in range(crowd)}})
    run = send(server, *command, "e_0.y" if crowd else "y")
    (request,) = worker.next()
    worker.ask("AI._DONE", request[0], *ANSWER, 0, "+OK")
    run.result()

    found = dict(zip(request[3][::2], request[3][1::2], strict=True))
    assert found.get(there.encode(), "none") == (None if similar else "none")


def test_a_tensor_that_is_missing_is_read_by_the_name_with_a_prefix(ask: Ask) -> None:
    ask("SET", "e_0.x", TENSOR)
    ask("SET", "e\r\n.y", TENSOR)

    assert ask("AI.TENSORGET", "x").startswith("error: tensor key is empty; there is e_0.x, which a member wrote with its key")
    assert ask("AI.TENSORGET", "y") == "error: tensor key is empty"


def test_workers_share_what_there_is(start: Start, send: Send, eventually: Eventually) -> None:
    server = start()
    first, second = Worker(server), Worker(server)
    assert first.next(10, 1) == second.next(10, 1) == []
    runs = [send(server, "AI.INFO", "m") for _ in range(4)]
    eventually(lambda: server.client.info("clients")["blocked_clients"] == 4)

    assert [len(first.next(10)), len(second.next(10))] == [2, 1]

    first.close()
    assert [len(second.next(10)) for _ in range(3)] == [1, 1, 1]  # those of the first one go alone
    second.close()
    eventually(lambda: sum(run.done() for run in runs) == 2)
    server.stop()
    assert sorted(type(run.exception()) is redis.ConnectionError for run in runs) == [False, False, True, True]


@pytest.mark.parametrize("command", [RUN, ("AI.SCRIPTSET", "s", "CPU", "SOURCE", "x"), ("AI.INFO", "m"), ("AI._NEXT", 1, 0, 0)])
def test_commands_that_wait_are_refused_where_nobody_may_wait(server: Server, command: tuple[object, ...]) -> None:
    pipeline = server.client.pipeline(transaction=True)
    pipeline.execute_command(*command)
    refused = pipeline.execute(raise_on_error=False)
    script = "return redis.pcall(unpack(ARGV)).err"

    assert command[0] == "AI._NEXT" or REFUSED in str(refused[0])
    assert isinstance(refused[0], redis.ResponseError)
    told = server.client.eval(script, 0, *command).decode()
    assert REFUSED in told or "not allowed from script" in told


def test_only_the_first_database_has_models(server: Server) -> None:
    with redis.Redis(unix_socket_path=server.socket, db=1) as client:
        for command in (RUN, ("AI._NEXT", 1, 1, 0)):
            with pytest.raises(redis.ResponseError, match="database 0; SELECT 0"):
                client.execute_command(*command)


@pytest.mark.parametrize(
    ("command", "keys"),
    [
        (RUN, ["m", "x", "y"]),
        (("AI.MODELEXECUTE", "m", "INPUTS", 1, "OUTPUTS", "OUTPUTS", 1, "TIMEOUT", "TIMEOUT", 5), ["m", "OUTPUTS", "TIMEOUT"]),
        (("AI.MODELRUN", "m", "TIMEOUT", 5, "INPUTS", "a", "b", "OUTPUTS", "c"), ["m", "a", "b", "c"]),
        (("AI.SCRIPTRUN", "s", "INPUTS", "INPUTS", "a", "$", "b", "OUTPUTS", "c"), ["s", "a", "b", "c"]),
        (("AI.SCRIPTEXECUTE", "s", "f", "KEYS", 1, "k", "INPUTS", 1, "a", "ARGS", 1, "z"), ["s", "k", "a"]),
        (("AI.MODELEXECUTE", "m", "INPUTS", 9, "x"), ["m", "x"]),
        (("AI.MODELSTORE", "m", "TORCH", "CPU", "BLOB", "x"), ["m"]),
    ],
)
def test_the_server_knows_the_keys_of_a_command(ask: Ask, command: tuple[object, ...], keys: list[str]) -> None:
    assert ask("COMMAND GETKEYS", *command) == keys


@pytest.mark.parametrize("category", [False, True])
def test_a_user_may_be_denied_keys_and_the_commands_of_workers(server: Server, ask: Ask, category: bool) -> None:
    if category and server.version < (7, 2):
        assert "ai._next" not in ask("ACL", "CAT", "dangerous")  # a module could not say so then
        return
    denied = ["-@dangerous"] if category else ["-ai._next", "-ai._done", "-ai._shared"]
    ask("ACL", "SETUSER", "member", "on", "nopass", "+@all", *denied, "~m", "~x")
    with redis.Redis(unix_socket_path=server.socket, username="member", password="any") as client:
        for command in (RUN, ("AI._NEXT", 1, 1, 0), ("AI._DONE", 1), ("AI._SHARED",)):
            with pytest.raises(redis.exceptions.NoPermissionError):
                client.execute_command(*command)
    ask("ACL", "DELUSER", "member")


def test_a_large_input_lies_in_memory_that_a_worker_may_map(start: Start, send: Send) -> None:
    server = start("SHARED_MEMORY", str(3 * len(LARGE)))
    server.client.mset({"m": MODEL, "x": LARGE})
    worker = Worker(server)
    process, file, size, token = worker.ask("AI._SHARED")
    memory = np.memmap(f"/proc/{process}/fd/{file}", mode="r", shape=(size,))
    assert memory[:16].tobytes() == token
    assert worker.next(1, 1) == []

    runs = [send(server, *RUN) for _ in range(4)]
    requests: list[Any] = []
    while len(requests) < 4:
        requests += worker.next(4, 0, 1)

    values = [request[3][3] for request in requests]
    places = [value for value in values if isinstance(value, list)]
    assert [value for value in values if not isinstance(value, list)] == [LARGE, LARGE]  # there was no more room
    assert len({tuple(place) for place in places}) == len(places) == 2
    assert {memory[at : at + length].tobytes() for at, length in places} == {LARGE}

    for request in requests:
        worker.ask("AI._DONE", request[0], *ANSWER, 0, "+OK")
    assert [run.result() for run in runs] == [b"OK"] * 4
    again = send(server, *RUN)
    (request,) = worker.next(1, 0, 1)
    assert request[3][3] == places[0]  # the room has been given back
    worker.close()
    assert "ended before" in again.result()
    del memory


def test_a_scan_finds_models_or_scripts_and_nothing_else(server: Server, worker: Worker, send: Send) -> None:
    script = encode(Metadata(Kind.SCRIPT, "TORCH", "CPU"), b"source")
    tensors = {f"tensor{i}": LARGE for i in range(500)}
    server.client.mset({"s": script, "short": "MODEL_", "forged": bytes(100) + b"MODEL_", **tensors})
    for command, found in (("AI._MODELSCAN", {b"m": TRAILER, b"forged": None}), ("AI._SCRIPTSCAN", {b"s": script[6:]})):
        scan = send(server, command)
        (request,) = worker.next()
        worker.ask("AI._DONE", request[0], *ANSWER, 0, "*0")

        assert dict(zip(request[3][::2], request[3][1::2], strict=True)) == found
        assert scan.result() == []
