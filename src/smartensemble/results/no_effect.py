"""What a caller asked for and this machine, or this version, does nothing with: said once each, and kept for a report."""

from smartensemble.results import notes

logger = notes.logger(__name__)

_said: dict[str, None] = {}  #: the lines, in order


def no_effect(subject: str, why: str) -> None:
    """Say that `subject` has no effect, and why; once for each subject and reason.

    >>> no_effect("set_nodes", "there is no run command")
    >>> said()[-1]
    'set_nodes: has no effect, because there is no run command'
    """
    line = f"{subject}: has no effect, because {why}"
    if line not in _said:
        _said[line] = None
        logger.warning(line)


def said() -> list[str]:
    """What had no effect since this process began, in the order in which it was said."""
    return list(_said)


def forget() -> None:
    """Begin anew: each is said once more."""
    _said.clear()
