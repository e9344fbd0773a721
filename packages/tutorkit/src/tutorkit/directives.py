"""The directives of tutorkit: outputs, pictures, lessons, exercises, a site's status, and the coverage of its reference."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from docutils.parsers.rst.directives.images import Figure, Image
from sphinx.addnodes import pending_xref
from sphinx.util.docutils import SphinxDirective

from tutorkit.record import ledger, site
from tutorkit.record.shelf import shelf_of
from tutorkit.record.stamp import details, sentence
from tutorkit.teaching.classroom import HANDOUT
from tutorkit.teaching.prose import SAVED

PART = "tutorkit-part"  #: the class of what is no block of a page
OUTPUT = "tutorkit-output"  #: the class of what a block has printed


def code(text: Sequence[str] | str, language: str, *classes: str) -> nodes.literal_block:
    """A literal block of ours."""
    shown = text if isinstance(text, str) else "\n".join(text)
    return nodes.literal_block(shown, shown, language=language, classes=[PART, *classes])


class OutputDirective(SphinxDirective):
    """``output``: what the block before is to print. In a notebook the cell shows it."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """The text as it is written."""
        if self.state.document.attributes.get("nb_renderer") is not None:
            return []
        return [code(list(self.content), "text", OUTPUT)]


class CodeCellDirective(SphinxDirective):
    """``code-cell``: in a page that is no notebook, a block of code whose last expression is its output.

    Its tags do what they do in a notebook: ``hide-input`` folds the code, ``remove-cell`` leaves it out of the page.
    """

    has_content = True
    optional_arguments = 1
    option_spec: ClassVar[dict[str, Any]] = defaultdict(
        lambda: directives.unchanged, tags=directives.unchanged
    )  # a notebook's metadata, as they are

    def run(self) -> list[nodes.Node]:
        """The code."""
        text = "\n".join(self.content)
        node = nodes.literal_block(text, text, language="python")
        self.set_source_info(node)
        tags = self.options.get("tags", "")
        if "remove-cell" in tags:
            return []
        return folded("Show the code", [node]) if "hide-input" in tags else [node]


class PictureDirective(Figure, SphinxDirective):
    """``picture``: an image that the blocks of this page save under that name; its content is a caption."""

    def run(self) -> Any:
        """The image from the record; without it, a sentence."""
        shelf = shelf_of(self.config)
        page = shelf.page(Path(self.env.doc2path(self.env.docname))) if shelf else None
        path = shelf.images(page) / self.arguments[0] if shelf and page else Path(self.arguments[0])
        if not path.is_file():
            return [nodes.paragraph("", f"Not run yet: the picture {self.arguments[0]}.", classes=["tutorkit-note"])]
        self.env.note_dependency(str(path))
        name, self.arguments[0] = self.arguments[0], os.path.relpath(path, Path(self.env.doc2path(self.env.docname)).parent)
        made = super().run() if self.content else Image.run(self)
        for image in (image for node in made for image in node.findall(nodes.image)):
            image[SAVED] = name
        return made


class LessonDirective(SphinxDirective):
    """``lesson``: what a reader will learn, needs, and how long it takes; how long the code takes is on record."""

    option_spec: ClassVar[dict[str, Any]] = dict.fromkeys(("learn", "need", "time"), directives.unchanged_required)

    def run(self) -> list[nodes.Node]:
        """A list of the three."""
        for name in self.option_spec:
            if name not in self.options:
                raise self.error(f"lesson: no :{name}:; give it in words")
        terms = {"learn": "You will learn", "need": "You need", "time": "It takes"}
        texts = {**self.options, "time": self.options["time"] + self.measured()}
        items = [self.item(term, texts[name]) for name, term in terms.items()]
        return [nodes.definition_list("", *items, classes=["tutorkit-lesson"])]

    def item(self, term: str, text: str) -> nodes.definition_list_item:
        """One of them; its text is markup."""
        inline, messages = self.parse_inline(text)
        return nodes.definition_list_item(
            "", nodes.term("", term), nodes.definition("", nodes.paragraph("", "", *inline), *messages)
        )

    def measured(self) -> str:
        """How many exercises there are, and how long the code took, if that is on record."""
        shelf = shelf_of(self.config)
        page = shelf.page(Path(self.env.doc2path(self.env.docname))) if shelf else None
        if shelf is None or page is None:
            return ""
        count, ran = len(page.exercises), [each for each in shelf.records[page.name].blocks if each.result == ledger.PASSED]
        exercises = f", with {count} exercise{'s' if count > 1 else ''}" if count else ""
        seconds = f" The code runs in {sum(each.seconds for each in ran):.1f} s." if ran else ""
        return f"{exercises}.{seconds}"


class ExerciseDirective(SphinxDirective):
    """``exercise``: a task, with its starter, checks, hints and solution."""

    has_content = True
    required_arguments = 1
    final_argument_whitespace = True
    option_spec: ClassVar[dict[str, Any]] = {"name": directives.unchanged}

    def run(self) -> list[nodes.Node]:
        """A box that holds it."""
        box = nodes.container(classes=["tutorkit-exercise"])
        box += nodes.rubric("", f"Exercise: {self.arguments[0]}")
        name = self.options.get("name") or nodes.make_id(self.arguments[0])
        box["ids"].append(f"exercise-{name}")
        self.env.temp_data["tutorkit_exercise"] = name
        self.state.nested_parse(self.content, self.content_offset, box)
        return [box]


class StarterDirective(SphinxDirective):
    """``starter``: what a learner begins with."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """How to work on the task, step by step; and the code."""
        begin = f"{str(self.env.temp_data.get('tutorkit_exercise', '')).replace('-', '_')}.py"
        steps: list[list[str | nodes.Node]] = [
            ["Download ", self.file(begin), " and ", self.file(HANDOUT), " into one folder, outside of this project."],
            ["Open ", nodes.literal("", begin), ", and change it until it does what the task says."],
            ["In that folder, run ", nodes.literal("", f"tutorkit check {begin}"), ". It says what fails, and gives a hint."],
        ]
        items = [nodes.list_item("", nodes.paragraph("", "", *map(as_node, step))) for step in steps]
        how = nodes.enumerated_list("", *items, enumtype="arabic", classes=["tutorkit-how"])
        return [how, code(list(self.content), "python")]

    def file(self, name: str) -> nodes.reference:
        """A link to a file that the site hands out."""
        uri = f"{'../' * self.env.docname.count('/')}_downloads/tutorkit/{name}"
        return nodes.reference("", name, refuri=uri, internal=False)


def as_node(part: str | nodes.Node) -> nodes.Node:
    """A text or a node, as a node."""
    return nodes.Text(part) if isinstance(part, str) else part


class ChecksDirective(SphinxDirective):
    """``checks``: what an answer must do, and a hint for one that does not."""

    has_content = True
    option_spec: ClassVar[dict[str, Any]] = {"hint": directives.unchanged}

    def run(self) -> list[nodes.Node]:
        """The examples, and the folded hint."""
        hint = self.options.get("hint")
        shown: list[nodes.Node] = [code(list(self.content), "pycon")]
        return shown + (folded("Hint", [nodes.paragraph("", hint)]) if hint else [])


class SolutionDirective(SphinxDirective):
    """``solution``: an answer that passes."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Folded."""
        return folded("Solution", [code(list(self.content), "python")])


