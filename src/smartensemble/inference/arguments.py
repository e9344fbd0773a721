"""The words of a command, taken one after another, in the order that its grammar has them."""

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


def text(word: bytes) -> str:
    """A word of any bytes as part of an error."""
    return one_line(word.decode(errors="replace"))


def integer(word: bytes) -> int | None:
    """The number that a word is, if it is one as the server writes it.

    >>> integer(b"12"), integer(b"012"), integer(b"1_2")
    (12, None, None)
    """
    return int(word) if INTEGER.fullmatch(word) else None


def _is(word: bytes, keyword: bytes) -> bool:
    return len(word) == len(keyword) and word.upper() == keyword  # a word may be a model of many megabytes


class Words:
    """The words of `argv` from the second on; each call takes what it returns."""

    __slots__ = ("argv", "at")

    def __init__(self, argv: Sequence[bytes], least: int, most: int | None = None) -> None:
        self.argv = argv
        self.at = 1
        if len(argv) < least or (most and len(argv) > most):
            raise CommandError(f"ERR wrong number of arguments for '{text(argv[0]).lower()}' command")

    def __bool__(self) -> bool:
        """Some are left."""
        return self.at < len(self.argv)

    def word(self, missing: str) -> bytes:
        """The next word; `missing` is the error if there is none."""
        if self.at >= len(self.argv):
            raise CommandError(missing)
        self.at += 1
        return self.argv[self.at - 1]

    def skip(self, keyword: bytes) -> bool:
        """The next word is `keyword`, in any case, and is taken."""
        if self.at < len(self.argv) and _is(self.argv[self.at], keyword):
            self.at += 1
            return True
        return False

    def number(self, wrong: str, least: int = 0, low: str = "") -> int:
        """The next word as a number; `wrong` is the error if there is none, `low` if it is too small."""
        value = integer(self.word(wrong))
        if value is None:
            raise CommandError(wrong)
        if value < least:
            raise CommandError(low or wrong)
        return value

    def some(self, count: int, missing: str) -> tuple[bytes, ...]:
        """The next `count` words; `missing` is the error if there are fewer."""
        if self.at + count > len(self.argv):
            raise CommandError(missing)
        self.at += count
        return tuple(self.argv[self.at - count : self.at])

    def rest(self) -> tuple[bytes, ...]:
        """All that are left."""
        return self.some(len(self.argv) - self.at, "")

    def until(self, *keywords: bytes) -> tuple[bytes, ...]:
        """The words before the first of `keywords`, or before the end."""
        ahead = range(self.at, len(self.argv))
        end = next((at for at in ahead if any(_is(self.argv[at], keyword) for keyword in keywords)), len(self.argv))
        return self.some(end - self.at, "")

    def device(self) -> str:
        """The next word as a device, as it was given."""
        word = self.word("ERR Invalid DEVICE")
        if len(word) >= 10 or not DEVICE.fullmatch(word):
            raise CommandError("ERR Invalid DEVICE")
        return word.decode()

    def timeout(self, missing: str) -> int:
        """The next word as a time in milliseconds."""
        if not self:
            raise CommandError(missing)
        return self.number("ERR Invalid value for TIMEOUT", 1)
