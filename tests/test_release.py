"""What a release publishes, built here without a network: whole, the same each time, and it works where it is installed.

``nox -s release`` does more: it builds for both machines, asks twine and auditwheel, and tries each Python that it finds.
"""

import filecmp
import platform
import sys
from pathlib import Path

import pytest
from packaging.tags import sys_tags
from packaging.utils import parse_wheel_filename

from worlds.distributions import (
    TENSOR,
    TUTORKIT,
    build,
    copy,
    environment,
    install,
    names,
    own_files,
    problems,
    run,
    unpack,
)

pytestmark = pytest.mark.needs("hatchling")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy(tmp_path_factory.mktemp("copy") / "project")


@pytest.fixture(scope="module")
def sdist(project: Path) -> Path:
    return build(project, "sdist")


@pytest.fixture(scope="module")
def unpacked(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpack(sdist, tmp_path_factory.mktemp("unpacked"))


@pytest.fixture(scope="module")
def wheel(unpacked: Path) -> Path:
    """The wheel for this machine, made from the sdist."""
    return build(unpacked, "wheel")


@pytest.fixture(scope="module")
def pure(unpacked: Path) -> Path:
    return build(unpacked, "wheel", "any")


def test_the_sdist_has_every_file(sdist: Path) -> None:
    found = set(names(sdist))

    assert own_files() - found == set()
    assert {name.replace("tutorials/", "docs/tutorials/") for name in found if name.startswith("tutorials/")} <= found
    assert problems(sdist) == []


def test_the_sdist_of_tutorkit_has_every_file(project: Path) -> None:
    made = build(project / TUTORKIT, "sdist")

    ours = {name.removeprefix(f"{TUTORKIT}/") for name in own_files() if name.startswith(f"{TUTORKIT}/")}
    assert ours - set(names(made)) == set()
    assert problems(made) == []


def test_a_wheel_for_this_machine_needs_only_an_old_c_library(wheel: Path) -> None:
    *_, tags = parse_wheel_filename(wheel.name)

    assert wheel.name.endswith(f"-py3-none-manylinux_2_17_{platform.machine()}.whl")
    assert tags <= set(sys_tags())
    assert problems(wheel) == []


def test_a_wheel_for_any_machine_has_no_module(pure: Path) -> None:
    assert pure.name.endswith("-py3-none-any.whl")
    assert problems(pure) == []


@pytest.mark.parametrize(("target", "machine"), [("sdist", ""), ("wheel", ""), ("wheel", "any")])
def test_what_is_built_is_the_same_from_the_repository_and_from_the_sdist(
    target: str, machine: str, project: Path, unpacked: Path
) -> None:
    one, other = build(project, target, machine), build(unpacked, target, machine)

    assert one.name == other.name
    assert filecmp.cmp(one, other, shallow=False)


def test_a_machine_that_there_is_no_wheel_for_is_an_error(project: Path) -> None:
    with pytest.raises(AssertionError, match="SMARTENSEMBLE_WHEEL: is 'sparc'; it may be any, x86_64, aarch64"):
        build(project, "wheel", "sparc")


def with_dependencies(folder: Path, wheel: Path) -> Path:
    """A Python in an environment with `wheel`; the rest comes from where these tests run."""
    python = environment(folder)
    install(python, "--no-deps", "--no-index", str(wheel))
    (packages,) = folder.glob("lib/python*/site-packages")
    ours = [path for path in sys.path if path.endswith("site-packages")]
    (packages / "dependencies.pth").write_text("\n".join(ours))
    return python


@pytest.mark.needs("database")
def test_the_module_of_an_installed_wheel_is_loaded(wheel: Path, tmp_path: Path) -> None:
    done = run(with_dependencies(tmp_path / "environment", wheel), TENSOR, tmp_path / "empty")

    assert done.returncode == 0, done.stdout + done.stderr
    size, trailer, where = done.stdout.split()
    assert (int(size), trailer) == (24, "TENSOR")
    assert where.startswith(str(tmp_path / "environment"))


def test_an_installed_wheel_without_a_module_says_what_is_missing(pure: Path, tmp_path: Path) -> None:
    done = run(with_dependencies(tmp_path / "environment", pure), TENSOR, tmp_path / "empty")

    assert done.returncode == 1
    assert "MissingFileError: database: needs the server's module, which is not in this installation" in done.stderr
    assert [path.name for path in (tmp_path / "empty").rglob("*") if path.is_file()] == ["program.py"]
