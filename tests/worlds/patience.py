"""How long tests wait: until what they wait for has come, and no longer than what ends a test that hangs.

No test depends on how fast a machine is, or on what else it does. What must be quick is measured in ``benchmarks``.
"""

import inspect
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

Answer = TypeVar("Answer")

PATIENCE_S = 300.0  #: seconds after which a test that waits has hung
LOOK_EVERY_S = 0.01


def eventually(claim: Callable[[], Answer | None]) -> Answer:
    """The first answer of `claim` that is true; a claim that never is fails the test."""
    limit = time.monotonic() + PATIENCE_S
    while not (answer := claim()):
        if time.monotonic() > limit:
            raise AssertionError(f"never came true: {inspect.getsource(claim).strip()}")
        time.sleep(LOOK_EVERY_S)
    return answer


def time_limits(shortest: float) -> Iterator[float]:
    """Time limits for what must do something before its limit ends it: a machine that is too slow for one gets a longer one."""
    while shortest < PATIENCE_S:
        yield shortest
        shortest *= 4
