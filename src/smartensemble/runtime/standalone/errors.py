"""Why a member cannot be run, and how long the programs of this folder wait before they say so."""

TERM_GRACE_S = 5.0  #: between SIGTERM and SIGKILL, without another grace
KILL_GRACE_S = 5.0  #: after SIGKILL, until we give up on a process
LONGEST_SLEEP_MS = 86_400_000.0  #: poll refuses more than 24 days
FLUSH_INTERVAL_S = 0.02  #: between two writes of events, while members are being started
RETRY_S = 0.5  #: until lines for which a disk had no room are written again
CONNECT_TIMEOUT_S = 5.0  #: until a server accepts a connection, and answers
READY_TIMEOUT_S = 60.0  #: until a server that was started answers for the first time
GATE_TIMEOUT_S = READY_TIMEOUT_S  #: until all processes of a member on a host have met
CONNECT_INTERVAL_S = 0.005  #: between two attempts to reach a server that starts
END_TIMEOUT_S = 5.0  #: until a server or worker is killed that does not obey a request to end

EXIT_FAILED = 125  #: the exit code where a member could not be run, as of timeout(1)


class LostError(Exception):
    """Why the member, or the server that it needs, cannot be run."""
