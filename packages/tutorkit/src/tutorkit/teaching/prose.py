"""The text of a page as Markdown, from the tree that Sphinx has made of it, with the places of its blocks and exercises."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urljoin

from docutils import nodes

from tutorkit.teaching.cells import Piece, PieceKind

BLOCK = "tutorkit-block"  #: the attribute of a literal block that has the id of what it shows
SAVED = "tutorkit-saved"  #: the attribute of an image that has the name of the file which a block saves
EXERCISE = "tutorkit-exercise"  #: the class of an exercise
#: Classes of what is no text of the page: what ran, notes, the outputs of cells, how to begin with an exercise.
APART = {"tutorkit-about", "tutorkit-along", "tutorkit-note", "tutorkit-how", "tutorkit-part", "tutorkit-failures",
         "tutorkit-reason", "tutorkit-examples", "cell_output", "headerlink"}  # fmt: skip
SPECIAL = re.compile(r"[\\`*<$]|(?<!\w)_|_(?!\w)")
FIRST = re.compile(r"^(\d+)([.)])(?=\s)|^([-+#>])(?=\s|#)")
ABSOLUTE = re.compile(r"(https?|mailto):")


@dataclass
class Writer:
    """The pieces of a page, as they are come upon."""

    base: str = ""  #: the address of the page, for links to others of its site; "" if it has none
    pieces: list[Piece] = field(default_factory=list)

    def text(self, text: str, indent: str = "") -> None:
        """A paragraph, or lines that belong together."""
        if text.strip():
            self.pieces.append((PieceKind.TEXT, "\n".join(f"{indent}{line}".rstrip() for line in text.split("\n"))))


def pieces(document: nodes.document, base: str = "") -> list[Piece]:
    """The text of a document between its blocks and exercises: what stands between two of them is one piece."""
    writer = Writer(base)
    walk(document, writer)
    joined: list[Piece] = []
    for kind, text in writer.pieces:
        if kind is PieceKind.TEXT and joined and joined[-1][0] is PieceKind.TEXT:
            joined[-1] = (kind, f"{joined[-1][1]}\n\n{text}")
        else:
            joined.append((kind, text))
    return joined


def walk(node: nodes.Node, writer: Writer, indent: str = "", level: int = 0) -> None:
    """Write what a node holds."""
    for child in node.children:
        if isinstance(child, nodes.Element) and not APART & set(child.get("classes", ())):
            write = next((write for kind, write in WRITERS.items() if isinstance(child, kind)), walk)
            write(child, writer, indent, level)


def section(node: nodes.Element, writer: Writer, indent: str, level: int) -> None:
    """A section, whose title is one level below."""
    walk(node, writer, indent, level + 1)


def title(node: nodes.Element, writer: Writer, indent: str, level: int) -> None:
    """A title; that of an exercise or of a note is bold."""
    heading = isinstance(node, nodes.title) and isinstance(node.parent, nodes.section)
    writer.text(f"{'#' * min(level, 6)} {inline(node, writer)}" if heading else f"**{inline(node, writer)}**", indent)


def paragraph(node: nodes.Element, writer: Writer, indent: str, _level: int) -> None:
    """A paragraph, in one line."""
    shown = " ".join(inline(node, writer).split())
    writer.text(FIRST.sub(lambda found: f"{found[1]}\\{found[2]}" if found[1] else f"\\{found[3]}", shown), indent)


def items(node: nodes.Element, writer: Writer, indent: str, level: int) -> None:
    """A list; a block inside of an item divides it."""
    first = int(node.get("start", 1))
    for number, item in enumerate(node.children, first):
        mark = f"{number}. " if isinstance(node, nodes.enumerated_list) else "- "
        before = len(writer.pieces)
        walk(item, writer, indent + " " * len(mark), level)
        for at, (kind, text) in enumerate(writer.pieces[before : before + 1], before):
            if kind is PieceKind.TEXT:
                writer.pieces[at] = (kind, f"{indent}{mark}{text[len(indent) + len(mark) :]}")


def definitions(node: nodes.Element, writer: Writer, indent: str, level: int) -> None:
    """Terms in bold, each with its text below."""
    for item in node.children:
        terms = [inline(each, writer) for each in item.children if isinstance(each, (nodes.term, nodes.classifier))]
        writer.text(f"**{': '.join(terms)}**", indent)
        for each in (each for each in item.children if isinstance(each, nodes.definition)):
            walk(each, writer, indent, level)


def admonition(node: nodes.Element, writer: Writer, indent: str, level: int) -> None:
    """A note, with its kind or its title in bold."""
    if not isinstance(node.children[0], nodes.title):
        writer.text(f"**{type(node).__name__.capitalize()}**", f"{indent}> ")
    walk(node, writer, f"{indent}> ", level)


def quote(node: nodes.Element, writer: Writer, indent: str, level: int) -> None:
    """A quotation."""
    walk(node, writer, f"{indent}> ", level)


def literal(node: nodes.Element, writer: Writer, indent: str, _level: int) -> None:
    """A block of the page; or lines that are shown as they are."""
    if node.get(BLOCK):
        writer.pieces.append((PieceKind.BLOCK, node[BLOCK]))
    else:
        writer.text(f"```\n{node.astext()}\n```", indent)


def container(node: nodes.Element, writer: Writer, indent: str, level: int) -> None:
    """What an exercise says; or whatever else is held together."""
    if EXERCISE not in node.get("classes", ()):
        walk(node, writer, indent, level)
        return
    folded = False
    for child in node.children:
        opens = isinstance(child, nodes.raw) and "<details" in child.astext()
        folded = (folded or opens) and not (isinstance(child, nodes.raw) and "</details>" in child.astext())
        if not folded and not isinstance(child, nodes.raw):
            walk(nodes.container("", child.deepcopy()), writer, indent, level)
    name = next((each.removeprefix("exercise-") for each in node["ids"] if each.startswith("exercise-")), "")
    writer.pieces.append((PieceKind.EXERCISE, name))


def table(node: nodes.Element, writer: Writer, indent: str, _level: int) -> None:
    """A table, and the blocks in its cells below it."""
    rows = [[cell(entry, writer) for entry in row.children] for row in node.findall(nodes.row)]
    width = max((len(row) for row in rows), default=0)
    if not any(True for _ in node.findall(nodes.thead)):
        rows.insert(0, [""] * width)
    lines = [f"| {' | '.join([*row, *[''] * (width - len(row))])} |" for row in rows]
    writer.text("\n".join([*lines[:1], f"|{'---|' * width}", *lines[1:]]), indent)
    writer.pieces += [(PieceKind.BLOCK, each[BLOCK]) for each in node.findall(nodes.Element) if each.get(BLOCK)]


def cell(entry: nodes.Node, writer: Writer) -> str:
    """What is in a cell of a table, in one line."""
    inner = Writer(writer.base)
    walk(entry, inner)
    texts = [text for kind, text in inner.pieces if kind is PieceKind.TEXT]
    texts += [
        f"`{line}`" for each in entry.findall(nodes.Element) if each.get(BLOCK) for line in each.astext().splitlines() if line
    ]
    return "<br>".join(text.replace("|", "\\|").replace("\n", "<br>") for text in texts)


def image(node: nodes.Element, writer: Writer, indent: str, _level: int) -> None:
    """What a picture shows, in words, or one that a block has saved; those that blocks leave open are their outputs."""
    if node.get(SAVED):
        writer.text(f"![{node.get('alt', '')}]({node[SAVED]})", indent)
    elif "tutorkit-figure" not in node.get("classes", ()) and node.get("alt"):
        writer.text(f"*[{node['alt']}]*", indent)


def caption(node: nodes.Element, writer: Writer, indent: str, level: int) -> None:
    """What stands below a figure; the caption of a block is a file's name, which its cell has."""
    if isinstance(node.parent, nodes.figure):
        paragraph(node, writer, indent, level)


