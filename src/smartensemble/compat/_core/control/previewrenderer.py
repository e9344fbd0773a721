"""The words by which a driver chooses how much a preview shows, and how."""

from enum import StrEnum


class Verbosity(StrEnum):
    """How much it shows: here always all of it."""

    INFO = "info"
    DEBUG = "debug"
    DEVELOPER = "developer"


class Format(StrEnum):
    """How it shows it."""

    PLAINTEXT = "plain_text"