class WrongDirective(SphinxDirective):
    """``wrong``: an answer that must not pass. The page does not show it."""

    has_content = True
    optional_arguments = 1
    final_argument_whitespace = True
    option_spec: ClassVar[dict[str, Any]] = {"hint": directives.unchanged}

    def run(self) -> list[nodes.Node]:
        """Nothing."""
        return []


def folded(title: str, content: Sequence[nodes.Node], *classes: str) -> list[nodes.Node]:
    """Content that opens when its title is chosen."""
    named = " ".join(["tutorkit-folded", *classes])
    before = nodes.raw("", f'<details class="{named}"><summary>{escape(title)}</summary>', format="html")
    return [before, *content, nodes.raw("", "</details>", format="html")]


class StatusDirective(SphinxDirective):
    """``tutorkit-status``: what passed of each page, what failed, what did not run and why; and how many in all."""

    def run(self) -> list[nodes.Node]:
        """A sentence, and a table."""
        shelf = shelf_of(self.config)
        if shelf is None:
            return []
        now = site.site(shelf.config)
        heads = ["Page", "Passed", "Failed", "Not run", "Display only", "Seconds"]
        rows = []
        modules = []
        for page, record in zip(now.pages, now.records, strict=True):
            self.env.note_dependency(str(ledger.file_of(shelf.config.ledger_path, record.page)))
            if page.docstrings:
                modules.append(record)
            else:
                rows.append([self.link(record.page, shelf.config.root), *self.row([record])])
        if modules:
            rows.append([f"Docstrings of {len(modules)} modules", *self.row(modules)])
        total: list[nodes.Node | str] = [nodes.strong("", text) for text in ("All", *self.row(now.records, reasons=False))]
        entries = [(entry, record) for record in now.records for entry in record.blocks]
        items = [nodes.list_item("", nodes.paragraph("", text)) for text in details(entries)]
        text = nodes.paragraph("", f"{sentence(entries)}.")
        return [text, nodes.bullet_list("", *items), table(heads, [*rows, total])]

    def row(self, records: Sequence[ledger.Record], *, reasons: bool = True) -> list[str]:
        """What became of the blocks and exercises of a page, or of several."""
        entries = [entry for record in records for entry in record.blocks]
        counts = Counter(entry.result for entry in entries)
        lacking = [entry for entry in entries if entry.result in (ledger.SKIPPED, ledger.NOT_RUN)]
        why = dict.fromkeys(entry.reason.partition("\n")[0] for entry in lacking)
        missing = f"{len(lacking)}: {'; '.join(why)}" if lacking and reasons else str(len(lacking) or "")
        failed = sum(len(record.failed) for record in records)
        seconds = f"{sum(record.seconds for record in records):.1f}"
        return [str(counts[ledger.PASSED]), str(failed or ""), missing, str(counts[ledger.DISPLAY] or ""), seconds]

    def link(self, page: str, root: Path) -> nodes.Node | str:
        """A link with the title of a page, if it is one of the site's; if not, its path."""
        path = Path(root, page).resolve()
        documents = (each for each in sorted(self.env.found_docs) if Path(self.env.doc2path(each)).resolve() == path)
        if (document := next(documents, None)) is None:
            return page
        options = {"refdomain": "std", "reftype": "doc", "reftarget": f"/{document}", "refdoc": self.env.docname}
        return pending_xref(page, nodes.inline(page, page), refexplicit=False, refwarn=True, **options)


