"""Start a worker: ``python -m smartensemble.inference --address localhost:6379``."""

import argparse
import logging
import signal
import sys

try:
    from smartensemble.inference.watchdog import end_with_parent, watch
    from smartensemble.inference.worker import Heartbeat, ShardConnection, serve
except ImportError as error:
    raise SystemExit(f"{error}; pip install 'smartensemble[torch]', or the extra of another framework") from error


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
        help="seconds after which a run is given up, and the worker starts again (300)",
    )
    add("--at-once", type=int, default=32, help="the most requests to take at once (32)")
    add("--patience", type=float, default=10.0, help="seconds without a database after which the worker ends (10)")
    add("--end-with-parent", action="store_true", help="end when the process ends that started this one")
    return described


def main() -> int:
    """Work until the database is gone."""
    options = parser().parse_args()
    if options.end_with_parent:
        end_with_parent(signal.SIGTERM)
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.INFO)

    def work(heartbeat: Heartbeat) -> None:
        shards = [ShardConnection(address, options.at_once, options.threads, heartbeat) for address in options.address]
        serve(shards, options.patience)

    watch(work, options.time_limit)
    return 0


if __name__ == "__main__":
    sys.exit(main())
