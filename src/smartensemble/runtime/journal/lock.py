"""One driver at a time generates and starts in a directory. Other drivers get an error that names it.

Each driver makes a file of its own, ``journal/lock-HOST-PID-...``, and then looks for those of others. Two that come at the
same moment both see each other and both step back; no file is ever taken over, so nothing can be taken from a driver that
lives. Whoever finds the file of a driver that died deletes it; the file names the process, and is its sign: see ``life.py``.
"""

import json
import os
import threading
import time
import weakref
from collections.abc import Iterator
from pathlib import Path

from smartensemble.checks import read
from smartensemble.errors import NoPermissionError, StateError
from smartensemble.runtime.journal.life import Life, life, unshared, way_out
from smartensemble.runtime.journal.process import Process
from smartensemble.runtime.standalone.journal_lines import RENEW_S, Sign


class Lock:
    """This process's right to generate and start in a directory, from `acquire` to `release`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._sign: Sign | None = None

    @property
    def name(self) -> str:
        """The file by which others know that this process lives; nothing while it has no right."""
        return os.path.basename(self._sign.path) if self._sign else ""

    def acquire(self, subject: str) -> None:
        """Take the right, or raise an error that names its holder.

        :raises StateError: another driver has it, or nothing can be written there.
        """
        me = Process.this()
        if self._sign is not None and self._sign.pid == me.pid and self._sign.renew():
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._sign = sign = Sign(str(self.folder), f"lock-{me.host}-{me.pid}-{os.urandom(3).hex()}")
        except OSError as error:
            raise StateError(
                f"{subject}: cannot write into {self.folder.parent}: {error.strerror}; make room, or give another exp_path"
            ) from None
        weakref.finalize(self, _remove, sign)
        _kept.add(sign)
        if not unshared(self.folder):  # another machine may look; nobody else needs a thread, which Python's fork warns of
            _renew_kept()
        try:
            self._check_others(subject)
        except BaseException:
            self.release()
            raise
        remove_left(self.folder)

    def _check_others(self, subject: str) -> None:
        """An error that names another holder. What those have left who have ended is deleted."""
        for path, other, known in other_holders(self.folder):
            if not known.over:
                where, more = self.folder.parent, way_out(other, known, self.folder)
                raise StateError(f"{subject}: {other} generates or starts in {where}; wait until it has ended{more}")
            path.unlink(missing_ok=True)

    def release(self) -> None:
        """Give the right back."""
        if self._sign is not None:
            _remove(self._sign)
            self._sign = None


def other_holders(folder: Path) -> Iterator[tuple[Path, Process, Life]]:
    """The other drivers that have taken the right, each with its file, and what is known about it."""
    me = Process.this()
    for path in signs(folder, "lock"):
        if (holder := signer(path)) and holder != me:
            yield path, holder, life(holder, folder)


def signer(path: Path) -> Process | None:
    """The process whose sign is the file `path`; None if there is no such file. A sign that was cut names nobody."""
    try:
        return Process.read(json.loads(read(path, "lock")))
    except NoPermissionError:  # nobody knows whose it is
        raise
    except OSError:  # it has gone, or is no file
        return None
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return Process(0, "", 0, sign=path.name)


def remove_left(folder: Path) -> None:
    """Delete the signs of supervisors that have ended. One that lives after all ends its members when it sees that."""
    for path in signs(folder, "alive"):
        if (process := signer(path)) and life(process, folder).over:
            path.unlink(missing_ok=True)


def signs(folder: Path, kind: str) -> list[Path]:
    """The signs in `folder` of one kind: "lock" for drivers, "alive" for supervisors."""
    try:
        return [folder / name for name in os.listdir(folder) if name.startswith(f"{kind}-")]
    except FileNotFoundError:
        return []


_kept: set[Sign] = set()  #: of this process
_keeper = threading.Thread()


def _renew_kept() -> None:
    """See that the signs of this process are renewed."""
    global _keeper
    if not _keeper.is_alive():  # nor is it in a process that was forked
        _keeper = threading.Thread(target=_renew, name="smartensemble-signs", daemon=True)
        _keeper.start()


def _remove(sign: Sign) -> None:
    _kept.discard(sign)
    sign.remove()


def _renew() -> None:
    while True:
        time.sleep(RENEW_S)
        for sign in list(_kept):
            sign.renew()


def _forget() -> None:
    """A process that was forked has its parent's signs, and must not hold them when the parent has ended."""
    for sign in _kept:
        sign.close()
    _kept.clear()


os.register_at_fork(after_in_child=_forget)
