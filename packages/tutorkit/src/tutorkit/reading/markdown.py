"""Find the literal blocks of Markdown, as MyST writes it. See https://myst-parser.readthedocs.io/en/latest/syntax/typography.html"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.colon_fence import colon_fence_plugin
from mdit_py_plugins.front_matter import front_matter_plugin
from mdit_py_plugins.myst_blocks import myst_block_plugin

from tutorkit.errors import PageError
from tutorkit.reading import rest
from tutorkit.reading.collect import OPAQUE, PARTS, Gather, Line, joined

PARSER = MarkdownIt("commonmark").enable("table").use(front_matter_plugin).use(myst_block_plugin).use(colon_fence_plugin)
DIRECTIVE = re.compile(r"\{(?P<name>\w[\w:.+-]*)\}\s*(?P<argument>.*)")
OPTION = re.compile(r":(?P<name>[\w-]+):(?:\s+(?P<value>.*))?$")
MYST_NB = re.compile(r"^file_format:\s*mystnb\b|^\s+format_name:\s*myst\b", re.MULTILINE)  #: what makes a notebook for myst-nb
HTML_COMMENT = re.compile(r"<!--(.*?)-->", re.DOTALL)


def walk(lines: Sequence[Line], gather: Gather) -> None:
    """Tell `gather` of all that these lines hold."""
    tokens = PARSER.parse(joined(lines))
    for token, following in pairwise([*tokens, None]):
        assert token is not None
        begin, end = token.map or (0, 0)
        if token.type == "front_matter":
            gather.notebook = gather.notebook or "kernelspec:" in token.content
            if gather.notebook and not MYST_NB.search(token.content):
                raise PageError(
                    f"{gather.name}:1: has a kernelspec, but nothing that tells myst-nb that it is a notebook; "
                    "add file_format: mystnb to its header"
                )
        elif token.type == "myst_line_comment":
            for comment in re.split(r"\n(?=\s*[\w-]+:\s)", token.content):
                gather.comment(comment, lines[begin])
        elif token.type == "html_block":
            for comment in HTML_COMMENT.findall(token.content):
                gather.comment(comment, lines[begin])
            if "<pre" in token.content:
                gather.lost(lines[begin], "is HTML, which is not run; write a fence")
        elif token.type == "heading_open" and following is not None:
            gather.title(following.content)
        elif token.type == "code_block":
            gather.code("", {}, shifted(lines[begin:end], token.content), lines[begin])
        elif token.type in ("fence", "colon_fence"):
            fence(token, lines[begin:end], gather)
        elif token.type == "inline":
            gather.begun = True


def fence(token: Token, lines: Sequence[Line], gather: Gather) -> None:
    """A fenced block: code, or a directive."""
    mark = token.markup
    closed = len(lines) > 1 and re.fullmatch(rf"[\s>]*{re.escape(mark[0])}{{{len(mark)},}}\s*", lines[-1].text)
    if not closed:
        place = f"{gather.name}:{lines[0].number}"
        raise PageError(f"{place}: the fence {mark}{token.info} is not closed; write {mark} below its last line")
    content = shifted(lines[1:-1], token.content)
    found = DIRECTIVE.fullmatch(token.info.strip())
    if found is None:
        if token.type == "fence":
            language, _, rest_of_info = token.info.strip().partition(" ")
            gather.code(language, _attributes(rest_of_info), content, lines[0])
        else:
            walk(content, gather)
        return
    options, body = parameters(content)
    name, argument = found["name"].rpartition(":")[2].lower(), found["argument"].strip()
    if name == "exercise":
        parts = gather.inside()
        walk(body, gather)
        gather.outside()
        gather.exercise(argument, options, lines[0], _prose(body), parts)
    elif name == "include":
        gather.include(argument, lines[0], walk)
    elif name == "eval-rst":
        rest.walk(body, gather)
    elif not gather.directive(name, argument, options, body, lines[0]) and name not in OPAQUE:
        walk(body, gather)


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
