"""Messages between a driver and its supervisor: values in ``marshal``, each behind its length in four bytes."""

from __future__ import annotations

import marshal
import os

TYPE_CHECKING = False  # importing typing would cost a third of the time that a program here takes to start
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any


def pack(message: tuple[Any, ...]) -> bytes:
    """A message behind its length."""
    data = marshal.dumps(message)
    return len(data).to_bytes(4, "little") + data


def unpack(buffer: bytearray) -> Iterator[tuple[Any, ...]]:
    """The complete messages in `buffer`, removed from it."""
    while len(buffer) >= 4 and len(buffer) >= 4 + (size := int.from_bytes(buffer[:4], "little")):
        yield marshal.loads(buffer[4 : 4 + size])  # noqa: S302 - from our own process, over a private socket
        del buffer[: 4 + size]  # only now: a message that Ctrl-C interrupts is read again


class Channel:
    """The supervisor's end of the socket to its driver. A driver that does not read never blocks it."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.inbox = bytearray()
        self.outbox = bytearray()

    def read(self) -> bool:
        """Read what the driver has sent; False if it has closed its end."""
        try:
            data = os.read(self.descriptor, 1 << 20)
        except BlockingIOError:
            return True
        except OSError:
            return False
        self.inbox += data
        return bool(data)

    def tell(self, *event: object) -> None:
        """Queue an event for the driver."""
        self.outbox += pack(event)

    def write(self) -> None:
        """Send as much of the queue as the socket takes."""
        try:
            while self.outbox:
                del self.outbox[: os.write(self.descriptor, self.outbox[: 1 << 18])]
        except BlockingIOError:
            pass
        except OSError:  # the driver is gone
            self.outbox.clear()
