"""A duration: seconds, a timedelta, or ``"HH:MM:SS"``."""

import re
from datetime import timedelta

from smartensemble.checks import FOREVER_S, plain
from smartensemble.errors import InputTypeError, InputValueError, shown

Duration = float | timedelta | str


def seconds(subject: str, duration: Duration) -> float:
    """A duration in seconds.

    >>> seconds("time", "01:30:00"), seconds("time", timedelta(minutes=1)), seconds("time", 2.5)
    (5400.0, 60.0, 2.5)
    """
    number = plain(duration)
    if isinstance(duration, timedelta):
        value = duration.total_seconds()
    elif isinstance(duration, str):
        if not (match := re.fullmatch(r"(?:(\d+)-)?(\d+):([0-5]?\d):([0-5]?\d)", duration)):
            raise InputValueError(f"{subject}: {shown(duration)} is no duration; give 'HH:MM:SS' or seconds")
        days, hours, minutes, rest = (int(part or 0) for part in match.groups())
        value = float(((days * 24 + hours) * 60 + minutes) * 60 + rest)
    elif isinstance(number, (int, float)) and not isinstance(number, bool):
        value = float(max(-1, min(number, FOREVER_S)))
    else:
        raise InputTypeError(f"{subject}: {shown(duration)} is no duration; give 'HH:MM:SS' or seconds")
    if not value > 0:
        raise InputValueError(f"{subject}: {shown(duration)} is not above zero; leave it out for no limit")
    return value
