"""A program is found when its settings are made, and one that cannot run is an error then."""

import os
import sys
from pathlib import Path

import pytest

from smartensemble import RunSettings
from smartensemble.errors import InputTypeError, InputValueError, MissingFileError, NotExecutableError


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a program, a file that is none, and a directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bin").mkdir()
    for name in ("melt", "bin/melt", "my melt"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    (tmp_path / "in.melt").touch(0o644)
    return tmp_path


@pytest.mark.parametrize("exe", ["melt", "./melt", "bin/melt", "bin/../melt", "my melt", Path("melt")])
def test_a_program_is_found_below_the_working_directory(home: Path, exe: str | Path) -> None:
    assert RunSettings(exe).exe == str((home / exe).resolve())


def test_a_program_on_path_is_found_first(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "bin")

    assert RunSettings("melt").exe == f"{home}/bin/melt"


@pytest.mark.parametrize(
    ("exe", "error", "message"),
    [
        ("nope", MissingFileError, "nope: no such program on PATH; give its path, or install it"),
        ("./nope", MissingFileError, "./nope: no such program; give the path of one that is there"),
        (
            "melt -in x",
            MissingFileError,
            "melt -in x: no such program on PATH; give its name alone, and its arguments as exe_args",
        ),
        ("in.melt", NotExecutableError, "in.melt: may not be executed; run chmod +x in.melt"),
        ("bin", NotExecutableError, "bin: is a directory; give the program in it"),
        ("", InputValueError, "exe: '' is no program; give its name or path"),
        (" ", InputValueError, "exe: ' ' is no program; give its name or path"),
        ("a\0b", InputValueError, "exe: 'a\\x00b' holds a NUL character, which no program can receive; take it out"),
        *(
            (exe, InputTypeError, f"exe: {exe!r} is no program; give its name or path, and its arguments as exe_args")
            for exe in (None, 1, True, b"melt", ["melt"], [])
        ),
    ],
)
def test_a_program_that_cannot_run_is_an_error_at_once(exe: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        RunSettings(exe)

    assert str(caught.value) == message


def test_a_program_beside_this_python_is_pointed_to(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(home / "bin" / "python"))
    (home / "melt").unlink()

    with pytest.raises(FileNotFoundError, match=r"there is .*/bin/melt: give that, or activate the environment"):
        RunSettings("melt")


@pytest.mark.parametrize("name", ["python", "python3"])
def test_another_python_than_the_drivers_is_mentioned_once(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / name).write_text("#!/bin/sh\n")
    (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    found = [RunSettings(name).exe for _ in range(2)]

    assert found == [f"{tmp_path}/{name}"] * 2
    said = f"{name}: is {tmp_path}/{name} on PATH, and this program runs in {sys.executable}; give sys.executable for the same"
    assert [record.getMessage() for record in caplog.records] == [said]


def test_the_python_of_the_driver_is_not_mentioned(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setenv("PATH", os.path.dirname(sys.executable))

    assert os.path.samefile(RunSettings("python").exe, sys.executable)
    assert RunSettings(sys.executable).exe == sys.executable
    assert caplog.records == []
