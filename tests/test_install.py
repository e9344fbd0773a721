"""The lines of the pages that install from a clone: they are run in one, without a network, and then the first page is."""

import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import distributions, version
from pathlib import Path

import pytest

from tutorkit.config import load
from tutorkit.reading.pages import read
from tutorkit.teaching import download
from worlds.distributions import ROOT, START, copy, lines_that_install


@pytest.mark.needs("lmp")
def test_the_lines_that_install_from_a_clone_do_and_then_the_first_page_runs(tmp_path: Path) -> None:
    clone = copy(tmp_path / "clone")
    pages = {str(page.relative_to(ROOT)): lines_that_install(page) for page in sorted((ROOT / "docs").rglob("*.rst"))}
    pages = {page: pages[page] for page in sorted(pages, key=lambda page: page != START) if pages[page]}
    # What they depend on is here already. In an environment variable of pip, 0 is what switches an option --no-... on.
    ours = os.pathsep.join(path for path in sys.path if path.endswith("site-packages"))
    env = os.environ | {"PYTHONPATH": ours, "PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0"}

    again = [line for line in pages[START] if "pip" not in line]  # pip itself is not what may fail the second time
    script = "\n".join(["set -e", *(line for each in pages.values() for line in each), *again, f"tutorkit run {START}"])
    done = subprocess.run(["bash", "-c", script], cwd=clone, env=env, capture_output=True, text=True, check=False)
    where = [str(clone / ".venv/bin/python"), "-c", "import smartensemble; print(smartensemble.__file__)"]

    assert list(pages) == [START, "docs/howto/designs.rst", "docs/howto/models.rst", "docs/teach/afternoon.rst"]
    assert done.returncode == 0, done.stdout + done.stderr
    assert "does not provide the extra" not in done.stderr
    assert done.stdout.count("8 members, from melt_0 to melt_7") == 2
    assert (clone / "demo" / "melt.png").is_file()
    assert "five-minutes-with-lammps-5: passed" in done.stdout
    assert subprocess.check_output(where, cwd=tmp_path, text=True).startswith(str(clone / ".venv"))


@pytest.mark.needs("torch", "onnx", "tensorflow", "tflite")
def test_the_extras_bring_no_cuda_where_pytorch_is_for_cpus() -> None:
    """This environment is that of the lines in models.rst: PyTorch for CPUs, and everything that ``inference`` brings."""
    if not version("torch").endswith("+cpu"):
        pytest.skip(f"PyTorch {version('torch')} is not for CPUs alone")

    assert [each.name for each in distributions() if each.name.startswith(("nvidia-", "triton"))] == []


def test_the_landing_page_installs_by_the_line_of_start() -> None:
    (line,) = re.findall(r"``(pip install .*?)``", (ROOT / "docs" / "index.rst").read_text())

    assert line.replace("install", "install --quiet") in lines_that_install(ROOT / START)


@pytest.mark.needs("lmp")
def test_the_script_of_start_can_be_run_twice(tmp_path: Path) -> None:
    config = load(ROOT)
    assert config is not None
    script, _ = download.write(read(ROOT / START, ROOT), config, tmp_path)

    runs = [
        subprocess.run([sys.executable, script], cwd=tmp_path, capture_output=True, text=True, check=False) for _ in range(2)
    ]

    assert [(run.returncode, run.stderr) for run in runs if run.returncode] == []
    assert all("from 3.0 to 1.6" in run.stdout for run in runs)


def test_start_says_which_python_each_part_needs() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    (tensorflow,) = (need for need in project["project"]["optional-dependencies"]["tensorflow"] if "tensorflow" in need)
    table = dict(
        re.findall(
            r"^   \* - (.*)\n     - ([\d.]+ to [\d.]+|[\d.]+ or newer|[\d.]+);?", (ROOT / START).read_text(), re.MULTILINE
        )
    )

    assert project["project"]["requires-python"] == ">=3.11"
    assert tensorflow.endswith("; python_version < '3.14'")
    assert project["tool"]["tutorkit"]["conditions"]["smartredis"]["requires_python"] == "<3.12"
    assert table == {
        "smartensemble, tutorkit": "3.11 or newer",
        "the extra ``tensorflow``": "3.11 to 3.13",
        "the other extras": "3.11 or newer",
        "the SmartRedis client of members": "3.11",
    }
