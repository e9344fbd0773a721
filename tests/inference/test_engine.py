"""Jobs are answered as a database with RedisAI answers them; what is written is read back by the commands that follow.

Tests preflight, replies and requests.
"""

import math
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartensemble.errors import InputValueError
from smartensemble.inference import model_format
from smartensemble.inference.commands import keys
from smartensemble.inference.engine import Engine
from smartensemble.inference.grammar import parse
from smartensemble.inference.model_format import Kind
from smartensemble.inference.preflight import missing
from smartensemble.inference.requests import OK, TIMED_OUT, Answer, ClientReply, Error, Request, Statistics, Wait
from smartensemble.wire import tensor
from worlds.small_models import BACKENDS, DTYPES, RANDOM, Array, mlp, mlp_model, onnx_model, torch_model

pytestmark = pytest.mark.needs("torch", "onnx")

SCRIPT = b"""
def twice(a):
    return a * 2
def both(a, b):
    return a, b
def nothing(a):
    return []
def big(a):
    return a > 1
def complex_one(a):
    return torch.complex(a, a)
def fails(a):
    raise RuntimeError("one\\ntwo")
def entry(tensors: List[Tensor], keys: List[str], args: List[str]):
    return tensors[0] * float(args[0])
"""


class Database:
    """What the server would do around an engine: keys, the kinds of what they hold, statistics and the clock."""

    def __init__(self, **options: Any) -> None:
        self.values: dict[bytes, bytes | None] = {}
        self.statistics: dict[bytes, Statistics] = {}
        self.now = 100.0
        self.fetched: list[bytes] = []
        self.engine = Engine(self.fetch, clock=lambda: self.now, **options)

    def fetch(self, key: bytes) -> bytes | None:
        self.fetched.append(key)
        return self.values.get(key)

    def request(self, *argv: str | bytes) -> Request:
        """A command, with what the database holds for it now: of models and scripts, the trailers."""
        words = [word if isinstance(word, bytes) else word.encode() for word in argv]
        try:
            needed = keys(parse(words))
        except ValueError:
            return Request(words, arrived=self.now)
        read = {key: trailer(self.values[key]) for key in needed.read if key in self.values}
        kinds = {key: Kind.of(self.values[key]) for key in needed.written if key in self.values}
        statistics = self.statistics.get(words[1], Statistics()) if len(words) > 1 else Statistics()
        return Request(words, read, kinds, self.now, statistics)

    def run(self, *requests: Request) -> list[Answer | Wait]:
        """The answers to requests, in the order of these; all that changes is written."""
        answers = dict(self.engine.execute(requests))
        assert sorted(answers) == list(range(len(requests)))
        for number, answer in answers.items():
            if isinstance(answer, Answer):
                self._write(requests[number], answer)
        return [answers[number] for number in range(len(requests))]

    def _write(self, request: Request, answer: Answer) -> None:
        for key, value in answer.writes.items():
            self.values.pop(key, None)
            if value is not None:
                self.values[key] = value
        if len(request.argv) > 1:
            old = Statistics() if answer.reset else self.statistics.get(request.argv[1], Statistics())
            new = answer.statistics
            self.statistics[request.argv[1]] = Statistics(
                old.calls + new.calls, old.samples + new.samples, old.duration + new.duration, old.errors + new.errors
            )

    def reply(self, *argv: str | bytes) -> ClientReply:
        """The reply to a command."""
        (answer,) = self.run(self.request(*argv))
        assert isinstance(answer, Answer)
        return answer.reply

    def error(self, *argv: str | bytes) -> str:
        """The text of the error that is the reply to a command."""
        reply = self.reply(*argv)
        assert isinstance(reply, Error), reply
        return reply.text

    def put(self, key: str, array: object, dtype: str = "float32") -> None:
        """Store a tensor."""
        self.values[key.encode()] = tensor.encode(np.array(array, dtype))

    def get(self, key: str) -> Array:
        """A stored tensor."""
        return tensor.decode(self.values[key.encode()] or b"")

    def info(self, key: str) -> dict[bytes, ClientReply]:
        """What AI.INFO tells."""
        flat = self.reply("AI.INFO", key)
        assert isinstance(flat, list)
        pairs = zip(flat[::2], flat[1::2], strict=True)
        return {name: value for name, value in pairs if isinstance(name, bytes)}


