"""Break what runs, at random moments and in random surroundings, and see that nothing is lost, left or untrue.

::

    python tests/faults/campaign.py --rounds 500 --seed 1
    python tests/faults/campaign.py --seed 1 --round 137

In each round a driver starts an ensemble in some *surroundings* (:data:`PREFIXES`), a *fault* (:data:`FAULTS`) strikes, and
another driver starts again whatever has not completed. Each member writes into a log when it begins and when it ends. The log
lies outside of everything that breaks: it says what happened, and the statuses must agree with it.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from smartensemble.runtime.journal.journal import SUPERVISOR_START_S
from smartensemble.runtime.standalone.procfs import lives

sys.path.insert(0, str(Path(__file__).parents[1]))
from worlds.patience import PATIENCE_S, eventually

DRIVER = Path(__file__).with_name("driver.py")
LIBFAKETIME = next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))), None)
SUPERVISOR = "__main__.py supervisor"
MARK = "CAMPAIGN_ROUND"  #: in the environment of everything that a round starts
WINDOW_S = 1.2  #: in which a fault strikes, from the start on
DISK_BYTES = 4 << 20  #: of the small disk


@dataclass
class Round:
    """One experiment, what is done to it, and what came of it."""

    number: int
    draw: random.Random
    home: Path  #: of the experiment
    outside: Path  #: of the log and the answers, which nothing breaks
    surroundings: str = "plain"
    fault: str = "none"
    members: int = 6
    database: bool = False
    detach: bool = False
    events: list[str] = field(default_factory=list)

    @property
    def options(self) -> list[str]:
        """Of its drivers."""
        return [*(["--database"] if self.database else []), *(["--detach"] if self.detach else [])]

    def __str__(self) -> str:
        extras = [*(["a database"] if self.database else []), *(["detached"] if self.detach else [])]
        return f"round {self.number}: {self.surroundings}, {self.fault}{''.join(f', {each}' for each in extras)}"

    # --- what happened ------------------------------------------------------------------------------------------------

    def log(self, turn: int | None = None) -> list[tuple[str, str]]:
        """The member and what it did, for each line that members have written."""
        lines = [line.split() for line in (self.outside / "log").read_text().splitlines()]
        return [(name, what) for number, name, what in lines if turn in (None, int(number))]

    def answer(self, turn: int) -> dict[str, Any]:
        """What a driver answered; nothing if it was killed."""
        path = self.outside / f"answer-{turn}.json"
        return dict(json.loads(path.read_text())) if path.exists() else {}

    def processes(self) -> dict[int, str]:
        """The processes that this round has started and that live, with their command lines.

        A server writes its command line over its environment, and is known by its socket.
        """
        found, mark = {}, f"{MARK}={self.home}".encode()
        for process in Path("/proc").iterdir():
            with suppress(OSError):
                if not process.name.isdecimal():
                    continue
                command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
                if command and (f"{self.home}/" in command or mark in (process / "environ").read_bytes().split(b"\0")):
                    found[int(process.name)] = command
        return found

    def of(self, *words: str) -> list[int]:
        """The processes whose command line has one of these words; `sentinel` is the parent of a supervisor."""
        found = self.processes()
        keepers = [pid for pid, command in found.items() if SUPERVISOR in command]
        supervisors = [pid for pid in keepers if parent(pid) in keepers]
        named = {"supervisor": supervisors, "sentinel": [pid for pid in keepers if pid not in supervisors]}
        return [pid for word in words for pid in named.get(word, [pid for pid, command in found.items() if word in command])]

    def members_alive(self) -> list[str]:
        """The members of whom a process lives."""
        found = []
        for pid in self.processes():
            with suppress(OSError):
                found.append(os.readlink(f"/proc/{pid}/cwd").removesuffix(" (deleted)"))
        return sorted({path.rpartition("/")[2] for path in found if "/study/ens/" in path})


def parent(pid: int) -> int:
    """The parent of a process; 0 if it has ended."""
    with suppress(OSError):
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return 0


# --- surroundings: how a driver is started ------------------------------------------------------------------------------------

PREFIXES: dict[str, tuple[str, ...]] = {
    "plain": (),
    "SIGCHLD ignored": ("sh", "-c", "trap '' CHLD; exec \"$@\"", "sh"),
    "SIGHUP ignored": ("nohup",),
    "outputs closed": ("sh", "-c", 'exec "$@" >&- 2>&-', "sh"),
    "no input": ("sh", "-c", 'exec "$@" <&-', "sh"),
    "outputs full": ("sh", "-c", 'exec "$@" >/dev/full 2>&1', "sh"),
    "reader gone": ("bash", "-c", '"$@" 2>&1 | true; exit ${PIPESTATUS[0]}', "bash"),
    "a pid namespace": ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc"),
    "a host name that goes": ("unshare", "--uts", "sh", "-c", 'hostname gone; exec "$@"', "sh"),
    "a clock ahead": ("env", f"LD_PRELOAD={LIBFAKETIME}", "FAKETIME=+3600s"),
    "a small disk": (),
}
ROOT = ("a pid namespace", "a host name that goes", "a small disk")  #: need root


def surroundings() -> list[str]:
    """Those that this machine can make."""
    left_out = [*(ROOT if os.geteuid() else ()), *(() if LIBFAKETIME else ("a clock ahead",))]
    for name in left_out:
        print(f"left out: {name}: {'needs root' if name in ROOT else 'needs libfaketime, of Debian'}")
    return [name for name in PREFIXES if name not in left_out]


def driver(each: Round, turn: int, *options: str, prefix: tuple[str, ...] = ()) -> "subprocess.Popen[bytes]":
    """A driver that starts what has not completed."""
    env = os.environ | {MARK: str(each.home), "TURN": str(turn), "LOG": str(each.outside / "log")}
    argv = [*prefix, sys.executable, str(DRIVER), str(each.outside / f"answer-{turn}.json"), str(each.members), *options]
    null = subprocess.DEVNULL
    return subprocess.Popen(argv, cwd=each.home, env=env, stdin=null, stdout=null, stderr=null, start_new_session=True)


def shown(command: str) -> str:
    """A command line, short enough to be read among others."""
    return " ".join(word.rpartition("/")[2] for word in command.split()[:8])[:80]


# --- faults: what is done while it runs ---------------------------------------------------------------------------------------


def kill(*words: str, number: int = signal.SIGKILL) -> Callable[[Round], None]:
    """A signal for the processes whose command lines have one of these words."""

    def strike(each: Round) -> None:
        commands = each.processes()
        for pid in each.of(*words):
            with suppress(ProcessLookupError):
                os.kill(pid, number)
                each.events.append(f"{signal.Signals(number).name} to {shown(commands.get(pid, str(pid)))}")

    return strike


def stop_from_elsewhere(each: Round) -> None:
    """What another process stops."""
    done = driver(each, 9, "--stop")
    done.wait(PATIENCE_S)
    each.events.append(f"stop answered {each.answer(9)}")


def fill_the_disk(each: Round) -> None:
    """No byte is left where the experiment is."""
    with suppress(OSError), (each.home / "filler").open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 4096)


def tear(pattern: str) -> Callable[[Round], None]:
    """A power cut: all processes die, and the end of a file is not on disk."""

    def strike(each: Round) -> None:
        end_all(each)
        for path in sorted(each.home.glob(pattern)):
            size = path.stat().st_size
            last = len(path.read_bytes().rstrip(b"\n").rpartition(b"\n")[2]) + 1
            os.truncate(path, max(size - each.draw.randint(1, max(last, 1)), 0))
            each.events.append(f"{path.name} was cut from {size} to {path.stat().st_size} bytes")

    return strike


def remove_directories(each: Round) -> None:
    """Somebody tidies up, under running members."""
    for path in sorted(each.home.glob("study/ens/*"))[: each.draw.randint(1, each.members)]:
        shutil.rmtree(path, ignore_errors=True)
        each.events.append(f"{path.name} was removed")


FAULTS: dict[str, Callable[[Round], None]] = {
    "none": lambda each: None,
    "the driver is killed": kill(DRIVER.name),
    "Ctrl-C": kill(DRIVER.name, number=signal.SIGINT),
    "the driver is ended": kill(DRIVER.name, number=signal.SIGTERM),
    "the supervisor is killed": kill("supervisor"),
    "the sentinel is killed": kill("sentinel"),
    "supervisor and sentinel are killed": kill("sentinel", "supervisor"),
    "everything of ours is killed": kill(DRIVER.name, "sentinel", "supervisor"),
    "the server is killed": kill("valkey-server", "redis-server"),
    "a worker is killed": kill("smartensemble.inference"),
    "a worker is frozen": kill("smartensemble.inference", number=signal.SIGSTOP),
    "stop": stop_from_elsewhere,
    "the disk is full": fill_the_disk,
    "a journal is torn": tear("study/journal/*.tsv"),
    "a lock is torn": tear("study/journal/lock*"),
    "directories are removed": remove_directories,
}
MEMBERS_LIVE_ON = ("supervisor and sentinel are killed", "everything of ours is killed")
OUT_OF_SIGHT = ("a pid namespace", "a host name that goes")  #: nobody outside can see what lives there
NEEDS_DATABASE = ("the server is killed", "a worker is killed", "a worker is frozen")


# --- what has to hold ---------------------------------------------------------------------------------------------------------


def settled(each: Round) -> bool:
    """Nothing that the round has started runs, or is about to."""
    return not each.processes()


def wrong(each: Round) -> Iterator[str]:
    """Do a round; what does not hold after it."""
    first = driver(each, 1, *each.options, prefix=PREFIXES[each.surroundings])
    eventually(lambda: (each.outside / "answer-1.began").exists() or first.poll() is not None)
    time.sleep(each.draw.uniform(0, WINDOW_S))
    FAULTS[each.fault](each)
    first.wait(PATIENCE_S)
    yield from of_the_answer(each, 1)
    live_on = each.fault in MEMBERS_LIVE_ON
    if not live_on:
        with suppress(AssertionError):
            eventually(lambda: settled(each))
        yield from (f"process {pid} lives: {command}" for pid, command in each.processes().items())
    (each.home / "filler").unlink(missing_ok=True)
    yield from looked_at(each)
    if live_on:
        end_all(each)
    yield from of_the_next_start(each)
    yield from of_the_log(each)
    yield from of_the_directories(each)


def of_the_answer(each: Round, turn: int) -> Iterator[str]:
    """No error but ours, and each says what to do."""
    answer = each.answer(turn)
    if "foreign" in answer:
        yield f"turn {turn}: {answer['foreign']}"
    if "error" in answer and "; " not in answer["error"]:
        yield f"turn {turn}: an error that names no way: {answer['error']}"


def looked_at(each: Round) -> Iterator[str]:
    """What another process sees is true, at the latest when the time is over in which a supervisor may begin."""
    limit, problems = time.monotonic() + SUPERVISOR_START_S + 1, ["nobody looked"]
    while problems and time.monotonic() < limit:
        alive = each.members_alive()
        driver(each, 2, "--look").wait(PATIENCE_S)
        problems = [*of_the_answer(each, 2), *of_the_statuses(each, alive)]
    yield from problems


def of_the_statuses(each: Round, before: Collection[str]) -> Iterator[str]:
    """What another process saw agrees with what members have said, and with those that lived before and after it looked."""
    answer = each.answer(2)
    ended = {name for name, what in each.log() if what == "end"}
    after = each.members_alive()
    for name, status in answer.get("status", {}).items():
        reason = answer["reason"][name]
        if status == "Completed" and name not in ended:
            yield f"{name} is Completed, and has not ended"
        if name in after and name not in ended and status not in ("Queued", "Running") and "may still run" not in reason:
            yield f"{name} lives, and is {status}: {reason}"
        if name not in before and status in ("Queued", "Running") and each.surroundings not in OUT_OF_SIGHT:
            yield f"{name} does not live, and is {status}: {reason}"


def of_the_next_start(each: Round) -> Iterator[str]:
    """What has not completed starts again, or the error names a way, which leads there."""
    options = [option for option in each.options if option != "--detach"]
    completed = {name for name, status in each.answer(2).get("status", {}).items() if status == "Completed"}
    for turn, extra in ((3, ()), (4, ("--abandon",))):
        driver(each, turn, *options, *extra).wait(PATIENCE_S)
        yield from of_the_answer(each, turn)
        error = each.answer(turn).get("error", "")
        if "abandon" not in error:
            break
        each.events.append(f"refused: {error}")
    if error:
        yield f"the next start: {error}"
    statuses = Counter(each.answer(turn).get("status", {"all": "without an answer"}).values())
    if set(statuses) != {"Completed"}:
        yield f"the next start ends with {dict(statuses)}"
    for name in sorted(completed & {name for name, what in each.log(turn) if what == "begin"}):
        yield f"{name} had completed, and ran again"


def of_the_log(each: Round) -> Iterator[str]:
    """No start runs a member twice."""
    for turn in (1, 3, 4):
        for (name, what), count in Counter(each.log(turn)).items():
            if count > 1:
                yield f"turn {turn}: {name} did {what} {count} times"


def of_the_directories(each: Round) -> Iterator[str]:
    """Each member has a whole directory, and nothing lies beside them."""
    yield from (f"left: {path.relative_to(each.home)}" for path in each.home.glob("study/**/.*") if path.name != ".gitignore")
    for number in range(each.members):
        removed = each.fault == "directories are removed"  # with the result of a member that had completed
        if not removed and not (each.home / f"study/ens/ens_{number}/result.txt").exists():
            yield f"ens_{number} has no result"


def end_all(each: Round) -> None:
    """End what lives, and wait until the last thread of it has ended."""
    ended: set[int] = set()
    while (found := each.processes()) or any(map(lives, ended)):
        for pid in found:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        ended |= set(found)
        time.sleep(0.01)


# --- the campaign -------------------------------------------------------------------------------------------------------------


def drawn(number: int, seed: int, names: list[str], base: Path) -> Round:
    """The round of this number."""
    draw = random.Random(f"{seed}-{number}")
    home, outside = base / f"home-{number}", base / f"outside-{number}"
    each = Round(number, draw, home, outside, draw.choice(names), draw.choice(list(FAULTS)))
    each.database = each.fault in NEEDS_DATABASE or draw.random() < 0.1
    each.detach = not each.database and draw.random() < 0.15
    if each.fault == "the disk is full":
        each.surroundings = "a small disk"
    return each


def do(each: Round) -> list[str]:
    """A round in directories of its own; what was wrong."""
    for folder in (each.home, each.outside):
        folder.mkdir(parents=True)
    (each.outside / "log").touch()
    small = each.surroundings == "a small disk"
    if small:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "none", str(each.home)], check=True)
    try:
        problems = list(wrong(each))
    finally:
        end_all(each)
        if small:
            problems_of_disk = subprocess.run(["umount", str(each.home)], capture_output=True, text=True, check=False).stderr
    return problems + ([f"umount: {problems_of_disk}"] if small and problems_of_disk else [])


def main() -> int:
    """The rounds of the command line; the number of those after which something was wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--round", type=int, help="only this one, with what happened")
    options = parser.parse_args()
    names, done, bad = surroundings(), Counter[str](), 0
    with tempfile.TemporaryDirectory(prefix="campaign-") as base:
        numbers = range(options.rounds) if options.round is None else [options.round]
        for number in numbers:
            each = drawn(number, options.seed, names, Path(base))
            problems = do(each)
            done[each.fault] += 1
            if problems or options.round is not None:
                print(f"{each} (seed {options.seed})", *each.events, *problems, sep="\n  ", flush=True)
            bad += bool(problems)
            for folder in (each.home, each.outside):
                shutil.rmtree(folder, ignore_errors=True)
    print(f"{len(numbers)} rounds, seed {options.seed}: " + ", ".join(f"{done[name]} {name}" for name in FAULTS if done[name]))
    print(f"{bad} with something wrong")
    return min(bad, 100)


if __name__ == "__main__":
    sys.exit(main())
