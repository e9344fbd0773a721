"""Interrupt starts at random moments, and see that each was done or taken back.

::

    python tests/runtime/start_interrupts.py --starts 200 --seed 1 ctrl-c thread process
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from smartensemble import Ensemble, Experiment, Status

MEMBERS = 100
WINDOW_S = 0.1  #: a start of so many members takes less
HALF = ("some of them run", "stop returned")  #: how the ends begin that are neither done nor taken back


def main() -> int:
    """Interrupt as the command line says; the number of starts after which something was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ways", nargs="+", choices=list(WAYS))
    parser.add_argument("--starts", type=int, default=20)
    parser.add_argument("--members", type=int, default=MEMBERS)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
    wrong = 0
    with tempfile.TemporaryDirectory() as home:
        os.chdir(home)
        for way in options.ways:
            draw, ends = random.Random(options.seed), []
            for number in range(options.starts):
                offset = draw.uniform(0, WINDOW_S)
                problems, end = trial(way, f"{way}-{number}", options.members, offset)
                ends.append(end)
                for problem in problems:
                    wrong += 1
                    print(f"{way}, start {number} after {offset * 1000:.1f} ms: {problem}")
            print(f"{way}: {options.starts} starts: " + ", ".join(f"{ends.count(end)} {end}" for end in sorted(set(ends))))
    print(f"{wrong} wrong")
    return min(wrong, 100)


def trial(way: str, name: str, members: int, offset: float) -> tuple[list[str], str]:
    """What was wrong after one start, and how it ended."""
    exp = Experiment(name)
    ens = exp.create_ensemble("ens", replicas=members, run_settings=exp.create_run_settings("sleep", "1000"))
    end = WAYS[way](exp, ens, offset)
    problems = [*([end] if end.startswith(HALF) else []), *wrong_with(exp, ens)]
    settings = exp.create_run_settings("true")
    again = Experiment(name).create_ensemble("ens", replicas=members, run_settings=settings)
    for experiment, entity in (
        (Experiment(name), again),
        (exp, exp.create_ensemble("next", replicas=3, run_settings=settings)),
    ):
        try:
            experiment.start(entity, progress=False)
        except Exception as error:
            problems.append(f"the next start: {type(error).__name__}: {error}")
        else:
            if {member.status for member in entity} != {Status.COMPLETED}:
                problems.append(f"the next start: {sorted({str(member.status) for member in entity})}")
    return problems, end


def wrong_with(exp: Experiment, ens: Ensemble) -> Iterator[str]:
    """What is not as it should be when an interrupted start is over, seen by its driver, by another process, and in /proc."""
    for who, seen in (("this process", exp), ("another", Experiment(exp.name))):
        mine = seen.create_ensemble("ens", replicas=len(ens), run_settings=ens.run_settings) if seen is not exp else ens
        for status in sorted({str(member.status) for member in mine if member.status.active}):
            yield f"{who} sees members {status}"
    for pid in survivors(exp.name):
        yield f"process {pid} lives"
    for directory in Path(exp.exp_path).glob("ens/.*"):
        yield f"{directory.name} was left"


def survivors(name: str) -> list[str]:
    """The processes of members whose working directory is below the experiment's."""
    found = []
    for process in Path("/proc").iterdir():
        with suppress(OSError):
            if process.name.isdecimal() and f"/{name}/" in os.readlink(process / "cwd") and (process / "cmdline").read_bytes():
                found.append(process.name)
    return found


def press_after(offset: float) -> None:
    """Ctrl-C in so many seconds; on a busy machine perhaps before this returns."""
    threading.Timer(offset, os.kill, (os.getpid(), signal.SIGINT)).start()


def by_ctrl_c(exp: Experiment, ens: Ensemble, offset: float) -> str:
    """Ctrl-C in the main thread."""
    try:
        press_after(offset)
        exp.start(ens, progress=False)
    except KeyboardInterrupt:
        return "interrupted"
    return "ended"


def by_two_ctrl_c(exp: Experiment, ens: Ensemble, offset: float) -> str:
    """Ctrl-C, and again before the start can have been taken back."""

    def press() -> None:
        time.sleep(offset)
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.005)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=press)
    active = -1
    try:
        try:
            thread.start()
            exp.start(ens, progress=False)
        except KeyboardInterrupt:
            active = sum(member.run.status.active for member in ens)
        thread.join()
    except KeyboardInterrupt:  # the second one comes after the end
        thread.join()
    return "interrupted" if active <= 0 else "interrupted while the stop of what was started waited"


def with_a_database(exp: Experiment, ens: Ensemble, offset: float) -> str:
    """Ctrl-C while a database and members that need it start, which takes three times as long."""
    db = exp.create_database()
    try:
        press_after(3 * offset)
        exp.start(db, ens, progress=False)
    except KeyboardInterrupt:
        end = "interrupted when all ran" if db.is_active() else "taken back"
    exp.stop(db)
    exp.start(db)
    assert db.is_active()
    exp.stop(db)
    return end


def detached(exp: Experiment, ens: Ensemble, offset: float) -> str:
    """Ctrl-C while members are started that outlive their driver: all of them run, or none."""
    try:
        press_after(offset)
        exp.start(ens, progress=False, detach=True)
    except KeyboardInterrupt:
        running = {member.status.active for member in ens}
    if len(running) != 1:
        return "some of them run"
    exp.stop(ens, grace=0.5)
    return "all ran" if running == {True} else "taken back"


def by_thread(exp: Experiment, ens: Ensemble, offset: float) -> str:
    """``stop`` in another thread, which stops when the start has begun to write and `offset` has passed."""
    running: list[int] = []

    def stop() -> None:
        while not Path(exp.exp_path).exists():
            time.sleep(0.0005)
        time.sleep(offset)
        exp.stop(ens)
        running.append(sum(member.run.status.active for member in ens))

    return stopped_by(stop, exp, ens, running)


def by_process(exp: Experiment, ens: Ensemble, offset: float) -> str:
    """``stop`` in another process, which stops as soon as it sees the start's journal and `offset` has passed."""
    code = f"""
import time
from pathlib import Path
from smartensemble import Experiment
exp = Experiment({exp.name!r})
print("ready", flush=True)
while not list(Path({exp.exp_path!r}, "journal").glob("*.tsv")):
    time.sleep(0.001)
time.sleep({offset})
ens = exp.create_ensemble("ens", replicas={len(ens)}, run_settings=exp.create_run_settings("sleep", "1000"))
exp.stop(ens)
print(sum(member.run.status.active for member in ens))
"""
    other = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert other.stdout
    other.stdout.readline()
    running: list[int] = []

    def stop() -> None:
        assert other.stdout
        running.append(int(other.stdout.read() or -1))
        other.wait()
        other.stdout.close()

    return stopped_by(stop, exp, ens, running)


def stopped_by(stop: Callable[[], None], exp: Experiment, ens: Ensemble, running: list[int]) -> str:
    """Start while a thread stops; how it ended, and whether all had ended when stop returned."""
    thread = threading.Thread(target=stop)
    thread.start()
    exp.start(ens, progress=False)
    thread.join()
    if running != [0]:
        return f"stop returned while {running} ran"
    early = all(member.run.started is None for member in ens)
    return "stopped before any ran" if early else "stopped while some ran"


WAYS: dict[str, Callable[[Experiment, Ensemble, float], str]] = {
    "ctrl-c": by_ctrl_c, "twice": by_two_ctrl_c, "database": with_a_database, "detached": detached, "thread": by_thread,
    "process": by_process,
}  # fmt: skip

if __name__ == "__main__":
    sys.exit(main())