def trailer(value: bytes | None) -> bytes | None:
    """What the server sends of a value: of a model or a script, the end."""
    if value and len(value) > 10 and Kind.of(value) in (Kind.MODEL, Kind.SCRIPT):
        return value[-int.from_bytes(value[-10:-6], "little") :]
    return value


@pytest.fixture
def db() -> Database:
    """A database with a tensor, an array of its own, a list, a string, and a model that is an ONNX one."""
    database = Database()
    database.put("x", [[1] * 10])
    database.values |= {b"list": None, b"text": b"text"}
    assert database.reply("AI.MODELSTORE", "m", "ONNX", "CPU", "BLOB", mlp_model("ONNX")) == OK
    return database


@pytest.fixture
def scripts() -> Database:
    """A database with a tensor and a script."""
    database = Database()
    database.put("x", [1, 2])
    assert database.reply("AI.SCRIPTSTORE", "s", "cpu", "TAG", "v1", "ENTRY_POINTS", "1", "entry", "SOURCE", SCRIPT) == OK
    return database


# --- models -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_model_is_stored_and_run_and_its_output_written(backend: str) -> None:
    database = Database()
    names = ["INPUTS", "1", "x", "OUTPUTS", "1", "y"] if backend == "TF" else []
    x = RANDOM.normal(size=(3, 10))
    database.put("in", x)

    assert database.reply("AI.MODELSTORE", "m", backend, "CPU", *names, "BLOB", mlp_model(backend)) == OK
    assert database.reply("AI.MODELEXECUTE", "m", "INPUTS", "1", "in", "OUTPUTS", "1", "out") == OK

    np.testing.assert_allclose(database.get("out"), mlp(x.astype("float32")), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_tensor_of_every_type_passes(dtype: str) -> None:
    database = Database()
    database.put("x", [[0, 1], [1, 0]], dtype)
    assert database.reply("AI.MODELSET", "m", "TORCH", "CPU", "BLOB", torch_model("def forward(self, x):\n  return x\n")) == OK

    assert database.reply("AI.MODELRUN", "m", "INPUTS", "x", "OUTPUTS", "y") == OK

    assert database.values[b"y"] == database.values[b"x"]


def test_a_model_is_given_back_as_it_was_stored(db: Database) -> None:
    blob = mlp_model("ONNX")
    cut = len(blob) // 2
    options = ["TAG", "v1", "BATCHSIZE", "4", "MINBATCHSIZE", "2", "MINBATCHTIMEOUT", "10"]

    assert db.reply("AI.MODELSTORE", "n", "onnx", "cpu:0", *options, "BLOB", blob[:cut], blob[cut:]) == OK

    assert db.reply("AI.MODELGET", "n", "BLOB") == blob
    told = [b"backend", b"ONNX", b"device", b"cpu:0", b"tag", b"v1", b"batchsize", 4, b"minbatchsize", 2]
    told += [b"inputs", [b"x"], b"outputs", [b"y"], b"minbatchtimeout", 10]
    assert db.reply("AI.MODELGET", "n", "META") == told
    assert db.reply("AI.MODELGET", "n") == [*told, b"blob", blob]


def test_a_deleted_model_is_gone(db: Database) -> None:
    assert db.reply("AI.MODELDEL", "m") == OK

    assert b"m" not in db.values
    assert db.error("AI.MODELDEL", "m") == "ERR model key is empty"


RUN = ["OUTPUTS", "1", "y"]
WRONG = "WRONGTYPE Operation against a key holding the wrong kind of value"
EMPTY = "ERR tensor key is empty: none"


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["AI.MODELEXECUTE", "none", "INPUTS", "1", "x", *RUN], "ERR model key is empty"),
        (["AI.MODELEXECUTE", "x", "INPUTS", "1", "x", *RUN], WRONG),
        (["AI.MODELEXECUTE", "list", "INPUTS", "1", "x", *RUN], WRONG),
        (["AI.MODELEXECUTE", "text", "INPUTS", "1", "x", *RUN], WRONG),
        (["AI.MODELEXECUTE", "m", "INPUTS", "1", "none", *RUN], EMPTY),
        (["AI.MODELEXECUTE", "m", "INPUTS", "1", "m", *RUN], WRONG),
        (["AI.MODELEXECUTE", "m", "INPUTS", "1", "list", *RUN], WRONG),
        (["AI.MODELEXECUTE", "m", "INPUTS", "1", "text", *RUN], WRONG),
        (
            ["AI.MODELEXECUTE", "m", "INPUTS", "1", "words", *RUN],
            "ERR tensor words holds strings, and models take numbers; encode them as numbers first",
        ),
        (
            ["AI.MODELEXECUTE", "m", "INPUTS", "2", "x", "x", *RUN],
            "Number of keys given as INPUTS here does not match model definition",
        ),
        (
            ["AI.MODELEXECUTE", "m", "INPUTS", "1", "x", "OUTPUTS", "2", "y", "z"],
            "Number of keys given as OUTPUTS here does not match model definition",
        ),
        (["AI.MODELEXECUTE", "m", "INPUTS", "1", "x", "OUTPUTS", "1", "list"], WRONG),
        (["AI.MODELEXECUTE", "m", "INPUTS", "1", "x", "OUTPUTS", "1", "m"], WRONG),
        (["AI.MODELEXECUTE", "m", "INPUTS", "1", "x", "OUTPUTS", "1", "text"], WRONG),
        (["AI.MODELSTORE", "x", "ONNX", "CPU", "BLOB", b"blob"], WRONG),
        (["AI.MODELSTORE", "list", "ONNX", "CPU", "BLOB", b"blob"], WRONG),
        (["AI.SCRIPTSET", "m", "CPU", "SOURCE", SCRIPT], WRONG),
        (["AI.MODELGET", "none"], "ERR model key is empty"),
        (["AI.SCRIPTGET", "none"], "ERR script key is empty"),
        (["AI.SCRIPTGET", "m"], WRONG),
        (["AI.SCRIPTDEL", "m"], WRONG),
        (["AI.SCRIPTRUN", "m", "f"], WRONG),
        (["AI.SCRIPTRUN", "none", "f"], "ERR script key is empty"),
        (["AI.INFO", "none"], "ERR cannot find run info for key"),
        (["AI.INFO", "x"], "ERR cannot find run info for key"),
        (["AI.INFO", "none", "RESETSTAT"], "ERR cannot find run info for key"),
        (["AI.MODELGET"], "ERR wrong number of arguments for 'ai.modelget' command"),
        (
            ["AI.DAGRUN", "|>"],
            "ERR AI.DAGRUN: chains of commands are not offered here; send its AI.MODELEXECUTE and "
            "AI.SCRIPTEXECUTE one after another, with keys for what passes between them",
        ),
    ],
)
def test_what_cannot_be_done_is_one_error_and_changes_nothing(db: Database, argv: list[str | bytes], message: str) -> None:
    db.values[b"words"] = tensor.encode(["a", "b"])
    before = dict(db.values)

    assert db.error(*argv) == message
    assert db.values == before
    assert db.info("m")[b"errors"] == 0


