"""Why a member cannot be run, and how long the programs of this folder wait before they say so."""

from __future__ import annotations

TERM_GRACE_S = 5.0  #: between SIGTERM and SIGKILL, without another grace
KILL_GRACE_S = 5.0  #: after SIGKILL, until we give up on a process
LONGEST_SLEEP_MS = 86_400_000.0  #: poll refuses more than 24 days
FLUSH_INTERVAL_S = 0.02  #: between two writes of events, while members are being started
RETRY_S = 0.5  #: until lines for which a disk had no room are written again
CONNECT_TIMEOUT_S = 5.0  #: until a server accepts a connection, and answers
READY_TIMEOUT_S = 60.0  #: until a server that was started answers for the first time
GATE_TIMEOUT_S = READY_TIMEOUT_S  #: until all processes of a member on a host have met
CONNECT_INTERVAL_S = 0.005  #: between two attempts to reach a server that starts
RESTART_DELAY_S = 0.1  #: before a worker that a signal ended is started again; it doubles with each time
HEALTHY_AFTER_S = 60.0  #: a worker that lived so long has not died soon
MAX_DEATHS = 8  #: how often a worker may die soon, one time after the other
ENDING_S = 0.5  #: until a server that does not answer any more has ended
END_TIMEOUT_S = 5.0  #: until a server or worker is killed that does not obey a request to end

EXIT_FAILED = 125  #: the exit code where a member could not be run, as of timeout(1)


def restart_delay(deaths: int) -> float | None:
    """Seconds until a worker starts again that has died soon `deaths` times in a row; None for never.

    >>> [restart_delay(deaths) for deaths in (1, 2, 8, 9)]
    [0.1, 0.2, 12.8, None]
    """
    return RESTART_DELAY_S * 2 ** (deaths - 1) if deaths <= MAX_DEATHS else None


class LostError(Exception):
    """Why the member, or the server that it needs, cannot be run."""
