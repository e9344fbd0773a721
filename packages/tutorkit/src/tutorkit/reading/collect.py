"""Make blocks of what the readers of reStructuredText and of Markdown find, by the same rules."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from tutorkit.errors import PageError
from tutorkit.reading import kinds
from tutorkit.reading.blocks import Answer, Block, Check, Exercise, Kind, Page, Step
from tutorkit.reading.kinds import Literal
from tutorkit.reading.lines import Directive, Line, dedent, joined, lines_of
from tutorkit.reading.steps import steps

CODE = {"code-block", "code", "sourcecode", "code-cell", "doctest", "testcode"}  #: directives whose content is code
GROUPED = {"doctest", "testcode"}  #: their argument is a group, and no language
FOREIGN = {"testoutput", "testsetup", "testcleanup", "ipython", "prompt", "jupyter-execute"}  #: code, for tools that do not run
OPAQUE = {"math", "raw", "graphviz", "digraph", "mermaid", "toctree", "csv-table"}
PARTS = {"starter", "checks", "solution", "wrong"}  #: of an exercise
STEER = re.compile(r"(needs|display-only|files):\s+(.+)", re.DOTALL)


Walk = Callable[[Sequence[Line], "Collector"], None]


class Collector:
    """The blocks of one page, as its reader comes upon them."""

    def __init__(self, path: Path, name: str, text: str) -> None:
        self.path = path
        self.name = name
        self.text = text
        self.blocks: list[Block] = []
        self.files: list[str] = []
        self.pictures: list[str] = []
        self.exercises: list[Exercise] = []
        self.notebook = False
        self.begun = False  #: there was a title or text: a comment does not speak of the whole page any more
        self._section = "top"
        self._number = 0
        self._slugs: dict[str, int] = {}
        self._page_needs: tuple[str, ...] = ()
        self._needs: tuple[str, ...] = ()
        self._display = ""
        self._steered = 0  #: the line of the last comment that steers
        self._parts: list[Directive] | None = None  #: of the exercise that is being read

    def page(self, *, docstrings: bool = False) -> Page:
        """The page."""
        self.settled()
        places: dict[str, str] = {}
        for block in self.blocks:
            if block.id in places:
                raise PageError(
                    f"{block.place}: two blocks are called {block.id!r}, the other at {places[block.id]}; rename one"
                )
            places[block.id] = block.place
        return Page(
            self.path,
            self.name,
            self.text,
            blocks=tuple(replace(block, needs=self._page_needs + block.needs) for block in self.blocks),
            files=tuple(self.files),
            pictures=tuple(self.pictures),
            exercises=tuple(replace(each, needs=self._page_needs + each.needs) for each in self.exercises),
            notebook=self.notebook,
            docstrings=docstrings,
        )

    # --- what readers come upon ----------------------------------------------------------------------------------------

    def title(self, text: str) -> None:
        """A section begins."""
        plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
        self.section(_slug(plain) or "section")

    def section(self, slug: str) -> None:
        """Blocks are from here on numbered below `slug`."""
        self.settled()
        count = self._slugs[slug] = self._slugs.get(slug, 0) + 1
        self._section, self._number, self.begun = slug if count == 1 else f"{slug}-{count}", 0, True

    def settled(self) -> None:
        """What a comment said of the next block concerned one.

        :raises PageError: there was none.
        """
        if self._needs or self._display:
            word = f"needs: {' '.join(self._needs)}" if self._needs else f"display-only: {self._display}"
            raise PageError(
                f"{self.name}:{self._steered}: no block of its section follows the comment {word!r}; put it right before one"
            )

    def comment(self, text: str, at: Line) -> None:
        """A comment, which may steer what comes next."""
        found = STEER.fullmatch(text.strip())
        if not found:
            return
        self._steered = at.number
        word, value = found[1], " ".join(found[2].split())
        if word == "files":
            self.files += value.split()
        elif word == "display-only":
            self._display = value
        elif self.begun:
            self._needs += tuple(value.split())
        else:
            self._page_needs += tuple(value.split())

    def directive(self, found: Directive) -> bool:
        """A directive that is ours; False if its content is to be read like the rest of the page."""
        self.begun = True
        if found.name in PARTS:
            if self._parts is None:
                raise PageError(f"{self.name}:{found.at.number}: {found.name} stands outside of an exercise; put it into one")
            self._parts.append(replace(found, content=dedent(found.content)))
        elif found.name == "picture":
            self.pictures.append(found.argument)
        elif found.name == "output":
            self._output(dedent(found.content), found.at)
        elif found.name == "literalinclude":
            self._include(found)
        elif found.name == "parsed-literal":
            self.code(Literal(found.at, found.content))
        elif found.name in CODE:
            language = "python" if found.name in GROUPED else found.argument.strip("{} ")
            self.code(Literal(found.at, found.content, language, found.options, cell=found.name == "code-cell"))
        elif found.name in FOREIGN:
            self.lost(found.at, f"is {found.name}, which is not run; make it a code-block")
        else:
            return found.name in OPAQUE
        return True

    def code(self, literal: Literal) -> None:
        """A literal block."""
        self.begun = True
        literal = replace(literal, lines=dedent(literal.lines))
        kind, reason = kinds.shown_only(literal, self._display) if self._display else kinds.kind_of(literal)
        self._add(
            Block(
                self.name,
                self._id(literal.options),
                literal.number,
                kind,
                literal.language,
                source=joined(literal.lines),
                steps=steps(kind, literal.lines, self.name),
                name=literal.options.get("caption", "") if kind is Kind.FILE else "",
                needs=self._needs,
                reason=reason,
                raises="raises-exception" in literal.tags,
                options=dict(literal.options),
            )
        )

    def exercise(self, found: Directive, task: str, walk: Walk) -> None:
        """An exercise: `walk` reads its content, and comes upon its parts; `task` is its prose."""
        parts: list[Directive] = []
        self._parts = parts
        walk(found.content, self)
        self._parts = None
        exercise = exercise_of(self.name, found, task, parts)
        self.exercises.append(replace(exercise, needs=self._needs))
        self._needs = ()

    def include(self, found: Directive, walk: Walk) -> None:
        """A file that becomes part of the page may have no blocks: they would be nobody's."""
        try:
            text = (self.path.parent / found.argument).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return  # Sphinx says so
        inner = Collector(self.path, found.argument, text)
        walk(lines_of(text), inner)
        if inner.blocks:
            self.lost(found.at, f"includes {found.argument}, whose blocks are not run; make it a page, and link to it")

    def lost(self, at: Line, reason: str) -> None:
        """A block that is not run, and why."""
        self._add(Block(self.name, self._id({}), at.number, Kind.UNKNOWN, "", "", reason=reason))

    # --- how a block is made -------------------------------------------------------------------------------------------

    def _output(self, lines: Sequence[Line], at: Line) -> None:
        """What the block before is to print."""
        last = self.blocks[-1] if self.blocks else None
        if last is None or last.kind not in (Kind.PYTHON, Kind.CELL) or not last.steps or last.steps[-1].expected is not None:
            self.lost(at, "is an output, and no Python block stands before it; put it right after one")
            return
        start, end = (lines[0].start, lines[-1].end) if lines else (at.end, at.end)
        indent = lines[0].indent if lines else at.indent
        step = replace(last.steps[-1], expected=joined(lines), start=start, end=end, indent=indent)
        self.blocks[-1] = replace(last, steps=(*last.steps[:-1], step))

    def _include(self, found: Directive) -> None:
        """A file of the project that the page shows, and uses."""
        path = self.path.parent / found.argument
        try:
            content = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise PageError(
                f"{self.name}:{found.at.number}: literalinclude {found.argument!r} cannot be read: {error}"
            ) from error
        self._add(
            Block(
                self.name,
                self._id(found.options),
                found.at.number,
                Kind.FILE,
                found.options.get("language", ""),
                source=content.rstrip("\n") + "\n",
                steps=(Step(found.at.number, content),),
                name=found.options.get("caption") or path.name,
                needs=self._needs,
            )
        )

    def _id(self, options: Mapping[str, str]) -> str:
        """The name of a block, or its section and its number there."""
        self._number += 1
        return options.get("name") or f"{self._section}-{self._number}"

    def _add(self, block: Block) -> None:
        self.blocks.append(block)
        self._needs, self._display = (), ""


def exercise_of(page: str, found: Directive, task: str, parts: Sequence[Directive]) -> Exercise:
    """The exercise that a directive and its parts make.

    :raises PageError: a part is missing, or is there twice.
    """
    where = f"{page}:{found.at.number}: exercise {found.argument!r}"
    answers: dict[str, list[Answer]] = {part: [] for part in PARTS}
    for part in parts:
        number = part.content[0].number if part.content else found.at.number
        answers[part.name].append(Answer(number, joined(part.content), part.argument, part.options.get("hint", "")))
    for name in ("starter", "solution"):
        if len(answers[name]) != 1:
            raise PageError(f"{where}: has {len(answers[name])} of {name}; give it one")
    if not answers["checks"]:
        raise PageError(f"{where}: has no checks; give it some, as doctest examples")
    return Exercise(
        page,
        found.options.get("name") or _slug(found.argument.lower()),
        found.argument,
        found.at.number,
        task,
        starter=answers["starter"][0],
        solution=answers["solution"][0],
        checks=tuple(Check(each.line, each.source, each.hint) for each in answers["checks"]),
        wrong=tuple(answers["wrong"]),
    )


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text).strip("-")
