"""How long ago a file was written, whatever the clocks of its readers and writers say.

The time stamp of a file is compared with that of another one, made now in the same directory: both come from the clock of the
file system. From then on a clock counts that nobody sets: a file that did not change while this process watched is older by
that time, and one that did is no older than that.
"""

import os
import time
from contextlib import suppress
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path


@dataclass
class Seen:
    """A time stamp, when it was seen, and how old it was then. The two moments are of the monotonic clock."""

    stamp_ns: int
    age_s: float
    first: float
    last: float


_seen: dict[str, Seen] = {}  #: by path


def age_s(file: BufferedReader) -> float:
    """Seconds since an open file was written. A file that was opened just now has the time stamp of its server."""
    path, stamp, now = str(file.name), os.fstat(file.fileno()).st_mtime_ns, time.monotonic()
    seen = _seen.get(path)
    if seen is None or seen.stamp_ns != stamp:
        age = max(0.0, (_now_ns(path) - stamp) / 1e9)
        age = age if seen is None else min(age, now - seen.last)
        seen = _seen[path] = Seen(stamp, age, now, now)
    seen.last = now
    return seen.age_s + now - seen.first


def _now_ns(path: str) -> int:
    """What time it is by the clock of a file system; by our own, where nothing can be written."""
    probe = Path(path).with_name(f".clock-{os.urandom(6).hex()}")
    try:
        with probe.open("xb") as file:
            return os.fstat(file.fileno()).st_mtime_ns
    except OSError:
        return time.time_ns()
    finally:
        with suppress(OSError):
            probe.unlink()
