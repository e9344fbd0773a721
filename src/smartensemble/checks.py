"""Checks that several rooms share: each returns the value as the package needs it, or raises an error."""

import operator
import os
import stat
from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import PurePath
from typing import Any, BinaryIO

from smartensemble.errors import (
    AccessError,
    InputTypeError,
    InputValueError,
    MissingFileError,
    ParameterError,
    did_you_mean,
    located,
    printable,
    refused,
    shown,
)

LARGEST = 10**4000  #: of whole numbers: Python writes down no longer ones
FOREVER_S = 1e300  #: seconds
LONGEST_KEY = 1000  #: characters of the name of a model or script
MOST_ITEMS = 1_000_000  #: of a list of arguments or names; a generator may have no end


def names(subject: str, value: Any) -> list[str]:
    """`value` as names of hosts or features: one, or several.

    >>> names("set_hostlist", "n1"), names("set_hostlist", ("n1", "n2"))
    (['n1'], ['n1', 'n2'])
    """
    found = [value] if isinstance(value, str) else list(value) if isinstance(value, (set, frozenset)) else listed(value)
    if found is None:
        raise InputTypeError(f"{subject}: {shown(value)} is no name and no list of names; for example ['n1', 'n2']")
    if not found or not all(isinstance(name, str) and name.strip() and name.isprintable() for name in found):
        raise InputTypeError(f"{subject}: {shown(value)} holds what is no name; for example ['n1', 'n2']")
    return found


def positive(subject: str, value: object) -> int:
    """`value` as a whole number above zero, or an error."""
    number = _index(subject, value, 0)
    if isinstance(value, bool) or number < 1:
        kind = ParameterError if isinstance(value, int) else InputTypeError
        raise kind(f"{subject}: {shown(value)} is not a whole number above zero; for example {subject}=4")
    return number


def whole(subject: str, value: object) -> int:
    """`value` as a whole number that is not below zero, or an error."""
    number = _index(subject, value, -1)
    if isinstance(value, bool) or number < 0:
        kind = ParameterError if isinstance(value, int) else InputTypeError
        raise kind(f"{subject}: {shown(value)} is not a whole number, zero or more; for example {subject}=7")
    return number


def _index(subject: str, value: object, otherwise: int) -> int:
    """`value` as a whole number, or `otherwise` if it is none."""
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        return otherwise
    if abs(number) > LARGEST:
        raise ParameterError(f"{subject}: {shown(value)} is larger than anything that can be counted; give a smaller number")
    return number


def plain(value: object) -> object:
    """The scalar of another library as the Python number that prints the same; anything else as it is.

    >>> import numpy
    >>> plain(numpy.float32(0.1)), plain(numpy.int64(3)), plain("text")
    (0.1, 3, 'text')
    """
    item = getattr(value, "item", None)
    strange = isinstance(value, type) or type(value).__name__ == "MaskedConstant"
    if not callable(item) or getattr(value, "ndim", 0) != 0 or strange:
        return value
    try:
        number = item()
    except Exception:  # a tensor whose value is elsewhere, or nowhere
        return value
    try:
        return float(str(value)) if isinstance(number, float) else number
    except ValueError:  # torch's print more than the number
        return number


def listed(value: object, most: int = MOST_ITEMS) -> list[Any] | None:
    """The items of `value`; None if it has none, or no order of them, or no end."""
    if isinstance(value, (str, bytes, bytearray, memoryview, Mapping, set, frozenset)):
        return None
    try:
        items = list(islice(iter(value), most + 1))  # type: ignore[call-overload]
    except TypeError:  # an array without dimensions claims that it can be iterated
        return None
    return items if len(items) <= most else None


def empty(value: object) -> bool:
    """Whether `value` says that nothing is given. The truth of an array or of a stranger's object is nobody's business."""
    return value is None or (isinstance(value, (str, list, tuple, bool, int)) and not value)


def flag(subject: str, value: Any) -> bool:
    """`value`, which must be true or false, because even the text ``"no"`` would count as true."""
    if isinstance(value, bool):
        return value
    if type(value := plain(value)) in (bool, int) and value in (0, 1):
        return bool(value)
    raise InputTypeError(f"{subject}: {shown(value)} is neither True nor False; give one of them")


def span(subject: str, value: object) -> float:
    """`value` as seconds, zero or more; infinity is no limit."""
    number = plain(value)
    if isinstance(number, bool) or not isinstance(number, (int, float)):
        raise InputTypeError(f"{subject}: {shown(value)} is no number of seconds; for example {subject}=10")
    if not number >= 0:
        raise InputValueError(f"{subject}: {shown(value)} is no time; give seconds, zero or more")
    return float(min(number, FOREVER_S))


