"""What every test needs: pages and docstrings are collected as tests, each page in an empty directory of its own."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from doctest import ELLIPSIS, NORMALIZE_WHITESPACE
from pathlib import Path
from typing import Any

import pytest
from sybil import Document, Example, Region, Sybil
from sybil.sybil import SybilCollection
from sybil.document import PythonDocStringDocument
from sybil.parsers.abstract.lexers import BlockLexer
from sybil.parsers.markdown import PythonCodeBlockParser as MarkdownPythonCodeBlockParser
from sybil.parsers.rest import DocTestParser, PythonCodeBlockParser, SkipParser
from sybil.parsers.rest.lexers import DirectiveLexer

from smartensemble.runtime import local

if "COVERAGE_RUN" in os.environ:
    local.FLAGS = ()  # coverage reaches a child by its site-packages

ROOT = Path(__file__).parent


class BlockParser:
    """Blocks of other languages than Python: a file that the page shows, or a session in a shell."""

    lexer: BlockLexer = DirectiveLexer("code-block")

    def __call__(self, document: Document) -> Iterator[Region]:
        """The blocks with a caption, which names a file, and those that are a console session."""
        for region in self.lexer(document):
            lexemes = region.lexemes
            if caption := lexemes["options"].get("caption"):
                yield Region(region.start, region.end, (caption, lexemes["source"]), write_file)
            elif lexemes["arguments"].strip() == "console":
                yield Region(region.start, region.end, lexemes["source"], run_session)


def write_file(example: Example) -> None:
    """Write a file that the page shows."""
    name, content = example.parsed
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text(content)


def run_session(example: Example) -> str | None:
    """Run the commands after each ``$``, and compare what they print."""
    *_, sessions = example.parsed.partition("$ ")
    for session in sessions.split("\n$ "):
        command, _, expected = session.partition("\n")
        done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
        if done.stdout.strip() != expected.strip() or done.returncode:
            return f"$ {command}\nexpected:\n{expected}\ngot (exit code {done.returncode}):\n{done.stdout}{done.stderr}"
    return None


def engine(program: str) -> str:
    """The path of a program that a test needs; without it the test is skipped, or fails where REQUIRE_ALL=1 is set."""
    if found := shutil.which(program):
        return found
    if os.environ.get("REQUIRE_ALL") == "1":
        pytest.fail(f"{program} is not on PATH, and REQUIRE_ALL=1 asks for it")
    pytest.skip(f"needs the program {program} on PATH")


@pytest.fixture
def lmp() -> str:
    """LAMMPS."""
    return engine("lmp")


@pytest.fixture
def mpirun() -> str:
    """MPICH's mpirun."""
    return engine("mpirun")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """An empty working directory, with the tutorials' input files beside it, for one page or the docstrings of one module."""
    home = Path.cwd()
    directory = tmp_path_factory.mktemp("page")
    (directory / "in.melt").write_bytes((ROOT / "tutorials" / "melt" / "in.melt").read_bytes())
    os.chdir(directory)
    yield
    os.chdir(home)


pages = Sybil(
    parsers=[DocTestParser(optionflags=ELLIPSIS | NORMALIZE_WHITESPACE), PythonCodeBlockParser(), BlockParser(), SkipParser()],
    patterns=["docs/**/*.rst", "docs/*.rst"],
    fixtures=["page"],
)
docstrings = Sybil(
    parsers=[DocTestParser(optionflags=ELLIPSIS)],
    patterns=["src/**/*.py"],
    document_types={".py": PythonDocStringDocument},
    fixtures=["page"],
)
readme = Sybil(parsers=[MarkdownPythonCodeBlockParser()], patterns=["README.md"], fixtures=["page"])
pytest_collect_file = SybilCollection([pages, docstrings, readme]).pytest()
