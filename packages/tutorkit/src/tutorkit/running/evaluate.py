"""Run the steps of a block in this process, and say what came of each."""

from __future__ import annotations

import ast
import io
import linecache
import os
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from tutorkit.reading.blocks import Block, Kind, Step

LONG_OUTPUT = 1000  #: characters that are kept of a command's output which is longer than a page can show


@dataclass
class Outcome:
    """What came of a step."""

    output: str = ""  #: what it printed on standard output (a command: on both), and the value of a last expression
    error: str | None = None  #: the last lines of an exception's traceback: "ValueError: no"
    traceback: str = ""  #: the frames of the page and below, for the reader
    line: int = 0  #: of the page, where it was raised; 0 if unknown
    stack: str = ""  #: the same frames as the prompt names them: what was typed is in no file
    stderr: str = ""
    shown: str = ""  #: what a reader sees of it: the output, and the traceback of an exception
    other: str | None = None  #: the output as a page would show it, if it is another one than this page shows


@dataclass
class Result:
    """What came of a block."""

    outcomes: list[Outcome]  #: of its steps
    problem: str = ""  #: why it failed, with what was expected and what was got; "" if it passed
    line: int = 0  #: of the page, where it failed
    seconds: float = 0.0
    images: list[str] = field(default_factory=list)
    entered: list[str] = field(default_factory=list)
    missed: str = ""  #: why it was never begun, though it was to be: the page ended before it

    @classmethod
    def failed(cls, problem: str, line: int = 0, missed: str = "") -> Result:
        """That of a block which was not run, or not to its end."""
        return cls([], problem, line, missed=missed)

    @property
    def output(self) -> str:
        """Everything that it printed."""
        return "".join(outcome.output for outcome in self.outcomes)

    @property
    def shown(self) -> list[str]:
        """What a reader sees of each step."""
        return [outcome.shown for outcome in self.outcomes]


class TooMuchError(Exception):
    """A block printed more than it may."""


