"""How old a file is, whatever clocks say: those of this process, and of the one that wrote it."""

import os
import time
from pathlib import Path

import pytest

from smartensemble.runtime.journal.age import age_s

HOUR = 3600.0


def age(path: Path) -> float:
    with path.open("rb") as file:
        return age_s(file)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.touch()
    return path


def stamp(path: Path, ago: float) -> None:
    now = path.stat().st_mtime
    os.utime(path, (now - ago, now - ago))


def test_a_file_is_as_old_as_its_time_stamp_says(file: Path) -> None:
    stamp(file, HOUR)

    assert HOUR <= age(file) < 2 * HOUR


def test_a_clock_of_ours_that_is_wrong_changes_nothing(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 0.0)
    monkeypatch.setattr(time, "time_ns", lambda: 0)
    stamp(file, HOUR)

    assert HOUR <= age(file) < 2 * HOUR


def test_a_time_stamp_in_the_future_is_of_now(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock has stepped back since. From now on the file ages by a clock that does not."""
    stamp(file, -HOUR)
    assert age(file) < HOUR

    later = time.monotonic() + HOUR
    monkeypatch.setattr(time, "monotonic", lambda: later)

    assert HOUR <= age(file) < 2 * HOUR


def test_a_file_that_changed_while_it_was_watched_is_no_older_than_that(file: Path) -> None:
    age(file)

    stamp(file, HOUR)  # it was renewed, after the clock that says when had stepped back

    assert age(file) < HOUR


def test_asking_leaves_nothing_behind(file: Path) -> None:
    age(file)

    assert os.listdir(file.parent) == ["file"]
