"""Wait for something in a database: ask for it every so often."""

import time
from collections.abc import Callable

from smartensemble.checks import positive, whole


def poll(claim: Callable[[], bool], poll_frequency_ms: int, num_tries: int) -> bool:
    """Whether `claim` comes true within `num_tries` tries, `poll_frequency_ms` milliseconds apart.

    >>> poll(lambda: False, 1, 3)
    False
    """
    pause, tries = whole("poll_frequency_ms", poll_frequency_ms) / 1000, positive("num_tries", num_tries)
    for _ in range(tries - 1):
        if claim():
            return True
        time.sleep(pause)
    return claim()
