"""Everything that can go wrong, in one tree.

Each class also inherits the built-in exception that a careful caller would expect, so ``except ValueError`` works:

.. display-only: the tree of the classes, which the reference lists one by one

::

    SmartEnsembleError
    ├── InputTypeError (TypeError)             a value of the wrong type, or an unknown keyword
    ├── InputValueError (ValueError)           a value of the right type that cannot be used
    │   ├── ParameterError                     no values for a parameter, or in two places
    │   ├── StrategyError                      parameters that a strategy cannot expand
    │   ├── TagError                           an input file whose tags cannot be filled
    │   ├── CaseError                          none of the five ways to make an Ensemble
    │   └── NotATensorError                    bytes that hold no tensor
    ├── UnsupportedError (NotImplementedError) what this machine or this version cannot do
    ├── EntityExistsError (ValueError)         a second model of the same name
    ├── MissingFileError (FileNotFoundError)   a program or file that is not there
    ├── NotExecutableError (PermissionError)   a program that may not be executed
    ├── NoDirectoryError (NotADirectoryError)  a directory that is not there
    ├── DirectoryExistsError (FileExistsError) a directory or file that would be overwritten
    ├── AccessError (OSError)                  a file or directory that the system refuses
    │   └── NoPermissionError (PermissionError) for lack of a permission
    ├── UnknownMemberError (KeyError, IndexError) a name or a number that no member has
    ├── StateError (RuntimeError)              an act that does not fit what is running
    └── CommandError (ValueError)              a database's answer to a wrong command

A message reads ``subject: what is wrong; what would be right``. It is raised from the line that called: ``public``.
"""

import errno
import os
import sys
from collections.abc import Callable, Iterable
from functools import wraps
from types import CodeType, FunctionType
from typing import Any, TypeVar, cast

Public = TypeVar("Public", bound=Callable[..., Any])

LONGEST_SHOWN = 200  #: characters of a value in a message


