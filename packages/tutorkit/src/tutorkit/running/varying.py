"""Which parts of an output differ from run to run: what its page leaves open, by an ellipsis, a number or a normalizer."""

from __future__ import annotations

import doctest
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from tutorkit.config import Config
from tutorkit.reading.blocks import Kind, Step
from tutorkit.reading.steps import NUMBER
from tutorkit.running.compare import EXCEPTION, agreeing, agrees, flags_of, normalize, normalizer

VARIES = "differs from run to run"
ANYTHING = "..."  #: an ellipsis, as doctest writes it
LONGEST_PART = 20  #: lines of a part; a longer one is shown without its middle
FIRST_LINES, LAST_LINES = 8, 4  #: that are shown of it


class Part(NamedTuple):
    """A part of an output that the page leaves open."""

    start: int
    end: int
    title: str  #: how it is compared, in words

    def moved(self, by: int) -> Part:
        """The same part, where the text before it is longer."""
        return self._replace(start=self.start + by, end=self.end + by)


@dataclass(frozen=True)
class Traced:
    """A text that was made from another, and for each of its characters the part of the other that it stands for."""

    text: str
    places: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, text: str) -> Traced:
        """A text that stands for itself."""
        return cls(text, tuple((at, at + 1) for at in range(len(text))))

    def replaced(self, changes: Iterable[tuple[int, int, str]]) -> Traced:
        """With other texts in place of some parts, which are in order."""
        text, places, at = "", [], 0
        for start, end, new in changes:
            text += self.text[at:start] + new
            places += [*self.places[at:start], *[self.origin(start, end)] * len(new)]
            at = end
        return Traced(text + self.text[at:], (*places, *self.places[at:]))

    def origin(self, start: int, end: int) -> tuple[int, int]:
        """The part of the other text that a part of this one stands for."""
        return (self.places[start][0], self.places[end - 1][1]) if start < end else (0, 0)


def output(step: Step, shown: str, kind: Kind, config: Config, *, whole: bool = False) -> tuple[str, list[Part]]:
    """What a reader sees of `shown`, which a step has printed, and the parts that differ from run to run.

    A long part is shown without its middle, unless it is to be shown `whole`.

    >>> from pathlib import Path
    >>> output(Step(1, "f()", "It took ... s"), "It took 1.25 s", Kind.DOCTEST, Config(Path()))
    ('It took 1.25 s', [Part(start=8, end=12, title='differs from run to run')])
    """
    text, parts = shown, list[Part]()
    for part in reversed(varying(step, shown, kind, config)):
        lines = shown[part.start : part.end].splitlines(keepends=True)
        if len(lines) > LONGEST_PART and not whole:
            left = f"[{len(lines) - FIRST_LINES - LAST_LINES} lines are left out here]\n"
            new = "".join([*lines[:FIRST_LINES], left, *lines[-LAST_LINES:]])
            text = text[: part.start] + new + text[part.end :]
            parts = [each.moved(len(new) - (part.end - part.start)) for each in parts]
            part = part._replace(end=part.start + len(new))
        parts.insert(0, part)
    return text, parts


def varying(step: Step, shown: str, kind: Kind, config: Config) -> list[Part]:
    """The parts of `shown`, which agrees with what the page expects of a step, that the page leaves open; in order."""
    flags, want, got = flags_of(config, step), step.expected or "", Traced.of(shown)
    found: list[Part] = []
    expected, raised = EXCEPTION.search(want), EXCEPTION.search(shown)
    if kind is Kind.DOCTEST and expected and raised:
        at = raised.start("message")
        stack = shown.index("\n", raised.start()) + 1
        found = [Part(0, raised.start(), VARIES), Part(stack, at, VARIES)]
        want, got = expected["message"], Traced(shown[at:], got.places[at:])
        if flags & doctest.IGNORE_EXCEPTION_DETAIL:
            want = f"{ANYTHING}{want.partition(':')[0].rpartition('.')[2]}:{ANYTHING}"
            flags |= doctest.ELLIPSIS
    return list(_apart([*found, *_left_open(want, got, flags, config)]))


def _apart(parts: Iterable[Part]) -> Iterator[Part]:
    """Parts in order, and each character in one of them."""
    at = 0
    for part in sorted(parts):
        if part.end > max(part.start, at):
            yield part._replace(start=max(part.start, at))
            at = part.end