@pytest.mark.parametrize(
    ("others", "sharded", "message"),
    [
        ((), False, "ERR tensor key is empty: x"),
        ((), True, "ERR tensor key is empty or in a different shard: x"),
        ((b"ax", b"x.y"), False, "ERR tensor key is empty: x"),
        ((b"e_0.x",), False, r"ERR tensor key is empty: x; there is e_0\.x, .* set_data_source\('e_0'\); or call disable_key"),
        ((b"a.b.x",), False, r".*there is a\.b\.x, which member a\.b wrote"),
        ((b"a\nb.x",), False, r".*there is a b\.x"),
    ],
)
def test_an_input_that_a_member_wrote_with_its_prefix_is_named(others: tuple[bytes, ...], sharded: bool, message: str) -> None:
    assert re.match(message + ("$" if not others else ""), missing(b"x", dict.fromkeys(others), sharded))


def test_what_is_loaded_is_loaded_in_the_context_for_that() -> None:
    events: list[str] = []

    @contextmanager
    def loading() -> Iterator[None]:
        events.append("begins")
        yield
        events.append("has ended")

    database = Database(loading=loading)
    database.values[b"x"] = tensor.encode(RANDOM.random((2, 10), dtype="float32"))
    database.reply("AI.MODELSTORE", "m", "TORCH", "CPU", "BLOB", mlp_model("TORCH"))
    assert events == ["begins", "has ended"]

    database.reply("AI.MODELEXECUTE", "m", "INPUTS", "1", "x", *RUN)
    assert events == ["begins", "has ended"]  # it is loaded

    other = Database(loading=loading)
    other.values = database.values
    other.reply("AI.MODELEXECUTE", "m", "INPUTS", "1", "x", *RUN)
    assert events == ["begins", "has ended"] * 2


