"""Whether directories can be made where they shall be: known before anything is written."""

import os
import stat
from collections.abc import Mapping

from smartensemble.errors import AccessError, NoDirectoryError, NoPermissionError, located, refused

LONGEST_NAME = 250  #: bytes of a name, which has four more while it is written
LONGEST_PATH = 4000  #: bytes, to which names of files are added


def check_places(names: Mapping[str, str]) -> None:
    """An error, unless each of some directories, by their paths with the names of their members, can be made.

    :raises NoDirectoryError: it would be below a file.
    :raises AccessError: the system would refuse it.
    """
    homes: set[str] = set()
    for path, subject in names.items():
        home, name = os.path.split(path)
        if len(os.fsencode(name)) > LONGEST_NAME or len(os.fsencode(path)) > LONGEST_PATH:
            raise AccessError(f"{subject}: {located(path)} is too long for a directory; give a shorter path")
        if home not in homes:
            _check_home(subject, home)
            homes.add(home)


def _check_home(subject: str, home: str) -> None:
    """An error, unless something can be made in `home`, or `home` itself can be made."""
    try:
        mode = os.stat(home).st_mode
    except FileNotFoundError:
        if os.path.islink(home):
            raise NoDirectoryError(
                f"{subject}: {located(home)} is a link to nothing; move it away, or give another path"
            ) from None
        _check_home(subject, os.path.dirname(home))
        return
    except NotADirectoryError:
        raise NoDirectoryError(f"{subject}: {located(home)} is below a file; move that away, or give another path") from None
    except OSError as error:
        raise refused(subject, error) from None
    if not stat.S_ISDIR(mode):
        raise NoDirectoryError(f"{subject}: {located(home)} is no directory; move it away, or give another path")
    if not allowed(home, os.W_OK | os.X_OK):
        raise NoPermissionError(f"{subject}: {located(home)} may not be written; run chmod u+wx, or give another path")


def allowed(path: str, mode: int) -> bool:
    """Whether this process may do that with `path`, by the rights that it has now, where the system can say so."""
    return os.access(path, mode, effective_ids=os.access in os.supports_effective_ids)