def one_of(subject: str, value: object, known: Iterable[str]) -> str:
    """`value`, which must be one of the words `known`."""
    if not isinstance(value, str):
        raise InputTypeError(f"{subject}: {shown(value)} is no text; there are {', '.join(known)}")
    if value not in (known := list(known)):
        raise InputValueError(f"{subject}: there is no {shown(value)}{did_you_mean(value, known)}")
    return value


def check_name(kind: str, name: object) -> None:
    """An error, unless `name` can name a directory."""
    if not isinstance(name, str):
        raise InputTypeError(f"{kind}: name is {shown(name)}; a name is text")
    if not name or "/" in name or name.startswith(".") or not name.isprintable() or name != name.strip():
        raise InputValueError(
            f"{kind}: {shown(name)} cannot name a directory; use a name without '/', leading dot or outer blanks"
        )
    if len(name.encode()) > 200:
        raise InputValueError(f"{kind}: {name[:20]!r}... has {len(name.encode())} bytes; a name may have 200")


def check_key(subject: str, name: object) -> str:
    """`name`, which can name a model or script in a database."""
    if not isinstance(name, str):
        raise InputTypeError(f"{subject}: name is {shown(name)}; the name of a model or script is text")
    if not name or printable(name) != name or len(name) > LONGEST_KEY:
        raise InputValueError(f"{subject}: {shown(name)} is no name; give the name that clients run it by")
    return name


def absolute_path(name: str, path: object) -> str:
    """`path` as an absolute path, or an error if it is not a path."""
    if not isinstance(path, (str, PurePath)):
        raise InputTypeError(f"{name}: path is {shown(path)}; give text or a pathlib.Path")
    if not str(path) or not passable(str(path)):
        raise InputValueError(f"{name}: path {shown(str(path))} cannot be a directory; give one, or leave it out")
    return os.path.abspath(path)


def word(subject: str, value: object) -> str:
    """`value` as a word that is a name somewhere else: of an interface, of an account."""
    if not isinstance(value, str):
        raise InputTypeError(f"{subject}: {shown(value)} is no name; give its name, which is text")
    if not value.strip() or not value.isprintable():
        raise InputValueError(f"{subject}: {shown(value)} is no name; give its name")
    return value


def path_text(subject: str, path: object) -> str:
    """`path` as text that the system takes, or an error if it is no path."""
    if not isinstance(path, (str, PurePath)):
        raise InputTypeError(f"{subject}: {shown(path)} is no path; give text or a pathlib.Path")
    if not str(path) or not passable(str(path)):
        raise InputValueError(f"{subject}: {shown(str(path))} is no path; give the path of a file or directory")
    return str(path)


def passable(text: str) -> bool:
    """Whether the system takes `text` in a name, an argument or a variable."""
    try:
        return b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:
        return False


def working_directory(subject: str) -> str:
    """The working directory, or an error if somebody has deleted it."""
    try:
        return os.getcwd()
    except OSError as error:
        raise refused(subject, error) from None


# --- files -------------------------------------------------------------------------------------------------------------------

KINDS = {
    stat.S_IFDIR: "a directory",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFLNK: "a link",
}


def opened(path: str | PurePath, subject: str = "") -> BinaryIO:
    """The file `path`, to be read. What is no file is an error: a FIFO or a device might never end.

    :raises MissingFileError: there is none.
    :raises AccessError: it cannot be read.
    """
    subject += ": " * bool(subject)
    try:
        mode = os.stat(path).st_mode
        if stat.S_ISREG(mode) or stat.S_ISDIR(mode):  # of which the system says that it is none
            return open(path, "rb")
    except FileNotFoundError:
        raise MissingFileError(f"{subject}no file {located(str(path))}; give the path of one that is there") from None
    except OSError as error:
        raise refused(subject.removesuffix(": "), error) from None
    except ValueError:
        raise InputValueError(f"{subject}{shown(path)} can name no file; give the path of one that is there") from None
    raise AccessError(f"{subject}{located(str(path))} is {KINDS[stat.S_IFMT(mode)]}; give a file, or move it away")


def writable(subject: str, path: object) -> str:
    """`path` as that of a file to write, or an error: nobody may read what goes into a FIFO."""
    text = path_text(subject, path)
    try:
        mode = os.stat(text).st_mode
    except FileNotFoundError:
        return text
    except OSError as error:
        raise refused(subject, error) from None
    if not stat.S_ISREG(mode) and not stat.S_ISCHR(mode):
        raise AccessError(f"{subject}: {located(text)} is {KINDS[stat.S_IFMT(mode)]}; give the path of a file")
    return text


def read(path: str | PurePath, subject: str = "") -> bytes:
    """The content of the file `path`, or an error of ours: see :func:`opened`."""
    with opened(path, subject) as file:
        return file.read()