def test_a_request_whose_client_has_gone_is_not_run(db: Database) -> None:
    requests = [db.request("AI.MODELEXECUTE", "m", "INPUTS", "1", "x", "OUTPUTS", "1", name) for name in "abc"]

    answers = dict(answer for group in db.engine.groups(requests, {1}) for answer in group)

    assert [bool(isinstance(answer, Answer) and answer.writes) for _, answer in sorted(answers.items())] == [True, False, True]


@pytest.mark.parametrize("backend", BACKENDS)
def test_bytes_that_are_no_model_are_not_stored(backend: str) -> None:
    database = Database()
    names = ["INPUTS", "1", "x", "OUTPUTS", "1", "y"] if backend == "TF" else []

    message = database.error("AI.MODELSTORE", "m", backend, "CPU", *names, "BLOB", b"gar\r\nbage")

    assert message
    assert "\n" not in message
    assert database.values == {}


def test_what_a_framework_raises_is_the_reply_on_one_line_and_counted(db: Database) -> None:
    db.put("wrong", [[1, 2, 3]])

    message = db.error("AI.MODELEXECUTE", "m", "INPUTS", "1", "wrong", *RUN)

    assert message.startswith("[ONNXRuntimeError] : 2 : INVALID_ARGUMENT : Got invalid dimensions")
    assert "\n" not in message
    assert (db.info("m")[b"calls"], db.info("m")[b"errors"]) == (1, 1)
    assert b"y" not in db.values


def test_a_model_that_returns_more_than_it_told_is_refused() -> None:
    database = Database()
    database.put("x", [1, 2])
    database.reply("AI.MODELSTORE", "m", "TORCH", "CPU", "BLOB", torch_model("def forward(self, x):\n  return [x, x]\n"))

    assert database.reply("AI.MODELEXECUTE", "m", "INPUTS", "1", "x", "OUTPUTS", "2", "a", "b") == OK
    message = database.error("AI.MODELEXECUTE", "m", "INPUTS", "1", "x", "OUTPUTS", "1", "a")

    assert message == "ERR Model did not generate the expected number of outputs"


# --- what stays loaded ------------------------------------------------------------------------------------------------------


def test_a_model_is_fetched_when_it_is_not_loaded_and_only_then(db: Database) -> None:
    execute = ["AI.MODELEXECUTE", "m", "INPUTS", "1", "x", *RUN]

    assert db.reply(*execute) == OK
    assert db.fetched == []

    db.engine = Engine(db.fetch, clock=lambda: db.now)
    assert [db.reply(*execute), db.reply(*execute)] == [OK, OK]
    assert db.fetched == [b"m"]


def test_a_whole_value_in_the_job_is_not_fetched(db: Database) -> None:
    request = db.request("AI.MODELEXECUTE", "m", "INPUTS", "1", "x", *RUN)
    db.engine = Engine(db.fetch, clock=lambda: db.now)

    (answer,) = db.run(replace(request, values={**request.values, b"m": db.values[b"m"]}))

    assert isinstance(answer, Answer)
    assert (answer.reply, db.fetched) == (OK, [])


