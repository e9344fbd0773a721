"""The order of starts is that of their numbers: no clock, coarse time stamp or list of files that is late changes it."""

import json
import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from subprocess import Popen

import pytest

from smartensemble import Experiment, Status
from smartensemble.runtime.journal.files import names, publish
from smartensemble.runtime.journal.history import History
from smartensemble.runtime.journal.journal import FOLDER, Journal

Driver = Callable[..., "Popen[str]"]


def test_journals_that_come_at_once_get_different_names_and_all_their_lines(tmp_path: Path) -> None:
    begin = threading.Barrier(8)

    def publish_some(writer: int) -> None:
        begin.wait()
        for number in range(5):
            publish(tmp_path, f"{writer} {number}\n")

    threads = [threading.Thread(target=publish_some, args=(writer,)) for writer in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert names(tmp_path) == [f"{number:06}.tsv" for number in range(1, 41)]
    assert len({(tmp_path / name).read_text() for name in names(tmp_path)}) == 40
    assert len(os.listdir(tmp_path)) == 40


def test_a_name_that_a_network_file_system_did_not_show_is_not_taken_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(tmp_path, "theirs\n")
    monkeypatch.setattr("smartensemble.runtime.journal.files.names", lambda folder: [])

    assert publish(tmp_path, "mine\n").name == "000002.tsv"
    assert (tmp_path / "000001.tsv").read_text() == "theirs\n"


def test_where_files_have_no_links_a_name_is_still_taken_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")  # as vfat answers

    monkeypatch.setattr(os, "link", refuse)

    assert [publish(tmp_path, text).name for text in ("a", "b")] == ["000001.tsv", "000002.tsv"]
    assert [(tmp_path / name).read_text() for name in names(tmp_path)] == ["a", "b"]


def test_a_run_after_the_clock_stepped_back_is_the_last_one(
    exp: Experiment, driver: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken").touch()
    driver("""
        later = time.time
        time.time = lambda: later() + 3600
        program = settings("sh", "-c", "echo >> log; test ! -e ../../../broken")
        ens = exp.create_ensemble("ens", replicas=2, run_settings=program)
        exp.start(ens, progress=False)
    """).wait()
    (tmp_path / "broken").unlink()
    settings = exp.create_run_settings("sh", ["-c", "echo >> log"])
    ens = exp.create_ensemble("ens", replicas=2, run_settings=settings)
    assert exp.get_status(ens) == [Status.FAILED] * 2
    exp.start(ens, only="failed", progress=False)

    other = Experiment("study")
    again = other.create_ensemble("ens", replicas=2, run_settings=settings)
    assert other.get_status(again) == [Status.COMPLETED] * 2
    other.start(again, only="failed", progress=False)
    assert [Path(member.path, "log").read_text() for member in again] == ["\n\n"] * 2


def test_journals_of_version_010_are_older_than_all_with_numbers(exp: Experiment) -> None:
    """Their names begin with a time, which may lie in the future."""
    model = exp.create_model("model", exp.create_run_settings("true"))
    exp.start(model, progress=False)
    (path,) = Path(exp.exp_path, FOLDER).glob("*.tsv")
    old = path.with_name("2099-11-22T221005-123Z-node1-4711-1.tsv")
    stamp = datetime.now(UTC).isoformat()
    driver = {"pid": 4711, "host": "node1", "began": 8123}
    asked = {"path": model.path, "params": {}}
    lines = [(0, "-", "driver", json.dumps(driver)), (1, "model", "asked", json.dumps(asked)), (1, "model", "exit", "3")]
    old.write_text("".join("\t".join([stamp, *map(str, line)]) + "\n" for line in lines))

    other = Experiment("study")
    assert other.get_status(other.create_model("model", other.create_run_settings("true"))) == [Status.COMPLETED]


def test_a_coarse_or_cached_time_stamp_hides_no_journal(exp: Experiment, driver: Driver) -> None:
    folder = Path(exp.exp_path, FOLDER)
    folder.mkdir(parents=True)
    model = exp.create_model("model", exp.create_run_settings("true"))
    assert exp.get_status(model) == [Status.NEW]
    before = folder.stat()

    driver("""exp.start(exp.create_model("model", settings("true")), progress=False)""").wait()
    os.utime(folder, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert exp.get_status(model) == [Status.COMPLETED]


def test_lines_are_read_whatever_the_time_stamp_of_their_file_says(tmp_path: Path) -> None:
    text = (
        '2026-11-22T22:10:05.123Z\t0\t-\tdriver\t{"pid": 1, "host": "elsewhere", "began": 1}\n'
        '2026-11-22T22:10:05.123Z\t1\tm\tasked\t{"path": "/m", "params": {}}\n'
    )
    path = publish(tmp_path, text)
    os.utime(path, (1, 1))
    history = History(tmp_path)
    history.refresh()

    for event, expected in (("started", Status.RUNNING), ("exit", Status.COMPLETED)):
        with path.open("a") as file:
            file.write(f"2026-11-22T22:10:06.000Z\t1\tm\t{event}\t0\n")
        os.utime(path, (1, 1))
        history.refresh()
        assert history.last["/m"].run.status is expected


def test_a_journal_that_is_not_whole_yet_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "000001.tsv"
    path.touch()  # as after a power cut, or where a file system has no links
    history = History(tmp_path)
    history.refresh()
    assert history.last == {}

    driver = {"pid": os.getpid(), "host": "elsewhere", "began": 1}
    stamp = datetime.now(UTC).isoformat()
    path.write_text(f"{stamp}\t0\t-\tdriver\t{json.dumps(driver)}\n{stamp}\t1\tm\tasked\t" + '{"path": "/m", "params": {}}\n')
    history.refresh()

    assert history.last["/m"].run.status is Status.QUEUED


def test_a_line_after_a_torn_one_is_whole(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "000001.tsv")
    journal.path.write_text("2026-11-22T22:10:05.123Z\t1\tm\task")

    journal.note(1, "m", "submitted", {"job": "12", "scheduler": "slurm"})

    assert journal.path.read_text().splitlines()[-1].split("\t")[3] == "submitted"
