"""A start is done, or taken back: whatever comes between.

Tests runner, selection, transaction and turns.
"""

import csv
import dis
import errno
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from itertools import pairwise
from pathlib import Path
from types import CodeType, FrameType

import pytest

from smartensemble.ensemble import Ensemble
from smartensemble.errors import StateError
from smartensemble.experiment import Experiment
from smartensemble.model import Model
from smartensemble.runtime import directories
from smartensemble.runtime.journal.journal import Journal
from smartensemble.runtime.transaction import Transaction
from smartensemble.status import Status
from worlds.patience import PATIENCE_S

Driver = Callable[..., "subprocess.Popen[str]"]
Eventually = Callable[[Callable[[], object]], None]

HARNESS = Path(__file__).with_name("start_interrupts.py")


def tree(directory: str = ".") -> list[str]:
    """All files and directories, but for journals."""
    found = [os.path.relpath(os.path.join(root, name), directory) for root, folders, files in os.walk(directory)
             for name in (*folders, *files)]  # fmt: skip
    return sorted(path for path in found if "journal" not in path)


@pytest.fixture
def at_the_second_write(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Callable[[], object]], None]]:
    """Have something happen when the directory of the second chunk's first member is written."""
    write = directories.Writer.write

    def when(act: Callable[[], object], number: int = 16) -> None:
        count = iter(range(10**6))

        def writing(self: directories.Writer, model: object) -> None:
            if next(count) == number:
                act()
            write(self, model)  # type: ignore[arg-type]

        monkeypatch.setattr(directories.Writer, "write", writing)

    yield when
    monkeypatch.undo()


@pytest.mark.parametrize(
    ("way", "starts"),
    [
        ("ctrl-c", 20),
        ("twice", 8),
        pytest.param("database", 4, marks=pytest.mark.needs("database")),
        ("detached", 4),
        ("thread", 10),
        ("process", 4),
    ],
)
def test_a_start_that_is_interrupted_at_random_is_done_or_taken_back(way: str, starts: int, tmp_path: Path) -> None:
    argv = [sys.executable, str(HARNESS), "--starts", str(starts), "--seed", "7", way]

    done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=tmp_path)

    assert (done.returncode, done.stdout.splitlines()[-1:]) == (0, ["0 wrong"]), done.stdout + done.stderr


def full_disk() -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "a file")


def test_a_full_disk_after_the_first_members_began_takes_all_back(
    exp: Experiment, at_the_second_write: Callable[..., None], eventually: Eventually
) -> None:
    ens = exp.create_ensemble("ens", replicas=40, run_settings=exp.create_run_settings("sleep", "1000"))

    def act() -> None:
        eventually(lambda: ens[0].status is Status.RUNNING)
        full_disk()

    at_the_second_write(act)

    with pytest.raises(StateError, match="study: No space left on device at a file; make room, and do it again"):
        exp.start(ens)

    assert {member.status for member in ens} == {Status.CANCELLED}
    began = [member.name for member in ens if member.run.started]
    assert sorted(os.listdir(ens.path)) == sorted([*began, "members.csv"])
    assert 1 <= len(began) <= 16
    assert "not started: [Errno 28] No space left" in ens[39].run.reason


def test_a_start_that_a_full_disk_took_back_is_over_for_other_processes_too(
    exp: Experiment, at_the_second_write: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*_: object) -> None:
        full_disk()

    def act() -> None:
        monkeypatch.setattr(Journal, "note", no_room)
        full_disk()

    settings = exp.create_run_settings("sleep", "1000")
    ens = exp.create_ensemble("ens", replicas=40, run_settings=settings)
    at_the_second_write(act)

    with pytest.raises(StateError, match="No space left"):
        exp.start(ens)

    other = Experiment("study")
    seen = other.create_ensemble("ens", replicas=40, run_settings=settings)
    assert set(other.get_status(seen)) == {Status.CANCELLED}


def test_what_a_journal_did_not_take_is_written_when_it_can_be(exp: Experiment, eventually: Eventually) -> None:
    model = exp.create_model("m", run_settings=exp.create_run_settings("sleep", "0.2"))
    exp.start(model, block=False)
    (journal,) = Path("study/journal").glob("*.tsv")
    away = journal.rename("away")
    exp.wait(model)

    away.rename(journal)

    eventually(lambda: "\texit\t0" in journal.read_text())