class Buffer(io.StringIO):
    """A text buffer with a limit."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.left = limit

    def write(self, text: str) -> int:
        """Keep `text`, if there is room."""
        self.left -= len(text)
        if self.left < 0:
            raise TooMuchError("printed more than a page can show; print less, or set output_limit")
        return super().write(text)


class Evaluator:
    """The names and the files that the blocks of a page share."""

    def __init__(self, path: str, limit: int, images: Path) -> None:
        self.path = path
        self.limit = limit
        self.images = images
        self.flags = 0  #: of "from __future__ import ..."
        self.raised = False  #: the last step raised an exception
        self.module = ModuleType("__main__")
        sys.modules["__main__"] = self.module

    def fresh(self, names: dict[str, Any]) -> None:
        """Forget all names but these."""
        self.module.__dict__.clear()
        self.module.__dict__.update({"__name__": "__main__", "__spec__": None, "__builtins__": __builtins__} | names)

    def run(self, block: Block) -> Result:
        """Run the steps of `block`."""
        began = time.perf_counter()
        actions = {Kind.CONSOLE: self.console, Kind.FILE: self.file}
        outcomes = actions.get(block.kind, self.python)(block)
        problem = f"{block.place}: is to raise an exception, and raised none" if block.raises and not self.raised else ""
        return Result(outcomes, problem, block.line, time.perf_counter() - began, list(self.pictures(block)))

    # --- Python --------------------------------------------------------------------------------------------------------

    def python(self, block: Block) -> list[Outcome]:
        """Statements, examples, or a cell."""
        found = []
        for step in block.steps:
            outcome = self.step(step, block.kind)
            found.append(outcome)
            self.raised = outcome.error is not None
            if block.raises:
                outcome.output, outcome.error = outcome.output + (outcome.error or ""), None
            if outcome.error is not None and block.kind is not Kind.DOCTEST:
                break
        return found

    def step(self, step: Step, kind: Kind) -> Outcome:
        """Run one step."""
        outcome = Outcome()
        with captured(self.limit) as (out, err):
            try:
                for code in self.compiled(step, kind):
                    exec(code, self.module.__dict__)  # noqa: S102 - the page's code is what we are here for
            except BaseException as error:
                outcome.error = "".join(traceback.format_exception_only(error))
                if isinstance(error, SystemExit):
                    outcome.error = f"SystemExit: exited the interpreter (code {error.code})\n"
                frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__]
                own = [frame.lineno or 0 for frame in frames if frame.filename == self.path]
                outcome.line = own[-1] if own else (error.lineno or 0 if isinstance(error, SyntaxError) else 0)
                outcome.traceback = "".join(traceback.format_list([frame for frame in frames if frame.line]))
                outcome.stack = "".join(traceback.format_list([self.typed(frame, step) for frame in frames]))
        outcome.output, outcome.stderr = out.getvalue(), err.getvalue()
        return outcome

    def typed(self, frame: traceback.FrameSummary, step: Step) -> traceback.FrameSummary:
        """A frame as the prompt shows it: one of the page is of what was typed."""
        if frame.filename != self.path:
            return frame
        return traceback.FrameSummary("<stdin>", (frame.lineno or step.line) - step.line + 1, frame.name, line="")

    def compiled(self, step: Step, kind: Kind) -> Iterator[CodeType]:
        """The code of a step, whose lines are those of the page."""
        mode = "single" if kind is Kind.DOCTEST else "exec"
        source = "\n" * (step.line - 1) + step.source
        tree: Any = compile(source, self.path, mode, self.flags | ast.PyCF_ONLY_AST, dont_inherit=True)
        trees: list[Any] = [tree]
        if kind is Kind.CELL and tree.body and isinstance(tree.body[-1], ast.Expr) and not step.source.rstrip().endswith(";"):
            trees.append(ast.Interactive([tree.body.pop()]))
        for each in trees:
            code: CodeType = compile(
                each, self.path, "single" if isinstance(each, ast.Interactive) else "exec", self.flags, dont_inherit=True
            )
            self.flags |= code.co_flags & FUTURE
            yield code

    def pictures(self, block: Block) -> Iterator[str]:
        """Save the figures that are open, and close them; their names."""
        pyplot = sys.modules.get("matplotlib.pyplot")
        if pyplot is None or block.kind in (Kind.CONSOLE, Kind.FILE):
            return
        for number, figure in enumerate(pyplot.get_fignums(), 1):
            self.images.mkdir(parents=True, exist_ok=True)
            name = f"{block.id}-{number}.png"
            pyplot.figure(figure).savefig(self.images / name, metadata={"Software": None}, bbox_inches="tight")
            yield name
        pyplot.close("all")

    # --- commands and files --------------------------------------------------------------------------------------------

    def console(self, block: Block) -> list[Outcome]:
        """Commands of one shell, where ``cd`` and ``export`` last; each with its output and its exit code."""
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            for number, step in enumerate(block.steps):
                (folder / f"{number}").write_text(step.source)
            lines = [
                f". {folder}/{number} < /dev/null > {folder}/{number}.out 2>&1\necho $? > {folder}/{number}.code\n"
                for number in range(len(block.steps))
            ]
            script = folder / "script"
            script.write_text("".join(lines))
            env = os.environ | {"COLUMNS": "80", "TERM": "dumb", "NO_COLOR": "1"}
            subprocess.run(["bash", str(script)], stdin=subprocess.DEVNULL, env=env, check=False)
            return [self.of_command(folder / f"{number}.out", folder / f"{number}.code") for number in range(len(block.steps))]

    def of_command(self, out: Path, code: Path) -> Outcome:
        """What came of a command, from the files with its output and with its exit code."""
        if not out.exists():
            return Outcome(error="was not run: the shell ended before")
        with out.open("rb") as file:
            output = file.read(self.limit + 1).decode(errors="replace")
        if len(output) > self.limit:
            output = output[:LONG_OUTPUT] + "\n... printed more than a page can show; print less, or set output_limit\n"
        if output and not output.endswith("\n"):
            output += "\n"
        exit_code = code.read_text().strip() if code.exists() else "?"
        return Outcome(output if exit_code == "0" else f"{output}[{exit_code}]\n")

    def file(self, block: Block) -> list[Outcome]:
        """A file that the page shows."""
        path = Path(block.name)
        if path.is_absolute() or ".." in path.parts:
            return [Outcome(error=f"file {block.name!r}: leaves the page's directory; give a name below it")]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.steps[0].source if block.steps else "", encoding="utf-8")
        return [Outcome()]


FUTURE = 0
for _name in __import__("__future__").all_feature_names:
    FUTURE |= getattr(__import__("__future__"), _name).compiler_flag


@contextmanager
def captured(limit: int) -> Iterator[tuple[Buffer, Buffer]]:
    """Take what is printed, and print values as the prompt does."""
    before = sys.stdout, sys.stderr, sys.displayhook
    out, err = Buffer(limit), Buffer(limit)
    sys.stdout, sys.stderr, sys.displayhook = out, err, sys.__displayhook__
    linecache.checkcache()
    try:
        yield out, err
    finally:
        sys.stdout, sys.stderr, sys.displayhook = before