def test_values_may_lie_in_memory_that_is_shared(db: Database) -> None:
    request = db.request("AI.MODELEXECUTE", "m", "INPUTS", "1", "x", *RUN)
    shared = {key: memoryview(bytearray(value or b"")) for key, value in db.values.items() if key in (b"m", b"x")}
    db.engine = Engine(db.fetch, clock=lambda: db.now)

    (answer,) = db.run(replace(request, values=shared))

    assert isinstance(answer, Answer)
    assert (answer.reply, db.fetched) == (OK, [])


def test_the_model_that_has_not_run_for_longest_is_let_go() -> None:
    database = Database(capacity=2)
    database.put("x", [[1] * 10])
    for name in ("a", "b"):
        database.reply("AI.MODELSTORE", name, "ONNX", "CPU", "BLOB", mlp_model("ONNX"))

    for name in ("a", "b", "a"):
        database.reply("AI.MODELEXECUTE", name, "INPUTS", "1", "x", *RUN)
    database.reply("AI.MODELSTORE", "c", "ONNX", "CPU", "BLOB", mlp_model("ONNX"))
    for name in ("a", "c", "b"):
        assert database.reply("AI.MODELEXECUTE", name, "INPUTS", "1", "x", *RUN) == OK

    assert database.fetched == [b"b"]


def test_a_model_stored_again_is_the_new_one_at_once(db: Database) -> None:
    double = onnx_model("double (float[n, 10] x) => (float[n, 10] y) { y = Add(x, x) }")
    execute = ["AI.MODELEXECUTE", "m", "INPUTS", "1", "x", *RUN]
    before = db.request(*execute)
    db.engine.execute([])

    db.reply("AI.MODELSTORE", "m", "ONNX", "CPU", "BLOB", double)
    assert db.reply(*execute) == OK
    assert db.get("y").tolist() == [[2.0] * 10]

    # A request that came before, on a worker that has neither, gets what is there now.
    db.engine = Engine(db.fetch, clock=lambda: db.now)
    db.run(before)
    assert db.get("y").tolist() == [[2.0] * 10]


@pytest.mark.parametrize(("now", "message"), [(None, "ERR model key is empty"), (b"text", WRONG)])
def test_a_model_that_went_away_before_it_ran_is_an_error(db: Database, now: bytes | None, message: str) -> None:
    request = db.request("AI.MODELEXECUTE", "m", "INPUTS", "1", "x", *RUN)
    db.engine = Engine(lambda _key: now, clock=lambda: db.now)

    (answer,) = db.run(request)

    assert isinstance(answer, Answer)
    assert answer.reply == Error(message)


def test_a_value_of_another_length_than_its_trailer_says_is_refused(db: Database) -> None:
    db.values[b"m"] = b"more" + (db.values[b"m"] or b"")

    assert db.error("AI.MODELGET", "m") == WRONG


@pytest.mark.parametrize("options", [{"capacity": 0}, {"threads": 0}])
def test_an_engine_has_room_for_a_model_and_a_thread(options: Mapping[str, int]) -> None:
    with pytest.raises(InputValueError, match="give at least 1 of each"):
        Database(**options)


# --- time, batches, statistics ----------------------------------------------------------------------------------------------


def test_a_run_that_has_waited_too_long_is_not_run(db: Database) -> None:
    request = db.request("AI.MODELEXECUTE", "m", "INPUTS", "1", "x", *RUN, "TIMEOUT", "300")

    db.now += 0.2
    (in_time,) = db.run(request)
    del db.values[b"y"]
    db.now += 0.2
    (late,) = db.run(request)

    assert isinstance(in_time, Answer)
    assert (in_time.reply, late) == (OK, Answer(TIMED_OUT))
    assert b"y" not in db.values


def test_a_run_that_an_earlier_one_has_made_wait_too_long_is_not_run(db: Database) -> None:
    def slow(key: bytes) -> bytes | None:
        db.now += 2
        return db.values[key]

    db.engine = Engine(slow, clock=lambda: db.now)
    execute = ["AI.MODELEXECUTE", "m", "INPUTS", "1", "x", "OUTPUTS", "1"]

    answers = db.run(
        db.request(*execute, "a"), db.request(*execute, "b", "TIMEOUT", "1000"), db.request(*execute, "c", "TIMEOUT", "3000")
    )

    assert [answer.reply for answer in answers if isinstance(answer, Answer)] == [OK, TIMED_OUT, OK]


