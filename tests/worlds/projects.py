"""Projects of a few lines, whose pages tutorkit runs."""

import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from tutorkit.config import Config
from tutorkit.reading.blocks import Page
from tutorkit.reading.pages import read
from tutorkit.running.page_run import PageRun
from worlds import warm_interpreter

Write = Callable[..., Page]
Command = Callable[..., "subprocess.CompletedProcess[str]"]
Test = Callable[..., tuple[int, str]]
Build = Callable[..., tuple[str, str]]

CONF = """
project = "p"
extensions = ["myst_nb", "tutorkit.sphinx_extension"]
myst_enable_extensions = ["colon_fence"]
nb_execution_mode = "force"
html_theme = "basic"
"""


@pytest.fixture
def project(tmp_path: Path) -> Config:
    """A project with pages in docs/, and its code beside them."""
    (tmp_path / "pyproject.toml").write_text('[tool.tutorkit]\npages = ["docs/*"]\nsource = ["."]\n')
    (tmp_path / "docs").mkdir()
    return Config(root=tmp_path, pages=("docs/*",), source=(".",), time_limit=20.0)


@pytest.fixture
def write(project: Config) -> Write:
    """Write a page, and read it."""

    def write(text: str, name: str = "docs/page.rst") -> Page:
        path = project.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(textwrap.dedent(text).lstrip("\n").encode())
        return read(path, project.root)

    return write


def run(page: Page, config: Config) -> tuple[list[str], str]:
    """What is wrong with each block of a page, and what it leaves behind."""
    runs = PageRun(page, config, config.root / "images")
    try:
        problems = [runs.run(block).problem for block in page.blocks]
    finally:
        left = runs.close()
    return problems, left


@pytest.fixture
def command(project: Config) -> Command:
    """Run a Python module in the project, without what this run of pytest has set."""

    def command(*argv: str, **env: str) -> "subprocess.CompletedProcess[str]":
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith("PYTEST") and name != "REQUIRE_ALL"
        }
        if "PYTHONPATH" in env:  # which an interpreter reads when it starts
            cold = [sys.executable, "-m", *argv]
            return subprocess.run(cold, cwd=project.root, env=inherited | env, capture_output=True, text=True, check=False)
        return warm_interpreter.run(argv, project.root, inherited | env)

    return command


@pytest.fixture
def test(command: Command) -> Test:
    """Run pytest on the pages; its exit code and what it printed."""

    def test(*options: str, **env: str) -> tuple[int, str]:
        done = command("pytest", "-q", "-p", "no:hypothesispytest", *options, **env)
        return done.returncode, done.stdout + done.stderr

    return test


@pytest.fixture
def built(project: Config, command: Command) -> Build:
    """Run the tests, build the site, and give a page's text without its tags; and what the build said."""
    (project.root / "docs" / "conf.py").write_text(CONF)
    (project.root / "pyproject.toml").write_text(
        '[tool.tutorkit.conditions]\ngpu = { program = "no-such", reason = "needs a GPU" }\n'
        '[tool.tutorkit]\npages = ["docs/*.md", "docs/*.rst"]\nsource = ["."]\ndisplay_only = 50\n'
    )

    def build(page: str, *tests: str, test: bool = True) -> tuple[str, str]:
        if test:
            command("pytest", "-q", *(tests or ["docs"]))
        done = command("sphinx", "-q", "docs", "out")
        html = (project.root / "out" / page).read_text()
        body = re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", html[html.index('role="main"') :]))
        return body.replace("&gt;", ">").replace("&#39;", "'"), done.stderr

    return build


def settings(project: Config, text: str) -> None:
    """Add to the project's settings."""
    with (project.root / "pyproject.toml").open("a") as file:
        file.write(text)