def test_what_is_taken_back_needs_no_command_of_a_model(
    exp: Experiment, at_the_second_write: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ValueError("no command")

    def act() -> None:
        monkeypatch.setattr(Model, "command", property(fail))
        fail()

    ens = exp.create_ensemble("ens", replicas=40, run_settings=exp.create_run_settings("sleep", "1000"))
    at_the_second_write(act)

    with pytest.raises(ValueError, match="no command"):
        exp.start(ens)

    assert {member.status for member in ens} == {Status.CANCELLED}


def test_a_full_disk_before_any_member_began_leaves_nothing(exp: Experiment, at_the_second_write: Callable[..., None]) -> None:
    ens = exp.create_ensemble("ens", replicas=40, run_settings=exp.create_run_settings("true"))
    at_the_second_write(full_disk, number=5)

    with pytest.raises(StateError, match="No space left"):
        exp.start(ens)

    assert {member.status for member in ens} == {Status.NEW}
    assert tree("study") == []
    exp.generate(ens)  # which would refuse a directory that is there


def test_an_index_that_was_there_is_there_again(exp: Experiment, at_the_second_write: Callable[..., None]) -> None:
    settings = exp.create_run_settings("true")
    ens = exp.create_ensemble("ens", {"T": [1, 2]}, run_settings=settings, perm_strategy="random", n_models=1, seed=1)
    exp.start(ens, progress=False)
    before = Path(ens.path, "members.csv").read_text()
    ens.extend(1)
    at_the_second_write(full_disk, number=0)

    with pytest.raises(StateError, match="No space left"):
        exp.start(ens)

    assert Path(ens.path, "members.csv").read_text() == before
    assert [member.status for member in ens] == [Status.COMPLETED, Status.NEW]


def test_an_index_that_cannot_be_written_leaves_nothing(exp: Experiment, monkeypatch: pytest.MonkeyPatch) -> None:
    def write(self: object, rows: object) -> None:
        full_disk()

    ens = exp.create_ensemble("ens", replicas=3, run_settings=exp.create_run_settings("true"))
    monkeypatch.setattr(csv.DictWriter, "writerows", write)

    for verb in (exp.start, exp.generate):
        with pytest.raises(StateError, match="No space left"):
            verb(ens)
        assert tree("study") == []


@pytest.mark.parametrize("before", [None, "#!/bin/bash\n# ens: a batch job of 2 members\n"])
def test_a_batch_script_that_cannot_be_written_leaves_what_was_there(
    exp: Experiment, monkeypatch: pytest.MonkeyPatch, before: str | None
) -> None:
    def write(self: Path, text: str, *more: object, **options: object) -> int:
        if self.name == "ens.sh":
            self.touch()
            full_disk()
        return write_text(self, text, *more, **options)  # type: ignore[arg-type]

    write_text = Path.write_text
    ens = exp.create_ensemble("ens", None, exp.create_batch_settings(), exp.create_run_settings("true"), 3)
    if before:
        os.makedirs(ens.path)
        Path(ens.path, "ens.sh").write_text(before)
    monkeypatch.setattr(Path, "write_text", write)

    with pytest.raises(StateError, match="No space left"):
        exp.start(ens)

    assert tree("study") == (["ens", "ens/ens.sh"] if before else [])
    assert not before or Path(ens.path, "ens.sh").read_text() == before


def test_what_cannot_be_put_back_keeps_nothing_else_from_it(
    exp: Experiment, at_the_second_write: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    ens = exp.create_ensemble("ens", replicas=20, run_settings=exp.create_run_settings("true"))
    remove = directories.remove

    def removing(path: str) -> None:
        if path.endswith("/ens_7"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        remove(path)

    monkeypatch.setattr(directories, "remove", removing)
    at_the_second_write(full_disk)

    with pytest.raises(PermissionError, match="ens_7"):
        exp.generate(ens)

    assert sorted(os.listdir(ens.path)) == ["ens_7"]


def test_generate_that_is_interrupted_leaves_what_was_there(
    exp: Experiment, at_the_second_write: Callable[..., None], eventually: Eventually
) -> None:
    def act() -> None:  # in a thread that could be done before the main thread has the signal
        os.kill(os.getpid(), signal.SIGINT)
        eventually(lambda: [each._cancelled for each in transactions(exp)] == [True])

    Path("in.txt").write_text("one")
    ens = exp.create_ensemble("ens", replicas=20, run_settings=exp.create_run_settings("true"))
    ens.attach_generator_files(to_copy="in.txt")
    exp.generate(ens)
    before = tree("study")
    Path("in.txt").write_text("two")
    signal.signal(signal.SIGINT, signal.default_int_handler)
    at_the_second_write(act)

    with pytest.raises(KeyboardInterrupt):
        exp.generate(ens, overwrite=True)

    assert tree("study") == before
    assert {Path(member.path, "in.txt").read_text() for member in ens} == {"one"}


def test_an_error_of_generate_removes_what_it_has_written(exp: Experiment, at_the_second_write: Callable[..., None]) -> None:
    ens = exp.create_ensemble("ens", replicas=20, run_settings=exp.create_run_settings("true"))
    at_the_second_write(full_disk)

    with pytest.raises(StateError, match="No space left"):
        exp.generate(ens)

    assert tree("study") == []


def test_a_start_that_waits_for_another_threads_start_can_be_stopped(
    exp: Experiment, at_the_second_write: Callable[..., None], eventually: Eventually
) -> None:
    first = exp.create_ensemble("first", replicas=20, run_settings=exp.create_run_settings("true"))
    second = exp.create_ensemble("second", replicas=2, run_settings=exp.create_run_settings("true"))
    waiting, go_on = threading.Event(), threading.Event()

    def act() -> None:
        waiting.set()
        go_on.wait(PATIENCE_S)

    at_the_second_write(act)
    one = threading.Thread(target=exp.start, args=(first,), kwargs={"progress": False})
    two = threading.Thread(target=exp.start, args=(second,), kwargs={"progress": False})

    one.start()
    waiting.wait(PATIENCE_S)
    two.start()
    eventually(lambda: len(transactions(exp)) == 2)
    exp.stop(second)
    two.join(PATIENCE_S)
    go_on.set()
    one.join(PATIENCE_S)

    assert {member.status for member in second} == {Status.CANCELLED}
    assert {member.status for member in first} == {Status.COMPLETED}


@pytest.mark.parametrize("number", [0, 16, 30])
def test_what_is_stopped_of_a_start_is_stopped_and_the_rest_of_it_runs(
    exp: Experiment, at_the_second_write: Callable[..., None], number: int
) -> None:
    first = exp.create_ensemble("first", replicas=20, run_settings=exp.create_run_settings("true"))
    second = exp.create_ensemble("second", replicas=20, run_settings=exp.create_run_settings("sleep", "1000"))
    writing = threading.Event()
    at_the_second_write(writing.set, number)
    one = threading.Thread(target=exp.start, args=(first, second), kwargs={"progress": False})

    one.start()
    writing.wait(PATIENCE_S)
    exp.stop(second)
    assert {member.run.status for member in second} == {Status.CANCELLED}
    one.join(PATIENCE_S)

    assert {member.status for member in first} == {Status.COMPLETED}


def test_what_is_stopped_before_its_start_has_come_to_it_is_left_out(
    exp: Experiment, at_the_second_write: Callable[..., None], eventually: Eventually
) -> None:
    settings = exp.create_run_settings("true")
    before, first, second = (exp.create_ensemble(name, replicas=2, run_settings=settings) for name in ("before", "a", "b"))
    waiting, go_on = threading.Event(), threading.Event()

    def act() -> None:
        waiting.set()
        go_on.wait(PATIENCE_S)

    at_the_second_write(act, number=0)
    one = threading.Thread(target=exp.start, args=(before,), kwargs={"progress": False})
    two = threading.Thread(target=exp.start, args=(first, second), kwargs={"progress": False})

    one.start()
    waiting.wait(PATIENCE_S)
    two.start()
    eventually(lambda: len(transactions(exp)) == 2)
    exp.stop(second)
    go_on.set()
    one.join(PATIENCE_S)
    two.join(PATIENCE_S)

    assert [{member.status for member in each} for each in (before, first, second)] == [
        {Status.COMPLETED}, {Status.COMPLETED}, {Status.CANCELLED}
    ]  # fmt: skip
    assert not os.path.exists(second.path)


CALLS = ("CALL", "CALL_KW", "CALL_FUNCTION_EX", "RESUME")  #: the instructions after which Python raises KeyboardInterrupt


@cache
def places(code: CodeType) -> set[int]:
    """Where what is raised stands for what Python raises after a call: both have the same handler."""

    def handler(offset: int) -> object:
        return next((each.target for each in entries if each.start <= offset < each.end), None)

    entries = dis.Bytecode(code).exception_entries  # type: ignore[attr-defined]
    pairs = pairwise(dis.get_instructions(code))
    return {here.offset for call, here in pairs if call.opname in CALLS and handler(call.offset) == handler(here.offset)}


@contextmanager
def ctrl_c(functions: tuple[str, ...], number: int) -> Iterator[None]:
    """KeyboardInterrupt at the place of that number where this thread would take it in one of `functions`."""
    left, tracing = [number], sys.gettrace()

    def look(frame: FrameType, event: str, _: object) -> object:
        if frame.f_code.co_name not in functions or "/runtime/" not in frame.f_code.co_filename:
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            left[0] -= frame.f_lasti in places(frame.f_code)
            if not left[0]:
                left[0] = -1
                raise KeyboardInterrupt
        return look

    sys.settrace(look)  # type: ignore[arg-type]
    try:
        yield
    finally:
        sys.settrace(tracing)


@pytest.mark.parametrize("number", range(1, 60, 4))
def test_ctrl_c_after_any_call_of_a_wait_loses_no_news(exp: Experiment, number: int) -> None:
    settings = exp.create_run_settings("sleep", "0.05")
    ens, following = (exp.create_ensemble(name, replicas=3, run_settings=settings) for name in ("ens", "following"))

    with suppress(KeyboardInterrupt), ctrl_c(("wait", "_read", "_take_in", "give_back"), number):
        exp.start(ens, progress=False)

    assert not [member.run.status for member in ens if member.run.status.active]
    thread = threading.Thread(target=exp.start, args=(following,), kwargs={"progress": False}, daemon=True)
    thread.start()
    thread.join(PATIENCE_S)
    assert {member.run.status for member in following} == {Status.COMPLETED}


def transactions(exp: Experiment) -> list[Transaction]:
    return list(exp._runner.turns._transactions)


def test_what_another_process_stops_takes_no_more_members(
    driver: Driver, tmp_path: Path, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = driver("""
        ens = exp.create_ensemble("ens", replicas=3000, run_settings=settings("sleep", "1000"))
        exp.start(ens, progress=False)
        print({str(member.status) for member in ens}, sum(member.run.started is not None for member in ens) < 3000)
    """)
    monkeypatch.chdir(tmp_path)
    exp = Experiment("study")
    ens = exp.create_ensemble("ens", replicas=3000, run_settings=exp.create_run_settings("sleep", "1000"))
    eventually(lambda: any("supervisor" in path.read_text() for path in Path("study/journal").glob("*.tsv")))

    exp.stop(ens)

    assert {member.run.status for member in ens} == {Status.CANCELLED}
    assert process.communicate(timeout=PATIENCE_S)[0].endswith("{'Cancelled'} True\n")


@pytest.mark.parametrize("detach", [False, True])
def test_stop_in_a_signal_handler_ends_the_start_that_it_interrupts(
    exp: Experiment, at_the_second_write: Callable[..., None], detach: bool
) -> None:
    ens: Ensemble = exp.create_ensemble("ens", replicas=40, run_settings=exp.create_run_settings("sleep", "1000"))
    before = signal.signal(signal.SIGUSR2, lambda *_: exp.stop(grace=0.1))
    at_the_second_write(lambda: os.kill(os.getpid(), signal.SIGUSR2))
    try:
        exp.start(ens, progress=False, detach=detach)
    finally:
        signal.signal(signal.SIGUSR2, before)

    assert {member.status for member in ens} == {Status.CANCELLED}
