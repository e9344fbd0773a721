"""How long the programs of this folder wait, and for what."""

TERM_GRACE_S = 5.0  #: between SIGTERM and SIGKILL, where nobody has named a grace
KILL_GRACE_S = 5.0  #: after SIGKILL, until a process is given up
LONGEST_SLEEP_MS = 86_400_000.0  #: poll refuses more than 24 days
FLUSH_INTERVAL_S = 0.02  #: between two writes of events, while members are being started
