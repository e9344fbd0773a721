"""Mark what failed when it last ran: a box with the reason at the block, and one line at the top of its page.

A failed block is no warning: the test command has failed by then, and a site that shows where is what its author needs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from docutils import nodes

from tutorkit.directives import code
from tutorkit.reading.blocks import Page
from tutorkit.record.ledger import DISPLAY, EXERCISE, FAILED, Entry, Record
from tutorkit.record.site import first_line
from tutorkit.running.compare import DIFFERS

BOX = "tutorkit-failed"
LINES_SHOWN = 40  #: of a reason, below its first


class Failures:
    """What failed of the blocks and exercises that a document shows, in its order."""

    def __init__(self) -> None:
        self.shown: list[tuple[str, Page, Entry]] = []  #: each with the id of its box

    def box(self, wrapper: Any, entry: Entry, record: Record, page: Page) -> None:
        """Put a block into a box, with the reason below it."""
        box = nodes.container(classes=[BOX])
        wrapper.parent.replace(wrapper, box)
        box += [wrapper, *self.reason(box, entry, record, page)]

    def prove(self, box: nodes.Element, record: Record, page: Page) -> None:
        """Mark the box of an exercise whose checks do not tell right from wrong."""
        entry = next((each for each in record.exercises if f"exercise-{each.id}" in box["ids"]), None)
        if entry is not None and entry.result == FAILED:
            box["classes"].append(BOX)
            box[1:1] = self.reason(box, entry, record, page)

    def reason(self, box: nodes.Element, entry: Entry, record: Record, page: Page) -> list[nodes.Node]:
        """Why it failed; and the line at the top can link to its box."""
        anchor = f"failed-{len(self.shown) + 1}"
        box["ids"].append(anchor)
        self.shown.append((anchor, page, entry))
        sentence = nodes.paragraph("", "", classes=["tutorkit-reason"])
        sentence += [nodes.strong("", "Failed:"), nodes.Text(f" {first_line(entry, record)}")]
        first, *more = entry.reason.rstrip().split("\n")
        if not more or (page.notebook and not first.endswith(DIFFERS)):  # its cell has the traceback as an output
            return [sentence]
        cut = [*more[:LINES_SHOWN], "..."] if len(more) > LINES_SHOWN else more
        return [sentence, code(cut, "text", "tutorkit-why")]

    def line(self, own: tuple[Page, Record] | None, entries: Sequence[tuple[Entry, Record]]) -> nodes.paragraph | None:
        """What stands at the top of the page; None if nothing failed."""
        known = {(record.page, entry.kind == EXERCISE, entry.id): entry for entry, record in entries}
        if own is not None:
            known |= {(own[1].page, entry.kind == EXERCISE, entry.id): entry for entry in (*own[1].blocks, *own[1].exercises)}
        parts = [*self.counts(list(known.values())), *(self.whole(own[1]) if own is not None else ())]
        if not parts:
            return None
        separated = [node for part in parts for node in (nodes.Text(" "), *part)][1:]
        return nodes.paragraph("", "", *separated, classes=["tutorkit-failures"])

    def counts(self, entries: Sequence[Entry]) -> Iterator[list[nodes.Node]]:
        """How many blocks failed, and how many exercises; each with a link to the first."""
        for word, exercises in (("block", False), ("exercise", True)):
            kind = [entry for entry in entries if (entry.kind == EXERCISE) == exercises and entry.result != DISPLAY]
            failed = sum(entry.result == FAILED for entry in kind)
            if failed:
                plural, they = "s" if len(kind) != 1 else "", "they" if failed != 1 else "it"
                text = f"{failed} of {len(kind)} {word}{plural} on this page failed when {they} last ran"
                yield [nodes.Text(text), *self.first(exercises=exercises), nodes.Text(".")]

    def first(self, *, exercises: bool) -> list[nodes.Node]:
        """A link to the first that the document shows."""
        for anchor, page, entry in self.shown:
            if (entry.kind == EXERCISE) == exercises:
                place = f"{page.name}:{entry.line}" if page.docstrings else f"line {entry.line}"
                return [nodes.Text(": first at "), nodes.reference("", place, refid=anchor, internal=True)]
        return []

    def whole(self, record: Record) -> Iterator[list[nodes.Node]]:
        """What was wrong with the page as a whole."""
        if record.problem:
            first = record.problem.split("\n")[0]
            yield [nodes.Text(f"The page as a whole failed: {first}.")]
