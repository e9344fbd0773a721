"""How a site stands as a whole: what ran, what did not and why, and what is wrong with that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

from tutorkit.config import Config
from tutorkit.errors import PageError
from tutorkit.reading.blocks import Kind, Page
from tutorkit.reading.pages import read
from tutorkit.record import ledger
from tutorkit.record.api_coverage import Coverage, coverage
from tutorkit.record.ledger import EXERCISE, NOT_RUN, Entry, Record


@dataclass
class Site:
    """All pages of a project, and what is on record of them."""

    config: Config
    pages: Sequence[Page]
    records: Sequence[Record]
    unread: Sequence[str] = ()  #: what is wrong with files that cannot be read

    @property
    def counts(self) -> Counter[str]:
        """How many blocks passed, failed, were skipped ..."""
        return Counter(entry.result for record in self.records for entry in record.blocks)

    def coverage(self) -> Coverage:
        """Which public names the examples run."""
        return coverage(self.config, self.records, self.pages)


def site(config: Config) -> Site:
    """The site as it is now: of each page, what is on record of the blocks that it has."""
    pages, unread = [], []
    for path in config.paths():
        try:
            page = read(path, config.root)
        except PageError as error:
            unread.append(str(error))
            continue
        if page.blocks or page.exercises:
            pages.append(page)
    return Site(config, pages, [current(page, config) for page in pages], unread)


def current(page: Page, config: Config) -> Record:
    """What is on record of the blocks of `page` as they are now."""
    known = ledger.load(config.ledger_path, page.name)
    record = known or Record(page.name, [])
    entries = []
    for block in page.blocks:
        entry = known.entry(block.id, block.digest) if known else None
        if entry is None:
            changed = known is not None and any(old.id == block.id for old in known.blocks)
            entry = ledger.Entry(block.id, block.line, str(block.kind), block.language, block.digest)
            entry.reason = "changed since it was run" if changed else "not run yet"
        if block.kind is Kind.DISPLAY:
            entry.result, entry.reason = ledger.DISPLAY, block.reason
        entries.append(entry)
    record.blocks = entries
    record.exercises = [
        (known and known.entry(each.name, each.digest)) or Entry(each.name, each.line, EXERCISE, "", each.digest)
        for each in page.exercises
    ]
    return record


def failures(site: Site) -> Iterator[str]:
    """What failed when it last ran, each once: its place, and the first line of what was wrong."""
    for record in site.records:
        for entry in record.failed:
            yield first_line(entry, record)
        if record.problem:
            first, _, _ = record.problem.partition("\n")
            yield f"{record.page}: {first}"


def first_line(entry: Entry, record: Record) -> str:
    """The place of a failure, and its first line."""
    line = entry.reason.partition("\n")[0]
    return line if line.startswith(f"{record.page}:") else f"{record.page}:{entry.line}: {line}"


def problems(site: Site, *, api: bool) -> Iterator[str]:
    """What is wrong with a site all of which was run."""
    yield from site.unread
    for page, record in zip(site.pages, site.records, strict=True):
        yield from (f"{block.place}: {block.reason}" for block in page.blocks if block.kind is Kind.UNKNOWN)
        yield from _not_run(page, record)
    shown, blocks = site.counts[ledger.DISPLAY], site.counts.total()
    if shown > blocks * site.config.display_only / 100:
        yield (
            f"display-only: {shown} of {blocks} blocks, {100 * shown / blocks:.1f} %; "
            f"at most {site.config.display_only:g} %: run some of them"
        )
    if api and site.config.api:
        covered = site.coverage()
        if covered.percent < site.config.api_threshold:
            missing = ", ".join(covered.missing)
            yield (
                f"API coverage: {covered.percent:.1f} %, and it is to be {site.config.api_threshold:g} %; "
                f"no checked example runs {missing}"
            )


def _not_run(page: Page, record: Record) -> Iterator[str]:
    """The blocks that were not run, those in a row and of one reason together."""
    missing = ((block.place, entry.reason) for block, entry in zip(page.blocks, record.blocks, strict=True)
               if entry.result == NOT_RUN and block.kind is not Kind.UNKNOWN)  # fmt: skip
    for reason, places in groupby(missing, key=itemgetter(1)):
        first, *more = [place for place, _ in places]
        yield f"{first}: {reason}" + (f"; the same for {len(more)} more after it" if more else "")


def summary(site: Site) -> str:
    """One line: what became of the blocks."""
    counts = ", ".join(f"{count} {result}" for result, count in sorted(site.counts.items()))
    pages, blocks = len(site.pages), site.counts.total()
    return f"{pages} page{'s' if pages != 1 else ''}, {blocks} block{'s' if blocks != 1 else ''}: {counts or 'none'}"
