"""What stands below the title of a page, and at its end: what ran, what the page needs, and what a reader takes along."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

from tutorkit.directives import folded
from tutorkit.reading.blocks import Block, Kind, Page
from tutorkit.record.ledger import FAILED, NOT_RUN, PASSED
from tutorkit.record.shelf import Shelf, shelf_of
from tutorkit.record.stamp import Entries, details, sentence
from tutorkit.running.conditions import needs
from tutorkit.running.notebook import EXECUTED
from tutorkit.teaching import download
from tutorkit.teaching.cells import Ran
from tutorkit.teaching.prose import pieces

DOWNLOADS = "_downloads/tutorkit"


class Stand:
    """How the page stands that a document is made from."""

    def __init__(self, entries: Entries, page: Page | None, shelf: Shelf, document: str) -> None:
        self.entries = entries
        self.page = page
        self.shelf = shelf
        self.document = document

    def stamp(self) -> list[nodes.Node]:
        """What ran, where and when: one sentence, that opens to the rest."""
        if not self.entries:
            return []
        results = {entry.result for entry, _ in self.entries}
        mark = "ran" if PASSED in results and not results & {FAILED, NOT_RUN} else "open"
        return folded(sentence(self.entries), [listed(list(details(self.entries)))], "tutorkit-stamp", f"tutorkit-{mark}")

    def needs(self) -> list[nodes.Node]:
        """What the page needs, folded."""
        found = needs(self.page, self.shelf.config) if self.page else []
        return folded("What you need", [listed(found)], "tutorkit-needs") if found else []

    def along(self) -> list[nodes.Node]:
        """The page as a script and as a notebook."""
        folder = self.shelf.downloads
        if self.page is None or folder is None or not download.downloadable(self.page) or not self.entries:
            return []
        names = download.files_of(self.page)
        up = "../" * self.document.count("/")
        script, notebook = (
            nodes.raw("", f'<a class="reference download" href="{up}{DOWNLOADS}/{name}" download>{word}</a>', format="html")
            for name, word in zip(names, ("script", "notebook"), strict=True)
        )
        along = nodes.paragraph("", "Take it along: ", classes=["tutorkit-along", "no-search"])
        along += [script, nodes.Text(", "), notebook, nodes.Text(". The script says what it needs: ")]
        along += [nodes.literal("", f"{self.shelf.config.script_command} {names[0]}"), nodes.Text(".")]
        return [along]


def take_along(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Write the script and the notebook of a page, whose text is whole now. For the event ``doctree-resolved``."""
    shelf = shelf_of(app.config)
    page = shelf.page(Path(app.env.doc2path(docname))) if shelf is not None else None
    if shelf is None or shelf.downloads is None or page is None or not download.downloadable(page):
        return
    address = f"{app.config.html_baseurl.rstrip('/')}/{docname}.html" if app.config.html_baseurl else ""
    download.write(page, shelf.config, shelf.downloads, pieces(doctree, address), ran(page, shelf))


def ran(page: Page, shelf: Shelf) -> dict[str, Ran]:
    """What is on record of the blocks of a page."""
    folder, displayed = shelf.images(page), executed(page, shelf)
    found = {}
    for block, entry in zip(page.blocks, shelf.records[page.name].blocks, strict=True):
        images = tuple((folder / name).read_bytes() for name in entry.images if (folder / name).is_file())
        reason = "" if entry.result == PASSED else entry.reason.partition("\n")[0]
        outputs = tuple(entry.outputs) if entry.result == PASSED else ()
        found[block.id] = Ran(outputs, images, displayed.get(block.id, ()), reason)
    return found


def executed(page: Page, shelf: Shelf) -> dict[str, tuple[Mapping[str, Any], ...]]:
    """The outputs of a notebook's cells, by the ids of their blocks; those that were changed since have none."""
    try:
        book = json.loads((shelf.images(page) / EXECUTED).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    cells = [cell for cell in book["cells"] if cell["cell_type"] == "code"]
    blocks = [block for block in page.blocks if block.kind is Kind.CELL]
    pairs = zip(blocks, cells, strict=False)
    return {
        block.id: tuple(cell["outputs"]) for block, cell in pairs if "".join(cell["source"]).strip() == plain(block).strip()
    }


def plain(block: Block) -> str:
    """The source of a cell as a notebook has it."""
    return "".join(step.source for step in block.steps)


def listed(texts: Sequence[str]) -> nodes.bullet_list:
    """Texts as a list."""
    items = [nodes.list_item("", nodes.paragraph("", text)) for text in texts]
    return nodes.bullet_list("", *items, classes=["no-search"])
