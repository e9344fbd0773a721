"""Store the models and scripts of members before they start: in running databases, or in a file for a member's own database."""

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import NamedTuple

from smartensemble.databases.uploads import commands, merged
from smartensemble.errors import StateError
from smartensemble.model import Model
from smartensemble.runtime.runner import Runner
from smartensemble.runtime.servers.resp import Refusal, encode
from smartensemble.runtime.servers.running import RunningServers
from smartensemble.wire.models import Upload, keys

#: For a worker to load a model. It gives up before that, and so does the server if there is no worker.
STORE_TIMEOUT_S = 900.0


class StoredFile(NamedTuple):
    """A file with commands for the database of a member's own."""

    path: str
    keys: list[str]  #: what each of the commands stores


def stored(name: str, models: Sequence[Model], databases: bool) -> list[Upload]:
    """The uploads of `models`, for the running databases of the experiment `name`.

    :raises StateError: no database runs in which a model could find them.
    :raises EntityExistsError: two models need different things under one key.
    """
    if databases:
        return merged(name, list({id(upload): upload for model in models for upload in model.uploads}.values()))
    for model in models:
        if not model.colocated and (uploads := model.uploads):
            raise StateError(
                f"{model.name}: no database runs to store {uploads[0].name!r} in; start one from create_database() first, "
                "or give the model its own by colocate_db_uds()"
            )
    return []


def store(servers: RunningServers, uploads: Iterable[Upload], runner: Runner) -> None:
    """Store `uploads` in a database.

    :raises StateError: the database refuses one of them, or has no worker.
    """

    def check_workers() -> None:
        runner.refresh()
        if servers.workers and all(run.status.final for run in servers.workers):
            raise OSError("all its workers have ended")

    for upload in uploads:
        for shard, each in zip(servers.shards, commands(upload, len(servers.shards)), strict=True):
            for command in each:
                try:
                    servers.request(shard, *command, timeout=STORE_TIMEOUT_S, meanwhile=check_workers)
                except (Refusal, OSError) as error:
                    runner.refresh()
                    why = [f"\na worker ended: {run.reason}" for run in servers.workers if run.status.final]
                    raise StateError(
                        f"{servers.identifier}: {upload.name!r} could not be stored: {error}; {upload.takes}; "
                        f"nothing was started{''.join(why)}"
                    ) from None


def file_name(model: Model) -> str:
    """The name of the file with the commands for a member's own database, in the member's working directory."""
    return f"{model.name}.db.commands"


def own_commands(model: Model) -> StoredFile | None:
    """The uploads for a member's own database, which stores them before the member starts; None for nothing."""
    uploads = model.uploads
    return StoredFile(file_name(model), [key for upload in uploads for key in keys(upload)]) if uploads else None


def write(models: Iterable[Model]) -> None:
    """Write the files for the members' own databases; members with the same uploads share a file on the disk."""
    written: dict[tuple[int, ...], str] = {}
    for model in models:
        if model.colocated and model.uploads:
            path = os.path.join(model.path, file_name(model))
            with suppress(FileNotFoundError):
                os.unlink(path)
            _write(path, model.uploads, written)


def _write(path: str, uploads: Sequence[Upload], written: dict[tuple[int, ...], str]) -> None:
    same = written.setdefault(tuple(map(id, uploads)), path)
    if same != path:
        with suppress(OSError):  # another file system, or too many links
            os.link(same, path)
            return
    with open(path, "wb") as file:
        for upload in uploads:
            file.writelines(encode(command) for command in commands(upload)[0])
