"""A duration is seconds, a timedelta or a clock, and above zero."""

from datetime import timedelta

import numpy as np
import pytest

from smartensemble import BatchSettings, RunSettings
from smartensemble.duration import seconds
from smartensemble.errors import InputTypeError, InputValueError


@pytest.mark.parametrize(
    ("duration", "expected"),
    [
        (60, 60.0),
        (0.5, 0.5),
        (timedelta(hours=1), 3600.0),
        ("00:00:01", 1.0),
        ("1:30:00", 5400.0),
        ("100:00:00", 360000.0),
        ("1-00:00:00", 86400.0),
        (np.int64(5), 5.0),
        (np.float32(0.5), 0.5),
        (10**400, 1e300),
    ],
)
def test_a_duration_is_seconds_a_timedelta_or_a_clock(duration: float, expected: float) -> None:
    assert seconds("time", duration) == expected
    assert RunSettings("env", time_limit=duration).time_limit == expected
    assert BatchSettings(time=duration).time_limit == expected


@pytest.mark.parametrize("duration", [0, -1, 0.0, float("nan"), "0:00:00", timedelta(0), timedelta(-1)])
def test_a_duration_is_above_zero(duration: float) -> None:
    for make in (lambda: RunSettings("env", time_limit=duration), lambda: BatchSettings(time=duration)):
        with pytest.raises(InputValueError, match=r"^time(_limit)?: .* is not above zero; leave it out for no limit$"):
            make()


@pytest.mark.parametrize("duration", ["x", "10", "1:2", "1:60:00", "00:00:60", "1:1:1:1", " 1:00:00", "1:00:00\n", "-1:00:00"])
def test_text_that_is_no_duration_is_a_value_error(duration: str) -> None:
    with pytest.raises(InputValueError) as caught:
        seconds("time", duration)

    assert str(caught.value) == f"time: {duration!r} is no duration; give 'HH:MM:SS' or seconds"


@pytest.mark.parametrize("duration", [True, b"1", [], None, 1j])
def test_what_is_no_duration_is_a_type_error(duration: float) -> None:
    with pytest.raises(InputTypeError, match=r"^time: .* is no duration; give 'HH:MM:SS' or seconds$"):
        seconds("time", duration)
