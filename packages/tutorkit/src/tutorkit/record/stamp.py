"""What a page says of itself: what it needs, below its title, and what ran, where and when, at its end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from tutorkit.config import Config
from tutorkit.reading.blocks import Page
from tutorkit.record.ledger import DISPLAY, FAILED, NOT_RUN, PASSED, SKIPPED, Entry, Record


def needs(page: Page, config: Config) -> str:
    """What a page needs, in the words of the conditions: what all its blocks do, then what some do.

    >>> from pathlib import Path
    >>> from tutorkit.reading.blocks import Block, Kind
    >>> from tutorkit.config import Condition
    >>> one, two = [Block("a.rst", f"a-{n}", n, Kind.PYTHON, "python", "", needs=("redis", "gpu")[:n]) for n in (1, 2)]
    >>> conditions = {"redis": Condition("needs Redis"), "gpu": Condition("needs a GPU")}
    >>> needs(Page(Path("a.rst"), "a.rst", "", (one, two)), Config(Path(), conditions=conditions))
    'Needs Redis. Some blocks need a GPU.'
    """
    blocks = [block for block in page.blocks if block.runs]
    counts = Counter(name for block in blocks for name in block.needs if name in config.conditions)
    reasons = {name: config.conditions[name].reason.removeprefix("needs ") for name in counts}
    reasons = {name: words for name, words in reasons.items() if words != config.conditions[name].reason}
    every = [words for name, words in reasons.items() if counts[name] == len(blocks)]
    some = [words for name, words in reasons.items() if counts[name] < len(blocks)]
    parts = [f"{verb} {'; '.join(words)}." for verb, words in (("Needs", every), ("Some blocks need", some)) if words]
    return " ".join(parts)


def stamp(entries: Iterable[tuple[Entry, Record]]) -> str:
    """What ran, what did not and why, where and when: all from the record.

    >>> run = Record("a.rst", [], 0, "3.11.7", "Linux x86_64", {"area": "0.1"})
    >>> one = Entry("a-1", 1, "python", "python", "", "passed", "", 1.5, commit="1f2e of 2026-11-23")
    >>> two = Entry("a-2", 9, "python", "python", "", "skipped", "needs a GPU")
    >>> stamp([(one, run), (two, run)])
    '1 block ran, 1 skipped: needs a GPU; Python 3.11, area 0.1, Linux x86_64, 1.5 s; commit 1f2e of 2026-11-23.'
    """
    found = list(entries)
    parts = list(_results([entry for entry, _ in found]))
    records = list({record.page: record for entry, record in found if entry.result == PASSED}.values())
    if not records:
        return ", ".join(parts) + "."
    where = [*_where(records), f"{sum(entry.seconds for entry, _ in found):.1f} s"]
    commits = sorted({f"commit {entry.commit}" for entry, _ in found if entry.commit})
    return "; ".join([", ".join(parts), ", ".join(where), *commits]) + "."


def _results(entries: Sequence[Entry]) -> Iterator[str]:
    """How many blocks ran, and how many did not and why."""
    counts = Counter(entry.result for entry in entries)
    ran = counts[PASSED] + counts[FAILED]
    failed = f", {counts[FAILED]} of them failed" if counts[FAILED] else ""
    yield f"{ran} block{'s' if ran != 1 else ''} ran{failed}"
    for result in (SKIPPED, NOT_RUN):
        if counts[result]:
            reasons = dict.fromkeys(entry.reason for entry in entries if entry.result == result)
            yield f"{counts[result]} {result}: {'; '.join(reasons)}"
    if counts[DISPLAY]:
        yield f"{counts[DISPLAY]} for display only"


def _where(records: Sequence[Record]) -> Iterator[str]:
    """The versions and the machines that blocks ran with."""
    yield "Python " + ", ".join(sorted({".".join(record.python.split(".")[:2]) for record in records}))
    yield from sorted({f"{name} {version}" for record in records for name, version in record.versions.items()})
    yield from sorted({record.platform for record in records if record.platform})
