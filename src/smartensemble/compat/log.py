"""SmartSim's logger for drivers, by the standard library."""

import logging
import os
import sys
from typing import TextIO

from smartensemble.checks import empty, one_of, writable
from smartensemble.errors import InputTypeError, InputValueError, public, shown

DEFAULT_DATE_FORMAT = "%H:%M:%S"
DEFAULT_LOG_FORMAT = "%(asctime)s %(name)s[%(process)d:%(threadName)s] %(levelname)s %(message)s"

#: SmartSim's levels, which the variable SMARTSIM_LOG_LEVEL has too, by those of the standard library.
LEVELS = {"quiet": "WARNING", "warning": "WARNING", "info": "INFO", "debug": "DEBUG", "developer": "DEBUG"}

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
