"""Lines in the log of a member: in the file SR_LOG_FILE, by the level SR_LOG_LEVEL, as SmartRedis writes them."""

import os
import sys
import time
from enum import IntEnum

from smartensemble.client.descriptions import LOG
from smartensemble.docstrings.described import calls_described_by, described_by
from smartensemble.errors import InputTypeError, InputValueError, printable, public, refused, shown


class LoggingLevel(IntEnum):
    """How much is logged: a line is, if its level is at most that of SR_LOG_LEVEL."""

    LLQuiet = 1  #: QUIET: nothing
    LLInfo = 2  #: INFO, the default
    LLDebug = 3  #: DEBUG
    LLDeveloper = 4  #: DEVELOPER


LLQuiet, LLInfo, LLDebug, LLDeveloper = LoggingLevel
WORDS = dict(zip(("quiet", "info", "debug", "developer"), LoggingLevel, strict=True))


@public
@described_by(LOG)
def log_data(context: str, level: LoggingLevel, data: str) -> None:
    """Log a line.

    >>> log_data("melt", LLInfo, "halfway")
    melt@...:halfway
    """
    _log(context, level, "", data)


@public
@described_by(LOG)
def log_warning(context: str, level: LoggingLevel, data: str) -> None:
    """Log a line that begins with ``WARNING``.

    >>> log_warning("melt", LLInfo, "it is hot")
    melt@...:WARNING: it is hot
    """
    _log(context, level, "WARNING: ", data)


@public
@described_by(LOG)
def log_error(context: str, level: LoggingLevel, data: str) -> None:
    """Log a line that begins with ``ERROR``.

    >>> log_error("melt", LLInfo, "it is too hot")
    melt@...:ERROR: it is too hot
    """
    _log(context, level, "ERROR: ", data)


@public
@calls_described_by(LOG)
class SRObject:
    """What has a log: a client, a dataset, a context. Lines begin with its name.

    :param context: the name.
    :raises InputTypeError: it is no text.
    """

    def __init__(self, context: str) -> None:
        self._context = _checked("context", context)

    def log_data(self, level: LoggingLevel, data: str) -> None:
        """Log a line."""
        _log(self._context, level, "", data)

    def log_warning(self, level: LoggingLevel, data: str) -> None:
        """Log a line that begins with ``WARNING``."""
        _log(self._context, level, "WARNING: ", data)

    def log_error(self, level: LoggingLevel, data: str) -> None:
        """Log a line that begins with ``ERROR``."""
        _log(self._context, level, "ERROR: ", data)


@described_by(SRObject)
class LogContext(SRObject):
    """A part of a program that has lines of its own in the log.

    >>> LogContext("solver").log_data(LLInfo, "converged")
    solver@...:converged
    """


def _log(context: str, level: LoggingLevel, kind: str, data: str) -> None:
    _checked("context", context), _checked("data", data)
    if not isinstance(level, int) or isinstance(level, bool) or level not in tuple(LoggingLevel):
        raise InputTypeError(f"level: {shown(level)} is no level; give LLInfo, LLDebug or LLDeveloper")
    if level > log_level(os.environ.get("SR_LOG_LEVEL", "")):
        return
    line = f"{context}@{time.strftime('%H-%M-%S')}:{kind}{printable(data)}"
    if not (path := os.environ.get("SR_LOG_FILE")):
        print(line, file=sys.stdout, flush=True)
        return
    try:
        with open(path, "a", encoding="utf-8") as file:
            file.write(line + "\n")
    except OSError as error:
        raise refused("SR_LOG_FILE", error) from None


def log_level(word: str) -> LoggingLevel:
    """The level that SR_LOG_LEVEL names.

    >>> log_level("debug"), log_level("")
    (<LoggingLevel.LLDebug: 3>, <LoggingLevel.LLInfo: 2>)
    """
    if word and word.lower() not in WORDS:
        raise InputValueError(f"SR_LOG_LEVEL: {shown(word)} is no level; set it to QUIET, INFO, DEBUG or DEVELOPER")
    return WORDS[word.lower()] if word else LoggingLevel.LLInfo


def _checked(subject: str, value: object) -> str:
    if not isinstance(value, str):
        raise InputTypeError(f"{subject}: {shown(value)} is no text; give text")
    return value
