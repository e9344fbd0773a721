"""Find the literal blocks of a module's docstrings, which are reStructuredText."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator, Sequence

from tutorkit.errors import PageError
from tutorkit.reading import rest
from tutorkit.reading.collect import Collector
from tutorkit.reading.lines import Line


def walk(lines: Sequence[Line], collector: Collector) -> None:
    """Tell `collector` of everything in the docstrings of a module."""
    try:
        tree = ast.parse(collector.text.removeprefix("\ufeff"))
    except SyntaxError as error:
        raise PageError(f"{collector.name}:{error.lineno}: is no Python: {error.msg}") from error
    for name, first, value in docstrings(tree, ""):
        collector.section(name or "module")
        rest.walk(written(value, lines[first - 1 :]), collector)


def docstrings(node: ast.AST, name: str) -> Iterator[tuple[str, int, str]]:
    """Each docstring: the name of what it belongs to, the line that it begins on, its text."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            yield from docstrings(child, f"{name}.{child.name}".lstrip("."))
    if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)) and node.body:
        first = node.body[0]
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
            yield name, first.value.lineno, first.value.value


def written(value: str, lines: Sequence[Line]) -> list[Line]:
    """The lines of a docstring, with the text that Python reads: escapes have been replaced."""
    texts = inspect.cleandoc(f"\n{value}").split("\n") if value.strip() else []
    leading = len(value) - len(value.lstrip("\n"))
    found = []
    for line, text in zip(lines[leading:], texts, strict=False):
        before = line.text.find(text) if text else len(line.text)
        shown = max(before, 0)
        # Where an escape makes the text another one than is written, its place is unknown: nothing is rewritten there.
        start, end = (line.start, line.end) if before >= 0 else (-1, -1)
        found.append(Line(line.number, text, start, end, line.text[:shown]))
    return found
