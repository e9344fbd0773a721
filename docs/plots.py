"""The measurements as a picture: a row for each, on one scale of time, drawn from the table when the site is built."""

import csv
import math
import re
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0}
#: The columns that are drawn: the name in the table, that in the legend, and the class of its mark.
MARKS = (("floor", "floor", "floor"), ("SmartSim", "SmartSim 0.8.0", "peer"), ("ours", "smartensemble, tutorkit", "ours"))
SCALE = ("0.1 ms", "1 ms", "10 ms", "100 ms", "1 s", "10 s", "100 s")
#: The columns of the table below a picture, and what they are called there.
COLUMNS = {
    "what": "What",
    "SmartSim": "SmartSim 0.8.0",
    "floor": "Floor",
    "ours": "Ours",
    "ours/floor": "Ours / floor",
    "to reach": "Goal",
    "reached": "Met",
    "MB": "Memory, ours / floor (MB)",
}
RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def seconds(text: str) -> float | None:
    """A duration of the table: ``5.43 s``, ``36.0 ms``, or ``over 300 s``."""
    words = text.removeprefix("over ").split()
    return float(words[0]) * UNITS[words[1]] if words else None


def shown(text: str) -> str:
    r"""What the table has in ASCII, as it is printed.

    >>> shown("random 100 of 10^12"), shown("46 us"), shown("NO"), shown("1.3 x") == "1.3 \N{MULTIPLICATION SIGN}"
    ('random 100 of 10¹²', '46 µs', 'no', True)
    """
    raised = re.sub(r"\^(\d+)", lambda power: power[1].translate(RAISED), text)
    return re.sub(r"\bus$", "µs", re.sub(r" x\b", " \N{MULTIPLICATION SIGN}", raised)).replace("NO", "no")


def place(duration: float) -> float:
    """How far to the right a duration stands, in per cent: the scale is logarithmic, and begins at 20 microseconds."""
    first, last = math.log10(2e-5), math.log10(400)
    return 100 * (min(max(math.log10(duration), first), last) - first) / (last - first)


def marks(row: dict[str, str]) -> Iterator[str]:
    """The marks of a row."""
    for column, name, kind in MARKS:
        if (duration := seconds(row[column])) is not None:
            title = escape(f"{name}: {shown(row[column])}")
            yield f'<i class="{kind}" style="left: {place(duration):.2f}%" title="{title}"></i>'


def picture(rows: Sequence[dict[str, str]]) -> str:
    """All rows, below a legend, above the scale."""
    legend = "".join(f'<span><i class="{kind}"></i>{escape(name)}</span>' for _, name, kind in MARKS)
    drawn = "".join(
        f'<li><span class="what">{escape(shown(row["what"]))}</span><span class="track">{"".join(marks(row))}</span>'
        f'<span class="ratio">{row["ours/floor"] and row["ours/floor"] + " &times;"}</span></li>'
        for row in rows
    )
    ticks = "".join(f'<i style="left: {place(seconds(each) or 1):.2f}%">{each}</i>' for each in SCALE)
    scale = f'<li class="scale"><span class="what"></span><span class="track">{ticks}</span><span class="ratio"></span></li>'
    return f'<div class="measured"><p class="legend">{legend}</p><ul>{drawn}{scale}</ul></div>'


def numbers(rows: Sequence[dict[str, str]]) -> str:
    """All rows as a table, folded."""
    heads = "".join(f'<th scope="col">{escape(name)}</th>' for name in COLUMNS.values())
    cells = ("".join(f"<td>{escape(shown(row[name]))}</td>" for name in COLUMNS) for row in rows)
    body = "".join(f"<tr>{each}</tr>" for each in cells)
    table = f'<table class="table numbers"><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>'
    inside = f'<div class="pst-scrollable-table-container">{table}</div>'
    return f'<details class="tutorkit-folded no-search"><summary>The numbers</summary>{inside}</details>'


class Measured(SphinxDirective):
    """``measured``: the rows of a table of measurements, as a picture.

    With ``:only:``, those in which one of its words occurs; with ``:numbers:``, also as a table.
    """

    required_arguments = 1
    option_spec: ClassVar[dict[str, Any]] = {"only": directives.unchanged, "numbers": directives.flag}

    def run(self) -> list[nodes.Node]:
        """The picture."""
        _, name = self.env.relfn2path(self.arguments[0])
        self.env.note_dependency(name)
        with Path(name).open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        listed = re.split(r"(?<!\\),", self.options.get("only", ""))  # a word may have a comma, as ``\,``
        words = [word.strip().replace("\\,", ",") for word in listed if word.strip()]
        chosen = [row for row in rows if not words or any(word in row["what"] for word in words)]
        below = numbers(chosen) if "numbers" in self.options else ""
        return [nodes.raw("", picture(chosen) + below, format="html", classes=["no-search"])]


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    app.add_directive("measured", Measured)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
