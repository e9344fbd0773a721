"""How the benchmarks of stop know which processes are there."""

import time
from collections.abc import Callable
from pathlib import Path

COUNT = 100


def sleepers() -> set[int]:
    """The processes ``sleep 987654``."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if path.read_bytes() == b"sleep\x00987654\x00":
                found.add(int(path.parent.name))
        except OSError:
            continue
    return found


def wait_until_born() -> Callable[[], bool]:
    """Return when each member has its grandchildren, with a function that says whether any of them is left."""
    while len(born := sleepers()) < 2 * COUNT:
        time.sleep(0.05)
    return lambda: bool(born & sleepers())
