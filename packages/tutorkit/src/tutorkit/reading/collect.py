"""Make blocks of what the readers of reStructuredText and of Markdown find, by the same rules."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from doctest import DocTestParser, register_optionflag
from pathlib import Path

from tutorkit.errors import PageError
from tutorkit.reading.blocks import Answer, Block, Check, Exercise, Kind, Page, Step

NUMBER = register_optionflag("NUMBER")  #: numbers agree as far as they are written

PYTHON = {"python", "py", "python3"}
SESSION = {"pycon", "python-console", "doctest"}
CELL = {"", "python", "py", "python3", "ipython", "ipython3"}
CONSOLE = {"console", "shell-session", "bash-session"}
SHELL = {"bash", "sh", "shell", "zsh", "fish"}
RUN = PYTHON | SESSION | {"ipython", "ipython3"} | CONSOLE | SHELL  #: languages that may not be for display only
CODE = {"code-block", "code", "sourcecode", "code-cell", "doctest", "testcode"}  #: directives whose content is code
FOREIGN = {"testoutput", "testsetup", "testcleanup", "ipython", "prompt", "jupyter-execute"}  #: code, for tools that do not run
OPAQUE = {"math", "raw", "graphviz", "digraph", "mermaid", "toctree", "csv-table"}
PARTS = {"starter", "checks", "solution", "wrong"}  #: of an exercise
STEER = re.compile(r"(needs|display-only|files):\s+(.+)", re.DOTALL)


@dataclass(frozen=True)
class Line:
    """A line of a page, or what is left of it inside of a list or a directive."""

    number: int  #: in the file, from 1
    text: str  #: without indentation and line end
    start: int  #: where it begins in the file's text, with its indentation
    end: int  #: where the next one begins
    indent: str = ""  #: what was before `text`


def lines_of(text: str) -> list[Line]:
    """The lines of a file; a byte-order mark is part of the first one's indentation."""
    found, offset = [], 0
    for number, raw in enumerate(re.findall(r"[^\n]*\n|[^\n]+", text), 1):
        bare = raw.rstrip("\r\n")
        mark = "\ufeff" if number == 1 and bare.startswith("\ufeff") else ""
        found.append(Line(number, bare.removeprefix(mark), offset, offset + len(raw), mark))
        offset += len(raw)
    return found


def dedent(lines: Sequence[Line]) -> list[Line]:
    """Lines without the indentation that they have in common, and without empty ones around."""
    filled = [number for number, line in enumerate(lines) if line.text.strip()]
    if not filled:
        return []
    lines = lines[filled[0] : filled[-1] + 1]
    depth = min(len(line.text) - len(line.text.lstrip()) for line in lines if line.text.strip())
    return [replace(line, text=line.text[depth:], indent=line.indent + line.text[:depth]) for line in lines]


def joined(lines: Iterable[Line]) -> str:
    """Their text."""
    return "".join(f"{line.text}\n" for line in lines)


