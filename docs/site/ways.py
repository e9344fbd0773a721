"""Ways to a page and away from it: what others show of a link to it, a map for search engines, and a page that is not found.

The site's address is ``html_baseurl``. Before it has one, nothing is written that would lead to another place.
"""

import re
from html import escape
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urljoin, urlsplit

import yaml
from bs4 import BeautifulSoup
from docutils import nodes
from docutils.parsers.rst import directives
from finding import ABOUT
from sphinx.addnodes import toctree
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

NOT_FOUND = "404"
#: Pages that are made of others, and what they are.
MADE = {
    "genindex": "Every class, method, function and option of smartensemble, in alphabetical order.",
    "py-modindex": "Every module of smartensemble, in alphabetical order.",
    "search": "Search the documentation of smartensemble and tutorkit.",
}
SOURCES, MODULES = "_modules", "The modules whose source this site shows."
CARD = "_static/card.png"
AWAY = re.compile(r"#|[a-z]+:|//")  #: links that do not depend on where a page is

# --- what others show of a link ----------------------------------------------------------------------------------------------


def tags(title: str, about: str, base: str, file: str) -> str:
    """What a page says to those who show a link to it; its address and a picture only if the site has an address."""
    told = {"og:type": "article", "og:site_name": "smartensemble", "og:title": title, "og:description": about}
    if base:
        told |= {"og:url": urljoin(base, file), "og:image": urljoin(base, CARD), "twitter:card": "summary_large_image"}
    return "".join(f'<meta property="{name}" content="{escape(value)}" />\n' for name, value in told.items())


def source(page: str) -> str:
    """What a page is that shows a module, or lists all of these pages.

    >>> source("_modules/smartensemble/model"), source("_modules/index"), source("howto/run")
    ('The source of the module smartensemble.model.', 'The modules whose source this site shows.', '')
    """
    place, _, module = page.partition("/")
    if place != SOURCES:
        return ""
    return MODULES if module == "index" else f"The source of the module {module.replace('/', '.')}."


def describe(app: Sphinx, page: str, _template: str, context: dict[str, Any], document: nodes.document | None) -> None:
    """Put a description into the head of a page."""
    about = MADE.get(page) or source(page) or app.env.metadata[page].get(ABOUT, "")
    named = document is not None and any(node.get("name") == ABOUT for node in document.findall(nodes.meta))
    title = BeautifulSoup(context.get("title") or app.config.html_title, "html.parser").get_text()
    own = "" if named else f'<meta name="{ABOUT}" content="{escape(about)}" />\n'
    context["metatags"] = context.get("metatags", "") + own
    context["metatags"] += tags(title, about, app.config.html_baseurl, f"{page}.html")
    if page == app.config.root_doc:
        context["docstitle"] = "ensembles of simulations"  # its title is the project's


# --- the site as a whole -----------------------------------------------------------------------------------------------------


def sitemap(base: str, files: list[str]) -> str:
    """The addresses of all pages, for search engines.

    >>> print(sitemap("https://docs.example/here/", ["index.html", "howto/run.html"]))
    <?xml version="1.0" encoding="UTF-8"?>
    <urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
    <url><loc>https://docs.example/here/index.html</loc></url>
    <url><loc>https://docs.example/here/howto/run.html</loc></url>
    </urlset>
    """
    lines = [f"<url><loc>{escape(urljoin(base, file))}</loc></url>" for file in files]
    first = '<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'
    return "\n".join([first, *lines, "</urlset>"])


def anywhere(page: str, base: str) -> str:
    """A page whose links hold wherever it is shown: a server shows the page that is not found at every address.

    >>> anywhere('<a href="howto/run.html">Run</a><a href="#main">Skip</a>', "https://docs.example/here/")
    '<a href="/here/howto/run.html">Run</a><a href="#main">Skip</a>'
    """
    root = urlsplit(base).path or "/"
    soup = BeautifulSoup(page, "html.parser")
    for name in ("href", "src", "action", "data-content_root"):
        for element in soup.find_all(attrs={name: True}):
            if not AWAY.match(str(element[name])):
                element[name] = urljoin(root, str(element[name]))
    return str(soup)


def finish(app: Sphinx, failure: Exception | None) -> None:
    """Write the map, and make the links of the page that is not found hold everywhere."""
    if failure or app.builder.format != "html":
        return
    out, base = Path(app.outdir), app.config.html_baseurl
    page = out / f"{NOT_FOUND}.html"
    if page.exists():
        page.write_text(anywhere(page.read_text(encoding="utf-8"), base), encoding="utf-8")
    if base:
        files = [app.builder.get_target_uri(each) for each in sorted(app.env.found_docs) if each != NOT_FOUND]
        (out / "sitemap.xml").write_text(sitemap(base, files), encoding="utf-8")
        (out / "robots.txt").write_text(f"User-agent: *\nSitemap: {urljoin(base, 'sitemap.xml')}\n", encoding="utf-8")


# --- lists of pages ----------------------------------------------------------------------------------------------------------


def add_lines(app: Sphinx, document: nodes.document, page: str) -> None:
    """In a container ``lines``, show each page of a table of contents with its description."""
    for box in document.findall(lambda node: isinstance(node, nodes.container) and "lines" in node["classes"]):
        for tree in list(box.findall(toctree)):
            items = [line(app, page, target) for _, target in tree["entries"]]
            heading = [nodes.rubric("", tree["caption"], **{"heading-level": 2})] if tree.get("caption") else []
            tree.parent.replace_self([*heading, nodes.bullet_list("", *items)])


def line(app: Sphinx, page: str, target: str) -> nodes.list_item:
    """A link to a page, and what it is."""
    link = nodes.reference("", app.env.titles[target].astext(), internal=True)
    link["refuri"] = app.builder.get_relative_uri(page, target)
    about = app.env.metadata[target].get(ABOUT, "")
    return nodes.list_item("", nodes.paragraph("", "", link), nodes.paragraph("", about))


# --- how to cite -------------------------------------------------------------------------------------------------------------


def bibtex(said: dict[str, Any]) -> str:
    """What CITATION.cff says, for BibTeX.

    >>> print(bibtex({"title": "it", "authors": [{"name": "The Authors"}], "version": "1.0", "license": "MIT"}))
    @software{it,
      title = {it},
      author = {{The Authors}},
      version = {1.0},
      license = {MIT},
    }
    """
    authors = " and ".join(f"{{{each['name']}}}" for each in said["authors"])
    told = {"title": said["title"], "author": authors, "version": said["version"], "license": said["license"]}
    if address := said.get("url") or said.get("repository-code"):
        told["url"] = address
    return "\n".join([f"@software{{{said['title']},", *(f"  {name} = {{{value}}}," for name, value in told.items()), "}"])


class Citation(SphinxDirective):
    """``citation``: a file CITATION.cff, for BibTeX."""

    required_arguments = 1
    option_spec: ClassVar[dict[str, Any]] = {"class": directives.class_option}

    def run(self) -> list[nodes.Node]:
        """The entry. Nothing runs it, so it is marked as part of tutorkit's."""
        _, name = self.env.relfn2path(self.arguments[0])
        self.env.note_dependency(name)
        text = bibtex(yaml.safe_load(Path(name).read_text(encoding="utf-8")))
        return [nodes.literal_block(text, text, language="bibtex", classes=["tutorkit-part"])]


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    app.add_directive("citation", Citation)
    app.connect("doctree-resolved", add_lines)
    app.connect("html-page-context", describe)
    app.connect("build-finished", finish, priority=900)  # after what changes pages that are written
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
