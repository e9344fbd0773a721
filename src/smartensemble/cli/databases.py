"""The verbs of databases: one that outlives the program that started it, from a shell."""

import argparse
import os
import shlex
from pathlib import Path

from smartensemble.databases.orchestrator import ACCESS, CHECKPOINT_FILE
from smartensemble.databases.variables import DEFAULT_IDENTIFIER
from smartensemble.errors import SmartEnsembleError
from smartensemble.experiment import Experiment


def add_verbs(group: argparse.ArgumentParser) -> None:
    """Add the verbs to the command line of their group."""
    verbs = group.add_subparsers(required=True, metavar="start | env | status | stop")

    start = verbs.add_parser("start", help="start one, which runs until it is stopped, and print where it listens")
    start.add_argument("path", nargs="?", default="database", help="its directory (default: %(default)s)")
    start.add_argument("--nodes", type=int, default=1, help="its servers; more than one make a sharded database")
    start.add_argument("--port", type=int, help="the port of the first one; by default a unix socket, or free ports")
    start.add_argument("--interface", help="the network interface that it listens on; by default only this machine reaches it")
    start.add_argument("--access", choices=ACCESS, help="who reaches it")
    start.add_argument("--identifier", default=DEFAULT_IDENTIFIER, help="what the variables of members end in")
    start.add_argument("--checkpoint", type=int, metavar="SECONDS", help="how often its data are written to disk")
    start.add_argument("--server", help="the program, a valkey-server or redis-server")
    start.add_argument("--workers", type=int, default=1, help="the processes that run models in it (default: %(default)s)")
    start.add_argument("--threads", type=int, default=1, help="that a model may use in each (default: %(default)s)")
    start.add_argument("--unconfined", action="store_true", help="let models and scripts read and write what you may")
    start.set_defaults(act=start_database)

    for name, act, meaning in (
        ("env", environment, 'print the variables that a client needs, for a shell: eval "$(smartensemble db env)"'),
        ("status", show, "print how it stands; exit code 1 if it does not run"),
        ("stop", stop, "end it"),
    ):
        other = verbs.add_parser(name, help=meaning)
        other.add_argument("path", nargs="?", default="database", help="its directory (default: %(default)s)")
        other.set_defaults(act=act)


def start_database(options: argparse.Namespace) -> int:
    """Start a database, and print its address and its checkpoint file."""
    home = Path(options.path).absolute()
    home.mkdir(parents=True, exist_ok=True)
    exp = Experiment(options.identifier, home)
    db = exp.create_database(
        options.port,
        home,
        options.nodes,
        interface=options.interface,
        db_identifier=options.identifier,
        access=options.access,
        server=options.server,
        workers=options.workers,
        intra_op_threads=options.threads,
        confine=not options.unconfined,
    )
    if options.checkpoint is not None:
        db.enable_checkpoints(options.checkpoint)
    exp.start(db, detach=True)
    print(",".join(db.get_address()))
    print(db.checkpoint_file)
    return 0


def show(options: argparse.Namespace) -> int:
    """Print how a database stands."""
    checkpoint = os.path.join(options.path, CHECKPOINT_FILE)
    if not os.path.exists(checkpoint):
        print(f"{options.path}: does not run")
        return 1
    try:
        db = Experiment("db", options.path).reconnect_orchestrator(checkpoint)
    except SmartEnsembleError as error:
        print(error)
        return 1
    print(f"{db.db_identifier}: runs at {','.join(db.get_address())}; {db.access}")
    return 0


def environment(options: argparse.Namespace) -> int:
    """Print the variables by which a client in a shell finds a database."""
    db = Experiment("db", options.path).reconnect_orchestrator(os.path.join(options.path, CHECKPOINT_FILE))
    for name, value in db.env.items():
        print(f"export {name}={shlex.quote(value)}")
    return 0


def stop(options: argparse.Namespace) -> int:
    """End a database."""
    checkpoint = os.path.join(options.path, CHECKPOINT_FILE)
    if not os.path.exists(checkpoint):
        print(f"{options.path}: does not run")
        return 0
    exp = Experiment("db", options.path)
    db = exp.reconnect_orchestrator(checkpoint)
    exp.stop(db)
    print(f"{db.db_identifier}: stopped")
    return 0