def formula(node: nodes.Element, writer: Writer, indent: str, _level: int) -> None:
    """A formula on lines of its own."""
    writer.text(f"$$\n{node.astext()}\n$$", indent)


def rule(_node: nodes.Element, writer: Writer, indent: str, _level: int) -> None:
    """A line between two parts."""
    writer.text("---", indent)


def nothing(_node: nodes.Element, _writer: Writer, _indent: str, _level: int) -> None:
    """What a notebook does not show."""


Write = Callable[[nodes.Element, Writer, str, int], None]
#: What writes each kind of node; the more special before the more general. All others are written as what they hold.
WRITERS: Mapping[type, Write] = {
    nodes.section: section,
    nodes.title: title,
    nodes.rubric: title,
    nodes.paragraph: paragraph,
    nodes.caption: caption,
    nodes.bullet_list: items,
    nodes.enumerated_list: items,
    nodes.definition_list: definitions,
    nodes.Admonition: admonition,
    nodes.block_quote: quote,
    nodes.literal_block: literal,
    nodes.doctest_block: literal,
    nodes.container: container,
    nodes.table: table,
    nodes.image: image,
    nodes.math_block: formula,
    nodes.transition: rule,
    nodes.comment: nothing,
    nodes.raw: nothing,
    nodes.system_message: nothing,
    nodes.target: nothing,
    nodes.substitution_definition: nothing,
}


# --- within a line ----------------------------------------------------------------------------------------------------------


def inline(node: nodes.Node, writer: Writer) -> str:
    """The text of a node, marked up."""
    return "".join(_inline(child, writer) for child in node.children)


def _inline(node: nodes.Node, writer: Writer) -> str:
    if isinstance(node, nodes.Text):
        return SPECIAL.sub(r"\\\g<0>", node.astext())
    if isinstance(node, nodes.literal):
        return _code(node.astext())
    if isinstance(node, nodes.math):
        return f"${node.astext()}$"
    if isinstance(node, nodes.reference):
        return _link(node, writer)
    if isinstance(node, nodes.image):
        return str(node.get("alt", ""))
    if isinstance(node, (nodes.raw, nodes.system_message)):
        return ""
    mark = next((mark for kind, mark in MARKS.items() if isinstance(node, kind)), "")
    text = inline(node, writer)
    return f"{mark}{text}{mark.replace('<', '</')}" if text.strip() else text


MARKS = {
    nodes.emphasis: "*",
    nodes.title_reference: "*",
    nodes.strong: "**",
    nodes.superscript: "<sup>",
    nodes.subscript: "<sub>",
}


def _code(text: str) -> str:
    """Code, between more backticks than it has."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    marks, space = "`" * (longest + 1), " " if "`" in text else ""
    return f"{marks}{space}{text}{space}{marks}"


def _link(node: nodes.Element, writer: Writer) -> str:
    """A link to what is elsewhere; one to another page of the site only where the site has an address."""
    text, target = inline(node, writer), node.get("refuri", "")
    if writer.base and target:
        target = urljoin(writer.base, target)
    return f"[{text}]({target})" if ABSOLUTE.match(target) else text
