"""Measure smartensemble beside SmartSim 0.8.0 and beside a floor, in one run, and print a table.

Each measurement is a process of its own: ``ours.py``, ``peer.py`` (SmartSim) and ``floor.py`` of a folder, in turns. The table
shows medians, and the ratio of ours to the floor beside what it is to be::

    python benchmarks/run.py                                  without SmartSim
    python benchmarks/run.py --smartsim PATH/TO/bin/python    with it: the Python of an environment that has it
    nox -s benchmarks                                         makes that environment, and measures

``--out docs/understand/performance.csv`` writes what the page about performance shows.
"""

import argparse
import csv
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from smartensemble.results.table import Table

HERE = Path(__file__).parent
ROUNDS = 7
PATIENCE = 300.0  #: seconds after which a script is not waited for
LONG = 10.0  #: seconds of a round of SmartSim's above which there is only one
NONE = "no more"  #: memory
OBEDIENT = "sleep 987654 & sleep 987654"
STUBBORN = "trap '' TERM; sleep 987654 & sleep 987654"


@dataclass(frozen=True)
class Case:
    """What is measured, in which folder, and what is to be reached."""

    title: str
    folder: str
    arguments: tuple[str, ...] = ()
    ratio: float | None = None
    seconds: float | None = None
    smartsim: bool = True
    floor: bool = True


CASES = [
    Case("import (CPU)", "import", ratio=1.3),
    Case("create 10^3 members (CPU)", "create", ("1000",), ratio=3),
    Case("create 10^4 members (CPU)", "create", ("10000",), ratio=3),
    Case("create 10^5 members (CPU)", "create", ("100000",), ratio=3, smartsim=False),
    Case("random 100 of 10^6 (CPU)", "random", (str(10**6),), ratio=3),
    Case("random 100 of 10^12 (CPU)", "random", (str(10**12),), ratio=3, smartsim=False),
    Case("generate 1000 members", "generate", ratio=1.3),
    Case("start and wait, 500 x /bin/true", "run", ratio=1.15),
    Case("last end to return, silent", "latency", seconds=0.010),
    Case("last end to return, live progress", "latency", ("live",), seconds=0.010, smartsim=False),
    Case("start a database, supervisor up", "database", ("up",), ratio=1.5, smartsim=False),
    Case("start a database, from nothing", "database", ("nothing",), ratio=2.5, smartsim=False),
    Case("start a cluster of 3", "cluster", ("3",), seconds=2.5, smartsim=False, floor=False),
    Case("start a cluster of 6", "cluster", ("6",), seconds=2.5, smartsim=False, floor=False),
    Case("start a cluster of 12", "cluster", ("12",), seconds=2.5, smartsim=False, floor=False),
    Case("start and end a supervisor (CPU)", "standalone", ("supervisor",), ratio=3, smartsim=False),
    Case("wrap a member in a server of its own (CPU)", "standalone", ("colocated",), ratio=3, smartsim=False),
    Case("stop 100 members, obedient", "stop", (OBEDIENT,), ratio=3),
    Case("stop 100 members, stubborn, grace 1 s", "stop", (STUBBORN,), seconds=1.2, smartsim=False, floor=False),
    *(
        Case(f"{act} a tensor of {label}, beside {floor}", "tensor", (act, str(size), "clock"), ratio=1.1, smartsim=False)
        for label, size in (("1 KiB", 2**10), ("64 KiB", 2**16), ("1 MiB", 2**20))
        for act, floor in (("put", "SET"), ("get", "GET"))
    ),
    *(
        Case(
            f"{act} a tensor of {label}, beside {floor} (server's CPU)",
            "tensor",
            (act, str(size), "cpu"),
            ratio=1.1,
            smartsim=False,
        )
        for label, size in (("16 MiB", 2**24), ("128 MiB", 2**27))
        for act, floor in (("put", "SET"), ("get", "GET"))
    ),
    Case("import the client, beside NumPy (CPU)", "import_client", ratio=1.3, smartsim=False),
    *(
        Case(f"{act} a tensor of {label}, beside SmartRedis{how}", "client", (act, str(size), clock), most, None, False, False)
        for label, size, most in (("1 KiB", 2**10, 1.0), ("64 KiB", 2**16, 1.0), ("1 MiB", 2**20, 0.9), ("16 MiB", 2**24, 0.9))
        for act in ("put", "get")
        for how, clock in (("", "clock"), (" (CPU)", "cpu"))
    ),
    *(
        Case(f"put, run and get, beside SmartRedis{how}", "client", ("around", "1", clock), 1.0, None, False, False)
        for how, clock in (("", "clock"), (" (CPU)", "cpu"))
    ),
    Case("run a small TorchScript model, beside GET", "inference", ("TORCH",), ratio=2.0, smartsim=False),
    Case("run a small ONNX model, beside GET", "inference", ("ONNX",), ratio=1.9, smartsim=False),
    Case("put, run and get, beside SET, GET and a call", "inference", ("around",), ratio=2.0, smartsim=False),
    Case("a slice of 16 MiB, beside a call and a copy", "inference", ("slice",), ratio=4, smartsim=False),
    Case("double 16 MiB, beside a call and two copies", "inference", ("double",), smartsim=False),
    Case("run a network of 5 M parameters, beside a call", "inference", ("convnet",), ratio=1.1, smartsim=False),
    *(
        Case(f"16 clients at once run a small model{how}, beside GET", "inference", ("crowd", batch, workers), smartsim=False)
        for how, batch, workers in (("", "0", "1"), (", 2 workers", "0", "2"), (", in batches", "16", "1"))
    ),
    Case("SET and GET, with and without a worker", "inference", ("plain",), ratio=1.04, smartsim=False),
    Case("1000 SETs and GETs, with and without the module", "tensor", ("plain",), ratio=1.04, smartsim=False),
    Case("500 blocks, to bare Sybil", "pages", ("--tutorkit-no-api-coverage",), ratio=1.2, smartsim=False),
    Case("500 blocks with API coverage, to bare Sybil", "pages", smartsim=False),
    Case("second run, nothing changed, beyond imports", "second", seconds=1, smartsim=False, floor=False),
    Case("one page changed, to plain Sphinx", "rebuild", ratio=1.3, smartsim=False),
]

