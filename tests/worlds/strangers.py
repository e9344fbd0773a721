"""What may stand where a file is expected: directories, FIFOs, sockets, links to nothing, files of somebody else."""

import os
import socket
from collections.abc import Callable
from pathlib import Path


def bound_socket(path: Path) -> None:
    here = os.getcwd()
    with socket.socket(socket.AF_UNIX) as made:
        os.chdir(path.parent)  # a path of its own may be too long for one
        try:
            made.bind(path.name)
        finally:
            os.chdir(here)


#: What is no file, by its name.
NO_FILES: dict[str, Callable[[Path], None]] = {
    "directory": lambda path: path.mkdir(),
    "fifo": lambda path: os.mkfifo(path),
    "socket": bound_socket,
    "device": lambda path: path.symlink_to("/dev/zero"),
    "link to nothing": lambda path: path.symlink_to("nothing"),
    "link to itself": lambda path: path.symlink_to(path.name),
}

#: Files that are not what they are taken for, by their names.
FOREIGN: dict[str, bytes] = {
    "empty": b"",
    "torn": b'{"params": {"T": "1.',
    "text": b"the notes of somebody else\n",
    "other json": b"[1, 2, 3]",
    "json with other types": b'{"pid": "x", "host": [], "began": {}, "params": 5, "shards": 7}',
    "deep json": b"[" * 100_000,
    "not utf-8": b"\xff\xfe\x00caf\xe9\n",
    "zeros": bytes(4096),
}