def batched(backend: str, *options: str) -> Database:
    """A database with a model that goes in batches, and three tensors for it."""
    database = Database()
    for name, rows in (("a", 1), ("b", 2), ("c", 1)):
        database.put(name, RANDOM.normal(size=(rows, 10)))
    names = ["INPUTS", "1", "x", "OUTPUTS", "1", "y"] if backend == "TF" else []
    assert database.reply("AI.MODELSTORE", "m", backend, "CPU", *options, *names, "BLOB", mlp_model(backend)) == OK
    return database


def execute(database: Database, name: str, *more: str) -> Request:
    return database.request("AI.MODELEXECUTE", "m", "INPUTS", "1", name, "OUTPUTS", "1", f"y{name}", *more)


@pytest.mark.parametrize("backend", BACKENDS[:3])
def test_runs_in_a_batch_get_what_each_gets_alone(backend: str) -> None:
    database = batched(backend, "BATCHSIZE", "8")

    answers = database.run(*(execute(database, name) for name in "abc"))

    assert [isinstance(answer, Answer) and answer.reply for answer in answers] == [OK] * 3
    for name in "abc":
        np.testing.assert_allclose(database.get(f"y{name}"), mlp(database.get(name)), rtol=1e-4, atol=1e-5)
    told = database.info("m")
    assert (told[b"calls"], told[b"samples"], told[b"errors"]) == (3, 4, 0)
    durations = {answer.statistics.duration for answer in answers if isinstance(answer, Answer)}
    assert len(durations) == 1  # one run for all three


def test_a_batch_waits_for_more_and_then_runs_with_them() -> None:
    database = batched("ONNX", "BATCHSIZE", "8", "MINBATCHSIZE", "3", "MINBATCHTIMEOUT", "300")
    alone = execute(database, "a")

    assert database.run(alone) == [Wait(100.3)]
    database.now += 0.1
    first, second = database.run(alone, execute(database, "b"))

    assert isinstance(first, Answer)
    assert isinstance(second, Answer)
    assert (first.reply, second.reply) == (OK, OK)


def test_a_batch_that_has_waited_runs_though_it_is_small() -> None:
    database = batched("ONNX", "BATCHSIZE", "8", "MINBATCHSIZE", "3", "MINBATCHTIMEOUT", "300")
    alone = execute(database, "a")
    database.now += 0.3

    (answer,) = database.run(alone)

    assert isinstance(answer, Answer)
    assert answer.reply == OK


def test_without_a_timeout_a_batch_waits_for_ever_but_its_client_need_not() -> None:
    database = batched("ONNX", "BATCHSIZE", "8", "MINBATCHSIZE", "3")
    patient, other = execute(database, "a"), execute(database, "c", "TIMEOUT", "1000")

    assert database.run(patient, other) == [Wait(math.inf), Wait(101.0)]
    database.now += 2

    assert database.run(patient, other) == [Wait(math.inf), Answer(TIMED_OUT)]


def test_a_model_that_does_not_keep_rows_apart_cannot_go_in_batches() -> None:
    database = Database()
    database.put("a", [[1, 2]])
    blob = torch_model("def forward(self, x):\n  return x.sum()\n")
    database.reply("AI.MODELSTORE", "m", "TORCH", "CPU", "BATCHSIZE", "8", "BLOB", blob)

    (alone,) = database.run(execute(database, "a"))
    together = database.run(execute(database, "a"), execute(database, "a"))

    assert isinstance(alone, Answer)
    assert alone.reply == OK
    wrong = Answer(Error("ERR Model did not generate the expected batch size"), statistics=Statistics(calls=1, errors=1))
    assert together == [wrong, wrong]


