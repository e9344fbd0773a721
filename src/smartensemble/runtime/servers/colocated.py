"""The command of a member that uses databases: with their variables, and with its own server around it."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from smartensemble.command import Command
from smartensemble.databases.orchestrator import Orchestrator, endpoint_of
from smartensemble.databases.users import OWNER_USER, WORKER_USER, Secrets, users
from smartensemble.databases.variables import suffix, variables
from smartensemble.errors import EntityExistsError, UnsupportedError
from smartensemble.model import Model, incoming_prefixes
from smartensemble.runtime import standalone
from smartensemble.runtime.servers import store
from smartensemble.runtime.servers.addresses import address_of
from smartensemble.runtime.servers.server_program import find_server, module
from smartensemble.runtime.servers.store import StoredFile
from smartensemble.runtime.servers.workers import WORKER, options, report_confinement
from smartensemble.schedulers.base import LOCAL, Scheduler

if TYPE_CHECKING:
    from smartensemble.databases.colocated import Colocated


class Environment:
    """What members get from `databases`. It reads the driver's environment, and never changes it."""

    def __init__(self, databases: Iterable[Orchestrator] = (), scheduler: Scheduler = LOCAL) -> None:
        self.on_cluster = scheduler.control is not None  #: members run on other machines than this one
        self.endpoints = [endpoint_of(db) for db in databases]
        self.inherited = {name: value for name, value in os.environ.items() if name.startswith(("SSDB", "SR_"))}

    def check(self, models: Iterable[Model]) -> None:
        """An error, unless each of `models` can find its databases by variables."""
        for model in models:
            if self.endpoints or self.inherited or model.colocated:
                self.command(model)

    def variables(self, model: Model) -> dict[str, str]:
        """What `model` finds its databases by, beside the variables of its own settings."""
        own = model.command.env
        return {name: value for name, value in self.command(model).env.items() if name not in own}

    def command(self, model: Model) -> Command:
        """The command of `model`. Variables in its own settings stay as they are."""
        command, own = model.command, model.colocated_database
        endpoints = [*self.endpoints, *([own.endpoint] if own else [])]
        if own and any(suffix(own.identifier) == suffix(other.identifier) for other in self.endpoints):
            raise EntityExistsError(
                f"{model.name}: its own database and one of the experiment have the same identifier; "
                "give colocate_db_... another db_identifier"
            )
        if endpoints or any(name.startswith("SSDB") for name in (*self.inherited, *command.env)):
            others = self.inherited | command.env
            prefixing, producers = model.query_key_prefixing(), incoming_prefixes(model)
            found = variables(command.name, str(command.cwd), endpoints, prefixing, producers, others)
            command = replace(command, env=found | command.env)
        if own and model.run_settings.mpmd:
            raise UnsupportedError(
                f"{model.name}: several programs in one step have no database of their own; start one by create_database()"
            )
        return wrap(command, own, store.own_commands(model), self.on_cluster) if own else command


def check_apart(
    models: Sequence[Model], databases: Iterable[Orchestrator], max_running: int | None, scheduler: Scheduler
) -> None:
    """An error, if the own databases of `models` would listen in the same place of this machine at a time."""
    owners = [(model.name, own) for model in models if (own := model.colocated_database)]
    if owners and max_running != 1 and not scheduler.control:
        from smartensemble.databases.colocated import check_apart

        ports = [(db, range(db.port, db.port + db.db_nodes)) for db in databases if db.port]
        check_apart(owners, [(db.db_identifier, (db.interface or ["lo"])[0], each) for db, each in ports])


def wrap(command: Command, own: "Colocated", stored: StoredFile | None, on_cluster: bool = False) -> Command:
    """`command`, with a server of its own around its program, on each node: see `runtime.standalone.colocated`."""
    from smartensemble.runtime.standalone.colocated import Wrapping  # few members have a database of their own

    library = module()
    if not on_cluster:
        report_confinement(own.worker_options)
    address_known = own.tcp and not on_cluster  # otherwise only the node itself knows the address of its interface
    wrapping = Wrapping(
        name=command.name,
        variable=f"SSDB{suffix(own.identifier)}",
        server=find_server(own.server),
        conf=[("loadmodule", library), *own.conf],
        pinning=own.pinning,
        shared=command.need.tasks > 1,
        socket=own.socket,
        permissions=own.permissions,
        host=address_of(command.name, own.interface) if address_known else None,
        interface=own.interface if own.tcp and not address_known else None,
        port=own.port,
        users=users(Secrets("OWNER", "WORKER")),
        owner=OWNER_USER,
        worker_user=WORKER_USER,
        workers=own.worker_options.workers,
        worker=(*WORKER, *options(own.worker_options)),
        commands=stored.path if stored else None,
        keys=stored.keys if stored else (),
    )
    prefix, program = command.argv[: command.launcher_prefix], command.argv[command.launcher_prefix :]
    return replace(command, argv=(*prefix, *standalone.command("colocated"), str(wrapping), *program))
