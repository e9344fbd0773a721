"""Our client and SmartRedis', in turns, in one process and beside one server: what each takes, of the clock or of CPU."""

import os
import sys
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np
from served import mlp, served

import smartensemble
from measure import report

TURNS = 15
BYTES = 32 << 20  #: of a turn, at most
FEWEST, MOST = 3, 300  #: calls of a turn
X = np.arange(10, dtype="float32").reshape(1, 10)


def measure() -> None:
    """Measure what the arguments say: ``put``, ``get`` or ``around``, a size, and ``clock`` or ``cpu``."""
    act, size, clock = sys.argv[1:]
    import smartredis

    with served():
        path = os.path.abspath("s")
        os.environ |= {"SSDB": f"unix://{path}", "SR_DB_TYPE": "Standalone", "SR_SOCKET_TIMEOUT": "60000"}
        os.environ |= {"SR_LOG_FILE": "sr.log", "SR_LOG_LEVEL": "QUIET"}
        acts = [action(client, act, int(size)) for client in (smartensemble.Client(), smartredis.Client(None, "b"))]
        number = MOST if act == "around" else max(FEWEST, min(MOST, BYTES // int(size)))
        count = time.perf_counter if clock == "clock" else time.process_time
        taken: list[list[float]] = [[], []]
        for turn in range(TURNS + 1):
            for which in (0, 1) if turn % 2 else (1, 0):
                taken[which].append(clocked(acts[which], number, count))
        ours, theirs = (median(one[1:]) for one in taken)  # without the first turn
        report(ours, floor=theirs)


def action(client: Any, act: str, size: int) -> Callable[[], object]:
    """What is measured of a client."""
    if act == "around":
        client.set_model("m", mlp("TORCH"), "TORCH")

        def all_three() -> None:
            client.put_tensor("x", X)
            client.run_model("m", ["x"], ["y"])
            client.get_tensor("y")

        return all_three
    array = np.random.default_rng(1).integers(0, 255, size, dtype="uint8")
    client.put_tensor("tensor", array)
    return (lambda: client.put_tensor("tensor", array)) if act == "put" else lambda: client.get_tensor("tensor")


def clocked(call: Callable[[], object], number: int, count: Callable[[], float]) -> float:
    """The seconds of a call, of `number` of them."""
    began = count()
    for _ in range(number):
        call()
    return (count() - began) / number
