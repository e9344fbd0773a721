"""Below each entry of the reference, links to the examples that run it, by the titles of their pages and sections."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms import SphinxTransform
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import make_refnode

from tutorkit.directives import folded
from tutorkit.record.shelf import shelf_of
from tutorkit.sphinx_blocks import label

EXAMPLES_SHOWN = 3  #: below an entry, each of another page; the others open on request


def add_examples(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:  # noqa: ARG001
    """Below an entry of the reference, the blocks that run it. For the event ``autodoc-process-docstring``."""
    shelf = shelf_of(app.config)
    if shelf is None or not shelf.config.api or what == "module":
        return
    names = sorted(names_of(what, name, shelf.config.api))
    app.env.__dict__["tutorkit_reference"].add(app.env.docname)
    if (app.env.docname, name) in shelf.linked:
        return  # a class may have two docstrings: its own, and that of __init__
    shelf.linked.add((app.env.docname, name))
    examples = next((found for each in names if (found := shelf.coverage().examples(each))), ())
    if examples:
        lines += ["", ".. tutorkit-examples::", "", *(f"   {label(each.page, each.id)}" for each in examples), ""]


def names_of(what: str, name: str, api: Sequence[str]) -> set[str]:
    """The names that an entry of the reference may have among the public ones, by what it is.

    >>> sorted(names_of("method", "area.shapes.Circle.area", ["area"]))
    ['area.Circle.area', 'area.shapes.Circle.area']
    """
    parts = {"class": 1, "function": 1, "method": 2, "property": 2}.get(what, 0)
    short = ".".join(name.split(".")[-parts:]) if parts else ""
    return {name, *(f"{module}.{short}" for module in api if parts)}


# --- where examples are -----------------------------------------------------------------------------------------------


class Place(NamedTuple):
    """A section of the site with a block that runs something."""

    document: str
    anchor: str  #: of the first such block
    page: str  #: its title
    section: str  #: its title; that of the page, where there are no others


class Titles(SphinxTransform):
    """Notes the section of each block, by which other pages name it."""

    default_priority = 650  # after Annotate, which gives blocks their anchors

    def apply(self, **_: Any) -> None:
        """Do it."""
        labels = self.env.domains["std"].data["anonlabels"]
        here = {anchor: name for name, (document, anchor) in labels.items() if document == self.env.docname}
        places: dict[str, Place] = {}
        for node in self.document.findall(nodes.Element):
            anchors: list[str] = node.get("ids", [])
            for name in (here[anchor] for anchor in anchors if anchor in here):
                titles = list(titles_above(node))
                if name.startswith("tutorkit-") and titles:
                    places[name] = Place(self.env.docname, labels[name][1], titles[-1], titles[0])
        self.env.__dict__["tutorkit_places"][self.env.docname] = places


def titles_above(node: Any) -> Iterator[str]:
    """The titles of the sections that a node is in, the innermost first."""
    while node is not None:
        if isinstance(node, nodes.section):
            yield node[node.first_child_matching_class(nodes.title) or 0].astext()
        node = node.parent


# --- links to them ----------------------------------------------------------------------------------------------------


class examples(nodes.General, nodes.Element):  # noqa: N801 - as nodes are called
    """Where links to examples will stand, when all pages have been read; ``labels`` has those of the blocks."""


class ExamplesDirective(SphinxDirective):
    """``tutorkit-examples``: links to blocks, by their labels; an entry of the reference gets one by itself."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Their place."""
        return [examples(labels=list(self.content))]


class Links(SphinxPostTransform):
    """Puts links where examples are to stand."""

    default_priority = 5

    def run(self, **_: Any) -> None:
        """Do it, in the order of the site."""
        found = list(self.document.findall(examples))
        if found:
            order = {document: number for number, document in enumerate(self.env.collect_relations())}
            known = {name: place for page in self.env.__dict__["tutorkit_places"].values() for name, place in page.items()}
        for node in found:
            places = [known[name] for name in node["labels"] if name in known]
            places.sort(key=lambda place: order.get(place.document, len(order)))
            node.replace_self(self.linked(sections(places)))

    def linked(self, pages: list[list[Place]]) -> list[nodes.Node]:
        """A line with the first examples, and a list with all of them."""
        if not pages:
            return []
        line = nodes.paragraph("", "Examples: ", classes=["tutorkit-examples"])
        for places in pages[:EXAMPLES_SHOWN]:
            place = places[0]
            title = place.page if place.page == place.section else f"{place.page}: {place.section}"
            line += [nodes.Text(", " * (len(line) > 1)), self.link(place, title)]
        if sum(map(len, pages)) == len(pages[:EXAMPLES_SHOWN]):
            return [line]
        items = [nodes.list_item("", self.item(places)) for places in pages]
        return [
            line,
            *folded(f"All {sum(map(len, pages))} examples", [nodes.bullet_list("", *items, classes=["tutorkit-examples"])]),
        ]

    def item(self, places: list[Place]) -> nodes.paragraph:
        """The examples of a page: its title, then its sections; the title is a link where a block stands below it."""
        page = places[0].page
        links: list[nodes.Node] = [self.link(place, place.section) for place in places]
        first, *others = links if page == places[0].section else [nodes.Text(page), *links]
        line = nodes.paragraph("", "", first)
        for number, link in enumerate(others):
            line += [nodes.Text(", " if number else ": "), link]
        return line

    def link(self, place: Place, title: str) -> nodes.Element:
        """A link to an example."""
        made = nodes.inline("", title)
        return make_refnode(self.app.builder, self.env.docname, place.document, place.anchor, made)


def sections(places: Iterable[Place]) -> list[list[Place]]:
    """The sections that have examples, by pages: each once, with the first block in it.

    >>> [[each.anchor for each in page] for page in sections([Place("a", "1", "A", "x"), Place("a", "2", "A", "x"),
    ...                                                       Place("b", "3", "B", "B"), Place("a", "4", "A", "y")])]
    [['1', '4'], ['3']]
    """
    pages: dict[str, dict[str, Place]] = {}
    for place in places:
        pages.setdefault(place.document, {}).setdefault(place.section, place)
    return [list(page.values()) for page in pages.values()]


# --- builds -----------------------------------------------------------------------------------------------------------


def connect(app: Sphinx) -> None:
    """Have Sphinx call all of this; the entries themselves only where the site has a reference that is made from docstrings."""
    app.connect("builder-inited", begin)
    app.connect("env-get-outdated", outdated)
    app.connect("env-purge-doc", purge)
    app.connect("env-merge-info", merge)
    app.add_node(examples)
    app.add_directive("tutorkit-examples", ExamplesDirective)
    app.add_transform(Titles)
    app.add_post_transform(Links)


def begin(app: Sphinx) -> None:
    """What is known of pages: where their blocks are, and which of them are the reference."""
    for name, empty in (("tutorkit_places", {}), ("tutorkit_reference", set())):
        if not hasattr(app.env, name):
            setattr(app.env, name, empty)


def purge(app: Sphinx, env: BuildEnvironment, docname: str) -> None:  # noqa: ARG001
    """A page is read again."""
    getattr(env, "tutorkit_places", {}).pop(docname, None)


def merge(app: Sphinx, env: BuildEnvironment, docnames: Iterable[str], other: BuildEnvironment) -> None:  # noqa: ARG001
    """Another process has read some pages."""
    mine, theirs = env.__dict__, other.__dict__
    mine["tutorkit_places"].update({name: theirs["tutorkit_places"][name] for name in docnames})
    mine["tutorkit_reference"].update(theirs["tutorkit_reference"].intersection(docnames))


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
