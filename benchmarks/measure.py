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


def report(seconds: float, megabytes: float = 0.0) -> None:
    """Print a measurement."""
    print(json.dumps({"seconds": seconds, "MB": megabytes}), flush=True)