class CoverageDirective(SphinxDirective):
    """``tutorkit-coverage``: the public names, and how many checked examples run each."""

    def run(self) -> list[nodes.Node]:
        """A table."""
        shelf = shelf_of(self.config)
        if shelf is None:
            return []
        coverage = shelf.coverage()
        rows = [
            [name.name, name.kind, str(len(examples)), ", ".join(f"{each.page}:{each.line}" for each in examples[:2])]
            for name, examples in coverage.names
        ]
        text = f"{coverage.percent:.1f} % of {len(coverage.names)} public names are run by an example whose result is checked."
        return [nodes.paragraph("", text), table(["Name", "Kind", "Examples", "The first ones"], rows)]


def table(heads: Sequence[str], rows: Sequence[Sequence[nodes.Node | str]]) -> nodes.table:
    """A table of texts and links."""
    group = nodes.tgroup(cols=len(heads))
    group += [nodes.colspec(colwidth=1) for _ in heads]
    group += nodes.thead("", _row(heads))
    group += nodes.tbody("", *[_row(row) for row in rows])
    return nodes.table("", group, classes=["tutorkit-table"])


def _row(cells: Sequence[nodes.Node | str]) -> nodes.row:
    return nodes.row("", *[nodes.entry("", nodes.paragraph("", "", as_node(cell))) for cell in cells])


DIRECTIVES = {
    "output": OutputDirective,
    "picture": PictureDirective,
    "lesson": LessonDirective,
    "exercise": ExerciseDirective,
    "starter": StarterDirective,
    "checks": ChecksDirective,
    "solution": SolutionDirective,
    "wrong": WrongDirective,
    "code-cell": CodeCellDirective,
    "tutorkit-status": StatusDirective,
    "tutorkit-coverage": CoverageDirective,
}
