"""The text of a page becomes Markdown, with its blocks and exercises where they stand."""

import pytest
from docutils import nodes
from docutils.core import publish_doctree

from tutorkit.teaching.cells import PieceKind
from tutorkit.teaching.prose import BLOCK, pieces


def markdown(source: str, base: str = "") -> str:
    """The pieces of reStructuredText: a block is its id between angle brackets."""
    document = publish_doctree(source, settings_overrides={"report_level": 5})
    for number, node in enumerate(document.findall(nodes.doctest_block), 1):
        node[BLOCK] = f"b-{number}"
    found = pieces(document, base)
    return "\n\n".join(text if kind is PieceKind.TEXT else f"<{text}>" for kind, text in found)


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("*One* and **two**, ``three``\nin lines.", "*One* and **two**, `three` in lines."),
        ("A `link <https://a.b/c>`_ out.", "A [link](https://a.b/c) out."),
        ("2 \\* 3, a_b and <x>, $5.", "2 \\* 3, a_b and \\<x>, \\$5."),
        ("``a`b``", "`` a`b ``"),
        (":math:`x^2` or\n\n.. math:: y", "$x^2$ or\n\n$$\ny\n$$"),
        ("Before:\n\n>>> 1\n1\n\nafter.", "Before:\n\n<b-1>\n\nafter."),
        ("1. One\n\n   more\n\n2. Two", "1. One\n\n   more\n\n2. Two"),
        ("* One\n\n  >>> 1\n  1\n\n* Two", "- One\n\n<b-1>\n\n- Two"),
        ("* >>> 1\n  1\n\n* Two", "<b-1>\n\n- Two"),
        ("term\n   Its text.", "**term**\n\nIts text."),
        (".. note:: Mind.", "> **Note**\n\n> Mind."),
        (".. admonition:: Mind\n\n   Now.", "> **Mind**\n\n> Now."),
        (".. code::\n\n   a -> b", "```\na -> b\n```"),
        (".. image:: x.png\n   :alt: a curve", "*[a curve]*"),
        (".. figure:: x.png\n   :alt: a curve\n\n   It *rises*.", "*[a curve]*\n\nIt *rises*."),
        (".. a comment\n\n.. _target:\n\nText.", "Text."),
        ("\\- no list", "\\- no list"),
        ("1\\. no list", "1\\. no list"),
        ("==  ==\na   b\n==  ==\n1   2|\n==  ==", "| a | b |\n|---|---|\n| 1 | 2\\| |"),
    ],
)
def test_each_kind_of_text(source: str, shown: str) -> None:
    assert markdown(source) == shown


def test_titles_keep_their_levels() -> None:
    source = "Page\n====\n\nOne.\n\nPart\n----\n\nTwo.\n"
    document = publish_doctree(source, settings_overrides={"doctitle_xform": False})

    assert pieces(document) == [(PieceKind.TEXT, "# Page\n\nOne.\n\n## Part\n\nTwo.")]


def test_a_block_in_a_table_is_shown_there_and_is_a_cell_below() -> None:
    source = ".. list-table::\n\n   * - Sum\n     - >>> 1 + 1\n       2\n"

    assert markdown(source) == "|  |  |\n|---|---|\n| Sum | `>>> 1 + 1`<br>`2` |\n\n<b-1>"


@pytest.mark.parametrize(
    ("base", "shown"), [("", "Run"), ("https://a.b/howto/start.html", "[Run](https://a.b/howto/run.html#now)")]
)
def test_a_link_within_the_site_leads_somewhere_only_where_the_site_has_an_address(base: str, shown: str) -> None:
    document = nodes.document(None, None)  # type: ignore[arg-type]
    document += nodes.paragraph("", "", nodes.reference("", "Run", refuri="run.html#now", internal=True))

    assert pieces(document, base) == [(PieceKind.TEXT, shown)]
