"""Everything that can go wrong, in one tree.

Each class also inherits the built-in exception that a careful caller would expect, so ``except ValueError`` works:

.. display-only: the tree of the classes, which the reference lists one by one

::

    SmartEnsembleError
    ├── InputTypeError (TypeError)             a value of the wrong type, or a keyword that does not exist
    ├── InputValueError (ValueError)           a value of the right type that cannot be used
    │   ├── ParameterError                     a parameter without values, or with values in two places
    │   ├── StrategyError                      parameters that a strategy cannot expand
    │   ├── TagError                           an input file whose tags cannot be filled
    │   ├── CaseError                          arguments that are none of the five ways to initialize an Ensemble
    │   └── NotATensorError                    bytes that hold no tensor
    ├── UnsupportedError (NotImplementedError) what this machine or this version cannot do
    ├── EntityExistsError (ValueError)         a second model of the same name
    ├── MissingFileError (FileNotFoundError)   a program or file that is not there
    ├── NotExecutableError (PermissionError)   a program that may not be executed
    ├── NoDirectoryError (NotADirectoryError)  a directory that is not there
    ├── DirectoryExistsError (FileExistsError) a directory or file that would be overwritten
    ├── UnknownMemberError (KeyError)          a name that no member has
    ├── StateError (RuntimeError)              an act that does not fit what is running
    └── CommandError (ValueError)              a command to the database that is answered by an error

A message reads ``subject: what is wrong; what would be right``.
"""

from collections.abc import Callable, Iterable
from functools import wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class SmartEnsembleError(Exception):
    """The base of all errors raised by this package."""


class InputTypeError(SmartEnsembleError, TypeError):
    """A value of the wrong type, or a keyword that does not exist."""


class InputValueError(SmartEnsembleError, ValueError):
    """A value of the right type that cannot be used."""


class ParameterError(InputValueError):
    """A parameter without values, or with values in two places."""


class StrategyError(InputValueError):
    """Parameters that a strategy cannot expand."""


class TagError(InputValueError):
    """An input file whose tags cannot be filled."""


class CaseError(InputValueError):
    """Arguments that are none of the five ways to initialize an Ensemble."""


class NotATensorError(InputValueError):
    """Bytes that hold no tensor."""


class UnsupportedError(SmartEnsembleError, NotImplementedError):
    """What this machine or this version cannot do."""


class EntityExistsError(SmartEnsembleError, ValueError):
    """A second model of the same name."""


class MissingFileError(SmartEnsembleError, FileNotFoundError):
    """A program or file that is not there."""


class NotExecutableError(SmartEnsembleError, PermissionError):
    """A program that may not be executed."""


class NoDirectoryError(SmartEnsembleError, NotADirectoryError):
    """A directory that is not there."""


class DirectoryExistsError(SmartEnsembleError, FileExistsError):
    """A directory or file that would be overwritten."""


class UnknownMemberError(SmartEnsembleError, KeyError):
    """A name that no member has."""

    def __str__(self) -> str:
        return str(self.args[0])


class StateError(SmartEnsembleError, RuntimeError):
    """An act that does not fit what is running."""


class CommandError(SmartEnsembleError, ValueError):
    """A command to the database that is answered by an error; its text is the whole reply, as clients know it."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The end of a message about an unknown word: the most likely one, then all of them.

    >>> did_you_mean("stepp", ["all_perm", "step"])
    "; did you mean 'step'? There are all_perm, step"
    """
    from difflib import get_close_matches  # only for the message: an import of its own that few programs need

    known = list(known)
    close = get_close_matches(word, known, n=1)
    return (f"; did you mean {close[0]!r}? There are " if close else "; there are ") + ", ".join(known)


def strict(function: Callable[P, R]) -> Callable[P, R]:
    """`function`, which answers a misspelt keyword with the one that was probably meant.

    >>> strict(lambda *, replicas=None: replicas)(replica=4)
    Traceback (most recent call last):
    smartensemble.errors.InputTypeError: <lambda>: no argument 'replica'; did you mean 'replicas'? There are replicas
    """
    code = function.__code__
    known = [name for name in code.co_varnames[: code.co_argcount + code.co_kwonlyargcount] if name != "self"]
    subject = function.__qualname__.removesuffix(".__init__").rpartition("<locals>.")[2]
    owner, _, method = subject.rpartition(".")

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        for word in kwargs:
            if word not in known:
                who = f"{type(args[0]).__name__}.{method}" if owner and args else subject  # the method may be inherited
                raise InputTypeError(f"{who}: no argument {word!r}{did_you_mean(word, known)}")
        return function(*args, **kwargs)

    return call
