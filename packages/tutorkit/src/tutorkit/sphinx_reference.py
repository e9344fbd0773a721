"""Below each entry of the reference, links to the examples that run it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

from tutorkit.record.api_coverage import Example
from tutorkit.record.shelf import shelf_of
from tutorkit.sphinx_blocks import label

EXAMPLES_SHOWN = 5  #: below an entry, each of another page


def add_examples(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:  # noqa: ARG001
    """Below an entry of the reference, the blocks that run it. For the event ``autodoc-process-docstring``."""
    shelf = shelf_of(app.config)
    if shelf is None or not shelf.config.api or what == "module":
        return
    names = sorted(names_of(what, name, shelf.config.api))
    examples: Sequence[Example] = next((found for each in names if (found := shelf.coverage().examples(each))), ())
    app.env.__dict__.setdefault("tutorkit_reference", set()).add(app.env.docname)
    if (app.env.docname, name) in shelf.linked:
        return  # a class has two docstrings: its own, and that of __init__
    shelf.linked.add((app.env.docname, name))
    links = [link(example, shelf.config.root, app) for example in firsts(examples)]
    if links:
        more = f" and {len(examples) - len(links)} more" if len(examples) > len(links) else ""
        lines += ["", ".. rst-class:: tutorkit-examples", "", f"Examples that run this: {', '.join(links)}{more}.", ""]


def names_of(what: str, name: str, api: Sequence[str]) -> set[str]:
    """The names that an entry of the reference may have among the public ones, by what it is.

    >>> sorted(names_of("method", "area.shapes.Circle.area", ["area"]))
    ['area.Circle.area', 'area.shapes.Circle.area']
    """
    parts = {"class": 1, "function": 1, "method": 2, "property": 2}.get(what, 0)
    short = ".".join(name.split(".")[-parts:]) if parts else ""
    return {name, *(f"{module}.{short}" for module in api if parts)}


def firsts(examples: Sequence[Example]) -> list[Example]:
    """The first example of each page, which says most; those of a few pages."""
    of_pages = {example.page: example for example in reversed(examples)}
    return sorted(of_pages.values(), key=list(examples).index)[:EXAMPLES_SHOWN]


def link(example: Example, root: Path, app: Sphinx) -> str:
    """A link to a block, if its page is one of the site's; or its name."""
    path = (root / example.page).resolve()
    shown = f"{Path(example.page).name}:{example.line}"
    inside = any(Path(app.env.doc2path(document)).resolve() == path for document in app.env.found_docs)
    return f":ref:`{shown} <{label(example.page, example.id)}>`" if inside else f"``{shown}``"


def outdated(app: Sphinx, env: BuildEnvironment, added: set[str], changed: set[str], removed: set[str]) -> list[str]:  # noqa: ARG001
    """The reference is read again when other blocks run it. For the event ``env-get-outdated``."""
    shelf = shelf_of(app.config)
    reference: set[str] = getattr(env, "tutorkit_reference", set())
    if shelf is None or not reference:
        return []
    now = repr(shelf.coverage())
    if getattr(env, "tutorkit_report", None) == now:
        return []
    env.tutorkit_report = now  # type: ignore[attr-defined]
    return sorted(reference & env.found_docs)
