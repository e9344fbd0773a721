"""Workers as they are started, on real servers: what clients store and run, and what becomes of it when something breaks.

Tests __main__, connection, opening, protocol and watchdog.
"""

import os
import platform
import resource
import selectors
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import redis

from smartensemble.inference import opening
from smartensemble.inference.worker import given_up
from smartensemble.wire import tensor
from worlds.patience import PATIENCE_S
from worlds.servers import ONE_SERVER, Server, Start
from worlds.small_models import BACKENDS, mlp, mlp_model, tf_model

Eventually = Callable[[Callable[[], object]], None]
Work = Callable[..., "subprocess.Popen[bytes]"]

X = np.arange(20, dtype="float32").reshape(2, 10)
REDISAI = str(Path(__file__).parents[2] / ".nox/redisai")  #: redisai-py and what it needs, which nox has installed
RUN = ("AI.MODELEXECUTE", "m", "INPUTS", 1, "x", "OUTPUTS", 1, "y")
DOUBLE = ("AI.SCRIPTRUN", "s", "double", "INPUTS", "x", "OUTPUTS", "y")
SCRIPT = """
def double(x):
    return 2 * x

def forever(x):
    while True:
        x = x + 1
    return x

def in_place(x):
    x += 1
    return x

def abort(x):
    return torch.full([1], int(x.item()) % -1)

def busy(x):
    for i in range(200000):
        x = x + 1
    return x

def grow(x):
    kept = [x]
    while len(kept) > 0:
        kept.append(torch.ones([1 << 22]))
    return kept[-1]
"""


def start_worker(directory: Path, *options: str) -> "subprocess.Popen[bytes]":
    """A worker; what it says is added to a file."""
    with (directory / "worker.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "smartensemble.inference", "--end-with-parent", "--patience", str(PATIENCE_S), *options],
            stderr=log,
        )


def end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    process.wait()


def child(process: "subprocess.Popen[bytes]") -> int | None:
    """The process that works, of a worker and the one that watches it."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return int(children[0]) if children else None


@pytest.fixture(scope="module")
def shared_worker(shared: Server) -> Iterator["subprocess.Popen[bytes]"]:
    worker = start_worker(shared.directory, "--address", f"unix://{shared.socket}")
    yield worker
    end(worker)


@pytest.fixture
def served(server: Server, shared_worker: "subprocess.Popen[bytes]") -> Server:
    """The server that tests share, with a worker, and a tensor."""
    server.client.set("x", tensor.encode(X))
    return server


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Work]:
    """Start workers of servers for one test."""
    started: list[subprocess.Popen[bytes]] = []

    def work(*servers: Server, options: tuple[str, ...] = ()) -> "subprocess.Popen[bytes]":
        addresses = [word for server in servers for word in ("--address", f"127.0.0.1:{server.port}")]
        started.append(start_worker(tmp_path, *addresses, *options))
        return started[-1]

    yield work
    for process in started:
        end(process)


def ask(server: Server, *command: object) -> Any:
    """The reply to a command, from a client of its own, or its error."""
    client = server.connect()
    try:
        return client.execute_command(*command)
    except redis.ResponseError as error:
        return f"error: {error}"
    finally:
        client.close()


def store(server: Server, backend: str = "TORCH", key: str = "m", *options: object) -> Any:
    names = ("INPUTS", 1, "x", "OUTPUTS", 1, "y") if backend == "TF" else ()
    return ask(server, "AI.MODELSTORE", key, backend, "CPU", *options, *names, "BLOB", mlp_model(backend))


@pytest.fixture
def smartredis(served: Server, monkeypatch: pytest.MonkeyPatch) -> Any:
    """SmartRedis' client, as it comes from PyPI."""
    module = pytest.importorskip("smartredis", reason="has no wheel for this Python")
    settings = {"SSDB": f"unix://{served.socket}", "SR_DB_TYPE": "Standalone", "SR_LOG_LEVEL": "QUIET"}
    for name, value in (settings | {"SR_LOG_FILE": os.devnull, "SR_SOCKET_TIMEOUT": f"{PATIENCE_S * 1000:.0f}"}).items():
        monkeypatch.setenv(name, value)
    return module.Client(None, "test")