class SmartEnsembleError(Exception):
    """The base of all errors raised by this package."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""  # not what a KeyError or an OSError makes of it


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


class AccessError(SmartEnsembleError, OSError):
    """What the system refuses: to read or write a file, to list a directory."""


class NoPermissionError(AccessError, PermissionError):
    """What the system refuses for lack of a permission."""


class UnknownMemberError(SmartEnsembleError, KeyError, IndexError):
    """A name or a number that no member has."""


class StateError(SmartEnsembleError, RuntimeError):
    """An act that does not fit what is running."""


class CommandError(SmartEnsembleError, ValueError):
    """A command to the database that is answered by an error; its text is the whole reply, as clients know it."""


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """The end of a message about an unknown word: the most likely one, then all of them.

    >>> did_you_mean("stepp", ["all_perm", "step"])
    "; did you mean 'step'? There are all_perm, step"
    """
    from difflib import get_close_matches  # only for the message: an import of its own that few programs need

    known = list(known)
    close = get_close_matches(word[:LONGEST_SHOWN], known, n=1) if isinstance(word, str) else []
    return (f"; did you mean {close[0]!r}? There are " if close else "; there are ") + ", ".join(known)


def shown(value: object) -> str:
    """`value` as a message shows it, whatever it is: no repr that is long, raises, or cannot be printed.

    >>> shown("text"), shown(10**5000), shown([0] * 1000)[-9:]
    ("'text'", 'an int that cannot be shown', ', 0, 0...')
    """
    try:
        text = repr(value)
    except Exception:  # it is the caller's own, and may raise anything
        return f"{'an' if type(value).__name__[0] in 'aeiou' else 'a'} {type(value).__name__} that cannot be shown"
    text = printable(text)
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 3]}..."


def located(path: str) -> str:
    """`path` as a message shows it."""
    path = path if path.isprintable() else repr(path)[1:-1]
    return path if len(path) <= 2 * LONGEST_SHOWN else f"{path[:LONGEST_SHOWN]}...{path[-LONGEST_SHOWN:]}"


def printable(text: str) -> str:
    """`text` without what no file and no terminal takes: half of a surrogate pair, as in a file name of another encoding."""
    return text.encode(errors="backslashreplace").decode()


# --- what a caller sees of a call --------------------------------------------------------------------------------------------

#: Methods that a user calls although their names begin with an underscore.
SPECIAL = ("__init__", "__getitem__", "__post_init__")
PACKAGE = os.path.join(os.path.dirname(__file__), "")
#: Our kinds of what the system refuses.
REFUSALS: dict[type[OSError], type[SmartEnsembleError]] = {
    PermissionError: NoPermissionError,
    FileNotFoundError: MissingFileError,
    NotADirectoryError: NoDirectoryError,
    FileExistsError: DirectoryExistsError,
}
#: What to do about what the system refuses, where that is not to make it accessible.
REMEDIES = {
    **dict.fromkeys((errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ELOOP), "move it away, or give another"),
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EMFILE, errno.ENFILE), "make room, and do it again"),
    errno.ENAMETOOLONG: "give a shorter one",
    errno.ENOENT: "give one that is there",
}


def public(named: Public) -> Public:
    """A function or a class that users call, whose errors are ours and come from the line that called.

    A misspelt keyword is answered with the one that was probably meant, what the system refuses is an AccessError, and what an
    argument of the caller's raises by itself is an InputValueError with that as its cause. The traceback of an error ends
    where the user called; ``python -X dev`` shows where in this package it was raised.

    >>> public(lambda *, replicas=None: replicas)(replica=4)
    Traceback (most recent call last):
    smartensemble.errors.InputTypeError: <lambda>: no argument 'replica'; did you mean 'replicas'? There are replicas
    """
    if isinstance(named, FunctionType):
        return cast(Public, _public_function(named))
    for name, value in list(vars(named).items()):
        if isinstance(value, FunctionType) and (name in SPECIAL or not name.startswith("_")):
            setattr(named, name, _public_function(value))
    return named


def _public_function(function: Any) -> Any:
    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except Exception as error:
            raise (made := _for_the_caller(error, function, args, kwargs)) from made.__cause__

    made = cast(FunctionType, call)
    made.__code__ = _in_place_of(made.__code__, function.__code__)
    return made


def _in_place_of(code: CodeType, other: CodeType) -> CodeType:
    """`code`, which a traceback shows as the first line of `other`: a reader has no use for the wrapper's own lines."""
    units = [8] * (len(code.co_code) // 16) + [len(code.co_code) // 2 % 8]
    lines = b"".join(bytes((0b1_1101_000 | count - 1, 0)) for count in units if count)  # Objects/locations.md of CPython
    return code.replace(
        co_name=other.co_name,
        co_qualname=other.co_qualname,
        co_filename=other.co_filename,
        co_firstlineno=other.co_firstlineno,
        co_linetable=lines,
    )


def _for_the_caller(error: Exception, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Exception:
    """`error`, which a call of `function` has raised, as its caller gets it."""
    trace = error.__traceback__.tb_next if error.__traceback__ else None
    if isinstance(error, SmartEnsembleError):
        return error if sys.flags.dev_mode else error.with_traceback(None)
    subject = _subject(function, args)
    if trace is None:  # it was not even entered: the arguments do not fit
        return _misspelt(subject, function, kwargs) or error.with_traceback(None)
    if isinstance(error, OSError):
        return refused(subject, error)
    while trace and trace.tb_frame.f_code.co_filename.startswith(PACKAGE):
        trace = trace.tb_next
    if trace is None:
        return error
    ours = InputValueError(f"{subject}: an argument raised {type(error).__name__} ({_words(error)}); give one that does not")
    ours.__cause__ = error.with_traceback(trace)
    return ours


def _subject(function: Any, args: tuple[Any, ...]) -> str:
    """What a message says of `function` when there is nothing better: ``Model``, ``Ensemble.extend``."""
    subject: str = function.__qualname__.rpartition("<locals>.")[2]
    owner, _, method = subject.rpartition(".")
    name = type(args[0]).__name__ if owner and args else owner  # the method may be inherited
    return ".".join(part for part in (name, method) if part and part not in SPECIAL)


def _misspelt(subject: str, function: Any, kwargs: Iterable[str]) -> InputTypeError | None:
    code = function.__code__
    known = [name for name in code.co_varnames[: code.co_argcount + code.co_kwonlyargcount] if name != "self"]
    for word in kwargs:
        if word not in known:
            return InputTypeError(f"{subject}: no argument {word!r}{did_you_mean(word, known)}")
    return None


def refused(subject: str, error: OSError) -> SmartEnsembleError:
    """The error of ours for what the system refuses, of the same built-in kind.

    >>> refused("melt", PermissionError(errno.EACCES, "Permission denied", "in.melt"))
    NoPermissionError('melt: in.melt: Permission denied; make it accessible, or give another')
    """
    kind = next((ours for builtin, ours in REFUSALS.items() if isinstance(error, builtin)), AccessError)
    made: Any = kind(f"{subject}: {_refusal(error)}" if subject else _refusal(error))
    made.errno, made.strerror, made.filename = error.errno, error.strerror, error.filename
    return cast(SmartEnsembleError, made)


def _refusal(error: OSError) -> str:
    place = error.filename2 or error.filename
    if place is None and not _has_working_directory():
        return "the working directory was deleted; change into one that is there"
    named = isinstance(place, (str, bytes, os.PathLike)) and error.strerror
    what = f"{located(os.fsdecode(place))}: {error.strerror}" if named else error.strerror or _words(error)
    return f"{what}; {REMEDIES.get(error.errno or 0, 'make it accessible, or give another')}"


def _has_working_directory() -> bool:
    try:
        return bool(os.getcwd())
    except OSError:
        return False


def _words(error: Exception) -> str:
    """The message of `error`, on one line; it may be the caller's own kind of error."""
    try:
        return " ".join(str(error).split())[:LONGEST_SHOWN] or "without a word"
    except Exception:
        return "whose message cannot be shown"
