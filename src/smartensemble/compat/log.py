"""SmartSim's logger for drivers, by the standard library."""

import logging
import os
import socket
import sys
from collections.abc import Callable
from typing import TextIO

from smartensemble.checks import empty, one_of, writable
from smartensemble.errors import InputTypeError, InputValueError, public, shown

DEFAULT_DATE_FORMAT = "%H:%M:%S"
DEFAULT_LOG_FORMAT = "%(asctime)s %(name)s[%(process)d:%(threadName)s] %(levelname)s %(message)s"
EXPERIMENT_LOG_FORMAT = DEFAULT_LOG_FORMAT

#: SmartSim's levels, which the variable SMARTSIM_LOG_LEVEL has too, by those of the standard library.
LEVELS = {"quiet": "WARNING", "warning": "WARNING", "info": "INFO", "debug": "DEBUG", "developer": "DEBUG"}

#: The standard library's.
LEVEL_NAMES = tuple(logging.getLevelNamesMapping())

#: The drivers' logger, and this package's own.
LOGGERS = ("SmartSim", "smartensemble")


class Lines(logging.StreamHandler[TextIO]):
    """Lines on a stream. What cannot be written is lost, and the driver goes on."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the standard library calls it so
        """Say nothing."""


class FileLines(logging.FileHandler):
    """Lines in a file. What cannot be written is lost, and the driver goes on."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the standard library calls it so
        """Say nothing."""


@public
class LowPassFilter(logging.Filter):
    """Lets pass what is not above a level.

    >>> line = logging.makeLogRecord({"levelno": logging.ERROR})
    >>> LowPassFilter("INFO").filter(line), LowPassFilter("ERROR").filter(line)
    (False, True)
    """

    def __init__(self, maximum_level: str = "INFO") -> None:
        """A filter up to the level of that name."""
        super().__init__()
        self.max = maximum_level

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether `record` may pass."""
        return _record(record).levelno <= logging.getLevelNamesMapping()[one_of("maximum_level", self.max, LEVEL_NAMES)]


@public
class HostnameFilter(logging.Filter):
    """Gives each line the name of this machine, for formats with ``%(hostname)s``."""

    @property
    def hostname(self) -> str:
        """The name of this machine."""
        return socket.gethostname()

    def filter(self, record: logging.LogRecord) -> bool:
        """Let `record` pass, with the name."""
        _record(record).hostname = getattr(record, "hostname", self.hostname)
        return True


def _record(record: object) -> logging.LogRecord:
    if not isinstance(record, logging.LogRecord):
        raise InputTypeError(f"filter: {shown(record)} is no line of a log; add the filter to a handler")
    return record


@public
def get_logger(name: str, log_level: str | None = None, fmt: str | None = None) -> logging.Logger:
    """The logger of all drivers, which writes to standard output.

    :param name: names the logger only where the variable SMARTSIM_LOG_LEVEL is ``developer``; else it is SmartSim.
    :param log_level: ``quiet``, ``info``, ``debug`` or ``developer``; by default what SMARTSIM_LOG_LEVEL says, or ``info``.
    :param fmt: the format of its lines.
    """
    wanted = os.environ.get("SMARTSIM_LOG_LEVEL", "info").lower()
    if not isinstance(name, str):
        raise InputTypeError(f"get_logger: name is {shown(name)}; give text, such as the name of the driver")
    _checked(wanted if empty(log_level) else log_level, fmt)
    logger = logging.getLogger(name if wanted == "developer" else LOGGERS[0])
    for handler in [handler for handler in logger.handlers if type(handler) in (logging.StreamHandler, Lines)]:
        logger.removeHandler(handler)
    _write(logger, Lines(sys.stdout), log_level or wanted, fmt)
    logger.propagate = False
    return logger


@public
def log_to_file(filename: str, log_level: str = "debug") -> None:
    """Write what is logged by drivers, and by this package, into a file as well."""
    _checked(log_level, None)
    handler = FileLines(writable("log_to_file: filename", filename), mode="w", encoding="utf-8")
    for name in LOGGERS:
        _write(logging.getLogger(name), handler, log_level, None)


@public
def log_to_exp_file(
    filename: str,
    logger: logging.Logger,
    log_level: str = "warn",
    fmt: str | None = EXPERIMENT_LOG_FORMAT,
    log_filter: logging.Filter | Callable[[logging.LogRecord], bool] | None = None,
) -> logging.Handler:
    """Write what `logger` logs at the end of a file as well. Returns the handler that does it."""
    _checked(log_level, fmt)
    path = writable("log_to_exp_file: filename", filename)
    if not isinstance(logger, logging.Logger):
        raise InputTypeError(f"log_to_exp_file: {shown(logger)} is no logger; give what get_logger returns")
    if not (log_filter is None or callable(getattr(log_filter, "filter", log_filter))):
        raise InputTypeError(f"log_to_exp_file: {shown(log_filter)} is no filter; give one of logging's, a function, or None")
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    handler = FileLines(path, mode="a", encoding="utf-8")
    handler.setFormatter(logging.Formatter(fmt or DEFAULT_LOG_FORMAT, DEFAULT_DATE_FORMAT))
    handler.setLevel(LEVELS.get(log_level.lower(), log_level.upper()))
    if log_filter is not None:
        handler.addFilter(log_filter)
    logger.addHandler(handler)
    return handler


def _checked(level: object, fmt: object) -> None:
    """An error, unless there is such a level, and such a format."""
    one_of(
        "log_level",
        level.lower() if isinstance(level, str) else level,
        [*LEVELS, *map(str.lower, logging.getLevelNamesMapping())],
    )
    if fmt is not None and not isinstance(fmt, str):
        raise InputTypeError(f"fmt: {shown(fmt)} is no text; for example {DEFAULT_LOG_FORMAT!r}")
    try:
        logging.Formatter(fmt or DEFAULT_LOG_FORMAT)
    except ValueError as error:
        raise InputValueError(
            f"fmt: {shown(fmt)} is no format ({shown(str(error))}); for example {DEFAULT_LOG_FORMAT!r}"
        ) from None


def _write(logger: logging.Logger, handler: logging.Handler, level: str, fmt: str | None) -> None:
    """Have `logger` write to `handler` what has at least this level, and take nothing from its other handlers."""
    handler.setLevel(LEVELS.get(level.lower(), level.upper()))
    handler.setFormatter(logging.Formatter(fmt or DEFAULT_LOG_FORMAT, DEFAULT_DATE_FORMAT))
    logger.addHandler(handler)
    logger.setLevel(min(each.level for each in logger.handlers))
