"""Show on a site what a page needs, and what came of its blocks: outputs, pictures, what was not run and why, where and when.

The build runs nothing: all that it shows is on record, in the ledger that the tests have written. A literal block that tutorkit
does not know is a warning, with its file and line; with ``-W`` the build fails.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms import SphinxTransform
from sphinx.util import logging

from tutorkit.config import Config, load
from tutorkit.directives import DIRECTIVES, PART, code
from tutorkit.errors import PageError
from tutorkit.reading.blocks import Block, Kind, Page
from tutorkit.reading.pages import read
from tutorkit.record import ledger, site
from tutorkit.record.api_coverage import Report
from tutorkit.record.ledger import Entry, Record
from tutorkit.teaching import classroom, download

logger = logging.getLogger(__name__)

SHOWN = 5  #: examples that are named below an entry of the reference, each of another page
DOWNLOADS = "_downloads/tutorkit"


class Shelf:
    """The project's pages and records, read once in a build."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.ledger = config.root / config.ledger
        self.known = {path.resolve() for path in config.paths()}
        self.pages: dict[Path, Page] = {}
        self.records: dict[str, Record] = {}
        self.told: set[tuple[str, str]] = set()  #: documents, and names whose examples they tell
        self._report: Report | None = None

    def page(self, path: Path) -> Page | None:
        """The page at `path`; None if it is none of the project's."""
        path = path.resolve()
        if path not in self.known:
            return None
        if path not in self.pages:
            page = self.pages[path] = read(path, self.config.root)
            self.records[page.name] = site.current(page, self.config)
        return self.pages[path]

    def report(self) -> Report:
        """Which public names the examples run."""
        if self._report is None:
            self._report = site.site(self.config).coverage()
        return self._report


def shelf_of(app: Sphinx) -> Shelf | None:
    """The shelf of a build; None if the project has no section ``[tool.tutorkit]``."""
    found: Shelf | None = getattr(app, "tutorkit", None)
    return found


class Annotate(SphinxTransform):
    """Match the literal blocks of a document with the project's blocks, and show what came of each."""

    default_priority = 600

    def apply(self, **_: Any) -> None:
        """Do it."""
        self.shelf = shelf_of(self.app)
        if self.shelf is None:
            return
        self.used: set[tuple[str, str]] = set()
        self.entries: list[tuple[Entry, Record]] = []
        own = None
        try:
            own = self.shelf.page(Path(self.env.doc2path(self.env.docname)))
        except PageError as error:
            logger.warning("%s", error, type="tutorkit", subtype="ledger")
        if own is not None:
            self.env.note_dependency(str(ledger.file_of(self.shelf.ledger, own.name)))
        for node in list(self.document.findall(nodes.Element)):
            if isinstance(node, (nodes.literal_block, nodes.doctest_block)) and not _ours(node):
                self.match(node, own)
        counts = Counter(entry.result for entry, _ in self.entries)
        getattr(self.env, "tutorkit_counts", {})[self.env.docname] = counts
        if own is not None:
            self.tell(own)
        if self.entries:
            self.stamp(own)

    def match(self, node: nodes.Element, own: Page | None) -> None:
        """Find the block that `node` shows, and say what came of it."""
        assert self.shelf is not None
        source = str(node.source or self.document["source"])
        path, docstring, _ = source.partition(":docstring of ")
        try:
            page = self.shelf.page(Path(path)) if docstring else own
        except PageError as error:
            logger.warning("%s", error, type="tutorkit", subtype="ledger")
            return
        if page is None:
            if not docstring or Path(path).resolve().is_relative_to(self.shelf.config.root):
                logger.warning(
                    "tutorkit does not read this page, and it has blocks; add it to pages or docstrings",
                    location=node,
                    type="tutorkit",
                    subtype="ledger",
                )
            return
        text = _plain(node.astext())
        same = [block for block in page.blocks if _plain(block.source) == text]
        block = next((block for block in same if (page.name, block.id) not in self.used), same[0] if same else None)
        if block is None:
            logger.warning(
                "a block that tutorkit does not find in %s", page.name, location=node, type="tutorkit", subtype="ledger"
            )
            return
        self.used.add((page.name, block.id))
        if block.kind is Kind.UNKNOWN:
            logger.warning("%s: %s", block.place, block.reason, type="tutorkit", subtype="ledger")
        record = self.shelf.records[page.name]
        entry = next(entry for entry in record.blocks if entry.id == block.id)
        self.entries.append((entry, record))
        self.show(node, block, entry, page)

    def show(self, node: nodes.Element, block: Block, entry: Entry, page: Page) -> None:
        """Put below a block what it put out, or why it was not run."""
        assert self.shelf is not None
        wrapper = node.parent if "literal-block-wrapper" in node.parent.get("classes", []) else node
        anchor = nodes.make_id(f"block-{block.id}") if not page.docstrings else ""
        if anchor:
            wrapper["ids"].append(anchor)
            label = _label(page.name, block.id)
            std = self.env.domains["std"]
            std.data["anonlabels"][label] = (self.env.docname, anchor)
        after: list[nodes.Node] = []
        shown = any(step.expected is not None for step in block.steps)
        if entry.result == ledger.PASSED and block.kind in (Kind.PYTHON, Kind.CELL) and not page.notebook:
            if entry.output.strip() and not shown:
                after.append(code(entry.output.rstrip("\n"), "text", "tutorkit-output"))
            after += [self.image(page, name, block) for name in entry.images]
        elif entry.result in (ledger.SKIPPED, ledger.NOT_RUN, ledger.FAILED):
            word = "Failed" if entry.result == ledger.FAILED else "Not run"
            reason = entry.reason.split("\n")[0]
            after.append(nodes.paragraph("", f"{word}: {reason}.", classes=["tutorkit-note"]))
        if after:
            at = wrapper.parent.index(wrapper) + 1
            wrapper.parent[at:at] = after

    def image(self, page: Page, name: str, block: Block) -> nodes.image:
        """A picture that a block has drawn."""
        assert self.shelf is not None
        path = ledger.images_of(self.shelf.ledger, page.name) / name
        uri = os.path.relpath(path, Path(self.env.doc2path(self.env.docname)).parent)
        return nodes.image(uri=uri, alt=f"The figure of {block.place}", classes=["tutorkit-figure"])

    def tell(self, own: Page) -> None:
        """Say below the title what the page needs, unless it is a lesson, which says so itself."""
        assert self.shelf is not None
        text = site.needs(own, self.shelf.config)
        section = next((node for node in self.document.children if isinstance(node, nodes.section)), None)
        lesson = any("tutorkit-lesson" in node["classes"] for node in self.document.findall(nodes.Element))
        if text and section is not None and not lesson:
            section.insert(1, nodes.paragraph("", text, classes=["tutorkit-needs"]))

    def stamp(self, own: Page | None) -> None:
        """Say at the end of the page what ran, where and when."""
        text = site.stamp(self.entries)
        paragraph = nodes.paragraph("", text, classes=["tutorkit-stamp"])
        if own is not None and download.downloadable(own) and self.app.builder.format == "html":
            folder = Path(self.app.outdir, DOWNLOADS)
            up = "../" * self.env.docname.count("/")
            paragraph += nodes.Text(" Take it along: ")
            for number, (name, word) in enumerate(zip(download.write(own, folder), ("script", "notebook"), strict=True)):
                paragraph += [nodes.Text(", ")] * number
                link = f'<a class="reference download" href="{up}{DOWNLOADS}/{name}" download>{word}</a>'
                paragraph += nodes.raw("", link, format="html")
            paragraph += nodes.Text(".")
        sections = [node for node in self.document.children if isinstance(node, nodes.section)]
        (sections[0] if sections else self.document).append(paragraph)


