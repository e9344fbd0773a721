"""Another process asks for an end by a file; what else lies there under such a name is left alone."""

import os
import signal
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from smartensemble.experiment import Experiment
from smartensemble.runtime.standalone.supervision import stop_requests
from smartensemble.status import Status
from worlds.drivers import sentinel_and_supervisor
from worlds.patience import PATIENCE_S

Driver = Callable[..., "subprocess.Popen[str]"]
Eventually = Callable[[Callable[[], object]], None]


@pytest.mark.parametrize(
    ("text", "request_"),
    [
        (b"5\n1\n2\n", (5.0, [1, 2])),
        (b"0.25\n", (0.25, [])),
        (b"inf\n3\n", (float("inf"), [3])),
        (b"5\n1\n2", None),  # cut
        (b"", None),
        (b"\n", None),
        (b"x", None),
        (b"x\n1\n", None),
        (b"5\nx\n", None),
        (b"5\n1.5\n", None),
        (b"5\ninf\n", None),
        (b"nan\n1\n", None),
        (b"-1\n1\n", None),
        (b"5\n" + b"9" * 5000 + b"\n", None),
        (b"\xff\xfe\0\n", None),
    ],
)
def test_only_a_whole_request_is_one(text: bytes, request_: object) -> None:
    assert stop_requests.parse(text) == request_


def test_what_is_written_is_taken_once(tmp_path: Path) -> None:
    journal = str(tmp_path / "a.tsv")
    stop_requests.write(journal, [1, 1234567], 0.5)
    stop_requests.write(journal, [3], float("inf"))

    taken = stop_requests.take([journal, str(tmp_path / "b.tsv")])

    assert sorted(taken) == [(journal, 0.5, [1, 1234567]), (journal, float("inf"), [3])]
    assert (stop_requests.take([journal]), os.listdir(tmp_path)) == ([], [])


def test_there_is_no_request_where_there_is_no_directory(tmp_path: Path) -> None:
    assert stop_requests.take([str(tmp_path / "missing/a.tsv")]) == []


def leave(folder: Path, stem: str) -> None:
    """Leave what is no request under the names of requests."""
    for name, text in (("x", b"x"), ("torn", b"5\n1"), ("binary", os.urandom(99)), ("empty", b""), ("huge", b"5\ninf\n")):
        (folder / f"{stem}.stop-{name}").write_bytes(text)
    (folder / f"{stem}.stop").mkdir()
    os.mkfifo(folder / f"{stem}.stop-pipe")
    (folder / f"{stem}.stop-loop").symlink_to(folder / f"{stem}.stop-loop")
    (folder / f"{stem}.stop-zeros").symlink_to("/dev/zero")
    (folder / f"{stem}.stop-other").symlink_to(folder / f"{stem}.stop-x")


def test_what_is_no_request_neither_ends_nor_stops_a_supervisor(
    exp: Experiment, driver: Driver, eventually: Eventually
) -> None:
    ens = exp.create_ensemble("ens", replicas=2, run_settings=exp.create_run_settings("sleep", ["1000"]))
    exp.start(ens, block=False)
    eventually(lambda: exp.get_status(ens) == [Status.RUNNING] * 2)
    journal = next(Path("study/journal").glob("*.tsv"))
    leave(journal.parent, journal.stem)

    os.kill(sentinel_and_supervisor()[1], signal.SIGUSR1)
    other = driver("""
        ens = exp.create_ensemble("ens", replicas=2, run_settings=settings("sleep", "1000"))
        exp.stop(ens[1])
        print(*exp.get_status(ens))
    """)

    assert other.communicate(timeout=PATIENCE_S)[0] == "Running Cancelled\n"
    assert exp.get_status(ens) == [Status.RUNNING, Status.CANCELLED]


def test_two_programs_that_stop_at_the_same_time_both_get_what_they_ask(exp: Experiment, eventually: Eventually) -> None:
    """Neither request replaces the other, though the supervisor reads them together."""
    ens = exp.create_ensemble("ens", replicas=3, run_settings=exp.create_run_settings("sleep", ["1000"]))
    exp.start(ens, block=False)
    eventually(lambda: exp.get_status(ens) == [Status.RUNNING] * 3)
    _, supervisor = sentinel_and_supervisor()
    others = [Experiment("study") for _ in range(2)]
    theirs = [
        each.create_ensemble("ens", replicas=3, run_settings=each.create_run_settings("sleep", ["1000"])) for each in others
    ]
    eventually(lambda: [other.get_status(ens) for other, ens in zip(others, theirs, strict=True)] == [[Status.RUNNING] * 3] * 2)

    os.kill(supervisor, signal.SIGSTOP)
    stops = [threading.Thread(target=others[number].stop, args=(theirs[number][number],)) for number in (0, 1)]
    for stop in stops:
        stop.start()
    eventually(lambda: len(list(Path("study/journal").glob("*.stop-*"))) == 2)
    os.kill(supervisor, signal.SIGCONT)
    for stop in stops:
        stop.join(PATIENCE_S)

    assert exp.get_status(ens) == [Status.CANCELLED, Status.CANCELLED, Status.RUNNING]
