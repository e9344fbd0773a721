"""Show what a block has really printed in place of the pattern that it was compared with, and mark that it passed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from html import escape, unescape
from typing import Any

from docutils import nodes
from sphinx.ext.doctest import doctestopt_re

from tutorkit.config import Config
from tutorkit.reading.blocks import Block, Kind
from tutorkit.record.ledger import PASSED, Entry
from tutorkit.running.varying import Part, output

PARTS, MARK = "tutorkit-parts", "tutorkit-mark"  #: attributes of a literal block: what varies in it, and what its mark says
HTML = re.compile(r"(?P<tag><[^>]*>)|[^<]+")


def put(node: nodes.Element, text: str, parts: Sequence[Part]) -> None:
    """Have a literal block show a text, some parts of which differ from run to run."""
    node.rawsource = text
    node[:] = [nodes.Text(text)]
    if parts:
        node[PARTS] = [tuple(part) for part in parts]


def show_outputs(node: nodes.Element, block: Block, entry: Entry, config: Config) -> None:
    """Put the recorded outputs of examples or commands in place of those that the page expects."""
    if recorded(block, entry) and block.kind in (Kind.DOCTEST, Kind.CONSOLE):
        put(node, *with_outputs(block, entry.outputs, config))


def show_output(node: nodes.Element, block: Block, entry: Entry, config: Config) -> None:
    """Put the recorded output of a Python block in place of what an ``output`` directive expects."""
    step = block.steps[-1]
    if recorded(block, entry) and (step.expected or "").strip() == node.astext().strip():
        text, parts = output(step, entry.outputs[-1], block.kind, config)
        put(node, text.rstrip(), parts)


def mark_outputs(outputs: Sequence[nodes.Element], block: Block, entry: Entry, config: Config) -> None:
    """Mark what differs from run to run in the outputs of a notebook's cell, which shows them by itself."""
    if not recorded(block, entry) or block.steps[-1].expected is None:
        return
    text = entry.outputs[-1]
    parts, at = output(block.steps[-1], text, block.kind, config, whole=True)[1], 0
    for node in outputs:
        shown = node.astext().rstrip()
        begin = text.find(shown, at)
        if begin >= 0 and shown:
            at = begin + len(shown)
            node[PARTS] = [(max(start, begin) - begin, min(end, at) - begin, title) for start, end, title in parts
                           if start < at and end > begin]  # fmt: skip


def recorded(block: Block, entry: Entry) -> bool:
    """It passed, and what each of its steps has printed is on record."""
    return entry.result == PASSED and bool(block.steps) and len(entry.outputs) == len(block.steps)


def with_outputs(block: Block, outputs: Sequence[str], config: Config) -> tuple[str, list[Part]]:
    """The text of a block with these outputs of its steps, and the parts that differ from run to run."""
    lines = block.source.splitlines(keepends=True)
    text, found, at = "", list[Part](), 0
    for step, printed in zip(block.steps, outputs, strict=True):
        after = step.line - block.line + step.source.count("\n")
        source = "".join(lines[at:after])
        text += doctestopt_re.sub("", source) if block.kind is Kind.DOCTEST else source
        at = after
        if (step.expected or "").strip():
            shown, parts = output(step, printed, block.kind, config)
            found += [part.moved(len(text)) for part in parts]
            text += f"{shown.rstrip()}\n" if shown.strip() else ""
            at += (step.expected or "").count("\n")
    return (text + "".join(lines[at:])).rstrip("\n"), found


# --- HTML -------------------------------------------------------------------------------------------------------------------


def visit(translator: Any, node: nodes.Element) -> None:
    """Write a literal block as the translator does, with its parts muted, and with its mark."""
    at = len(translator.body)
    try:
        type(translator).visit_literal_block(translator, node)
    finally:
        if PARTS in node or MARK in node:
            html = muted("".join(translator.body[at:]), node.astext(), node.get(PARTS, ()))
            translator.body[at:] = [marked(html, node.get(MARK, ""))]


def depart(translator: Any, node: nodes.Element) -> None:
    """Let the translator end a literal block that is not highlighted."""
    with suppress(AttributeError):
        type(translator).depart_literal_block(translator, node)


def marked(html: str, title: str) -> str:
    """A block with a check mark in its corner, that says when it passed."""
    before, end, after = html.rpartition("</pre>")
    if not (title and end):
        return html
    said = escape(title)
    return f'{before}{end}<span class="{MARK}" role="img" aria-label="{said}" title="{said}"></span>{after}'


def muted(html: str, text: str, parts: Sequence[tuple[int, int, str]]) -> str:
    """The HTML of a text with some parts in a ``span``; as it is, if it shows another text, such as the numbers of lines.

    >>> muted("<pre><b>a 1</b></pre>", "a 1", [(2, 3, "varies")])
    '<pre><b>a <span class="tutorkit-varies" title="varies">1</span></b></pre>'
    """
    whole = unescape(re.sub("<[^>]*>", "", html))
    if whole.strip("\n") != text.strip("\n"):
        return html
    at, done = len(whole.lstrip("\n")) - len(whole), list[str]()
    for piece in HTML.finditer(html):
        if piece["tag"]:
            done.append(piece[0])
            continue
        plain = unescape(piece[0])
        inside = [(start - at, end - at, title) for start, end, title in parts if start < at + len(plain) and end > at]
        done += _cut(plain, inside) if inside else [piece[0]]
        at += len(plain)
    return "".join(done)


def _cut(text: str, parts: Sequence[tuple[int, int, str]]) -> Iterator[str]:
    """Text as HTML, with each line of its parts in a ``span``."""
    at = 0
    for start, end, title in parts:
        start, end = max(start, 0), min(end, len(text))
        yield escape(text[at:start], quote=False)
        for line in text[start:end].splitlines(keepends=True):
            shown = escape(line, quote=False)
            yield f'<span class="tutorkit-varies" title="{escape(title)}">{shown}</span>' if line.strip() else shown
        at = end
    yield escape(text[at:], quote=False)
