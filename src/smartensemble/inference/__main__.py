"""Start a worker: ``python -m smartensemble.inference --address localhost:6379``."""

import argparse
import logging
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import partial

from smartensemble.errors import InputValueError

try:
    from smartensemble.inference.confinement import REMEDY, confine, unavailable
    from smartensemble.inference.confinement.broker import start_broker
    from smartensemble.inference.opening import Opened, Server, servers
    from smartensemble.inference.watchdog import END_SIGNALS, end_with_parent, watch
    from smartensemble.inference.worker import Heartbeat, ShardConnection, serve
except ImportError as error:
    raise SystemExit(f"{error}; pip install 'smartensemble[torch]', or the extra of another framework") from error

logger = logging.getLogger(__name__)


def parser() -> argparse.ArgumentParser:
    """The options of the command line."""
    described = argparse.ArgumentParser(
        "python -m smartensemble.inference",
        description="Run the models and scripts of a database. A password is taken from the variable REDISCLI_AUTH.",
    )
    add = described.add_argument
    add("--address", action="append", required=True, help="host:port, unix:///path or a redis:// URL; once for each shard")
    add("--threads", type=int, default=1, help="threads that each model may use (1)")
    add(
        "--time-limit",
        type=float,
        default=300.0,
        help="seconds that a run may take; after that it fails, and the worker starts again (300)",
    )
    add("--at-once", type=int, default=32, help="the most requests to take at once (32)")
    add("--patience", type=float, default=10.0, help="seconds without a database after which the worker ends (10)")
    add("--unconfined", action="store_true", help="let models and scripts read and write what you may, and connect anywhere")
    add("--end-with-parent", action="store_true", help="end when the process ends that started this one")
    return described


def main() -> int:
    """Work until the database is gone."""
    options = parser().parse_args()
    try:
        for address in options.address:
            Server.parse(address)
    except InputValueError as error:
        raise SystemExit(str(error)) from None
    if options.end_with_parent:
        end_with_parent(signal.SIGTERM)
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.INFO)
    received: list[int] = []
    handle_end_signals(lambda number, _: received.append(number))  # NumPy's threads know nothing of a mask
    with tempfile.TemporaryDirectory(prefix="smartensemble-worker-", ignore_cleanup_errors=True) as directory:
        handle_end_signals(lambda *_: sys.exit(0))  # which removes the directory
        work = partial(unconfined if options.unconfined else confined, options, directory)
        if not received:
            watch(work, options.time_limit)
    return 0


def handle_end_signals(handler: Callable[[int, object], object]) -> None:
    """Have the signals that end a process call `handler`, whichever thread they come to."""
    for number in END_SIGNALS:
        signal.signal(number, handler)


def confined(options: argparse.Namespace, directory: str, heartbeat: Heartbeat) -> None:
    """Work, and be able to do nothing else."""
    broker = start_broker(options.address)
    if reason := unavailable():
        logger.warning("this worker is not confined, or not wholly: %s", reason)
    confine(directory, [broker.channel.fileno()])
    tempfile.tempdir = directory
    opened = [partial(broker.open, number) for number in range(len(options.address))]
    work(options, opened, heartbeat, REMEDY)


def unconfined(options: argparse.Namespace, _directory: str, heartbeat: Heartbeat) -> None:
    """Work, and let models and scripts do what the user may."""
    work(options, [server.open for server in servers(options.address)], heartbeat)


def work(
    options: argparse.Namespace,
    opened: Sequence[Callable[[], Opened]],
    heartbeat: Heartbeat,
    remedy: str = "",
) -> None:
    """Work for the servers that `opened` open; an error that a confinement may have caused has the `remedy` behind it."""
    given = options.at_once, options.threads, heartbeat, remedy, options.time_limit, len(opened) > 1
    shards = [
        ShardConnection(address, open_server, *given) for address, open_server in zip(options.address, opened, strict=True)
    ]
    serve(shards, options.patience)


if __name__ == "__main__":
    sys.exit(main())