def test_an_error_in_one_job_leaves_the_others_alone(db: Database) -> None:
    good = db.request("AI.MODELEXECUTE", "m", "INPUTS", "1", "x", *RUN)
    bad = db.request("AI.MODELEXECUTE", "m", "INPUTS", "1", "none", *RUN)
    told = db.request("AI.CONFIG", "GET", "MODEL_CHUNK_SIZE")

    answers = db.run(bad, good, told, good)

    assert [answer.reply for answer in answers if isinstance(answer, Answer)] == [Error(EMPTY), OK, 535822336, OK]


def test_statistics_are_told_and_reset(db: Database) -> None:
    db.put("x", np.ones((5, 10)))
    for _ in range(2):
        db.reply("AI.MODELEXECUTE", "m", "INPUTS", "1", "x", *RUN)

    told = db.info("m")
    duration = told.pop(b"duration")
    assert isinstance(duration, int)
    assert duration > 0
    assert list(told.items()) == [
        (b"key", b"m"),
        (b"type", b"MODEL"),
        (b"backend", b"ONNX"),
        (b"device", b"CPU"),
        (b"tag", b""),
        (b"samples", 10),
        (b"calls", 2),
        (b"errors", 0),
    ]
    assert db.reply("AI.INFO", "m", "RESETSTAT") == OK
    assert (db.info("m")[b"calls"], db.info("m")[b"duration"]) == (0, 0)


def test_storing_again_begins_to_count_anew(db: Database) -> None:
    db.reply("AI.MODELEXECUTE", "m", "INPUTS", "1", "x", *RUN)
    assert db.info("m")[b"calls"] == 1

    db.reply("AI.MODELSTORE", "m", "ONNX", "CPU", "BLOB", mlp_model("ONNX"))

    assert db.info("m")[b"calls"] == 0


# --- scripts, scans and settings --------------------------------------------------------------------------------------------


def test_a_function_is_run_and_its_outputs_written(scripts: Database) -> None:
    assert scripts.reply("AI.SCRIPTRUN", "s", "both", "INPUTS", "x", "x", "OUTPUTS", "a", "b") == OK
    assert scripts.reply("AI.SCRIPTEXECUTE", "s", "entry", "INPUTS", "1", "x", "ARGS", "1", "3", "OUTPUTS", "1", "c") == OK

    assert [scripts.get(name).tolist() for name in "abc"] == [[1, 2], [1, 2], [3, 6]]
    told = scripts.info("s")
    assert (told[b"type"], told[b"samples"], told[b"calls"], told[b"tag"]) == (b"SCRIPT", -1, 2, b"v1")


def test_a_script_is_given_back_as_it_was_stored(scripts: Database) -> None:
    told = [b"device", b"cpu", b"tag", b"v1", b"Entry Points", [b"entry"]]

    assert scripts.reply("AI.SCRIPTGET", "s", "SOURCE") == SCRIPT
    assert scripts.reply("AI.SCRIPTGET", "s", "META") == told
    assert scripts.reply("AI.SCRIPTGET", "s") == [*told, b"source", SCRIPT]


@pytest.mark.parametrize(
    ("function", "outputs", "message"),
    [
        ("missing", ["y"], "Function does not exist: missing"),
        ("both", ["y"], "Wrong number of inputs provided to function: both"),
        ("twice", ["y", "z"], "Function returned unexpected number of outputs - twice"),
        ("nothing", ["y"], "Function returned unexpected number of outputs - nothing"),
        (
            "complex_one",
            ["y"],
            "ERR tensor of complex64: cannot be stored; there are float32, float64, int8, int16, int32, int64, uint8, uint16, "
            "bool, str",
        ),
    ],
)
def test_a_function_that_fails_is_an_error_and_counted(
    scripts: Database, function: str, outputs: list[str], message: str
) -> None:
    assert scripts.error("AI.SCRIPTRUN", "s", function, "INPUTS", "x", "OUTPUTS", *outputs) == message
    assert (scripts.info("s")[b"calls"], scripts.info("s")[b"errors"]) == (1, 1)
    assert not {b"y", b"z"} & set(scripts.values)


def test_what_a_function_raises_is_the_reply_on_one_line(scripts: Database) -> None:
    message = scripts.error("AI.SCRIPTRUN", "s", "fails", "INPUTS", "x", "OUTPUTS", "y")

    assert "one two" in message
    assert "\n" not in message


