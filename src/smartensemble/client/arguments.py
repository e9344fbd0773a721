"""What a call of the client was given, as what it needs, or an error."""

from operator import index
from typing import TypeVar

from smartensemble.errors import InputTypeError, shown

Kind = TypeVar("Kind")


def text(subject: str, value: object) -> str:
    """`value`, which must be text."""
    if not isinstance(value, str):
        raise InputTypeError(f"{subject}: {shown(value)} is no text; give text")
    return value


def instance(subject: str, value: object, kind: type[Kind]) -> Kind:
    """`value`, which must be of this class."""
    if not isinstance(value, kind):
        raise InputTypeError(f"{subject}: {shown(value)} is no {kind.__name__}; give one")
    return value


def integer(subject: str, value: object) -> int:
    """`value`, which must be a whole number: Python's or NumPy's, also one below zero."""
    try:
        return index(None if isinstance(value, bool) else value)  # type: ignore[arg-type]
    except TypeError:
        raise InputTypeError(f"{subject}: {shown(value)} is no whole number; give one") from None


def names(subject: str, value: object) -> list[str]:
    """The names in `value`: one, several, or none."""
    if value is None:
        return []
    if isinstance(value, str):
        return [value]
    if not isinstance(value, (list, tuple)):
        raise InputTypeError(f"{subject}: {shown(value)} is no name and no list of names; for example ['x', 'y']")
    return [text(f"{subject}[{number}]", each) for number, each in enumerate(value)]
