"""What can be wrong with a page or with what was asked: ``subject: what is wrong; what would be right``."""


class TutorkitError(Exception):
    """The base of every error that tutorkit raises."""


class PageError(TutorkitError, ValueError):
    """A page cannot be read, or says something that has no meaning; the message begins with ``file:line``."""


class ConfigError(TutorkitError, ValueError):
    """The section ``[tool.tutorkit]`` says something that has no meaning."""
