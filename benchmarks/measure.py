"""How a benchmark measures itself: the seconds of a block, of CPU or of the clock, and the peak memory of its process."""

import json
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def measured(clock: Callable[[], float] = time.perf_counter) -> Iterator[None]:
    """Print what the block took, as a line that run.py reads."""
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, clock()
    yield
    report(clock() - began, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)


def report(seconds: float, megabytes: float = 0.0, floor: float | None = None) -> None:
    """Print a measurement, and that of the floor if one process measures both in turns."""
    line = {"seconds": seconds, "MB": megabytes} | ({} if floor is None else {"floor": floor})
    print(json.dumps(line), flush=True)