@pytest.mark.parametrize("backend", BACKENDS)
def test_smartredis_stores_runs_and_deletes_a_model(smartredis: Any, backend: str) -> None:
    names = {"inputs": ["x"], "outputs": ["y"]} if backend == "TF" else {}

    smartredis.set_model("m", mlp_model(backend), backend, tag="first", **names)
    smartredis.run_model("m", ["x"], ["y"])

    np.testing.assert_allclose(smartredis.get_tensor("y"), mlp(X), rtol=1e-4)
    assert smartredis.get_model("m") == mlp_model(backend)
    assert smartredis.model_exists("m")
    smartredis.delete_model("m")
    assert not smartredis.model_exists("m")


def was_refused(told: str) -> bool:
    """The kernel refused what a model tried, and its client learns what to do."""
    return "Permission denied" in told and "; workers are confined; " in told and told.endswith("confine=False")


@pytest.mark.needs("torch", "landlock")
@ONE_SERVER
@pytest.mark.parametrize("name", ["secret", "new"])
def test_a_script_neither_reads_nor_writes_files(served: Server, tmp_path: Path, name: str) -> None:
    (tmp_path / "secret").write_text("the secret")
    source = "".join(
        f"def {how}(x):\n    return torch.from_file('{tmp_path}/{name}', {shared}, 10, dtype=torch.uint8)\n"
        for how, shared in (("read", False), ("write", True))
    )
    assert ask(served, "AI.SCRIPTSET", "s", "CPU", "SOURCE", source) == b"OK"

    for how in ("read", "write"):
        told = ask(served, "AI.SCRIPTRUN", "s", how, "INPUTS", "x", "OUTPUTS", "y")
        assert told.startswith("error: ")
        assert (how, name) == ("read", "new") or was_refused(told)

    assert [path.name for path in tmp_path.iterdir()] == ["secret"]
    assert (tmp_path / "secret").read_text() == "the secret"


@pytest.mark.needs("tensorflow", "landlock")
@ONE_SERVER
def test_a_graph_neither_reads_nor_writes_files(served: Server, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("the secret")

    def read(tf: Any) -> None:
        tf.compat.v1.placeholder("float32", name="x")
        tf.io.decode_raw(tf.io.read_file(f"{tmp_path}/secret"), "uint8", name="y")

    def write(tf: Any) -> None:
        x = tf.compat.v1.placeholder("float32", name="x")
        with tf.control_dependencies([tf.raw_ops.WriteFile(filename=f"{tmp_path}/new", contents="x")]):
            tf.identity(x, name="y")

    for build in (read, write):
        names = ("INPUTS", 1, "x", "OUTPUTS", 1, "y")
        assert ask(served, "AI.MODELSTORE", "m", "TF", "CPU", *names, "BLOB", tf_model(build)) == b"OK"
        assert was_refused(ask(served, *RUN))
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]


@pytest.mark.needs("torch")
def test_smartredis_stores_and_runs_scripts_and_functions(smartredis: Any, tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / "functions.py").write_text("def twice(x):\n    return 2 * x\n")
    monkeypatch.syspath_prepend(tmp_path)
    smartredis.set_script("script", SCRIPT)
    smartredis.set_function("function", import_module("functions").twice)

    smartredis.run_script("script", "double", ["x"], ["a"])
    smartredis.run_script("function", "twice", ["x"], ["b"])

    for name in ("a", "b"):
        np.testing.assert_array_equal(smartredis.get_tensor(name), 2 * X)
    assert smartredis.get_script("script") == SCRIPT
    smartredis.delete_script("script")
    assert not smartredis.model_exists("script")


@pytest.mark.needs("torch", "redisai")
def test_redisai_py_finds_all_that_it_knows(served: Server, tmp_path: Path) -> None:
    (tmp_path / "model.pt").write_bytes(mlp_model("TORCH"))
    program, model = str(Path(__file__).with_name("redisai_client.py")), str(tmp_path / "model.pt")
    argv = [sys.executable, "-W", "ignore", program, served.socket, model]
    done = subprocess.run(argv, env=os.environ | {"PYTHONPATH": REDISAI}, capture_output=True, text=True, check=False)

    assert (done.stdout, done.stderr) == ("all of it\n", "")


