"""The programs start from compiled files, with nothing of the user's, and leave nothing behind.

Tests __main__ and errors.
"""

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from smartensemble.runtime import standalone
from smartensemble.runtime.standalone.colocated import Wrapping
from worlds.patience import PATIENCE_S

FOLDER = Path(standalone.__path__[0])
FLAGS = ("-I", "-S")
SIBLINGS = sorted(path.stem for path in FOLDER.glob("*.py") if not path.stem.startswith("__"))


@pytest.fixture(autouse=True)
def flags(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of a user: where the sources are measured, programs run with site-packages."""
    assert (() if "COVERAGE_RUN" in os.environ else FLAGS) == standalone.FLAGS
    monkeypatch.setattr(standalone, "FLAGS", FLAGS)


def supervise(*command: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    """A supervisor whose driver has ended."""
    ours, theirs = socket.socketpair()
    ours.close()
    with theirs:
        argv = [*command, str(theirs.fileno()), "-1"]
        return subprocess.run(
            argv, pass_fds=[theirs.fileno()], cwd=cwd, capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )


def test_nothing_in_the_working_directory_is_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("signal", "json", "standalone", *SIBLINGS):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('imported')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    ended = supervise(*standalone.command("supervisor"), cwd=tmp_path)
    wrapping = Wrapping(name="model", variable="SSDB", server="/no/server")
    argv = [*standalone.command("colocated"), str(wrapping), "true"]
    wrapped = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE_S, check=False)

    assert (ended.returncode, ended.stderr) == (0, "")
    assert (wrapped.returncode, wrapped.stderr.splitlines()[-1].strip()) == (125, "/no/server: No such file or directory")


def test_no_module_of_the_standard_library_has_the_name_of_a_sibling() -> None:
    assert not {*SIBLINGS, "standalone"} & sys.stdlib_module_names


@pytest.mark.parametrize("prefix", [None, "cache"])
def test_they_start_from_compiled_files(prefix: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = tmp_path / prefix if prefix else None
    monkeypatch.setattr(sys, "pycache_prefix", cache and str(cache))
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    python, *flags, main, program = standalone.command("supervisor")
    supervise(python, *flags, main, program, cwd=tmp_path)

    ended = supervise(python, "-v", *flags, main, program, cwd=tmp_path)

    compiled = f"{cache}{FOLDER}" if cache else f"{FOLDER}/__pycache__"
    assert f"code object from '{compiled}/supervisor." in ended.stderr
    assert f"code object from '{FOLDER}/supervisor.py" not in ended.stderr


def test_they_write_no_compiled_files_where_python_was_told_not_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "standalone"
    shutil.copytree(FOLDER, folder, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(standalone, "__path__", [str(folder)])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    ended = supervise(*standalone.command("supervisor"), cwd=tmp_path)

    assert (ended.returncode, ended.stderr) == (0, "")
    assert not (folder / "__pycache__").exists()
