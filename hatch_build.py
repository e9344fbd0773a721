"""Compile ``module.c`` into the wheel, or, for an editable install, beside its source; and give README's links an address.

The module is the database server's, not Python's, so one wheel fits all Pythons. The variable SMARTENSEMBLE_WHEEL
names the machine that it is for: "x86_64" or "aarch64", on whatever machine it is built, or "any", without a module.
Without the variable it is for this machine on Linux, and for any elsewhere.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface

SOURCE = "src/smartensemble/inference/module.c"
MODULE = "smartensemble/inference/module.so"
OPTIONS = ["-std=c11", "-D_DEFAULT_SOURCE", "-O2", "-shared", "-fPIC", "-Wall", "-Wextra", "-Wconversion"]
SAME_BYTES = ["-s", "-Wl,--build-id=none"]  #: nothing in the file tells where or when it was compiled

MACHINES = ("x86_64", "aarch64")
OLDEST = 17  #: the wheel runs on systems with glibc 2.17, of 2012, or a later one
ZIG = "ziglang==0.17.1"  #: a compiler for each machine and each glibc; another version makes other bytes


def wanted() -> str:
    """The machine that the wheel is for: one of MACHINES, "any", or "" for this one, whatever it is."""
    machine = os.environ.get("SMARTENSEMBLE_WHEEL", "" if sys.platform == "linux" else "any")
    if machine not in ("", "any", *MACHINES):
        raise ValueError(f"SMARTENSEMBLE_WHEEL: is {machine!r}; it may be any, {', '.join(MACHINES)}")
    return machine


def compiler() -> list[str] | None:
    """The C compiler of this machine: $CC, or one on PATH."""
    if "CC" in os.environ:
        return shlex.split(os.environ["CC"])
    return next(([path] for name in ("cc", "gcc", "clang") if (path := shutil.which(name))), None)


def zig(machine: str) -> list[str]:
    """The compiler that pip installs: for `machine` with an old glibc, or for this one with its C library."""
    target = ["-target", f"{machine}-linux-gnu.2.{OLDEST}"] if machine else ["-mcpu=baseline"]
    return [sys.executable, "-m", "ziglang", "cc", *target]


def tag(machine: str, module: bytes) -> str:
    """The tag of a wheel with this module: the oldest glibc that has what it needs, but at least OLDEST.

    A module that needs no glibc was compiled against another C library, and nobody knows where else it runs.
    """
    minors = [int(minor) for minor in re.findall(rb"\0GLIBC_2\.(\d+)[.\d]*(?=\0)", module)]
    if b"\0GLIBC_ABI_DT_RELR\0" in module:
        minors.append(36)
    return f"py3-none-manylinux_2_{max(OLDEST, *minors)}_{machine}" if minors else f"py3-none-linux_{machine}"


class Module(BuildHookInterface):
    """The server runs on Linux alone, so a wheel for another system has no module, and is a pure one."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """The compiler that pip installs, for a given machine and where there is no other."""
        return [ZIG] if self.target_name == "wheel" and self._by_zig() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, and tell hatchling that the wheel is for this kind of machine, and for each Python."""
        if self.target_name != "wheel" or wanted() == "any":
            return
        machine = wanted() or sysconfig.get_platform().removeprefix("linux-")
        editable = version == "editable"
        self._folder = tempfile.TemporaryDirectory(dir=Path(self.root, SOURCE).parent if editable else None)
        module = Path(self._folder.name, "module.so")
        command = zig(wanted()) if self._by_zig() else compiler() or []
        subprocess.run([*command, *OPTIONS, *SAME_BYTES, "-o", str(module), SOURCE], cwd=self.root, check=True)
        module.chmod(0o755)  # a server refuses a module that it may not execute
        build_data["pure_python"] = False
        build_data["tag"] = tag(machine, module.read_bytes())
        if editable:
            module.replace(Path(self.root, "src", MODULE))  # at once: a server may have the one before open
        else:
            build_data["force_include"][str(module)] = MODULE

    def finalize(self, _version: str, _build_data: dict[str, Any], _artifact_path: str) -> None:
        """Remove what was compiled: it is in the wheel."""
        if folder := getattr(self, "_folder", None):
            folder.cleanup()

    def _by_zig(self) -> bool:
        return wanted() in MACHINES or (wanted() == "" and compiler() is None)


def linked(text: str, repository: str | None) -> str:
    """README as PyPI shows it, which has none of our files: links to them lead to the repository, or without one are words."""
    if repository:
        text = re.sub(r"(!\[[^]]*\]\()(?!https?:)", rf"\1{repository}/raw/main/", text)
        return re.sub(r"(?<!!)(\[[^]]*\]\()(?!https?:)", rf"\1{repository}/blob/main/", text)
    text = re.sub(r"!\[[^]]*\]\((?!https?:)[^)]*\)\n*", "", text)
    return re.sub(r"\[([^]]*)\]\((?!https?:)[^)]*\)", r"\1", text)


class Readme(MetadataHookInterface):
    """The text of README in the metadata of a distribution."""

    PLUGIN_NAME = "custom"

    def update(self, metadata: dict[str, Any]) -> None:
        """Set it, by the address of the repository in ``[project.urls]``."""
        text = Path(self.root, "README.md").read_text(encoding="utf-8")
        repository = metadata.get("urls", {}).get("Repository")
        metadata["readme"] = {"content-type": "text/markdown", "text": linked(text, repository)}
