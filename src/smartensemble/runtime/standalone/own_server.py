"""The server of a member's own: its configuration file, when it is ready, and what is stored in it."""

from __future__ import annotations

import json
import os
import signal
import time

from .children import SIGNALS, pause
from .errors import READY_TIMEOUT_S, LostError
from .network import Address, connect, request

TYPE_CHECKING = False  # importing typing would cost a third of the time that a program here takes to start
if TYPE_CHECKING:
    from collections.abc import Sequence

    from .colocated import Wrapping


def configuration(wrapping: Wrapping, address: Address, owner: str, worker: str) -> str:
    """The text that configures a server which listens at `address`, with the passwords of its owner and of its workers."""
    if isinstance(address, str):
        lines = ["port 0", f'unixsocket "{address}"', f"unixsocketperm {wrapping.permissions or '700'}"]
    else:
        lines = [f"bind {address[0]}", f"port {address[1]}", "protected-mode no"]
    settings = [f"{key} {json.dumps(value) if key == 'loadmodule' else value}" for key, value in wrapping.conf]
    users = [line.replace("OWNER", owner).replace("WORKER", worker) for line in wrapping.users]
    return "\n".join([*lines, 'save ""', *users, *settings]) + "\n"


def write_private(path: str, text: str) -> None:
    """Write a file that only its owner can read, in the place of one that others may have open."""
    forget(path)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)


def forget(path: str) -> None:
    """Remove a file, if it is there and can be."""
    try:
        os.unlink(path)
    except OSError:
        pass


def wait_until_ready(server: int, address: Address, name: str) -> None:
    """Return when this very server answers; another one may listen at the port or path that the user chose."""
    limit, sign = time.monotonic() + READY_TIMEOUT_S, f"process_id:{server}\r\n".encode()
    while time.monotonic() < limit:
        if os.waitid(os.P_PID, server, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            with open(f"{name}.db.out", errors="replace") as file:
                last = file.read().strip().splitlines()[-3:]
            raise LostError("the server ended; the end of its output:\n  " + "\n  ".join(last))
        try:
            if sign in request(address, b"INFO server"):
                return
        except OSError:
            pass
        pause()
    raise LostError(f"the server does not answer; look at {name}.db.out")


def store(address: Address, path: str, keys: Sequence[str]) -> None:
    """Send the commands in a file, and read the answers: one line for each, which stores one of `keys`."""
    with connect(address) as connection, open(path, "rb") as file:
        connection.settimeout(None)
        connection.sendfile(file)
        connection.settimeout(0.05)
        answers = b""
        while answers.count(b"\n") < len(keys):
            try:
                answers += connection.recv(65536) or b"-the server hung up\r\n" * len(keys)
            except TimeoutError:
                pass
            if got := signal.sigtimedwait(SIGNALS - {signal.SIGCHLD}, 0):
                raise LostError(f"got {signal.Signals(got.si_signo).name} before it was done")
    for key, line in zip(keys, answers.decode(errors="replace").splitlines()):  # noqa: B905 - lines that nobody asked for
        if line.startswith("-"):
            raise LostError(f"{key!r}: {line[1:]}")