def _left_open(want: str, got: Traced, flags: int, config: Config) -> Iterator[Part]:
    """What `want` leaves open of `got`."""
    for name in (name for name in config.normalize if name != "paths"):
        pattern, replacement = normalizer(name, config)
        changes = [(each.start(), each.end(), each.expand(replacement)) for each in re.finditer(pattern, got.text)]
        yield from (Part(*got.origin(start, end), VARIES) for start, end, _ in changes)
        got = got.replaced(changes)
    want = normalize(want, config, {})
    if not flags & doctest.DONT_ACCEPT_BLANKLINE:
        want = re.sub(rf"(?m)^{re.escape(doctest.BLANKLINE_MARKER)}\s*?$", "", want)
    if flags & NUMBER and not agrees(want, got.text, flags & ~NUMBER):
        numbers = agreeing(want, got.text)
        yield from (
            Part(*got.origin(start, end), f"compared as {new}") for start, end, new in numbers if got.text[start:end] != new
        )
        got = got.replaced(numbers)
    if flags & doctest.ELLIPSIS:
        yield from (Part(*got.origin(*span), VARIES) for span in gaps(want, got.text, flags) if span[0] < span[1])


def gaps(want: str, got: str, flags: int) -> list[tuple[int, int]]:
    """What the ellipses of `want` stand for in `got`: line by line from both ends, as far as lines agree; the rest as a whole.

    >>> gaps("a ... c", "a b c", 0)
    [(2, 3)]
    >>> gaps("x 1...", "x 12 y", 0), gaps("1 ... 3\\n4 ... 6", "1 2 3\\n4 5 6", 0)
    ([(3, 6)], [(2, 3), (8, 9)])
    """
    wanted, found = want.splitlines(keepends=True), got.splitlines(keepends=True)
    head = _agreeing_lines(wanted, found, flags)
    tail = _agreeing_lines(wanted[head:][::-1], found[head:][::-1], flags)
    starts = [0, *(sum(len(line) for line in found[: number + 1]) for number in range(len(found)))]
    rest = len(found) - tail
    middle = _gaps("".join(wanted[head : len(wanted) - tail]), "".join(found[head:rest]), flags)
    if middle is None:
        return _gaps(want, got, flags) or []
    pairs = [
        *zip(wanted[:head], range(head), strict=True),
        *zip(wanted[len(wanted) - tail :], range(rest, len(found)), strict=True),
    ]
    spans = [(a + starts[at], b + starts[at]) for line, at in pairs for a, b in _gaps(line, found[at], flags) or []]
    return sorted([*spans, *((a + starts[head], b + starts[head]) for a, b in middle)])


def _agreeing_lines(wanted: list[str], found: list[str], flags: int) -> int:
    """How many lines agree, each with the one of the same number, before an ellipsis that may stand for many."""
    pairs = zip(wanted, found, strict=False)
    differs = (n for n, (line, each) in enumerate(pairs) if line.strip() == ANYTHING or not agrees(line, each, flags & ~NUMBER))
    return next(differs, min(len(wanted), len(found)))


def _gaps(want: str, got: str, flags: int) -> list[tuple[int, int]] | None:
    """What the ellipses stand for, from left to right, as doctest finds it; None if the texts do not agree."""
    text = Traced.of(got)
    if flags & doctest.NORMALIZE_WHITESPACE:
        want = " ".join(want.split())
        text = text.replaced([(each.start(), each.end(), " ") for each in re.finditer(r"\s+", got)])
        text = Traced(text.text.strip(), text.places[len(text.text) - len(text.text.lstrip()) :])
    first, *pieces = want.rstrip("\n").split(ANYTHING)
    plain = text.text.rstrip("\n")
    if not pieces:
        return [] if first == plain else None
    last = pieces.pop()
    if not plain.startswith(first) or len(first) + len(last) > len(plain) or not plain.endswith(last):
        return None
    spans, at = [], len(first)
    for piece in pieces:
        begin = plain.find(piece, at, len(plain) - len(last))
        if begin < 0:
            return None
        spans.append((at, begin))
        at = begin + len(piece)
    spans.append((at, len(plain) - len(last)))
    return [text.origin(*span) for span in spans if span[0] < span[1]]
