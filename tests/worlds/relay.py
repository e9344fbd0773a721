"""A relay in front of a server, which passes on bytes as a bad network does: in pieces, or not at all."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

CHUNK_BYTES = 1 << 16


class Relay:
    """Listens at a socket of its own, and passes on what comes, both ways."""

    def __init__(self, path: Path, server: str, piece: int) -> None:
        self.path, self.server, self.piece = str(path), server, piece
        self.lost, self.left = b"", 0  #: how replies begin in whose place connections end, and of how many
        self.connections = 0
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen()

    def lose(self, beginning: bytes, number: int = 1) -> None:
        """End the connection in the place of the next replies that begin so."""
        self.lost, self.left = beginning, number

    def serve(self) -> None:
        """Accept connections until the listener is closed."""
        with suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                self.connections += 1
                server = socket.socket(socket.AF_UNIX)
                server.connect(self.server)
                threading.Thread(target=self.forward, args=(client, server), daemon=True).start()
                threading.Thread(target=self.back, args=(server, client), daemon=True).start()

    def forward(self, client: socket.socket, server: socket.socket) -> None:
        """Pass on commands."""
        with suppress(OSError):
            while data := client.recv(CHUNK_BYTES):
                server.sendall(data)
            server.shutdown(socket.SHUT_RDWR)

    def back(self, server: socket.socket, client: socket.socket) -> None:
        """Pass on replies, piece by piece."""
        with suppress(OSError), server, client:
            while data := server.recv(CHUNK_BYTES):
                if self.left and data.startswith(self.lost):
                    self.left -= 1
                    client.shutdown(socket.SHUT_RDWR)
                    return
                for start in range(0, len(data), self.piece):
                    client.sendall(data[start : start + self.piece])


@contextmanager
def relay(path: Path, server: str, piece: int = CHUNK_BYTES) -> Iterator[Relay]:
    """A relay to the server at the unix socket `server`."""
    made = Relay(path, server, piece)
    thread = threading.Thread(target=made.serve)
    thread.start()
    try:
        yield made
    finally:
        made.listener.shutdown(socket.SHUT_RDWR)
        made.listener.close()
        thread.join()
