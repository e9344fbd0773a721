"""The script of a page says what it needs, and uv runs it from the wheels of this repository."""

import ast
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tutorkit.config import Config, load
from tutorkit.reading.blocks import Block, Kind, Page
from tutorkit.reading.pages import read
from tutorkit.teaching import download
from worlds.distributions import ROOT, TUTORKIT, build, copy


@cache
def config() -> Config:
    found = load(ROOT)
    assert found is not None
    return found


def pages() -> list[Page]:
    """The pages of the site whose code a reader can take along."""
    found = [path for path in config().paths() if path.suffix in (".rst", ".md") and path.name != "README.md"]
    return [page for path in found if download.downloadable(page := read(path, ROOT))]


PAGES = pages()
#: Who brings each module. Editable installations do not say.
PROVIDERS = dict(packages_distributions()) | {name: [name] for name in ("smartensemble", "tutorkit")}


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheels of both distributions."""
    project, folder = copy(tmp_path_factory.mktemp("copy") / "project"), tmp_path_factory.mktemp("built") / "dist"
    folder.mkdir()
    for each in (project, project / TUTORKIT):
        shutil.copy(build(each, "wheel"), folder)
    return folder


@pytest.mark.needs("uv")
def test_a_script_runs_where_nothing_is_installed(dist: Path, tmp_path: Path) -> None:
    """By the line that the page gives. uv takes this repository from `dist`, and what that depends on from PyPI."""
    script, _ = download.write(next(page for page in PAGES if page.name == "docs/howto/initialize.rst"), config(), tmp_path)
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COVERAGE", "VIRTUAL_ENV"))}
    env |= {"UV_CACHE_DIR": str(tmp_path / "cache"), "UV_PYTHON": sys.executable, "UV_PYTHON_DOWNLOADS": "never"}

    done = subprocess.run(
        [*config().script_command.split(), str(tmp_path / script)],
        cwd=dist.parent,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "Installed " in done.stderr
    assert "simulation Completed simulate" in done.stdout


@pytest.mark.needs("smartredis", "torch", "onnx", "tensorflow", "tflite")
@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_a_script_names_what_it_imports(page: Page) -> None:
    """A reader installs what the head says, and nothing else: extras are followed to what they bring."""
    conditions = [config().conditions[name] for name in {name for block in page.blocks if block.runs for name in block.needs}]
    named = {canonicalize_name(each) for each in closure(download.requirements(config(), conditions))}

    imported = {name: PROVIDERS.get(name, []) for block in page.blocks if block.runs for name in imports(block)}

    unnamed = {name for name, by in imported.items() if not named & {canonicalize_name(each) for each in by}}
    assert unnamed - sys.stdlib_module_names - {Path(block.name).stem for block in page.blocks} == set()


def imports(block: Block) -> Iterator[str]:
    """The modules that a block imports, also as a file that a member runs."""
    python = block.kind in (Kind.PYTHON, Kind.DOCTEST, Kind.CELL) or block.name.endswith(".py")
    for node in ast.walk(ast.parse("".join(step.source for step in block.steps) if python else "")):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield str(node.module).partition(".")[0]


def closure(requirements: Iterable[str]) -> set[str]:
    """The distributions that pip would install for them, of those that are installed here."""
    waiting, found = [Requirement(each) for each in requirements], dict[str, set[str]]()
    while waiting:
        one = waiting.pop()
        extras = {"", *one.extras} - found.get(one.name, set())
        found.setdefault(one.name, set()).update(extras)
        waiting += [need for need in map(Requirement, needs_of(one.name)) if any(asked_for(need, extra) for extra in extras)]
    return set(found)


def asked_for(need: Requirement, extra: str) -> bool:
    return need.marker is None or need.marker.evaluate({"extra": extra})


def needs_of(distribution: str) -> list[str]:
    """What a distribution requires; nothing, if it is not installed here."""
    try:
        return requires(distribution) or []
    except PackageNotFoundError:
        return []
