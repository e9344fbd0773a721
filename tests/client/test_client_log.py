"""What a program logs is in the file of its member, by level, as SmartRedis' client writes it.

Tests log.
"""

import re
from pathlib import Path
from typing import Any

import pytest

from smartensemble.client import LLDebug, LLDeveloper, LLInfo, LLQuiet, LogContext, log_data, log_error, log_warning
from smartensemble.errors import AccessError, InputTypeError, InputValueError

LEVELS = (LLQuiet, LLInfo, LLDebug, LLDeveloper)


@pytest.mark.parametrize(("word", "logged"), [("QUIET", 1), ("info", 2), ("", 2), ("Debug", 3), ("DEVELOPER", 4)])
def test_a_line_is_logged_by_its_level(word: str, logged: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SR_LOG_FILE", str(tmp_path / "log"))
    monkeypatch.setenv("SR_LOG_LEVEL", word)

    for level in LEVELS:
        log_data("m", level, str(int(level)))

    assert len((tmp_path / "log").read_text().splitlines()) == logged


def test_a_line_says_who_and_when(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SR_LOG_FILE", str(tmp_path / "log"))
    monkeypatch.delenv("SR_LOG_LEVEL", raising=False)

    log_warning("m", LLInfo, "hot")
    LogContext("solver").log_error(LLInfo, "too hot")

    lines = (tmp_path / "log").read_text()
    assert re.fullmatch(r"m@\d\d-\d\d-\d\d:WARNING: hot\nsolver@\d\d-\d\d-\d\d:ERROR: too hot\n", lines)


def test_without_a_file_it_is_on_standard_output(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SR_LOG_FILE", raising=False)
    monkeypatch.delenv("SR_LOG_LEVEL", raising=False)

    log_error("m", LLInfo, "\ud800")

    assert capsys.readouterr().out.endswith(":ERROR: \\ud800\n")


@pytest.mark.parametrize(
    ("arguments", "variables", "error"),
    [
        (("m", "info", "x"), {}, InputTypeError),
        (("m", True, "x"), {}, InputTypeError),
        (("m", 7, "x"), {}, InputTypeError),
        ((None, LLInfo, "x"), {}, InputTypeError),
        (("m", LLInfo, b"x"), {}, InputTypeError),
        (("m", LLInfo, "x"), {"SR_LOG_LEVEL": "loud"}, InputValueError),
        (("m", LLInfo, "x"), {"SR_LOG_FILE": "/"}, AccessError),
    ],
)
def test_what_cannot_be_logged_is_an_error(
    arguments: Any, variables: dict[str, str], error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SR_LOG_FILE", "SR_LOG_LEVEL"):
        monkeypatch.setenv(name, variables.get(name, ""))

    with pytest.raises(error, match=r"^\w+: .+; "):
        log_data(*arguments)
