"""``import smartsim`` gives :mod:`smartensemble.compat`, and ``import smartredis`` gives :mod:`smartensemble.client`."""

import importlib
import os
import sys
from collections.abc import Iterable, MutableMapping
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

#: What stands in for a package. The modules of SmartSim stand in by their names.
OURS = {"smartsim": "smartensemble.compat", "smartredis": "smartensemble.client"}

#: Modules of SmartRedis whose names the package has here.
OF_SMARTREDIS = {"configoptions", "dataset_utils", "error", "logcontext", "logger", "srobject", "util"}


def stand_in(packages: Iterable[str]) -> None:
    """Have each import of `packages` give ours, in this process and from now on."""
    for name in [name for name in sys.modules if name.partition(".")[0] in packages]:
        del sys.modules[name]
    sys.meta_path.insert(0, StandIns(packages))


def hand_on(packages: Iterable[str], environ: MutableMapping[str, str], path: list[str]) -> None:
    """Have each import of `packages` give ours in other Pythons: those that get the variables `environ`, or the path `path`."""
    folders = [str(Path(__file__).with_name(f"as_{package}")) for package in packages]
    environ["PYTHONPATH"] = os.pathsep.join([*folders, *filter(None, [environ.get("PYTHONPATH")])])
    path[1:1] = folders  # multiprocessing gives its processes this path


class StandIns(MetaPathFinder):
    """Finds packages and their modules by the names of others."""

    def __init__(self, packages: Iterable[str]) -> None:
        self.packages = packages

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:  # noqa: ARG002
        """Where the module `fullname` is loaded from: ours of another name."""
        package, dot, module = fullname.partition(".")
        if package not in self.packages:
            return None
        inside = "" if package == "smartredis" and module in OF_SMARTREDIS else dot + module
        return ModuleSpec(fullname, SameModule(OURS[package] + inside))


class SameModule(Loader):
    """Gives a module that has another name."""

    def __init__(self, name: str) -> None:
        self.name = name

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """The module of that name; an error names what the program imports."""
        try:
            module = importlib.import_module(self.name)
        except ModuleNotFoundError as error:
            if error.name != self.name:
                raise
            raise ModuleNotFoundError(f"No module named {spec.name!r}", name=spec.name) from None
        self.spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Give it back its own specification, in place of which the import system has put that of the other name."""
        module.__spec__ = self.spec
