"""Marks the long lines of code, so that where one is wrapped its rest is indented, and is not taken for a line of its own.

CSS can indent the rest of a line only where the line is an element.
"""

import re
from html import unescape
from typing import Any

from sphinx.application import Sphinx

LONG = 60  #: letters; a shorter line is not wrapped on a sheet of paper or in a column of text
PRE = re.compile(r"(<pre>)(.*?)(</pre>)", re.DOTALL)
TAG = re.compile(r"<[^>]*>")


def mark(line: str) -> str:
    """A line of highlighted code, with its line break; an element of its own if it is long.

    The rule below the head of a table is as long as the paths of another machine, and is cut rather than wrapped.
    """
    text = unescape(TAG.sub("", line))
    if len(text) <= LONG or line.count("<span") != line.count("</span>"):
        return line
    kind = "long" if text.strip("-|+= \n") else "long rule"
    return f'<span class="{kind}">{line}</span>'


def marked(body: str) -> str:
    """A page with its long lines marked.

    >>> marked("<pre><span></span>short</pre>")
    '<pre><span></span>short</pre>'
    >>> marked(f"<pre>short\\n{'long' * 20}\\n</pre>").count('<span class="long">')
    1
    >>> marked(f"<pre>{'-' * 80}\\n</pre>")[:30]
    '<pre><span class="long rule">-'
    """
    return PRE.sub(lambda found: found[1] + "".join(map(mark, found[2].splitlines(keepends=True))) + found[3], body)


def wrap(_app: Sphinx, _page: str, _template: str, context: dict[str, Any], _document: object) -> None:
    """Mark those of a page that is about to be written."""
    if "body" in context:
        context["body"] = marked(context["body"])


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    app.connect("html-page-context", wrap)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
