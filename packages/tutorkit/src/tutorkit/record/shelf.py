"""The project's pages and records, read once in a build of its site."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from tutorkit.config import Config
from tutorkit.errors import PageError
from tutorkit.reading.blocks import Page
from tutorkit.reading.pages import read
from tutorkit.record import ledger, site
from tutorkit.record.api_coverage import Coverage
from tutorkit.record.ledger import Record


class Shelf:
    """Pages by their paths, and records by the names of their pages, each read when it is asked for."""

    def __init__(self, config: Config, downloads: Path | None) -> None:
        self.config = config
        self.downloads = downloads  #: the folder that scripts and notebooks are written into; None if the site is not HTML
        self.known = {path.resolve() for path in config.paths()}
        self.records: dict[str, Record] = {}
        self.unread: dict[Path, str] = {}  #: what is wrong with files that cannot be read
        self.linked: set[tuple[str, str]] = set()  #: documents, and names whose examples they tell
        self._pages: dict[Path, Page] = {}
        self._coverage: Coverage | None = None

    def page(self, path: Path) -> Page | None:
        """The page at `path`; None if it is none of the project's, or cannot be read."""
        path = path.resolve()
        if path not in self.known or path in self.unread:
            return None
        if path not in self._pages:
            try:
                page = self._pages[path] = read(path, self.config.root)
            except PageError as error:
                self.unread[path] = str(error)
                return None
            self.records[page.name] = site.current(page, self.config)
        return self._pages[path]

    def images(self, page: Page) -> Path:
        """The folder of a page's images."""
        return ledger.images_of(self.config.ledger_path, page.name)

    def coverage(self) -> Coverage:
        """Which public names the examples run."""
        if self._coverage is None:
            self._coverage = site.site(self.config).coverage()
        return self._coverage


#: The shelf of each build, by Sphinx's configuration, which directives and transforms know as well as the application does.
SHELVES: WeakKeyDictionary[Any, Shelf] = WeakKeyDictionary()


def shelf_of(configuration: Any) -> Shelf | None:
    """The shelf of the build that has this configuration of Sphinx; None if the project has no section ``[tool.tutorkit]``."""
    return SHELVES.get(configuration)
