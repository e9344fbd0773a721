"""Read a page: the one parser, which pytest asks for what to run, and Sphinx for what became of it."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from tutorkit.errors import PageError
from tutorkit.reading.blocks import Page
from tutorkit.reading.collect import Collector
from tutorkit.reading.lines import lines_of

#: What has the reader for each ending. It is imported where there is such a page.
READERS = {".rst": "tutorkit.reading.rest", ".md": "tutorkit.reading.markdown", ".py": "tutorkit.reading.docstrings"}


def read(path: Path, root: Path) -> Page:
    """The page at `path`, by its ending: ``.rst``, ``.md``, or the docstrings of ``.py``.

    :raises PageError: it cannot be read: it is not UTF-8, a fence is not closed, two blocks have one id ...
    """
    name = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()
    data = path.read_bytes()
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise PageError(f"{name}:{line}: is not UTF-8; save the page as UTF-8") from error
    if path.suffix not in READERS:
        raise PageError(f"{name}: no page is called *{path.suffix}; there are {', '.join(READERS)}")
    collector = Collector(path, name, text)
    import_module(READERS[path.suffix]).walk(lines_of(text), collector)
    return collector.page(docstrings=path.suffix == ".py")
