"""Start the workers of a database: the processes that run its models and scripts, see :mod:`smartensemble.inference`."""

import sys
from collections.abc import Sequence
from pathlib import Path

from smartensemble.command import Command
from smartensemble.runtime.find import module
from smartensemble.shards import USER, Shard

#: Seconds after which a worker ends whose database has gone. No server of ours comes back, so that these need not be many; and
#: the workers of a database that another process stops end so.
PATIENCE = 2.0

#: How a worker is run: what lies in the directory that it runs in is not imported.
WORKER = (sys.executable, "-P", "-m", "smartensemble.inference", "--patience", str(PATIENCE))


def commands(name: str, directory: Path, shards: Sequence[Shard], password: str | None, count: int) -> list[Command]:
    """The commands that start `count` workers, each of which serves all `shards`; none where servers load no module."""
    if module() is None:
        return []
    addresses = [word for shard in shards for word in ("--address", url(shard, password))]
    env = {} if password is None else {"REDISCLI_AUTH": password}  # everybody may read a command line
    names = [f"{name}_worker" if count == 1 else f"{name}_worker_{number}" for number in range(count)]
    return [Command((*WORKER, *addresses), directory, env, each) for each in names]


def url(shard: Shard, password: str | None) -> str:
    """Where a worker finds a server, and as whom it logs in.

    >>> url(Shard("db", "127.0.0.1", 6379), "secret"), url(Shard("db", socket="/run/db"), None)
    ('redis://smartensemble@127.0.0.1:6379', 'unix:///run/db')
    """
    if password is None:
        return shard.address
    return f"redis://{USER}@{shard.address}"