@pytest.mark.needs("torch")
def test_runs_are_counted(served: Server, smartredis: Any) -> None:
    smartredis.set_model("m", mlp_model("TORCH"), "TORCH", tag="v1")
    for _ in range(3):
        smartredis.run_model("m", ["x"], ["y"])

    known = ask(served, "AI.INFO", "m")
    info = dict(zip(known[::2], known[1::2], strict=True))
    assert (info[b"calls"], info[b"samples"], info[b"errors"], info[b"tag"]) == (3, 6, 0, b"v1")
    assert ask(served, "AI._MODELSCAN") == [[b"m", b"v1"]]
    assert ask(served, "AI.INFO", "m", "RESETSTAT") == b"OK"
    assert ask(served, "AI.INFO", "m")[-3] == 0


def test_the_size_of_chunks_is_the_databases(served: Server) -> None:
    assert ask(served, "AI.CONFIG", "MODEL_CHUNK_SIZE", 1000) == b"OK"
    assert ask(served, "AI.CONFIG", "GET", "MODEL_CHUNK_SIZE") == 1000
    assert ask(served, "AI.CONFIG", "MODEL_CHUNK_SIZE", 511 << 20) == b"OK"
    assert ask(served, "AI.CONFIG", "GET", "MODEL_CHUNK_SIZE") == 511 << 20


@pytest.mark.needs("torch")
def test_a_function_that_writes_into_its_input_changes_no_key(served: Server) -> None:
    for size in (10, 100_000):  # by the connection, and by shared memory
        served.client.set("x", tensor.encode(np.zeros(size, dtype="float32")))
        ask(served, "AI.SCRIPTSET", "s", "CPU", "SOURCE", SCRIPT)

        assert ask(served, "AI.SCRIPTRUN", "s", "in_place", "INPUTS", "x", "OUTPUTS", "y") == b"OK"

        assert not tensor.decode(served.client.get("x")).any()
        assert tensor.decode(served.client.get("y")).all()


@pytest.mark.needs("torch")
def test_a_mistake_is_the_clients_own(served: Server) -> None:
    store(served)
    served.client.rpush("list", "x")
    served.client.set("wrong", tensor.encode(np.zeros(3, dtype="float32")))
    broken = mlp_model("TORCH")[:-100]
    wrong = "WRONGTYPE Operation against a key holding the wrong kind of value"

    assert ask(served, "AI.MODELSTORE", "b", "TORCH", "CPU", "BLOB", broken).startswith("error")
    assert ask(served, "AI.MODELSTORE", "b", "TFLITE", "CPU", "BLOB", mlp_model("TORCH")).startswith("error")
    assert ask(served, "AI.MODELSTORE", "list", "TORCH", "CPU", "BLOB", mlp_model("TORCH")) == f"error: {wrong}"
    assert ask(served, *RUN[:4], "wrong", *RUN[5:]).startswith("error")
    assert ask(served, *RUN[:4], "absent", *RUN[5:]) == "error: tensor key is empty: absent"
    assert ask(served, *RUN[:-1], "list") == f"error: {wrong}"
    assert ask(served, "AI.MODELEXECUTE", "absent", *RUN[2:]) == "error: model key is empty"
    assert "chains of commands" in ask(served, "AI.DAGEXECUTE", "|>", *RUN)

    assert served.client.lrange("list", 0, -1) == [b"x"]
    assert not served.client.exists("b")
    assert ask(served, *RUN) == b"OK"


@pytest.mark.needs("torch")
def test_runs_that_come_together_are_one_batch(served: Server) -> None:
    store(served, "TORCH", "m", "BATCHSIZE", 8, "MINBATCHSIZE", 8)

    with ThreadPoolExecutor(4) as pool:  # of two rows each: none is answered before the last has come
        runs = [pool.submit(ask, served, *RUN[:-1], f"y{i}") for i in range(4)]

    assert [run.result() for run in runs] == [b"OK"] * 4
    for i in range(4):
        np.testing.assert_allclose(tensor.decode(served.client.get(f"y{i}")), mlp(X), rtol=1e-4)