def _ours(node: Any) -> bool:
    """It was put here by tutorkit, or is what a notebook's cell put out."""
    while node is not None:
        if isinstance(node, nodes.Element) and {PART, "cell_output"} & set(node.get("classes", [])):
            return True
        node = node.parent
    return False


def _plain(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.expandtabs().strip("\n").split("\n"))


def _label(page: str, block: str) -> str:
    return str(nodes.make_id(f"tutorkit-{page}-{block}"))


# --- the reference ----------------------------------------------------------------------------------------------------------


def add_examples(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:  # noqa: ARG001
    """Below an entry of the reference, the blocks that run it."""
    shelf = shelf_of(app)
    if shelf is None or not shelf.config.api or what == "module":
        return
    documented = {name} | {
        f"{module}.{name.rpartition('.')[2]}" for module in shelf.config.api if what in ("class", "function")
    }
    documented |= {
        f"{module}.{'.'.join(name.split('.')[-2:])}" for module in shelf.config.api if what in ("method", "property")
    }
    examples = next((found for each in sorted(documented) if (found := shelf.report().examples(each))), ())
    app.env.__dict__.setdefault("tutorkit_reference", set()).add(app.env.docname)
    if (app.env.docname, name) in shelf.told:
        return  # a class has two docstrings: its own, and that of __init__
    shelf.told.add((app.env.docname, name))
    links = []
    pages = {example.page: example for example in reversed(examples)}  # of each page the first one, which says most
    firsts = sorted(pages.values(), key=examples.index)
    for example in firsts[:SHOWN]:
        path = (shelf.config.root / example.page).resolve()
        shown = f"{Path(example.page).name}:{example.line}"
        inside = any(Path(app.env.doc2path(document)).resolve() == path for document in app.env.found_docs)
        links.append(f":ref:`{shown} <{_label(example.page, example.id)}>`" if inside else f"``{shown}``")
    if links:
        more = f" and {len(examples) - len(links)} more" * (len(examples) > len(links))
        lines += ["", ".. rst-class:: tutorkit-examples", "", f"Examples that run this: {', '.join(links)}{more}.", ""]


# --- the life of a build ----------------------------------------------------------------------------------------------------


def begin(app: Sphinx) -> None:
    """Find the project, and take its notebooks from the record."""
    config = load(Path(app.confdir))
    app.tutorkit = Shelf(config) if config else None  # type: ignore[attr-defined]
    if config is None:
        logger.warning("no pyproject.toml has a section [tool.tutorkit]; add one", type="tutorkit", subtype="config")
        return
    env = app.env
    if not hasattr(env, "tutorkit_counts"):
        env.tutorkit_counts = {}  # type: ignore[attr-defined]
    if "myst_nb" in app.extensions:
        from myst_nb.core.execute.direct import NotebookClientDirect

        NotebookClientDirect.start_client = recorded_client(app.tutorkit)  # type: ignore[attr-defined]


def recorded_client(shelf: Shelf) -> Any:
    """What myst-nb does instead of executing a notebook: it takes the outputs that are on record."""

    def start_client(client: Any) -> None:
        import nbformat

        page = shelf.page(Path(client.path)) if client.path else None
        if page is None:
            return
        file = ledger.images_of(shelf.ledger, page.name) / "executed.ipynb"
        try:
            book = nbformat.read(file, as_version=4)  # type: ignore[no-untyped-call]
        except (OSError, ValueError):
            return
        client.notebook.metadata.setdefault("language_info", book.metadata.get("language_info", {}))
        recorded = [cell for cell in book.cells if cell.cell_type == "code"]
        cells = [cell for cell in client.notebook.cells if cell.cell_type == "code"]
        for cell, then in zip(cells, recorded, strict=False):
            if cell.source == then.source:
                cell.outputs, cell.execution_count = then.outputs, then.execution_count

    return start_client


def outdated(app: Sphinx, env: BuildEnvironment, added: set[str], changed: set[str], removed: set[str]) -> list[str]:  # noqa: ARG001
    """The reference is read again when other blocks run it."""
    shelf = shelf_of(app)
    reference: set[str] = getattr(env, "tutorkit_reference", set())
    if shelf is None or not reference:
        return []
    now = repr(shelf.report())
    if getattr(env, "tutorkit_report", None) == now:
        return []
    env.tutorkit_report = now  # type: ignore[attr-defined]
    return sorted(reference & env.found_docs)


def purge(app: Sphinx, env: BuildEnvironment, docname: str) -> None:  # noqa: ARG001
    """A page is read again."""
    getattr(env, "tutorkit_counts", {}).pop(docname, None)


def merge(app: Sphinx, env: BuildEnvironment, docnames: Iterable[str], other: BuildEnvironment) -> None:  # noqa: ARG001
    """Another process has read some pages."""
    theirs = getattr(other, "tutorkit_counts", {})
    getattr(env, "tutorkit_counts", {}).update({name: theirs[name] for name in docnames if name in theirs})


def check(app: Sphinx, env: BuildEnvironment) -> Iterator[str]:
    """A site with too many blocks for display only is wrong as a whole; and the files of its exercises."""
    shelf = shelf_of(app)
    if shelf is None:
        return iter(())
    counts: Counter[str] = sum(getattr(env, "tutorkit_counts", {}).values(), Counter())
    if counts[ledger.DISPLAY] > counts.total() * shelf.config.display_only / 100:
        logger.warning(
            "%d of %d blocks are for display only; at most %g %% may be",
            counts[ledger.DISPLAY],
            counts.total(),
            shelf.config.display_only,
            type="tutorkit",
            subtype="ledger",
        )
    hand_out(Path(app.outdir, DOWNLOADS), [shelf.page(path) for path in sorted(shelf.known)])
    return iter(())


def hand_out(folder: Path, pages: Iterable[Page | None]) -> None:
    """Write what learners begin with, and the checks, for those who have no copy of the project."""
    exercises = [exercise for page in pages if page for exercise in page.exercises]
    if exercises:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / classroom.HANDOUT).write_text(classroom.text(exercises), encoding="utf-8")
    for exercise in exercises:
        (folder / download.starter_name(exercise)).write_text(download.starter(exercise), encoding="utf-8")


def configure(app: Sphinx, config: Any) -> None:
    """The style sheet; and the reference, if the site has one that is made from docstrings."""
    config.html_static_path.append(str(Path(__file__).parent / "static"))
    if "autodoc-process-docstring" in app.events.events:
        app.connect("autodoc-process-docstring", add_examples)


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    app.connect("builder-inited", begin)
    app.connect("env-get-outdated", outdated)
    app.connect("env-purge-doc", purge)
    app.connect("env-merge-info", merge)
    app.connect("env-updated", check)
    app.add_transform(Annotate)
    for name, directive in DIRECTIVES.items():
        app.add_directive(name, directive, override=True)  # that of myst-nb is for what it has not read as a notebook
    app.connect("config-inited", configure)
    app.add_css_file("tutorkit.css")
    return {"version": "1", "env_version": 1, "parallel_read_safe": True, "parallel_write_safe": True}
