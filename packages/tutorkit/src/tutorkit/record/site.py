"""How a site stands as a whole: what ran, what did not and why, and what is wrong with that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from tutorkit.config import Config
from tutorkit.reading.blocks import Kind, Page
from tutorkit.reading.pages import read
from tutorkit.record import ledger
from tutorkit.record.api_coverage import Report, report
from tutorkit.record.ledger import NOT_RUN, Entry, Record


@dataclass
class Site:
    """All pages of a project, and what is on record of them."""

    config: Config
    pages: Sequence[Page]
    records: Sequence[Record]

    @property
    def counts(self) -> Counter[str]:
        """How many blocks passed, failed, were skipped ..."""
        return Counter(entry.result for record in self.records for entry in record.blocks)

    def coverage(self) -> Report:
        """Which public names the examples run."""
        return report(self.config, self.records, self.pages)


def site(config: Config) -> Site:
    """The site as it is now: of each page, what is on record of the blocks that it has."""
    pages = [page for path in config.paths() if (page := read(path, config.root)).blocks]
    return Site(config, pages, [current(page, config) for page in pages])


def current(page: Page, config: Config) -> Record:
    """What is on record of the blocks of `page` as they are now."""
    known = ledger.load(config.root / config.ledger, page.name)
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
    return record


def problems(site: Site, coverage: bool) -> Iterator[str]:
    """What is wrong with a site all of which was run."""
    for page, record in zip(site.pages, site.records, strict=True):
        for block, entry in zip(page.blocks, record.blocks, strict=True):
            if block.kind is Kind.UNKNOWN:
                yield f"{block.place}: {block.reason}"
            elif entry.result == NOT_RUN:
                yield f"{block.place}: {entry.reason}"
    shown, blocks = site.counts[ledger.DISPLAY], site.counts.total()
    if shown > blocks * site.config.display_only / 100:
        yield (
            f"display-only: {shown} of {blocks} blocks, {100 * shown / blocks:.1f} %; "
            f"at most {site.config.display_only:g} %: run some of them"
        )
    if coverage and site.config.api:
        covered = site.coverage()
        if covered.percent < site.config.api_threshold:
            missing = ", ".join(covered.missing)
            yield (
                f"API coverage: {covered.percent:.1f} %, and it is to be {site.config.api_threshold:g} %; "
                f"no checked example runs {missing}"
            )


def summary(site: Site) -> str:
    """One line: what became of the blocks."""
    counts = ", ".join(f"{count} {result}" for result, count in sorted(site.counts.items()))
    pages, blocks = len(site.pages), site.counts.total()
    return f"{pages} page{'s' * (pages != 1)}, {blocks} block{'s' * (blocks != 1)}: {counts or 'none'}"


def needs(page: Page, config: Config) -> str:
    """What a page needs, in the words of the conditions: what all its blocks do, then what some do.

    >>> from pathlib import Path
    >>> from tutorkit.reading.blocks import Block
    >>> from tutorkit.config import Condition
    >>> one, two = [Block("a.rst", f"a-{n}", n, Kind.PYTHON, "python", "", needs=("redis", "gpu")[:n]) for n in (1, 2)]
    >>> conditions = {"redis": Condition("needs Redis"), "gpu": Condition("needs a GPU")}
    >>> needs(Page(Path("a.rst"), "a.rst", "", (one, two)), Config(Path(), conditions=conditions))
    'Needs Redis. Some blocks need a GPU.'
    """
    blocks = [block for block in page.blocks if block.runs]
    counts = Counter(name for block in blocks for name in block.needs if name in config.conditions)
    told = {name: config.conditions[name].reason.removeprefix("needs ") for name in counts}
    told = {name: words for name, words in told.items() if words != config.conditions[name].reason}
    every = [words for name, words in told.items() if counts[name] == len(blocks)]
    some = [words for name, words in told.items() if counts[name] < len(blocks)]
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
    counts = Counter(entry.result for entry, _ in found)
    ran = counts[ledger.PASSED] + counts[ledger.FAILED]
    parts = [f"{ran} block{'s' * (ran != 1)} ran" + f", {counts[ledger.FAILED]} of them failed" * bool(counts[ledger.FAILED])]
    for result in (ledger.SKIPPED, ledger.NOT_RUN):
        if counts[result]:
            reasons = dict.fromkeys(entry.reason for entry, _ in found if entry.result == result)
            parts.append(f"{counts[result]} {result}: {'; '.join(reasons)}")
    if counts[ledger.DISPLAY]:
        parts.append(f"{counts[ledger.DISPLAY]} for display only")
    records = list({record.page: record for entry, record in found if entry.result == ledger.PASSED}.values())
    if not records:
        return ", ".join(parts) + "."
    python = ", ".join(sorted({".".join(record.python.split(".")[:2]) for record in records}))
    versions = sorted({f"{name} {version}" for record in records for name, version in record.versions.items()})
    platforms = sorted({record.platform for record in records if record.platform})
    seconds = sum(entry.seconds for entry, _ in found)
    where = ", ".join([f"Python {python}", *versions, *platforms, f"{seconds:.1f} s"])
    commits = sorted({f"commit {entry.commit}" for entry, _ in found if entry.commit})
    return "; ".join([", ".join(parts), where, *commits]) + "."
