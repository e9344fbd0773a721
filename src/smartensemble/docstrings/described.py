"""An argument that several callables take is described once; ``help()``, editors in a notebook and the site show it at each."""

import re
from collections.abc import Callable, Iterable, Iterator
from inspect import cleandoc, unwrap
from typing import Any, TypeVar

Described = TypeVar("Described", bound=Callable[..., Any])
Owner = TypeVar("Owner")

#: A field of a docstring, with the lines that continue it.
FIELD = re.compile(r"^:(param|returns|raises)(?: (\w+))?:.*\n?(?:[ \t]+\S.*\n?)*", re.MULTILINE)


def described_by(*sources: Callable[..., Any] | str) -> Callable[[Described], Described]:
    """Add to a docstring what it lacks and `sources` have: descriptions of its own parameters, what it returns, and errors.

    A source is a callable, or the text of a docstring. What the docstring says itself stays.

    >>> def sleep(seconds):
    ...     '''Sleep.
    ...
    ...     :param seconds: how long.
    ...     '''
    >>> @described_by(sleep)
    ... def nap(seconds, place):
    ...     '''Sleep somewhere.
    ...
    ...     :param place: where.
    ...     '''
    >>> print(nap.__doc__)
    Sleep somewhere.
    <BLANKLINE>
    :param seconds: how long.
    :param place: where.
    """

    def describe(described: Described) -> Described:
        if described.__doc__ is not None:  # python -OO leaves docstrings out
            texts = (each if isinstance(each, str) else each.__doc__ or "" for each in sources)
            described.__doc__ = merged(described.__doc__, arguments(described), texts)
        return described

    return describe


def calls_described_by(*sources: Callable[..., Any] | str) -> Callable[[type[Owner]], type[Owner]]:
    """Add to the docstrings of a class's public methods, if they take something, what they lack and `sources` have.

    >>> @calls_described_by(":param seconds: how long.")
    ... class Bed:
    ...     def sleep(self, seconds):
    ...         '''Sleep.'''
    >>> print(Bed.sleep.__doc__)
    Sleep.
    <BLANKLINE>
    :param seconds: how long.
    """

    def describe(owner: type[Owner]) -> type[Owner]:
        for name, method in vars(owner).items():
            if hasattr(method, "__code__") and not name.startswith("_") and len(arguments(method)) > 1:
                described_by(*sources)(method)
        return owner

    return describe


def merged(docstring: str, names: Iterable[str], sources: Iterable[str]) -> str:
    """`docstring` with the fields that it lacks: of the parameters `names` in their order, then what it returns and raises.

    >>> merged("Sum.\\n\\n:raises OSError: never.", ["a", "b"], [":param b: one.\\n:param a: another."])
    'Sum.\\n\\n:param a: another.\\n:param b: one.\\n:raises OSError: never.'
    """
    text = cleandoc(docstring)
    own = dict(fields(text))
    known = {key: field for source in sources for key, field in fields(source)} | own
    keys = [*(("param", name) for name in names), ("returns", None), *(key for key in (own | known) if key[0] == "raises")]
    first = FIELD.search(text)
    at = first.start() if first else len(text)
    described = "\n".join(known[key] for key in keys if key in known)
    return "\n\n".join(part for part in (text[:at].strip(), described, FIELD.sub("", text[at:]).strip()) if part)


def fields(docstring: str) -> Iterator[tuple[tuple[str, str | None], str]]:
    """The fields of a docstring, by kind and name."""
    for match in FIELD.finditer(cleandoc(docstring)):
        yield (match[1], match[2]), match[0].rstrip()


def arguments(function: Any) -> tuple[str, ...]:
    """The names of the arguments of a function, or of the constructor of a class."""
    code = unwrap(function if hasattr(function, "__code__") else function.__init__).__code__
    stars = bool(code.co_flags & 0x04) + bool(code.co_flags & 0x08)
    names: tuple[str, ...] = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount + stars]
    return names
