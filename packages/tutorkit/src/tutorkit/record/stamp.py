"""What a page says of itself below its title: what ran, where and when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from tutorkit.record.ledger import DISPLAY, FAILED, NOT_RUN, PASSED, SKIPPED, Entry, Record

Entries = Sequence[tuple[Entry, Record]]

SYSTEMS = {"Darwin": "macOS"}  #: what their users call them


def sentence(entries: Entries) -> str:
    """What ran, where and when, from the record.

    >>> run = Record("a.rst", [], 0, "3.11.7", "Linux x86_64", {"area": "0.1"})
    >>> one = Entry("a-1", 1, "python", "python", "", "passed", "", 1.5, ran_at="2026-11-28T13:05:12Z")
    >>> two = Entry("a-2", 9, "python", "python", "", "skipped", "needs a GPU")
    >>> sentence([(one, run), (one, run)])
    'All 2 blocks ran on 28 November 2026 with Python 3.11 on Linux'
    >>> sentence([(one, run), (two, run)])
    '1 of 2 blocks ran on 28 November 2026 with Python 3.11 on Linux; 1 was skipped'
    """
    blocks = [entry for entry, _ in entries if entry.result != DISPLAY]
    counts = Counter(entry.result for entry in blocks)
    ran = [(entry, record) for entry, record in entries if entry.result in (PASSED, FAILED)]
    unreached = sum(not_reached(entry) for entry in blocks)
    rest = [
        (counts[FAILED], "failed"),
        (unreached, "was not reached" if unreached == 1 else "were not reached"),
        (counts[SKIPPED], "was skipped" if counts[SKIPPED] == 1 else "were skipped"),
        (missing := counts[NOT_RUN] - unreached, "was not run" if missing == 1 else "were not run"),
    ]
    if not blocks:
        return "Nothing on this page runs"
    if not ran:
        return "The block has not run" if len(blocks) == 1 else f"None of the {len(blocks)} blocks has run"
    first = f"{_subject(len(blocks), counts)}{_when(ran)}{_where(ran)}"
    return "; ".join([first, *(f"{count} {what}" for count, what in rest if count)])


def _subject(total: int, counts: Counter[str]) -> str:
    """How many blocks of a page ran; where some failed, how many passed."""
    if counts[FAILED]:
        return f"{counts[PASSED]} of {total} block{'s' if total != 1 else ''} passed"
    if counts[PASSED] < total:
        return f"{counts[PASSED]} of {total} blocks ran"
    return f"All {total} blocks ran" if total > 1 else "The block ran"


def _when(ran: Entries) -> str:
    """The day of a run, or the first and the last."""
    days = sorted({moment(entry).date() for entry, _ in ran if entry.ran_at})
    if not days:
        return ""
    first, last = (f"{day.day} {day:%B %Y}" for day in (days[0], days[-1]))
    return f" on {first}" if first == last else f" between {first} and {last}"


def _where(ran: Entries) -> str:
    """The Pythons and the systems of a run."""
    pythons = sorted({".".join(record.python.split(".")[:2]) for _, record in ran if record.python})
    systems = sorted({SYSTEMS.get(name, name) for _, record in ran if (name := record.platform.partition(" ")[0])})
    python = f" with Python {' and '.join(pythons)}" if pythons else ""
    return python + (f" on {' and '.join(systems)}" if systems else "")


def details(entries: Entries) -> Iterator[str]:
    """What else is on record of a page: versions, time, and what did not run and why, each reason once.

    >>> run = Record("a.rst", [], 0, "3.11.7", "Linux x86_64", {"area": "0.1"})
    >>> one = Entry("a-1", 1, "python", "python", "", "passed", "", 1.5, commit="1f2e", ran_at="2026-11-28T13:05:12Z")
    >>> two = Entry("a-2", 9, "python", "python", "", "skipped", "needs a GPU")
    >>> print(*details([(one, run), (two, run)]), sep="\\n")
    Versions: area 0.1, Python 3.11.7, Linux x86_64, commit 1f2e
    Time: 1.5 s; finished at 13:05 UTC on 28 November 2026
    Skipped: needs a GPU (1 block)
    """
    ran = [(entry, record) for entry, record in entries if entry.result in (PASSED, FAILED)]
    if ran:
        yield f"Versions: {', '.join(_versions(ran))}"
        times = sorted({moment(entry) for entry, _ in ran if entry.ran_at})
        seconds = f"{sum(entry.seconds for entry, _ in ran):.1f} s"
        yield f"Time: {seconds}" + (f"; finished at {at(times[-1])}" if times else "")
    for word, chosen in (("Skipped", SKIPPED), ("Not run", NOT_RUN), ("For display only", DISPLAY)):
        for reason, count in Counter(entry.reason for entry, _ in entries if entry.result == chosen).items():
            yield f"{word}: {reason} ({count} block{'s' if count != 1 else ''})"


def _versions(ran: Entries) -> Iterator[str]:
    """The versions and the machines that blocks ran with, each once."""
    yield from sorted({f"{name} {version}" for _, record in ran for name, version in record.versions.items()})
    yield from sorted({f"Python {record.python}" for _, record in ran if record.python})
    yield from sorted({record.platform for _, record in ran if record.platform})
    yield from sorted({f"commit {entry.commit}" for entry, _ in ran if entry.commit})


UNREACHED = "the page ended at"  #: how the reason begins of a block that its page did not reach


def not_reached(entry: Entry) -> bool:
    """The page ended before this block, at one that failed."""
    return entry.result == NOT_RUN and entry.reason.startswith(UNREACHED)


def moment(entry: Entry) -> datetime:
    """When a block ran."""
    return datetime.fromisoformat(entry.ran_at).astimezone(UTC)


def at(time: datetime) -> str:
    """A time in words: ``13:05 UTC on 28 November 2026``."""
    return f"{time:%H:%M} UTC on {time.day} {time:%B %Y}"


def passed(entry: Entry) -> str:
    """What the mark of a block says that passed.

    >>> passed(Entry("a-1", 1, "python", "python", "", "passed", "", 1.5, ran_at="2026-11-28T13:05:12Z"))
    'passed in 1.5 s, at 13:05 UTC on 28 November 2026'
    """
    when = f", at {at(moment(entry))}" if entry.ran_at else ""
    return f"passed in {entry.seconds:.2g} s{when}" if entry.seconds < 10 else f"passed in {entry.seconds:.0f} s{when}"
