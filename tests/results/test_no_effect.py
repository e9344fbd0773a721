"""What has no effect is said once, and all of it can be listed."""

import logging
from collections.abc import Iterator

import pytest

from smartensemble.results.no_effect import forget, no_effect, said


@pytest.fixture(autouse=True)
def _anew() -> Iterator[None]:
    forget()
    yield
    forget()


def test_the_same_is_said_once_and_another_reason_again(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)

    for why in ("there is no scheduler", "there is no scheduler", "there is no job"):
        no_effect("time", why)

    lines = ["time: has no effect, because there is no scheduler", "time: has no effect, because there is no job"]
    assert (caplog.messages, said()) == (lines, lines)


def test_nothing_is_said_in_the_beginning() -> None:
    assert said() == []