@pytest.mark.needs("torch")
def test_a_run_waits_for_others_no_longer_than_it_is_told(served: Server) -> None:
    store(served, "TORCH", "m", "BATCHSIZE", 8, "MINBATCHSIZE", 8, "MINBATCHTIMEOUT", 50)

    assert ask(served, *RUN) == b"OK"


@pytest.mark.needs("torch")
def test_only_the_run_that_kills_its_worker_fails(served: Server, shared_worker: Any, eventually: Eventually) -> None:
    ask(served, "AI.SCRIPTSET", "s", "CPU", "SOURCE", SCRIPT)
    first = child(shared_worker)
    assert first is not None
    with ThreadPoolExecutor(1) as pool:
        run = pool.submit(ask, served, "AI.SCRIPTRUN", "s", "forever", "INPUTS", "x", "OUTPUTS", "y")
        eventually(lambda: taken(served))
        os.kill(first, signal.SIGSEGV)

        assert "the inference worker ended before it answered" in run.result()

    assert ask(served, *DOUBLE) == b"OK"
    assert child(shared_worker) != first
    eventually(lambda: f"worker {first} was ended by SIGSEGV" in (served.directory / "worker.log").read_text())


@pytest.mark.needs("torch")
@pytest.mark.skipif(platform.machine() != "x86_64", reason="other processors divide the lowest number by -1")
def test_a_model_that_aborts_costs_one_error(served: Server, shared_worker: Any, eventually: Eventually) -> None:
    ask(served, "AI.SCRIPTSET", "s", "CPU", "SOURCE", SCRIPT)
    first = child(shared_worker)
    ask(served, "AI.TENSORSET", "lowest", "INT64", 1, "VALUES", -(2**63))

    with ThreadPoolExecutor(8) as pool:  # all of them come while the worker is busy, which then takes them at once
        busy = pool.submit(ask, served, "AI.SCRIPTRUN", "s", "busy", "INPUTS", "x", "OUTPUTS", "z")
        eventually(lambda: taken(served) or busy.done())
        aborts = pool.submit(ask, served, "AI.SCRIPTRUN", "s", "abort", "INPUTS", "lowest", "OUTPUTS", "y")
        others = [pool.submit(ask, served, *DOUBLE[:-1], f"y{number}") for number in range(6)]

    assert "the inference worker ended before it answered" in aborts.result()
    assert not served.client.exists("y")
    assert [run.result() for run in (busy, *others)] == [b"OK"] * 7
    eventually(lambda: f"worker {first} was ended by SIGFPE" in (served.directory / "worker.log").read_text())


@pytest.mark.needs("torch")
@ONE_SERVER
def test_a_model_that_runs_out_of_memory_costs_one_error(served: Server, shared_worker: Any) -> None:
    ask(served, "AI.SCRIPTSET", "s", "CPU", "SOURCE", SCRIPT)
    process = child(shared_worker)
    assert process is not None
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[0])
    before = resource.prlimit(process, resource.RLIMIT_AS)
    resource.prlimit(process, resource.RLIMIT_AS, (pages * resource.getpagesize() + (200 << 20), before[1]))

    told = ask(served, "AI.SCRIPTRUN", "s", "grow", "INPUTS", "x", "OUTPUTS", "y")
    resource.prlimit(process, resource.RLIMIT_AS, before)

    assert "bad_alloc" in told
    assert ask(served, *DOUBLE) == b"OK"
    assert child(shared_worker) == process
    assert Path(f"/proc/{process}/oom_score_adj").read_text() == "1000\n"  # without a limit, the system ends it first


def waiting(server: Server) -> list[str]:
    """The commands of the clients that wait."""
    blocked: list[Any] = [client for client in server.client.client_list() if "b" in client["flags"]]
    return [client["cmd"].lower() for client in blocked]


