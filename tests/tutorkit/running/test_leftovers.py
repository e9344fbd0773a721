"""What a page leaves behind is said in words; what is nobody's fault is not."""

import os
from pathlib import Path
from typing import Any

import pytest

from tutorkit.running.leftovers import changed, leftovers, path_written

NOTHING: dict[str, Any] = {"processes": [], "temporary": [], "written": [], "variables": [], "directory": ""}


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({}, ""),
        ({"processes": ["sleep 9 (pid 7)"]}, "processes: sleep 9 (pid 7)"),
        ({"temporary": list("abcdefg")}, "temporary files: a, b, c, d, e"),
        ({"written": ["docs/x"], "variables": ["T", "P"]}, "files in the project: docs/x; environment variables: T, P"),
        ({"directory": "/tmp"}, "another working directory: /tmp"),
    ],
)
def test_it_is_said_in_words(found: dict[str, Any], said: str) -> None:
    assert leftovers(**NOTHING | found) == said


@pytest.mark.parametrize(
    ("event", "arguments", "path"),
    [
        ("open", ("a", "w", os.O_WRONLY | os.O_CREAT), "a"),
        ("open", (Path("a"), None, os.O_RDWR), "a"),
        ("open", ("a", "r", os.O_RDONLY), None),
        ("open", (b"a", "w", os.O_WRONLY), None),
        ("open", (3, "w", os.O_WRONLY), None),
        ("open", ("a", "w", None), None),
        ("os.mkdir", ("a", 0o777, -1), "a"),
        ("os.rename", ("a", "b", -1, -1), "b"),
        ("os.remove", ("a", -1), None),
    ],
)
def test_an_audited_event_writes_to_a_path_or_to_none(event: str, arguments: tuple[Any, ...], path: str | None) -> None:
    assert path_written(event, arguments) == path


def test_a_variable_that_every_shell_changes_is_no_change() -> None:
    assert changed({"PWD": "/a", "COLUMNS": "80", "A": "1"}, {"PWD": "/b", "A": "2", "B": ""}) == ["A", "B"]