class Gather:
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
        self._parts: list[tuple[str, str, Mapping[str, str], list[Line]]] | None = None

    def page(self, docstrings: bool = False) -> Page:
        """The page."""
        self.settled()
        places: dict[str, str] = {}
        for block in self.blocks:
            if block.id in places:
                raise PageError(
                    f"{block.place}: two blocks are called {block.id!r}, the other at {places[block.id]}; rename one"
                )
            places[block.id] = block.place
        blocks = tuple(replace(block, needs=self._page_needs + block.needs) for block in self.blocks)
        return Page(
            self.path,
            self.name,
            self.text,
            blocks,
            tuple(self.files),
            tuple(self.pictures),
            tuple(replace(each, needs=self._page_needs + each.needs) for each in self.exercises),
            self.notebook,
            docstrings,
        )

    # --- what readers tell ---------------------------------------------------------------------------------------------

    def title(self, text: str) -> None:
        """A section begins."""
        plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
        slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or "section"
        self.section(slug)

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

    def directive(self, name: str, argument: str, options: Mapping[str, str], lines: Sequence[Line], at: Line) -> bool:
        """A directive that is ours; False if its content is to be read like the rest of the page."""
        self.begun = True
        name = name.lower()
        if name in PARTS:
            if self._parts is None:
                raise PageError(f"{self.name}:{at.number}: {name} stands outside of an exercise; put it into one")
            self._parts.append((name, argument, options, dedent(lines)))
        elif name == "picture":
            self.pictures.append(argument)
        elif name == "output":
            self._output(dedent(lines), at)
        elif name == "literalinclude":
            self._include(argument, options, at)
        elif name == "parsed-literal":
            self.code("", {}, lines, at)
        elif name in ("doctest", "testcode"):  # their argument is a group
            self.code("python", options, lines, at)
        elif name in CODE:
            self.code(argument.strip("{} "), options, lines, at, cell=name == "code-cell")
        elif name in FOREIGN:
            self._add(self._unknown(at, f"is {name}, which is not run; make it a code-block"))
        else:
            return name in OPAQUE
        return True

    def code(self, language: str, options: Mapping[str, str], lines: Sequence[Line], at: Line, cell: bool = False) -> None:
        """A literal block; `at` is the line that opens it."""
        self.begun = True
        lines = dedent(lines)
        tags = re.findall(r"[\w-]+", options.get("tags", ""))
        kind, reason = self._kind(language, options, lines, cell, tags)
        if self._display:
            if kind is not Kind.UNKNOWN or cell or language.lower() in RUN:
                what = language or kind
                kind, reason = Kind.UNKNOWN, f"is {what}, which is run, so it may not be for display only; say what it needs"
            else:
                kind, reason = Kind.DISPLAY, self._display
        number = lines[0].number if lines else at.number
        steps = self._steps(kind, lines)
        self._add(
            Block(
                self.name,
                self._id(options),
                number,
                kind,
                language,
                joined(lines),
                steps,
                options.get("caption", "") if kind is Kind.FILE else "",
                self._needs,
                reason,
                "raises-exception" in tags,
                dict(options),
            )
        )

    def exercise(
        self,
        title: str,
        options: Mapping[str, str],
        at: Line,
        prose: str,
        parts: Sequence[tuple[str, str, Mapping[str, str], list[Line]]],
    ) -> None:
        """An exercise, of whose parts this one is told."""
        where = f"{self.name}:{at.number}: exercise {title!r}"
        name = options.get("name") or re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
        found: dict[str, list[Answer]] = {part: [] for part in PARTS}
        checks = []
        for part, argument, given, lines in parts:
            number = lines[0].number if lines else at.number
            if part == "checks":
                checks.append(Check(number, joined(lines), given.get("hint", "")))
            found[part].append(Answer(number, joined(lines), argument, given.get("hint", "")))
        for part in ("starter", "solution"):
            if len(found[part]) != 1:
                raise PageError(f"{where}: has {len(found[part])} of {part}; give it one")
        if not checks:
            raise PageError(f"{where}: has no checks; give it some, as doctest examples")
        starter, solution = found["starter"][0], found["solution"][0]
        exercise = Exercise(
            self.name, name, title, at.number, prose, starter, solution, tuple(checks), tuple(found["wrong"]), self._needs
        )
        self.exercises.append(exercise)
        self._needs = ()

    def lost(self, at: Line, reason: str) -> None:
        """A block in a place where blocks are not run."""
        self._add(self._unknown(at, reason))

    def inside(self) -> list[tuple[str, str, Mapping[str, str], list[Line]]]:
        """Begin to gather the parts of an exercise."""
        self._parts = []
        return self._parts

    def outside(self) -> None:
        """The exercise is over."""
        self._parts = None

    # --- how a block is made -------------------------------------------------------------------------------------------

    def _kind(
        self, language: str, options: Mapping[str, str], lines: Sequence[Line], cell: bool, tags: Sequence[str]
    ) -> tuple[Kind, str]:
        """What is done with a block, and why nobody knows what to do with it."""
        language = language.lower()
        if "caption" in options and not cell:
            return Kind.FILE, ""
        if cell and "skip-execution" in tags:
            return Kind.UNKNOWN, "is not to be executed; say what it needs, in a comment 'needs: ...', not by a tag"
        if cell and language in CELL:
            return Kind.CELL, ""
        session = any(line.text.startswith(">>>") for line in lines)
        if language in SESSION or (session and language in PYTHON | {""}):
            return Kind.DOCTEST, ""
        if language in PYTHON:
            return Kind.PYTHON, ""
        if language in CONSOLE:
            if lines and lines[0].text.startswith("$ "):
                return Kind.CONSOLE, ""
            return Kind.UNKNOWN, "has no '$ ' before its commands; write '$ ' before each, and their output below"
        if language in SHELL:
            return Kind.UNKNOWN, f"is {language}, which is not run; call it console, and write '$ ' before each command"
        what = f"is {language}, which is not run" if language else "is in no language"
        return Kind.UNKNOWN, f"{what}; make it a file (:caption: its name), or write before it 'display-only:' and why"

    def _steps(self, kind: Kind, lines: Sequence[Line]) -> tuple[Step, ...]:
        """What is run, one after the other."""
        if not lines or kind in (Kind.DISPLAY, Kind.UNKNOWN):
            return ()
        if kind is Kind.DOCTEST:
            return tuple(self._examples(lines))
        if kind is Kind.CONSOLE:
            return tuple(self._commands(lines))
        after = lines[-1].end
        return (Step(lines[0].number, joined(lines), None, after, after, lines[0].indent),)

    def _examples(self, lines: Sequence[Line]) -> Iterable[Step]:
        """Doctest examples."""
        try:
            examples = DocTestParser().get_examples(joined(lines), self.name)
        except ValueError as error:
            raise PageError(f"{self.name}:{lines[0].number}: {error}; write examples as the prompt shows them") from error
        for example in examples:
            first = example.lineno + example.source.count("\n")
            want = lines[first : first + example.want.count("\n")]
            start = lines[first - 1].end
            flags, off = (sum(flag for flag, on in example.options.items() if on is wanted) for wanted in (True, False))
            end = want[-1].end if want else start
            if any(line.start < 0 for line in want):
                start = end = -1
            first_line = lines[example.lineno]
            yield Step(first_line.number, example.source, example.want, start, end, first_line.indent, flags, off)

    def _commands(self, lines: Sequence[Line]) -> Iterable[Step]:
        """Commands and their outputs."""
        starts = [number for number, line in enumerate(lines) if line.text.startswith("$ ")]
        for begin, end in zip(starts, [*starts[1:], len(lines)], strict=True):
            command = [lines[begin].text[2:]]
            while begin + len(command) < end:
                following = lines[begin + len(command)].text
                if command[-1].endswith("\\"):
                    command.append(following.removeprefix("> "))
                elif following.startswith("> "):
                    command.append(following[2:])
                else:
                    break
            output = list(lines[begin + len(command) : end])
            while output and not output[-1].text.strip():
                output.pop()
            start = lines[begin + len(command) - 1].end
            source = "".join(f"{line}\n" for line in command)
            yield Step(
                lines[begin].number, source, joined(output), start, output[-1].end if output else start, lines[begin].indent
            )

    def _output(self, lines: Sequence[Line], at: Line) -> None:
        """What the block before is to put out."""
        last = self.blocks[-1] if self.blocks else None
        if last is None or last.kind not in (Kind.PYTHON, Kind.CELL) or not last.steps or last.steps[-1].expected is not None:
            self._add(self._unknown(at, "is an output, and no Python block stands before it; put it right after one"))
            return
        start, end = (lines[0].start, lines[-1].end) if lines else (at.end, at.end)
        indent = lines[0].indent if lines else at.indent
        step = replace(last.steps[-1], expected=joined(lines), start=start, end=end, indent=indent)
        self.blocks[-1] = replace(last, steps=(*last.steps[:-1], step))

    def _include(self, argument: str, options: Mapping[str, str], at: Line) -> None:
        """A file of the project that the page shows, and uses."""
        path = self.path.parent / argument
        try:
            content = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise PageError(f"{self.name}:{at.number}: literalinclude {argument!r} cannot be read: {error}") from error
        name = options.get("caption") or path.name
        step = Step(at.number, content)
        language = options.get("language", "")
        shown = content.rstrip("\n") + "\n"
        self._add(Block(self.name, self._id(options), at.number, Kind.FILE, language, shown, (step,), name, self._needs))

    def include(self, argument: str, at: Line, walk: Callable[[Sequence[Line], Gather], None]) -> None:
        """A file that becomes part of the page may have no blocks: they would be nobody's."""
        try:
            text = (self.path.parent / argument).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return  # Sphinx says so
        inner = Gather(self.path, argument, text)
        walk(lines_of(text), inner)
        if inner.blocks:
            self._add(self._unknown(at, f"includes {argument}, whose blocks are not run; make it a page, and link to it"))

    def _unknown(self, at: Line, reason: str) -> Block:
        return Block(self.name, self._id({}), at.number, Kind.UNKNOWN, "", "", reason=reason)

    def _id(self, options: Mapping[str, str]) -> str:
        """The name of a block, or its section and its number there."""
        self._number += 1
        return options.get("name") or f"{self._section}-{self._number}"

    def _add(self, block: Block) -> None:
        self.blocks.append(block)
        self._needs, self._display = (), ""
