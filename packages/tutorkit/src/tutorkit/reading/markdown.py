"""Find the literal blocks of Markdown, as MyST writes it. See https://myst-parser.readthedocs.io/en/latest/syntax/typography.html"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.colon_fence import colon_fence_plugin
from mdit_py_plugins.front_matter import front_matter_plugin
from mdit_py_plugins.myst_blocks import myst_block_plugin

from tutorkit.errors import PageError
from tutorkit.reading import rest
from tutorkit.reading.collect import PARTS, Collector
from tutorkit.reading.kinds import Literal
from tutorkit.reading.lines import Directive, Line, joined

PARSER = MarkdownIt("commonmark").enable("table").use(front_matter_plugin).use(myst_block_plugin).use(colon_fence_plugin)
DIRECTIVE = re.compile(r"\{(?P<name>\w[\w:.+-]*)\}\s*(?P<argument>.*)")
OPTION = re.compile(r":(?P<name>[\w-]+):(?:\s+(?P<value>.*))?$")
MYST_NB = re.compile(r"^file_format:\s*mystnb\b|^\s+format_name:\s*myst\b", re.MULTILINE)  #: what makes a notebook for myst-nb
HTML_COMMENT = re.compile(r"<!--(.*?)-->", re.DOTALL)


def walk(lines: Sequence[Line], collector: Collector) -> None:
    """Tell `collector` of everything in these lines."""
    tokens = PARSER.parse(joined(lines))
    for token, following in pairwise([*tokens, None]):
        assert token is not None
        begin, end = token.map or (0, 0)
        if token.type == "heading_open" and following is not None:
            collector.title(following.content)
        elif token.type == "inline":
            collector.begun = True
        elif token.type in READERS:
            READERS[token.type](token, lines[begin:end], collector)


def front_matter(token: Token, _lines: Sequence[Line], collector: Collector) -> None:
    """The header of a page: with a kernelspec, the page is a notebook."""
    collector.notebook = collector.notebook or "kernelspec:" in token.content
    if collector.notebook and not MYST_NB.search(token.content):
        raise PageError(
            f"{collector.name}:1: has a kernelspec, but nothing that tells myst-nb that it is a notebook; "
            "add file_format: mystnb to its header"
        )


def comment(token: Token, lines: Sequence[Line], collector: Collector) -> None:
    """Lines that begin with ``%``; each word that steers begins a comment of its own."""
    for each in re.split(r"\n(?=\s*[\w-]+:\s)", token.content):
        collector.comment(each, lines[0])


def html(token: Token, lines: Sequence[Line], collector: Collector) -> None:
    """HTML: comments, and blocks that nobody runs."""
    for each in HTML_COMMENT.findall(token.content):
        collector.comment(each, lines[0])
    if "<pre" in token.content:
        collector.lost(lines[0], "is HTML, which is not run; write a fence")


def indented(token: Token, lines: Sequence[Line], collector: Collector) -> None:
    """A block of code that is indented."""
    collector.code(Literal(lines[0], shifted(lines, token.content)))


def fence(token: Token, lines: Sequence[Line], collector: Collector) -> None:
    """A fenced block: code, or a directive."""
    mark = token.markup
    closed = len(lines) > 1 and re.fullmatch(rf"[\s>]*{re.escape(mark[0])}{{{len(mark)},}}\s*", lines[-1].text)
    if not closed:
        place = f"{collector.name}:{lines[0].number}"
        raise PageError(f"{place}: the fence {mark}{token.info} is not closed; write {mark} below its last line")
    content = shifted(lines[1:-1], token.content)
    found = DIRECTIVE.fullmatch(token.info.strip())
    if found:
        options, body = parameters(content)
        name = found["name"].rpartition(":")[2].lower()
        directive(Directive(lines[0], name, found["argument"].strip(), options, body), collector)
    elif token.type == "fence":
        language, _, rest_of_info = token.info.strip().partition(" ")
        collector.code(Literal(lines[0], content, language, _attributes(rest_of_info)))
    else:
        walk(content, collector)


def directive(found: Directive, collector: Collector) -> None:
    """A directive."""
    if found.name == "exercise":
        collector.exercise(found, _prose(found.content), walk)
    elif found.name == "include":
        collector.include(found, walk)
    elif found.name == "eval-rst":
        rest.walk(found.content, collector)
    elif not collector.directive(found):
        walk(found.content, collector)


#: What reads each kind of token, with its lines.
READERS: Mapping[str, Callable[[Token, Sequence[Line], Collector], None]] = {
    "front_matter": front_matter,
    "myst_line_comment": comment,
    "html_block": html,
    "code_block": indented,
    "fence": fence,
    "colon_fence": fence,
}


def shifted(lines: Sequence[Line], content: str) -> list[Line]:
    """Lines without what stands before a fence's content: indentation, or the marks of a quote."""
    found = []
    for line, text in zip(lines, content.split("\n"), strict=False):
        before = len(line.text) - len(text) if line.text.endswith(text) else 0
        found.append(replace(line, text=line.text[before:], indent=line.indent + line.text[:before]))
    return found


def parameters(lines: Sequence[Line]) -> tuple[Mapping[str, str], Sequence[Line]]:
    """The options of a directive, ``:name: value`` or between two ``---``, and the content after them."""
    options: dict[str, str] = {}
    at = 0
    if lines and lines[0].text.strip() == "---":
        end = next((number for number, line in enumerate(lines) if number and line.text.strip() == "---"), 0)
        for line in lines[1:end]:
            name, _, value = line.text.partition(":")
            if line.text.startswith((" ", "-", "\t")) and options:
                options[list(options)[-1]] += " " + line.text.strip(" -")
            else:
                options[name.strip()] = value.strip()
        return options, lines[end + 1 :]
    while at < len(lines) and (found := OPTION.match(lines[at].text)):
        options[found["name"]] = (found["value"] or "").strip()
        at += 1
    return options, lines[at:]


def _attributes(text: str) -> dict[str, str]:
    """What a plain fence says after its language: ``{caption="area.py"}``."""
    return dict(re.findall(r"([\w-]+)=\"([^\"]*)\"", text))


def _prose(lines: Sequence[Line]) -> str:
    """The text of an exercise, without its parts."""
    kept = list(lines)
    for token in PARSER.parse(joined(lines)):
        found = DIRECTIVE.fullmatch(token.info.strip()) if token.type in ("fence", "colon_fence") else None
        if found and found["name"] in PARTS and token.map:
            begin, end = token.map
            kept[begin:end] = [replace(line, text="") for line in kept[begin:end]]
    return re.sub(r"\n{3,}", "\n\n", joined(kept)).strip()
