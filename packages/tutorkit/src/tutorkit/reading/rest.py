"""Find the literal blocks of reStructuredText. See https://docutils.sourceforge.io/docs/ref/rst/restructuredtext.html

It reads lines, not a tree: docutils has no exact places, and knows only the directives of the site that it builds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from tutorkit.reading.collect import PARTS, Collector
from tutorkit.reading.kinds import Literal
from tutorkit.reading.lines import Directive, Line, joined

MARKUP = re.compile(r"\.\.(?:\s+|$)")
DIRECTIVE = re.compile(r"\.\.\s+(?:\|[^|]+\|\s+)?(?P<name>[\w][\w:.+-]*?)::(?:\s+(?P<argument>.*))?$")
NO_COMMENT = re.compile(r"\.\.\s+(?:_|\[|\|)")  #: targets, footnotes, substitutions
OPTION = re.compile(r"\s*:(?P<name>[\w-]+):(?:\s+(?P<value>.*))?$")
BULLET = re.compile(r"(?:[-*+\u2022]|\(?(?:\d+|[a-zA-Z#])[.)])\s+(?=\S)")
TABLE_CELL = re.compile(r"\|.*\s>>> ")
ADORNMENT = re.compile(r"([!-/:-@\[-`{-~])\1{2,}\s*$")


def walk(lines: Sequence[Line], collector: Collector) -> None:
    """Tell `collector` of everything in these lines."""
    at = 0
    while at < len(lines):
        at = _read(lines, at, collector)


def _read(lines: Sequence[Line], at: int, collector: Collector) -> int:
    """Read what begins at a line; where the next thing begins."""
    line = lines[at]
    depth = inside(line.text)
    text = line.text[depth:]
    if not text:
        return at + 1
    if MARKUP.match(text):
        end = extent(lines, at + 1, depth)
        _markup(replace(line, text=text, indent=line.indent + line.text[:depth]), lines[at + 1 : end], collector)
        return end
    if text.startswith(">>> ") or text == ">>>":
        end = next((number for number in range(at, len(lines)) if not lines[number].text.strip()), len(lines))
        first = replace(line, text=" " * depth + text)  # a bullet is no part of it
        collector.code(Literal(line, [first, *lines[at + 1 : end]]))
        return end
    if depth == 0 and at + 1 < len(lines) and _underlined(text, lines[at + 1].text):
        collector.title(text)
        return at + 2
    if text.rstrip().endswith("::") and (at + 1 == len(lines) or not lines[at + 1].text.strip()):
        return _literal(lines, at, collector)
    if TABLE_CELL.match(text):
        collector.lost(line, "stands in a table that is drawn; make it a list-table")
    else:
        collector.begun = collector.begun or not ADORNMENT.fullmatch(text)
    return at + 1


def _literal(lines: Sequence[Line], at: int, collector: Collector) -> int:
    """A block below a line that ends with two colons; where it ends."""
    collector.begun = True
    end = extent(lines, at + 1, inside(lines[at].text))
    if end == at + 1:
        end = quoted(lines, at + 1)
    if any(each.text.strip() for each in lines[at + 1 : end]):
        collector.code(Literal(lines[at], lines[at + 1 : end]))
    return end


def inside(text: str) -> int:
    """How far a line is indented, where bullets count as spaces."""
    depth = len(text) - len(text.lstrip())
    while bullet := BULLET.match(text, depth):
        depth = bullet.end()
    return depth


def extent(lines: Sequence[Line], begin: int, depth: int) -> int:
    """Where what is indented deeper than `depth` ends, without empty lines after it."""
    end = at = begin
    while at < len(lines) and (not lines[at].text.strip() or len(lines[at].text) - len(lines[at].text.lstrip()) > depth):
        at += 1
        if lines[at - 1].text.strip():
            end = at
    return end


def quoted(lines: Sequence[Line], begin: int) -> int:
    """Where a literal block ends that is not indented, but quoted: each line begins with the same sign."""
    at = begin
    while at < len(lines) and not lines[at].text.strip():
        at += 1
    sign = lines[at].text.lstrip()[0] if at < len(lines) else ""
    end = at
    while end < len(lines) and sign and not sign.isalnum() and lines[end].text.lstrip().startswith(sign):
        end += 1
    return end if end > at else begin


def _underlined(text: str, below: str) -> bool:
    """A title, and the line below it."""
    return bool(ADORNMENT.fullmatch(below)) and len(below.rstrip()) >= len(text.rstrip()) and not ADORNMENT.fullmatch(text)


def _markup(line: Line, lines: Sequence[Line], collector: Collector) -> None:
    """A directive, a comment, or something else that begins with two dots."""
    found = DIRECTIVE.match(line.text)
    if not found:
        if not NO_COMMENT.match(line.text):
            collector.comment(line.text[2:] + "\n" + joined(lines), line)
        return
    options, content = options_of(lines)
    name = found["name"].rpartition(":")[2].lower()
    directive = Directive(line, name, (found["argument"] or "").strip(), options, content)
    if name == "exercise":
        collector.exercise(directive, _prose(content), walk)
    elif name == "include":
        collector.include(directive, walk)
    elif not collector.directive(directive):
        walk(content, collector)


def options_of(lines: Sequence[Line]) -> tuple[Mapping[str, str], Sequence[Line]]:
    """The options of a directive, and the content after them."""
    options: dict[str, str] = {}
    begin = 0
    while begin < len(lines) and (option := OPTION.match(lines[begin].text)):
        options[option["name"]] = (option["value"] or "").strip()
        begin += 1
        while begin < len(lines) and lines[begin].text.strip() and not OPTION.match(lines[begin].text):
            options[option["name"]] += " " + lines[begin].text.strip()  # a long value goes on
            begin += 1
    return options, lines[begin:]


def _prose(lines: Sequence[Line]) -> str:
    """The text of an exercise, without its parts."""
    kept: list[Line] = []
    at = 0
    while at < len(lines):
        found = DIRECTIVE.match(lines[at].text.strip())
        depth = inside(lines[at].text)
        end = extent(lines, at + 1, depth) if found and found["name"] in PARTS else at + 1
        if end == at + 1 and not (found and found["name"] in PARTS):
            kept.append(lines[at])
        at = end
    return "\n".join(line.text.strip() for line in kept).strip()