@pytest.mark.parametrize("function", ["twice", "nothing"])
def test_a_function_may_be_called_for_no_outputs(scripts: Database, function: str) -> None:
    assert scripts.reply("AI.SCRIPTRUN", "s", function, "INPUTS", "x") == OK


def test_an_output_of_truths_is_written_as_such(scripts: Database) -> None:
    scripts.reply("AI.SCRIPTRUN", "s", "big", "INPUTS", "x", "OUTPUTS", "y")

    assert (scripts.get("y").dtype, scripts.get("y").tolist()) == (np.dtype(bool), [False, True])


def test_a_script_that_cannot_be_compiled_is_not_stored(scripts: Database) -> None:
    message = scripts.error("AI.SCRIPTSET", "t", "CPU", "SOURCE", "def f(x):\n  return (x\n")

    assert "\n" not in message
    assert b"t" not in scripts.values


def test_a_scan_lists_keys_and_tags(scripts: Database) -> None:
    scripts.reply("AI.MODELSET", "m", "ONNX", "CPU", "TAG", "v2", "BLOB", mlp_model("ONNX"))
    scripts.values |= {b"list": None, b"text": b"text", b"forged": b"SCRIPT"}
    held = {key: trailer(value) for key, value in scripts.values.items()}

    answers = scripts.run(*(replace(scripts.request(scan), values=held) for scan in ("AI._SCRIPTSCAN", "AI._MODELSCAN")))

    assert [answer.reply for answer in answers if isinstance(answer, Answer)] == [[[b"s", b"v1"]], [[b"m", b"v2"]]]


WORDS = st.sampled_from([b"m", b"x", b"y", b"INPUTS", b"OUTPUTS", b"1", b"2", b"f", b"META", b"TIMEOUT", b"KEYS"])
TELLING = [b"AI.MODELEXECUTE", b"AI.MODELRUN", b"AI.SCRIPTRUN", b"AI.SCRIPTEXECUTE", b"AI.MODELGET", b"AI.SCRIPTGET"]
TELLING += [b"AI.MODELDEL", b"AI.INFO", b"AI._MODELSCAN"]
FORGED = st.builds(bytes.__add__, st.binary(max_size=60), st.sampled_from([b"TENSOR", b"MODEL_", b"SCRIPT", b""]))
RUNS = st.sampled_from([[b"m", b"INPUTS", b"1", b"x", b"OUTPUTS", b"1", b"y"], [b"m", b"f", b"INPUTS", b"x"], [b"m"]])
WHOLE = model_format.encode(model_format.Metadata(Kind.MODEL, "ONNX", "CPU"), b"no model")


@given(
    st.sampled_from(TELLING),
    RUNS | st.lists(WORDS, max_size=9),
    st.dictionaries(st.sampled_from([b"m", b"x"]), FORGED | st.none() | st.just(WHOLE)),
    st.none() | FORGED,
)
def test_whatever_keys_hold_a_job_has_one_answer_on_one_line(
    name: bytes, words: list[bytes], values: dict[bytes, bytes | None], fetched: bytes | None
) -> None:
    engine = Engine(lambda _key: fetched)

    ((number, answer),) = engine.execute([Request([name, *words], values)])

    assert number == 0
    assert isinstance(answer, Answer)
    assert not isinstance(answer.reply, Error) or (answer.reply.text and not set("\r\n") & set(answer.reply.text))


def test_the_size_of_pieces_is_told_and_changed(db: Database) -> None:
    (changed,) = db.run(db.request("AI.CONFIG", "MODEL_CHUNK_SIZE", "1000"))

    assert changed == Answer(OK, chunk_size=1000)
    assert db.reply("AI.CONFIG", "GET", "BACKENDSPATH") is None


def test_the_trailer_is_what_a_server_without_this_package_keeps(db: Database) -> None:
    value = db.values[b"m"] or b""

    assert value.startswith(mlp_model("ONNX"))
    assert model_format.decode(value).inputs == (b"x",)