def waits(server: Server, count: int) -> bool:
    """So many clients wait, or need not any more."""
    return len(waiting(server)) == count or bool(server.client.exists("first"))


def taken(server: Server) -> bool:
    """Only a client waits: the worker has taken its request."""
    return waiting(server) == ["ai.scriptrun"]


@pytest.mark.needs("torch")
@ONE_SERVER
def test_a_run_that_never_returns_is_given_up(start: Start, work: Work, tmp_path: Path, eventually: Eventually) -> None:
    server = start()
    server.client.set("x", tensor.encode(X))
    worker = work(server, options=("--time-limit", str(PATIENCE_S)))
    assert ask(server, "AI.SCRIPTSET", "s", "CPU", "SOURCE", SCRIPT) == b"OK"
    end(worker)
    work(server, options=("--time-limit", "1"))

    told = ask(server, "AI.SCRIPTRUN", "s", "forever", "INPUTS", "x", "OUTPUTS", "y")

    assert "the inference worker ended before it answered: a run took longer than 1 s, its model_time_limit" in told
    eventually(lambda: "a run took longer than 1 s" in (tmp_path / "worker.log").read_text())
    assert not server.client.exists("y")


@pytest.mark.needs("torch")
@ONE_SERVER
def test_a_worker_that_is_not_confined_reads_files(start: Start, work: Work, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("the secret")
    server = start()
    work(server, options=("--unconfined",))
    server.client.set("x", tensor.encode(X))
    source = f"def read(x):\n    return torch.from_file('{tmp_path}/secret', False, 10, dtype=torch.uint8)\n"
    ask(server, "AI.SCRIPTSET", "s", "CPU", "SOURCE", source)

    assert ask(server, "AI.SCRIPTRUN", "s", "read", "INPUTS", "x", "OUTPUTS", "y") == b"OK"
    assert bytes(tensor.decode(server.client.get("y"))) == b"the secret"


@pytest.mark.needs("torch")
def test_a_worker_that_lost_its_connection_goes_on(served: Server, shared_worker: Any) -> None:
    store(served)
    assert ask(served, *RUN) == b"OK"
    first, log = child(shared_worker), served.directory / "worker.log"
    before = log.read_text()

    (waits,) = (each for each in served.client.client_list() if each["cmd"].lower() == "ai._next")
    served.client.client_kill_filter(_id=waits["id"])

    assert ask(served, *RUN) == b"OK"
    assert child(shared_worker) == first
    after = log.read_text().removeprefix(before)
    assert "waits for requests, shares memory" in after
    assert "importing" not in after


def test_a_worker_leaves_no_directory_behind(tmp_path: Path, eventually: Eventually, monkeypatch: Any) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    worker = start_worker(tmp_path, "--address", f"unix://{tmp_path}/none")
    eventually(lambda: list(tmp_path.glob("smartensemble-worker-*")))

    end(worker)

    assert [path.name for path in tmp_path.iterdir()] == ["worker.log"]


@pytest.mark.parametrize(
    "address", ["rediss://localhost:1", "unix://", "localhost:port", "localhost:70000", "http://localhost"]
)
def test_a_worker_says_what_is_no_address(address: str) -> None:
    argv = [sys.executable, "-m", "smartensemble.inference", "--address", address]
    ended = subprocess.run(argv, capture_output=True, text=True, check=False)

    assert ended.stderr == f"{address}: is no address of a server; give host:port, unix:///path or redis://user@host:port\n"
    assert ended.returncode == 1


@pytest.mark.parametrize(
    ("address", "password", "where", "login"),
    [
        ("n7:6379", "", ("n7", 6379), ()),
        ("redis://n7", "x", ("n7", 6379), ("x",)),
        ("redis://[::1]:7", "", ("::1", 7), ()),
        ("redis://ann:a%3Ab@n7:1/", "x", ("n7", 1), ("ann", "a:b")),
        ("redis://ann@n7:1", "", ("n7", 1), ()),  # nothing to log in with
        ("unix:///run/a b", "x", "/run/a b", ("x",)),
        ("unix://ann@/run/db", "x", "/run/db", ("ann", "x")),
        ("unix:///run/a@b#c?d%41:e", "", "/run/a@b#c?d%41:e", ()),
    ],
)
def test_an_address_is_that_of_a_server(address: str, password: str, where: object, login: tuple[str, ...]) -> None:
    assert tuple(opening.Server.parse(address, password)) == (where, login)


@pytest.mark.needs("torch")
@ONE_SERVER
def test_the_time_limit_of_a_run_is_not_spent_on_the_import_of_its_framework(
    start: Start, work: Work, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The framework takes longer than a run may: each worker that began anew would fail its first run."""
    slow = tmp_path / "slow"
    slow.mkdir()
    (slow / "sitecustomize.py").write_text(
        "import sys, time\n"
        "class Slow:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'torch':\n"
        "            time.sleep(1.5)\n"
        "sys.meta_path.insert(0, Slow())\n"
    )
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(slow), *filter(None, [os.environ.get("PYTHONPATH")])]))
    server = start()
    server.client.set("x", tensor.encode(X))
    work(server, options=("--time-limit", "1"))

    assert store(server) == b"OK"
    assert ask(server, *RUN) == b"OK"


@pytest.mark.needs("torch")
@ONE_SERVER
def test_a_worker_that_is_stopped_is_replaced_and_its_run_is_answered(served: Server, shared_worker: Any) -> None:
    ask(served, "AI.SCRIPTSET", "s", "CPU", "SOURCE", SCRIPT)
    first = child(shared_worker)
    assert first is not None
    os.kill(first, signal.SIGSTOP)

    assert "the inference worker ended before it answered" in ask(served, *DOUBLE)

    assert ask(served, *DOUBLE) == b"OK"
    assert f"worker {first} was killed, since somebody had stopped it" in (served.directory / "worker.log").read_text()


@pytest.mark.needs("torch")
@ONE_SERVER
def test_a_run_whose_client_goes_while_another_one_runs_is_not_run(
    served: Server, shared_worker: Any, eventually: Eventually
) -> None:
    server = served
    assert ask(server, "AI.SCRIPTSET", "s", "CPU", "SOURCE", SCRIPT) == b"OK"
    busy = ("AI.SCRIPTRUN", "s", "busy", "INPUTS", "x", "OUTPUTS")
    clients = [server.connection() for _ in range(8)]
    before = [server.connection() for _ in range(2)]
    before[0].send_command(*busy, "first")
    eventually(lambda: taken(server))
    for number, client in enumerate([before[1], *clients]):  # the worker takes all of these at once, when it is done
        client.send_command(*busy, f"y{number}")
        eventually(partial(waits, server, number + 2))
    assert before[0].read_response() == b"OK"
    for client in clients[:-1]:
        client.disconnect()

    assert clients[-1].read_response() == b"OK"

    ran = [number for number in range(1, 8) if server.client.exists(f"y{number}")]
    assert len(ran) < 7
    assert server.client.exists("y8")


@pytest.mark.needs("torch")
def test_models_that_a_server_has_saved_run_after_it_was_started_again(start: Start, work: Work) -> None:
    first = start("--appendonly", "yes")
    worker = work(first)
    first.client.set("x", tensor.encode(X))
    assert store(first) == b"OK"
    first.client.shutdown()
    end(worker)

    second = start("--appendonly", "yes")
    work(second)

    assert ask(second, *RUN) == b"OK"
    np.testing.assert_allclose(tensor.decode(second.client.get("y")), mlp(X), rtol=1e-4)


@pytest.mark.needs("torch")
@ONE_SERVER
def test_each_of_ten_thousand_runs_is_answered(start: Start, work: Work) -> None:
    server = start("QUEUE_LIMIT", "3000", "--maxclients", "12000")
    server.client.set("x", tensor.encode(X))
    work(server)
    assert store(server) == b"OK"
    (command,) = server.connection().pack_command(*RUN)

    replies: list[bytes] = []
    with selectors.DefaultSelector() as clients:
        for _ in range(10_000):
            client = socket.socket(socket.AF_UNIX)
            client.connect(server.socket)
            client.sendall(command)
            clients.register(client, selectors.EVENT_READ)
        while waiting := clients.get_map():
            told = clients.select(PATIENCE_S)
            assert told, f"{len(waiting)} clients have no answer"
            for key, _ in told:
                client = key.fileobj  # type: ignore[assignment]
                replies.append(client.recv(1000))
                clients.unregister(client)
                client.close()

    full = b"-ERR the queue for inference workers is full: QUEUE_LIMIT is 3000; try again, or start more workers\r\n"
    assert set(replies) <= {b"+OK\r\n", full}
    assert replies.count(b"+OK\r\n") >= 3000
    assert len(replies) == 10_000


@pytest.mark.needs("torch")
def test_one_worker_serves_all_shards_of_a_cluster(start: Start, work: Work, eventually: Eventually, monkeypatch: Any) -> None:
    module = pytest.importorskip("smartredis", reason="has no wheel for this Python")
    shards = [start("--cluster-enabled", "yes", name=f"shard{number}") for number in range(3)]
    for number, shard in enumerate(shards):
        first, last = 16384 * number // 3, 16384 * (number + 1) // 3 - 1
        ask(shard, "CLUSTER", "ADDSLOTS", *range(first, last + 1))
        ask(shards[0], "CLUSTER", "MEET", "127.0.0.1", shard.port)
    eventually(lambda: all(shard.client.cluster("INFO")["cluster_state"] == "ok" for shard in shards))
    work(*shards)
    settings = {"SSDB": f"127.0.0.1:{shards[0].port}", "SR_DB_TYPE": "Clustered", "SR_LOG_LEVEL": "QUIET"}
    for name, value in (settings | {"SR_LOG_FILE": os.devnull, "SR_SOCKET_TIMEOUT": f"{PATIENCE_S * 1000:.0f}"}).items():
        monkeypatch.setenv(name, value)
    client = module.Client(None, "test")

    client.set_model("m", mlp_model("TORCH"), "TORCH")
    client.set_script("s", SCRIPT)

    for number in range(20):
        client.put_tensor(f"x{number}", X + number)
        client.run_model("m", [f"x{number}"], [f"y{number}"])
        client.run_script("s", "double", [f"x{number}"], [f"z{number}"])
        np.testing.assert_allclose(client.get_tensor(f"y{number}"), mlp(X + number), rtol=1e-3)
        np.testing.assert_array_equal(client.get_tensor(f"z{number}"), 2 * (X + number))
    assert all(shard.client.dbsize() > 3 for shard in shards)
    assert client.get_model("m") == mlp_model("TORCH")
    client.delete_model("m")
    assert not client.model_exists("m")


def test_a_worker_of_no_database_ends(tmp_path: Path) -> None:
    worker = start_worker(tmp_path, "--address", f"unix://{tmp_path}/none", "--patience", "0")

    assert worker.wait(PATIENCE_S) == 0
    assert "no database answers any more" in (tmp_path / "worker.log").read_text()


def test_a_worker_without_its_packages_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "hiredis.py").write_text("raise ImportError('No module named hiredis')")
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])

    argv = [sys.executable, "-m", "smartensemble.inference", "--address", "localhost:1"]
    ended = subprocess.run(argv, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True, check=False)

    remedy = "pip install 'smartensemble[torch]', or the extra of another framework"
    assert (ended.returncode, ended.stderr) == (1, f"No module named hiredis; {remedy}\n")


@pytest.mark.parametrize(
    ("lost", "began", "now", "over"),
    [
        ([5.0], 0.0, 14.0, False),
        ([5.0], 0.0, 15.5, True),
        ([5.0, 9.0], 0.0, 15.5, False),  # the last one that answered counts
        ([5.0, 9.0], 0.0, 19.5, True),
        ([0.0], 9.0, 15.5, False),  # a server may take that long to start
    ],
)
def test_a_worker_gives_up_when_no_server_has_answered_for_its_patience(
    lost: list[float | None], began: float, now: float, over: bool
) -> None:
    assert given_up(lost, began, now, patience=10.0) is over
