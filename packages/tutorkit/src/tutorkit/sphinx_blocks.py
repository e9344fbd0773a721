"""Match the literal blocks of a document with the project's blocks, and show below each what came of it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.transforms import SphinxTransform
from sphinx.util import logging

from tutorkit import sphinx_stamp
from tutorkit.directives import OUTPUT, PART, code
from tutorkit.reading.blocks import Block, Kind, Page
from tutorkit.record import ledger
from tutorkit.record.ledger import Entry, Record
from tutorkit.record.shelf import shelf_of
from tutorkit.record.stamp import not_reached, passed
from tutorkit.sphinx_failures import Failures
from tutorkit.sphinx_outputs import MARK, mark_outputs, show_output, show_outputs
from tutorkit.teaching.prose import BLOCK

ABOUT = "tutorkit-about"  #: the class of what a page says of itself
logger = logging.getLogger(__name__)


class Annotate(SphinxTransform):
    """Shows what is on record."""

    default_priority = 600

    def apply(self, **_: Any) -> None:
        """Do it, where the project has a section ``[tool.tutorkit]``."""
        shelf = shelf_of(self.config)
        if shelf is not None:
            self.shelf = shelf
            self.used: set[tuple[str, str]] = set()
            self.unread: set[Path] = set()  #: modules of which it was said that they cannot be read
            self.entries: list[tuple[Entry, Record]] = []
            self.failures = Failures()
            self.last: tuple[Block, Entry] | None = None  #: the block that an ``output`` directive speaks of
            self.reasons: dict[str, str] = {}  #: why blocks were not run, and the ids of the notes that say so
            self.annotate(self.own())

    def annotate(self, own: Page | None) -> None:
        """Show what came of each block, and of the page as a whole."""
        if own is not None:
            self.env.note_dependency(str(ledger.file_of(self.shelf.config.ledger_path, own.name)))
        for node in list(self.document.findall(nodes.Element)):
            if isinstance(node, nodes.literal_block) and OUTPUT in node["classes"]:
                self.printed(node)
            elif isinstance(node, (nodes.literal_block, nodes.doctest_block)) and not _ours(node):
                self.match(node, own)
            elif own is not None and "tutorkit-exercise" in node.get("classes", []):
                self.failures.prove(node, self.shelf.records[own.name], own)
        counts = Counter(entry.result for entry, _ in self.entries)
        getattr(self.env, "tutorkit_counts", {})[self.env.docname] = counts
        failed = self.failures.line((own, self.shelf.records[own.name]) if own else None, self.entries)
        stand = sphinx_stamp.Stand(self.entries, own, self.shelf, self.env.docname)
        about = [*stand.stamp(), *([] if self.lesson() else stand.needs())]
        self.top(
            [*([failed] if failed else []), *([nodes.container("", *about, classes=[ABOUT, "no-search"])] if about else [])]
        )
        self.bottom(stand.along())

    def own(self) -> Page | None:
        """The page that this document is made from."""
        page = self.shelf.page(self.path)
        if message := self.shelf.unread.get(self.path.resolve()):
            warn("%s", message)
        return page

    @property
    def path(self) -> Path:
        """The file that this document is made from."""
        return Path(self.env.doc2path(self.env.docname))

    # --- blocks ------------------------------------------------------------------------------------------------------------

    def match(self, node: nodes.Element, own: Page | None) -> None:
        """Find the block that `node` shows, and say what came of it."""
        page = self.page_of(node, own)
        block = self.block_of(node, page) if page is not None else None
        if page is None or block is None:
            return
        self.used.add((page.name, block.id))
        if block.kind is Kind.UNKNOWN:
            warn("%s: %s", block.place, block.reason)
        record = self.shelf.records[page.name]
        entry = next(entry for entry in record.blocks if entry.id == block.id)
        self.entries.append((entry, record))
        self.show(node, block, entry, page)

    def page_of(self, node: nodes.Element, own: Page | None) -> Page | None:
        """The page, or the module, that a literal block is written in; None if it is none of the project's."""
        path, docstring, _ = str(node.source or self.document["source"]).partition(":docstring of ")
        file = Path(path) if docstring else self.path
        page = self.shelf.page(file) if docstring else own
        if message := self.shelf.unread.get(file.resolve()):
            if docstring and file not in self.unread:
                self.unread.add(file)
                warn("%s", message)
            return None
        if page is None and (not docstring or Path(path).resolve().is_relative_to(self.shelf.config.root)):
            message = "tutorkit does not read this page, and it has blocks; add it to pages or docstrings"
            warn(message, location=node)
        return page

    def block_of(self, node: nodes.Element, page: Page) -> Block | None:
        """The block of `page` that a literal block shows: of several that are the same, the first that was not shown yet."""
        text = _plain(node.astext())
        same = [block for block in page.blocks if _plain(block.source) == text]
        if not same:
            warn("a block that tutorkit does not find in %s", page.name, location=node)
            return None
        return next((block for block in same if (page.name, block.id) not in self.used), same[0])

    def show(self, node: nodes.Element, block: Block, entry: Entry, page: Page) -> None:
        """Put below a block what it printed, or why it was not run."""
        wrapper = node.parent if "literal-block-wrapper" in node.parent.get("classes", []) else node
        if not page.docstrings:
            anchor = nodes.make_id(f"block-{block.id}")
            wrapper["ids"].append(anchor)
            node[BLOCK] = block.id
            self.env.domains["std"].data["anonlabels"][label(page.name, block.id)] = (self.env.docname, anchor)
        cell = _cell(wrapper)
        whole = cell or wrapper
        if entry.result == ledger.FAILED:
            self.failures.box(whole, entry, self.shelf.records[page.name], page)
        elif after := self.below(block, entry, page):
            at = whole.parent.index(whole) + 1
            whole.parent[at:at] = after
        if entry.result == ledger.PASSED:
            node[MARK] = passed(entry)
            show_outputs(node, block, entry, self.shelf.config)
        if cell is not None:
            mark_outputs([each for each in cell.findall(nodes.literal_block) if _ours(each)], block, entry, self.shelf.config)
        self.last = (block, entry)

    def printed(self, node: nodes.literal_block) -> None:
        """Show what the block before has printed, in place of what it is to print."""
        if self.last is not None:
            show_output(node, *self.last, self.shelf.config)

    def below(self, block: Block, entry: Entry, page: Page) -> list[nodes.Node]:
        """What stands below a block."""
        if entry.result in (ledger.SKIPPED, ledger.NOT_RUN):
            return [self.note(block, entry)]
        if entry.result != ledger.PASSED or block.kind not in (Kind.PYTHON, Kind.CELL) or page.notebook:
            return []
        shown = any(step.expected is not None for step in block.steps)
        printed = "".join(entry.outputs) or entry.output
        output = [code(printed.rstrip("\n"), "text", OUTPUT)] if printed.strip() and not shown else []
        return [*output, *(self.image(page, name, block) for name in entry.images)]

    def note(self, block: Block, entry: Entry) -> nodes.paragraph:
        """Why a block was not run: each reason once, and then a link to it."""
        note = nodes.paragraph("", "", classes=["tutorkit-note", "no-search"])
        anchor = nodes.make_id(f"reason-{block.id}")
        first = self.reasons.setdefault(entry.reason, anchor)
        if not_reached(entry) and self.failures.shown:
            box, _, failed = self.failures.shown[-1]
            note += [
                nodes.Text("Not reached: the page ended at "),
                nodes.reference("", f"line {failed.line}", refid=box),
                nodes.Text("."),
            ]
        elif first == anchor:
            note["ids"].append(anchor)
            note += nodes.Text(f"Not run: {entry.reason}.")
        else:
            note += [nodes.Text("Not run, for "), nodes.reference("", "the reason above", refid=first), nodes.Text(".")]
        return note

    def image(self, page: Page, name: str, block: Block) -> nodes.image:
        """A picture that a block has drawn."""
        uri = os.path.relpath(self.shelf.images(page) / name, self.path.parent)
        return nodes.image(uri=uri, alt=f"The figure of {block.place}", classes=["tutorkit-figure"])

    # --- the page as a whole -----------------------------------------------------------------------------------------------

    def lesson(self) -> bool:
        """This is a lesson, which says by itself what it needs."""
        return any("tutorkit-lesson" in node["classes"] for node in self.document.findall(nodes.Element))

    def top(self, found: Sequence[nodes.Node]) -> None:
        """Put something below the title; nowhere, if there is none."""
        section = next((node for node in self.document.children if isinstance(node, nodes.section)), None)
        if section is not None:
            section[1:1] = found

    def bottom(self, found: Sequence[nodes.Node]) -> None:
        """Put something at the end of the page."""
        sections = [node for node in self.document.children if isinstance(node, nodes.section)]
        (sections[0] if sections else self.document).extend(found)


def _ours(node: Any) -> bool:
    """It was put here by tutorkit, or is an output of a notebook's cell."""
    while node is not None:
        if isinstance(node, nodes.Element) and {PART, "cell_output"} & set(node.get("classes", [])):
            return True
        node = node.parent
    return False


def _cell(node: Any) -> Any:
    """The cell of a notebook that a block is in, with its outputs; None if it is in none."""
    while node is not None and "cell" not in node.get("classes", []):
        node = node.parent if isinstance(node.parent, nodes.Element) else None
    return node


def _plain(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.expandtabs().strip("\n").split("\n"))


def warn(message: str, *values: object, location: nodes.Element | None = None) -> None:
    """Give a warning, which is called ``tutorkit.ledger`` in ``suppress_warnings``."""
    logger.warning(message, *values, location=location, type="tutorkit", subtype="ledger")


def label(page: str, block: str) -> str:
    """The name by which a block can be linked to."""
    return str(nodes.make_id(f"tutorkit-{page}-{block}"))
