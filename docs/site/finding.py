"""What the search and other sites know of each page: the words that a reader may look for, and a sentence that says what it is.

A page says both in its head, as ``.. meta::`` with ``:keywords:`` and ``:description:``. Where it has no description, its first
sentence is one. ``search.js`` ranks pages by them; it needs no page but the one that it runs on, so it works from a disk too.
"""

import json
import re
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.addnodes import desc, desc_content
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

SHORT, LONG = 60, 200  #: letters: another sentence is added to one that is shorter, and none that makes it longer
WORDS, ABOUT = "keywords", "description"
FILE = "_static/pages.js"


def first_sentences(text: str) -> str:
    """As many sentences as make a description.

    >>> first_sentences("Members share data. " + "One writes a tensor, another reads it, and no file is touched. " + "More.")
    'Members share data. One writes a tensor, another reads it, and no file is touched.'
    >>> first_sentences("There is one rule:")
    'There is one rule.'
    """
    sentences = re.split(r'(?<=[.!?:])\s+(?=[A-Z"(])', " ".join(text.split()))
    told = sentences[0]
    for sentence in sentences[1:]:
        if len(told) >= SHORT or len(told) + len(sentence) > LONG:
            break
        told += f" {sentence}"
    return re.sub(r"[:,;]$", ".", told)


def head(document: nodes.document, name: str) -> str:
    """What a page says in its head of this name."""
    found = [node["content"] for node in document.findall(nodes.meta) if node.get("name") == name]
    return " ".join(found[0].split()) if found else ""


def opening(document: nodes.document) -> str:
    """The first paragraph of a page that the page itself has written; of an entry of the reference, that of its docstring."""
    section = next(document.findall(nodes.section), document)
    entries = [
        each
        for entry in section.children
        if isinstance(entry, desc)
        for each in entry.children
        if isinstance(each, desc_content)
    ]
    for node in [*section.children, *(child for entry in entries for child in entry.children)]:
        if isinstance(node, nodes.paragraph) and "no-search" not in node["classes"]:
            own = node.children[1:] if isinstance(node.children[0], nodes.strong) else node.children  # "**Question.** How ..."
            return "".join(child.astext() for child in own)
    return ""


def remember(app: Sphinx, document: nodes.document) -> None:
    """Note what a page says of itself, when it has been read."""
    known = app.env.metadata[app.env.docname]
    known[WORDS] = head(document, WORDS)
    known[ABOUT] = head(document, ABOUT) or first_sentences(opening(document))


def pages(env: BuildEnvironment) -> dict[str, dict[str, str]]:
    """What all pages say of themselves, by the names of their files without the ending."""
    return {
        page: {name: known[name] for name in (WORDS, ABOUT) if known.get(name)}
        for page in sorted(env.found_docs)
        if (known := env.metadata[page])
    }


def write(app: Sphinx, env: BuildEnvironment) -> None:
    """Give it to the search, before the pages are written that ask for the file."""
    if app.builder.format == "html":
        file = Path(app.outdir, FILE)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"const PAGES = {json.dumps(pages(env), ensure_ascii=False)};\n", encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    app.connect("doctree-read", remember)
    app.connect("env-check-consistency", write)
    app.add_js_file(Path(FILE).name, loading_method="defer")
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
