"""What the first pages show: how far the project is, and the figures of tutorials, small. All of it is on record already."""

import base64
import os
import re
import tomllib
from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
from docutils import nodes
from matplotlib.image import thumbnail
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from tutorkit.record.shelf import Shelf, shelf_of
from tutorkit.running.notebook import EXECUTED

ROOT = Path(__file__).parents[1]
WIDTH = 640  #: pixels of a thumbnail, at most; it is shown at half of that


@cache
def stage() -> str:
    """How mature the project is, in the word of its classifiers: Alpha."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return next(each.rpartition(" - ")[2] for each in project["classifiers"] if each.startswith("Development Status"))


def day(shelf: Shelf | None, page: str) -> str:
    """The day of the commit that a page ran at; empty if it has not run."""
    commits = [entry.commit for entry in shelf.records[page].blocks] if shelf and page in shelf.records else []
    days = re.findall(r"\d{4}-\d\d-\d\d", " ".join(commits))
    return f"{date.fromisoformat(max(days)):%d %B %Y}".lstrip("0") if days else ""


class Maturity(SphinxDirective):
    """``maturity``: the stage of the project, its version, and the day of what was tested."""

    def run(self) -> list[nodes.Node]:
        """A line."""
        shelf = shelf_of(self.config)
        own = shelf.page(Path(self.env.doc2path(self.env.docname))) if shelf else None
        tested = day(shelf, own.name) if own else ""
        parts = [stage(), f"version {self.config.version}", *([f"tested {tested}"] if tested else [])]
        return [nodes.paragraph("", " \N{MIDDLE DOT} ".join(parts), classes=["maturity"])]


class Thumbnail(SphinxDirective):
    """``thumbnail``: the last figure of a tutorial, small."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """The image from the record; nothing, if there is none yet."""
        document = self.arguments[0]
        shelf = shelf_of(self.config)
        page = shelf.page(Path(self.env.doc2path(document))) if shelf else None
        book = shelf.images(page) / EXECUTED if shelf and page else Path()
        if not book.is_file() or not (found := [*figures(book)]):
            return []
        self.env.note_dependency(str(book))
        file = small(found[-1][0], Path(self.env.doctreedir, "thumbnails", f"{Path(document).name}.png"))
        uri = os.path.relpath(file, Path(self.env.doc2path(self.env.docname)).parent)
        return [nodes.image(uri=uri, alt=found[-1][1], classes=["thumbnail"])]


def figures(book: Path) -> Iterator[tuple[bytes, str]]:
    """The pictures of an executed notebook, and what they show in words."""
    for cell in nbformat.read(book, as_version=4).cells:
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
                yield base64.b64decode(output["data"]["image/png"]), alt


def small(picture: bytes, file: Path) -> Path:
    """The picture, made small and written to `file`."""
    file.parent.mkdir(parents=True, exist_ok=True)
    whole = file.with_suffix(".whole.png")
    whole.write_bytes(picture)
    width = int.from_bytes(picture[16:20], "big")  # by the head of a PNG file
    thumbnail(str(whole), str(file), scale=min(1.0, WIDTH / width))
    whole.unlink()
    return file


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    app.add_directive("maturity", Maturity)
    app.add_directive("thumbnail", Thumbnail)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
