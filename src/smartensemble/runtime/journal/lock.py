"""One driver at a time generates and starts in a directory. Other drivers get an error that names it.

Each driver makes a file of its own, ``journal/lock-HOST-PID-...``, and then looks for those of others. Two that come at the
same moment both see each other and both step back; no file is ever taken over, so nothing can be taken from a driver that
lives. Whoever finds the file of a driver that died deletes it; the file names the process.
"""

import json
import os
import weakref
from dataclasses import asdict
from itertools import count
from pathlib import Path

from smartensemble.errors import StateError
from smartensemble.runtime.journal.process import Process

_numbers = count(1)


class Lock:
    """This process's right to generate and start in a directory, from `acquire` to `release`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._file: Path | None = None
        self._pid = 0

    def acquire(self, subject: str) -> None:
        """Take the right, or raise an error that names its holder.

        :raises StateError: another driver has it, or nothing can be written there.
        """
        if self._file is not None and self._pid == os.getpid():
            return
        me = Process.this()
        mine = self.folder / f"lock-{me.host}-{me.pid}-{next(_numbers)}"
        new = mine.with_name(f".{mine.name}.new")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            new.write_text(json.dumps(asdict(me)))
            new.rename(mine)
        except OSError as error:
            raise StateError(
                f"{subject}: cannot write into {self.folder.parent}: {error.strerror}; make room, or give another exp_path"
            ) from None
        self._file, self._pid = mine, me.pid
        weakref.finalize(self, _remove, mine, me.pid)
        for other in self._holders():
            if other != me:
                self.release()
                raise StateError(f"{subject}: {other} generates or starts in {self.folder.parent}; wait until it has ended")

    def release(self) -> None:
        """Give the right back."""
        if self._file is not None and self._pid == os.getpid():
            _remove(self._file, self._pid)
            self._file = None

    def _holders(self) -> list[Process]:
        """The living drivers that have the right."""
        living = []
        for path in self.folder.glob("lock-*"):
            try:
                holder = Process(**json.loads(path.read_text()))
            except FileNotFoundError:
                continue
            if holder.alive:
                living.append(holder)
            else:
                path.unlink(missing_ok=True)
        return living


def _remove(file: Path, pid: int) -> None:
    """Delete a lock's file; a process that was forked leaves its parent's alone."""
    if pid == os.getpid():
        file.unlink(missing_ok=True)
