"""A Python process that a page starts reports what it enters, and changes nothing for its user.

Tests _site.sitecustomize.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tutorkit.running.trace import Tracer, environment


@pytest.fixture
def tracer(tmp_path: Path) -> Tracer:
    """The tracer of a page's process, which enters nothing itself."""
    for folder in ("reports", "src"):
        (tmp_path / folder).mkdir()
    (tmp_path / "src" / "shapes.py").write_text("def a():\n    return 1\n\ndef b():\n    return 2\n")
    return Tracer((str(tmp_path / "src"),), str(tmp_path / "reports"), str(tmp_path / "src"))


def python(tracer: Tracer, code: str) -> str:
    """What a Python process prints that finds shapes.py."""
    env = os.environ | environment(tracer.roots, tracer.directory, tracer.root)
    env["PYTHONPATH"] += os.pathsep + tracer.root
    argv = [sys.executable, "-c", code]
    return subprocess.run(argv, cwd=tracer.directory, env=env, stdout=-1, text=True, check=True).stdout


def test_what_a_child_enters_belongs_to_the_block_that_runs_then(tracer: Tracer) -> None:
    tracer.block("page-1")
    python(tracer, "import shapes; shapes.a()")
    first = tracer.entered()
    tracer.block("page-2")
    python(tracer, "import shapes; shapes.b()")

    assert (first, tracer.entered()) == ({"shapes:a"}, {"shapes:b"})


def test_a_child_that_leaves_by_os_exit_reports_too(tracer: Tracer) -> None:
    tracer.block("page-1")

    python(tracer, "import os, shapes; shapes.a(); os._exit(0)")

    assert tracer.entered() == {"shapes:a"}


def test_the_files_that_a_child_reads_are_known(tracer: Tracer) -> None:
    tracer.block("page-1")

    python(tracer, "import shapes; open(shapes.__file__).read()")

    assert tracer.seen()["opened"] == [f"{tracer.root}shapes.py"]


def test_a_sitecustomize_of_the_users_own_runs_as_before(
    tracer: Tracer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "sitecustomize.py").write_text("print('mine')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "own"))

    assert python(tracer, "import sitecustomize; print(sitecustomize.__file__)").split() == [
        *["mine", str(tmp_path / "own" / "sitecustomize.py")]
    ]
