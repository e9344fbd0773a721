"""Compile ``module.c`` into the wheel, or, for an editable install, beside its source."""

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCE = "src/smartensemble/inference/module.c"
MODULE = "src/smartensemble/inference/module.so"
OPTIONS = ["-std=c11", "-D_GNU_SOURCE", "-O2", "-shared", "-fPIC", "-Wall", "-Wextra", "-Wconversion"]


def compiler() -> list[str] | None:
    """The C compiler of this machine: $CC, or one on PATH."""
    if "CC" in os.environ:
        return shlex.split(os.environ["CC"])
    return next(([path] for name in ("cc", "gcc", "clang") if (path := shutil.which(name))), None)


class Module(BuildHookInterface):
    """The server runs on Linux alone, so a wheel for another system has no module, and is a pure one."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """The compiler that pip installs, where there is no other."""
        return ["ziglang"] if self._wanted() and compiler() is None else []

    def initialize(self, _version: str, build_data: dict[str, Any]) -> None:
        """Compile, and tell hatchling that the wheel is for this kind of machine, and for each Python."""
        if not self._wanted():
            return
        root = Path(self.root)
        command = compiler() or [sys.executable, "-m", "ziglang", "cc"]
        subprocess.run([*command, *OPTIONS, "-o", str(root / MODULE), str(root / SOURCE)], check=True)
        (root / MODULE).chmod(0o755)  # a server refuses a module that it may not execute
        build_data["pure_python"] = False
        build_data["tag"] = "py3-none-" + sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["artifacts"].append(MODULE)

    def _wanted(self) -> bool:
        return self.target_name == "wheel" and sys.platform == "linux"
