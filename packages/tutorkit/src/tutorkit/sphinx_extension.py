"""Show on a site what a page needs, and what came of its blocks: outputs, pictures, what was not run and why, where and when.

The build runs nothing: everything that it shows is on record, in the ledger that the tests have written. A literal block that
tutorkit does not know is a warning, with its file and line; with ``-W`` the build fails.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging

from tutorkit import sphinx_reference
from tutorkit.config import load
from tutorkit.directives import DIRECTIVES
from tutorkit.reading.blocks import Page
from tutorkit.record.ledger import DISPLAY
from tutorkit.record.shelf import SHELVES, Shelf, shelf_of
from tutorkit.running.notebook import EXECUTED
from tutorkit.sphinx_blocks import Annotate, warn
from tutorkit.sphinx_outputs import depart, visit
from tutorkit.sphinx_stamp import DOWNLOADS, take_along
from tutorkit.teaching import classroom, download

logger = logging.getLogger(__name__)


def begin(app: Sphinx) -> None:
    """Find the project, and take its notebooks from the record."""
    config = load(Path(app.confdir))
    if config is None:
        logger.warning("no pyproject.toml has a section [tool.tutorkit]; add one", type="tutorkit", subtype="config")
        return
    shelf = SHELVES[app.config] = Shelf(config, Path(app.outdir, DOWNLOADS) if app.builder.format == "html" else None)
    env = app.env
    if not hasattr(env, "tutorkit_counts"):
        env.tutorkit_counts = {}  # type: ignore[attr-defined]
    if "myst_nb" in app.extensions:
        from myst_nb.core.execute.direct import NotebookClientDirect

        NotebookClientDirect.start_client = recorded_client(shelf)


def recorded_client(shelf: Shelf) -> Any:
    """What myst-nb does instead of executing a notebook: it takes the outputs that are on record."""

    def start_client(client: Any) -> None:
        import nbformat

        page = shelf.page(Path(client.path)) if client.path else None
        if page is None:
            return
        file = shelf.images(page) / EXECUTED
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


def purge(app: Sphinx, env: BuildEnvironment, docname: str) -> None:  # noqa: ARG001
    """A page is read again."""
    getattr(env, "tutorkit_counts", {}).pop(docname, None)


def merge(app: Sphinx, env: BuildEnvironment, docnames: Iterable[str], other: BuildEnvironment) -> None:  # noqa: ARG001
    """Another process has read some pages."""
    theirs = getattr(other, "tutorkit_counts", {})
    getattr(env, "tutorkit_counts", {}).update({name: theirs[name] for name in docnames if name in theirs})


def check(app: Sphinx, env: BuildEnvironment) -> Iterator[str]:
    """A site with too many blocks for display only is wrong as a whole; and the files of its exercises."""
    shelf = shelf_of(app.config)
    if shelf is None:
        return iter(())
    counts: Counter[str] = sum(getattr(env, "tutorkit_counts", {}).values(), Counter())
    if counts[DISPLAY] > counts.total() * shelf.config.display_only / 100:
        message = "%d of %d blocks are for display only; at most %g %% may be"
        warn(message, counts[DISPLAY], counts.total(), shelf.config.display_only)
    hand_out(Path(app.outdir, DOWNLOADS), [shelf.page(path) for path in sorted(shelf.known)])
    return iter(())


def hand_out(folder: Path, pages: Iterable[Page | None]) -> None:
    """Write what learners begin with, and the checks, for those who have no copy of the project."""
    exercises = [exercise for page in pages if page for exercise in page.exercises]
    if exercises:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / classroom.HANDOUT).write_text(classroom.handout(exercises), encoding="utf-8")
    for exercise in exercises:
        (folder / download.starter_name(exercise)).write_text(download.starter(exercise), encoding="utf-8")


def configure(app: Sphinx, config: Any) -> None:
    """The style sheet; and the reference, if the site has one that is made from docstrings."""
    config.html_static_path.append(str(Path(__file__).parent / "static"))
    if "autodoc-process-docstring" in app.events.events:
        app.connect("autodoc-process-docstring", sphinx_reference.add_examples)


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    app.connect("builder-inited", begin)
    app.connect("env-purge-doc", purge)
    app.connect("env-merge-info", merge)
    app.connect("env-updated", check)
    app.connect("doctree-resolved", take_along)
    app.add_transform(Annotate)
    sphinx_reference.connect(app)
    for name, directive in DIRECTIVES.items():
        app.add_directive(name, directive, override=True)  # that of myst-nb is for what it has not read as a notebook
    app.add_node(nodes.literal_block, override=True, html=(visit, depart))
    app.connect("config-inited", configure)
    app.add_css_file("tutorkit.css")
    return {"version": "1", "env_version": 2, "parallel_read_safe": True, "parallel_write_safe": True}
