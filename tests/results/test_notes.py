"""Progress, notes and lines of a log are best effort: wherever they go, every member runs, and its status is right."""

import io
import logging
import os
import pty
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import smartensemble
from smartensemble.results.notes import Notes, logger
from worlds.patience import PATIENCE_S

Driver = Callable[..., "subprocess.Popen[str]"]

#: A driver that says all that it can: what it generates, a table, statuses, progress, failures, and a line of its log.
TALKS = """
count = 4 * os.cpu_count() + 1
ens = exp.create_ensemble({name!r}, replicas=count, run_settings=settings("sh", "-c", "sleep 0.1; exit 4"))
exp.generate(ens, verbose=True)
exp.start(ens, block=False, summary=True)
exp.poll(interval=0.02)
{then}
exp.start(ens)
Path("ended").write_text(repr({{member.run.exit_code for member in ens}}))
"""

#: Where a driver writes: a line of shell that runs it, and what it does itself.
NOWHERE = {
    "a full disk": ('exec "$@" >/dev/full 2>&1', ""),
    "a pipe that nobody reads": ('"$@" 2>&1 | true', ""),
    "closed descriptors": ('exec "$@" >&- 2>&-', ""),
    "a stream that is closed": ('exec "$@"', "sys.stderr.close()"),
    "an encoding of few letters": ('export PYTHONIOENCODING=latin-1:strict; exec "$@"', ""),
}


@pytest.mark.parametrize(("line", "then"), NOWHERE.values(), ids=NOWHERE)
def test_a_driver_runs_its_members_wherever_it_writes(line: str, then: str, driver: Driver, tmp_path: Path) -> None:
    text = TALKS.format(name="Größe-\N{GREEK SMALL LETTER SIGMA}", then=then)
    process = driver(text, wrapper=["bash", "-c", line, "bash"], errors="replace")

    said, _ = process.communicate(timeout=PATIENCE_S)

    assert (tmp_path / "ended").read_text() == "{4}"
    assert "Traceback" not in said


def test_a_driver_outlives_its_terminal(driver: Driver, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    process = driver(
        """
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        waits = settings("sh", "-c", "until test -e ../../go; do sleep 0.02; done")
        model = exp.create_model("model", waits)
        exp.start(model)
        Path("ended").write_text(str(model.status))
        """,
        stdout=theirs,
        stderr=theirs,
        stdin=theirs,
    )
    os.close(theirs)
    assert os.read(ours, 1)

    os.close(ours)
    (tmp_path / "go").touch()

    assert process.wait(PATIENCE_S) == 0
    assert (tmp_path / "ended").read_text() == "Completed"


def test_where_a_bar_cannot_be_printed_it_is_made_of_what_can(driver: Driver) -> None:
    ours, theirs = pty.openpty()
    process = driver(
        'exp.start(exp.create_model("Größe", settings("sleep", "0.2")))', stdout=theirs, stderr=theirs,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )  # fmt: skip
    os.close(theirs)
    assert process.wait(PATIENCE_S) == 0
    written = os.read(ours, 1 << 16).decode()
    os.close(ours)

    assert "Gr\\xf6\\xdfe " in written
    assert "-----" in written
    assert "\\u2501" not in written


class Broken(io.TextIOBase):
    """A stream of a user's, in which everything fails."""

    def write(self, _text: str) -> int:
        raise RuntimeError("broken")

    def flush(self) -> None:
        raise RuntimeError("broken")

    def isatty(self) -> bool:
        raise ValueError("broken")


@pytest.mark.parametrize("stream", [None, Broken(), io.StringIO()])
def test_no_stream_makes_a_note_fail(stream: "io.TextIOBase | None") -> None:
    notes = Notes(stream)  # type: ignore[arg-type]

    notes.say("a line")

    assert notes.isatty() is False


def test_a_line_is_written_whole() -> None:
    stream = io.TextIOWrapper(file := io.BytesIO(), encoding="latin-1")

    Notes(stream).say("Größe \N{GREEK SMALL LETTER SIGMA}")

    assert file.getvalue() == "Größe \\u03c3\n".encode("latin-1")


def test_no_handler_of_a_log_makes_a_line_fail_and_each_line_says_where_it_comes_from() -> None:
    class Failing(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(record)
            raise RuntimeError("broken")

    said: list[logging.LogRecord] = []
    plain = logging.getLogger("smartensemble.test_notes")
    plain.addHandler(handler := Failing())

    logger(plain.name).warning("%s: a line", "melt")

    plain.removeHandler(handler)
    assert [(record.getMessage(), record.module) for record in said] == [("melt: a line", "test_notes")]


def test_a_driver_that_lets_sigpipe_end_it_goes_on(driver: Driver) -> None:
    process = driver("""
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        ours, theirs = os.pipe()
        os.dup2(theirs, 2)
        os.close(ours)
        exp.start(exp.create_model("model", settings("true")))
        print(exp.summary().count("Completed"), signal.pthread_sigmask(signal.SIG_BLOCK, []), signal.sigpending())
    """)

    assert process.communicate(timeout=PATIENCE_S)[0] == "1 set() set()\n"


def test_a_log_of_smartsims_goes_on_though_its_disk_is_full(driver: Driver) -> None:
    process = driver("""
        from smartensemble.compat.log import get_logger, log_to_file
        log_to_file("/dev/full")
        logger = get_logger("SmartSim")
        sys.stdout.reconfigure(encoding="ascii")
        logger.info("Größe")
        exp.start(exp.create_model("model", settings("true")), progress=False)
        print(exp.summary().count("Completed"))
    """)

    assert process.communicate(timeout=PATIENCE_S)[0] == "1\n"


def test_every_module_that_runs_something_has_a_log_that_never_fails() -> None:
    """A worker is a process of its own, and its log is a file; SmartSim's loggers and clients belong to others' programs."""
    sources = Path(smartensemble.__file__).parent
    plain = [str(path.relative_to(sources)) for path in sources.rglob("*.py") if "logging.getLogger(" in path.read_text()]

    assert [name for name in plain if not name.startswith(("client/", "inference/", "compat/log.py", "results/notes.py"))] == []