if "SLURM_CONF" in os.environ:  # beside a cluster, as tests/cluster.py brings one up
    CASES += [
        Case("128 x /bin/true in one job of Slurm", "slurm", ratio=1.11),
        Case("the same, to a job that starts no more than them", "slurm", ("bare",), smartsim=False),
        Case("128 x /bin/true in an array of Slurm", "array", ratio=1.11, smartsim=False),
        Case("the same, to an array that starts no more than them", "array", ("bare",), smartsim=False),
        Case("CPU time of the driver in a second, 500 members", "controller", seconds=0.01, smartsim=False, floor=False),
    ]


def measure(python: str, script: Path, arguments: tuple[str, ...]) -> dict[str, float]:
    """What a script says of itself, run in an empty directory."""
    os.sync()  # what the last one wrote is on the disk, and does not slow this one down
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as directory:  # SmartSim still writes there
        path = os.pathsep.join([str(HERE), str(script.parent), os.environ.get("PYTHONPATH", "")])
        env = os.environ | {"PYTHONPATH": path, "SMARTSIM_LOG_LEVEL": "quiet", "SR_LOG_LEVEL": "quiet"}
        env.pop("PYTHONDONTWRITEBYTECODE", None)  # or each run would compile what was edited since the last one
        argv = [python, str(script), *arguments]
        with subprocess.Popen(argv, cwd=directory, env=env, stdout=-1, stderr=-1, text=True, start_new_session=True) as process:
            try:
                out, errors = process.communicate(timeout=PATIENCE)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                subprocess.run(["pkill", "-KILL", "-f", "sleep 987654"], check=False)  # its members have groups of their own
                return {"seconds": PATIENCE, "MB": 0.0}
        if process.returncode:
            raise SystemExit(f"{script.parent.name}/{script.name} failed:\n{out}{errors}")
        line = next(line for line in out.splitlines() if line.startswith('{"seconds"'))
        return {name: float(value) for name, value in json.loads(line).items()}


def run(case: Case, smartsim: str | None, rounds: int) -> dict[str, object]:
    """A row of the table."""
    kinds = {"floor": sys.executable} if case.floor else {}
    kinds["ours"] = sys.executable
    if smartsim and case.smartsim:
        kinds["peer"] = smartsim
    taken: dict[str, list[dict[str, float]]] = {kind: [] for kind in kinds}
    for number in range(rounds):
        for kind, python in reversed(kinds.items()) if number % 2 else kinds.items():  # who comes after whom matters to a disk
            if kind == "peer" and taken[kind] and taken[kind][0]["seconds"] > LONG:
                continue
            taken[kind].append(measure(python, HERE / case.folder / f"{kind}.py", case.arguments))
    seconds = {kind: median(one["seconds"] for one in all_of) for kind, all_of in taken.items()}
    memory = {kind: median(one["MB"] for one in all_of) for kind, all_of in taken.items()}
    if beside := [one["floor"] for one in taken["ours"] if "floor" in one]:
        seconds["floor"] = median(beside)
    ratio = seconds["ours"] / seconds["floor"] if "floor" in seconds else None
    reached = (case.ratio is None or (ratio or 0) <= case.ratio) and (case.seconds is None or seconds["ours"] <= case.seconds)
    return {
        "what": case.title,
        "SmartSim": _time(seconds.get("peer")),
        "floor": _time(seconds.get("floor")),
        "ours": _time(seconds["ours"]),
        "ours/floor": None if ratio is None else f"{ratio:.2f}",
        "to reach": f"{case.ratio:g} x" if case.ratio else _time(case.seconds),
        "reached": "yes" if reached else "NO",
        "MB": NONE if max(memory.values()) < 0.1 else f"{memory['ours']:.1f} / {memory.get('floor', 0):.1f}",
    }


def _time(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    if seconds >= PATIENCE:
        return f"over {PATIENCE:.0f} s"
    if seconds < 1e-3:
        return f"{seconds * 1e6:.0f} us"
    return f"{seconds * 1000:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--smartsim", help="the Python of an environment with smartsim==0.8.0")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--only", default="", help="only what has these letters in its title or the name of its folder")
    parser.add_argument("--out", type=Path, help="write the table to this file, as CSV")
    options = parser.parse_args()
    rows = Table()
    for case in CASES:
        if options.only in case.folder or options.only in case.title:
            rows.append(run(case, options.smartsim, options.rounds))
            print(rows[-1], file=sys.stderr)
    print(rows)
    print(f"{time.strftime('%Y-%m-%d')}, {platform.system()} {platform.machine()}, Python {platform.python_version()}")
    if options.out:
        with options.out.open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows({name: "" if value in ("-", NONE) else value for name, value in row.items()} for row in rows)


if __name__ == "__main__":
    main()
