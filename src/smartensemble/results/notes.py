"""Notes for a person: progress, and lines of a log. They are best effort: whatever becomes of a note, the run goes on.

The reader of a pipe may have gone, the disk under a log may be full, a terminal closed, and an encoding may lack letters.
"""

import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO


def logger(name: str) -> "Log":
    """The logger of a module, whose lines are notes."""
    return Log(logging.getLogger(name))


class Log(logging.LoggerAdapter[logging.Logger]):
    """A logger that never fails, whatever handlers it has."""

    def log(self, level: int, msg: object, *args: object, stacklevel: int = 1, **kwargs: Any) -> None:
        """Log a line."""
        with _best_effort():
            super().log(level, msg, *args, stacklevel=stacklevel + 1, **kwargs)


class Notes:
    """A stream that never fails: what cannot be written is lost, and letters that it lacks become escapes."""

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream  #: None where a program was started without it
        self.encoding: str = getattr(stream, "encoding", None) or "utf-8"

    def isatty(self) -> bool:
        """It is a terminal."""
        with suppress(Exception):
            return self._stream is not None and self._stream.isatty()
        return False

    def write(self, text: str) -> None:
        """Write, as far as that is possible."""
        if self._stream is not None:
            with _best_effort():
                self._stream.write(self.printable(text))

    def flush(self) -> None:
        """Hand over what was written."""
        if self._stream is not None:
            with _best_effort():
                self._stream.flush()

    def say(self, text: str) -> None:
        """Print a line."""
        self.write(f"{text}\n")
        self.flush()

    def printable(self, text: str) -> str:
        """The text, with escapes for the letters that this stream lacks."""
        return text.encode(self.encoding, "backslashreplace").decode(self.encoding)


@contextmanager
def _best_effort() -> Iterator[None]:
    """Drop every error in the body. A pipe without a reader is one, also where a driver lets SIGPIPE end it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGPIPE})
    try:
        with suppress(Exception):
            yield
    finally:
        if signal.SIGPIPE in signal.sigpending():
            signal.sigwait({signal.SIGPIPE})
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
