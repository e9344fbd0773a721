"""Wait for something in a database: ask for it every so often."""

import time
from collections.abc import Callable

from smartensemble.checks import positive, whole

LONGEST_MS = 10**12  #: between two looks: the system sleeps no longer than some hundred years


def poll(claim: Callable[[], bool], poll_frequency_ms: int, num_tries: int) -> bool:
    """Whether `claim` comes true within `num_tries` tries, `poll_frequency_ms` milliseconds apart.

    >>> poll(lambda: False, 1, 3)
    False
    """
    pause, tries = min(whole("poll_frequency_ms", poll_frequency_ms), LONGEST_MS) / 1000, positive("num_tries", num_tries)
    for _ in range(tries - 1):
        if claim():
            return True
        time.sleep(pause)
    return claim()
