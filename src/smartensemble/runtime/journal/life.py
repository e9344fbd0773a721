"""Whether a process lives that runs members: what is known about it, and what follows.

On one machine the kernel knows: by the process itself where this process can see it, or else by the lock on its sign, a file
beside the journals. On other machines a sign is as good as its last renewal. A process whose sign was not renewed has lost the
right to run members, and ends them if it lives after all. What nobody can know, a person must say: see ``Experiment.abandon``.
"""

import fcntl
import json
import os
import shlex
from dataclasses import dataclass
from enum import Enum
from io import BufferedReader
from pathlib import Path

from smartensemble.runtime.journal.age import age_s
from smartensemble.runtime.journal.process import Process

LEASE_S = 60.0  #: seconds that a sign holds on other machines after it was renewed

#: File systems that one machine alone uses at a time.
UNSHARED = ("ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "zfs", "tmpfs", "overlay")


class Life(Enum):
    """What is known about whether a process lives."""

    SEEN = "lives on this machine"
    HEARD = "was heard of lately"
    UNTOLD = "is out of sight, and nothing tells"
    SILENT = "was not heard of for so long that it counts as dead"
    GONE = "has ended"

    @property
    def over(self) -> bool:
        """Others may run what it ran."""
        return self in (Life.SILENT, Life.GONE)


class SignLock(Enum):
    """How the sign of a process stands, as this machine sees it."""

    HELD = "somebody has it"
    FREE = "nobody has it"
    UNTOLD = "its file system does not say"
    NO_FILE = "somebody has deleted it"
    NO_SIGN = "there never was one"


@dataclass(frozen=True)
class Evidence:
    """What is known about a process."""

    runs: bool | None = None  #: it is there; None if this process cannot see it
    lock: SignLock = SignLock.NO_SIGN
    age_s: float = 0.0  #: seconds since its sign was renewed
    same_boot: bool = False
    restarted: bool = False  #: the machine of its name has been started again since

    @property
    def life(self) -> Life:
        """What follows."""
        if self.runs is not None:
            return Life.SEEN if self.runs else Life.GONE
        if self.lock is SignLock.NO_FILE or self.restarted:
            return Life.GONE
        if self.lock is SignLock.NO_SIGN:
            return Life.UNTOLD
        if self.same_boot and self.lock in (SignLock.HELD, SignLock.FREE):
            return Life.SEEN if self.lock is SignLock.HELD else Life.GONE
        return Life.HEARD if self.age_s < LEASE_S else Life.SILENT


def life(process: Process, folder: Path) -> Life:
    """What is known about a process that runs members of the journals in `folder`."""
    runs = process.runs
    return (_sign(process, folder) if runs is None else Evidence(runs)).life


def way_out(process: Process, known: Life, folder: Path) -> str:
    """The end of a message that refuses because of what a process runs, or may run, in an experiment that has its journals in
    `folder`; nothing if it is seen to live.
    """
    if known is Life.SEEN:
        return ""
    command = f"smartensemble abandon {shlex.quote(str(folder.parent))}"
    return f", or, if {process} is gone for good, abandon it: exp.abandon() or {command}"


def _sign(process: Process, folder: Path) -> Evidence:
    """The evidence for a process that this one cannot see: its sign."""
    restarted = process.same_host and not process.same_boot and (not process.sign or unshared(folder))
    if not process.sign:
        return Evidence(restarted=restarted)
    try:
        with (folder / process.sign).open("rb") as sign:
            return Evidence(None, _lock(sign), age_s(sign), process.same_boot, restarted)
    except FileNotFoundError:
        return Evidence(lock=SignLock.NO_FILE)
    except OSError:  # it belongs to somebody else, or its file system is away
        return Evidence(restarted=restarted)


def _lock(sign: BufferedReader) -> SignLock:
    """How a sign stands. Two mounts of one file system may each have locks of their own, so a free one tells nothing there."""
    try:
        fcntl.flock(sign, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return SignLock.HELD
    except OSError:
        return SignLock.UNTOLD
    try:
        same_mount = json.load(sign)["device"] == os.fstat(sign.fileno()).st_dev
    except (ValueError, LookupError, TypeError, RecursionError):
        return SignLock.UNTOLD
    return SignLock.FREE if same_mount else SignLock.UNTOLD


def unshared(folder: Path) -> bool:
    """Only one machine at a time uses the file system of `folder`, so a process from before its restart has ended."""
    mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text(errors="surrogateescape").splitlines()]
    home = f"{folder.resolve()}/"
    inside = [
        (len(place), number, kind) for number, (place, kind) in enumerate(mounts) if home.startswith(f"{place.rstrip('/')}/")
    ]
    return max(inside, default=(0, 0, ""))[-1] in UNSHARED
