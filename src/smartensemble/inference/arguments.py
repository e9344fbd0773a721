"""The arguments of a command, read one after another in the order of its grammar."""

import re
from collections.abc import Sequence

from smartensemble.errors import CommandError

DEVICE = re.compile(rb"(?:CPU|GPU)(?::\d+)?", re.IGNORECASE)
INTEGER = re.compile(rb"0|-?[1-9]\d{0,18}")


def one_line(text: object) -> str:
    """A text as a reply can hold it.

    >>> one_line("no such operator\\r\\n  at line 2")
    'no such operator    at line 2'
    """
    return str(text).replace("\r", " ").replace("\n", " ")


def text(argument: bytes) -> str:
    """An argument of any bytes, as part of an error."""
    return one_line(argument.decode(errors="replace"))


def integer(argument: bytes) -> int | None:
    """The number in an argument, if it is spelled as the server spells one.

    >>> integer(b"12"), integer(b"012"), integer(b"1_2")
    (12, None, None)
    """
    return int(argument) if INTEGER.fullmatch(argument) else None


def _is(argument: bytes, keyword: bytes) -> bool:
    return len(argument) == len(keyword) and argument.upper() == keyword  # an argument may be a model of many megabytes


class ArgumentReader:
    """The arguments of `argv` after the name of the command; each call takes what it returns."""

    __slots__ = ("argv", "index")

    def __init__(self, argv: Sequence[bytes], least: int, most: int | None = None) -> None:
        self.argv = argv
        self.index = 1
        if len(argv) < least or (most and len(argv) > most):
            raise CommandError(f"ERR wrong number of arguments for '{text(argv[0]).lower()}' command")

    def __bool__(self) -> bool:
        """Some arguments are left."""
        return self.index < len(self.argv)

    def next(self, missing: str) -> bytes:
        """The next argument; `missing` is the error if there is none."""
        if self.index >= len(self.argv):
            raise CommandError(missing)
        self.index += 1
        return self.argv[self.index - 1]

    def skip(self, keyword: bytes) -> bool:
        """Whether the next argument is `keyword`, in upper or lower case; if so, it is taken."""
        if self.index < len(self.argv) and _is(self.argv[self.index], keyword):
            self.index += 1
            return True
        return False

    def number(self, wrong: str, least: int = 0, low: str = "") -> int:
        """The next argument as a number; `wrong` is the error if there is none, `low` the error if it is too small."""
        value = integer(self.next(wrong))
        if value is None:
            raise CommandError(wrong)
        if value < least:
            raise CommandError(low or wrong)
        return value

    def several(self, count: int, missing: str) -> tuple[bytes, ...]:
        """The next `count` arguments; `missing` is the error if there are fewer."""
        if self.index + count > len(self.argv):
            raise CommandError(missing)
        self.index += count
        return tuple(self.argv[self.index - count : self.index])

    def rest(self) -> tuple[bytes, ...]:
        """All arguments that are left."""
        return self.several(len(self.argv) - self.index, "")

    def until(self, *keywords: bytes) -> tuple[bytes, ...]:
        """The arguments before the first of `keywords`, or before the end."""
        ahead = range(self.index, len(self.argv))
        end = next((at for at in ahead if any(_is(self.argv[at], keyword) for keyword in keywords)), len(self.argv))
        return self.several(end - self.index, "")

    def device(self) -> str:
        """The next argument as a device, spelled as the client spelled it."""
        argument = self.next("ERR Invalid DEVICE")
        if len(argument) >= 10 or not DEVICE.fullmatch(argument):
            raise CommandError("ERR Invalid DEVICE")
        return argument.decode()

    def timeout(self, missing: str) -> int:
        """The next argument as a time in milliseconds."""
        if not self:
            raise CommandError(missing)
        return self.number("ERR Invalid value for TIMEOUT", 1)
