"""A block is ended by what it computes, however busy the machine is, and by how long it waits; and only its page ends.

Tests kernel.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tutorkit.config import Config
from tutorkit.running import limits
from tutorkit.running.limits import Meter, lasting
from tutorkit.running.notebook import execute
from tutorkit.running.processes import Reading, Stat, counted, parent
from worlds.projects import Write, run

pytestmark = pytest.mark.skipif(not counted(), reason="nothing counts CPU time here")

BURN = "import time\nwhile time.process_time() < {seconds}: pass\n"
ENDLESS = "import sys; argv = [sys.executable, '-c', 'while True: pass']\n"


def blocks(*codes: str) -> str:
    """A page of Python blocks."""
    return "# Title\n\n" + "\n".join(f"```python\n{code}\n```\n" for code in codes)


def reading(**used: tuple[float, float]) -> Reading:
    """Processes by letters, with what each used, and its children that it waited for."""
    return {(ord(name), 0): Stat(1, True, 0, own, reaped) for name, (own, reaped) in used.items()}


@pytest.mark.parametrize(
    ("looks", "used"),
    [
        ([{"a": (5, 2)}, {"a": (6, 2)}], 1),
        ([{"a": (5, 2)}, {"a": (5, 2), "b": (1, 1)}], 2),
        ([{"a": (5, 2)}, {"a": (5, 4)}], 2),  # of a child that nobody saw
        ([{"a": (5, 2), "b": (7, 1)}, {"a": (5, 11)}], 1),  # b ended, and was waited for
        ([{"a": (5, 2), "b": (7, 1)}, {"a": (5, 2), "b": (9, 1)}, {"a": (5, 2)}], 2),  # and it was not
        ([{"a": (5, 2), "b": (7, 1)}, {"a": (5, 2)}, {"a": (5, 2), "b": (9, 1)}], 2),  # the second look has missed it
        ([{"a": (5, 2)}, {"a": (6, 2)}, {}], 1),  # all have ended
    ],
)
def test_what_processes_use_is_counted_once_and_never_forgotten(
    looks: list[dict[str, tuple[float, float]]], used: float
) -> None:
    first, *more = [reading(**look) for look in looks]
    answers = iter([first, first, *more])

    meter = Meter(lambda: next(answers))

    assert [meter.used() for _ in more][-1] == used


def test_what_one_look_misses_at_first_is_not_new() -> None:
    one, both = reading(a=(5, 2)), reading(a=(5, 2), b=(50, 0))
    answers = iter([both, one, both])

    assert Meter(lambda: next(answers)).used() == 0


@pytest.mark.parametrize(
    "code",
    [
        "while True: pass",
        f"import subprocess\n{ENDLESS}subprocess.run(argv)",
        "import threading, time\ndef turn():\n    while True: pass\nthreading.Thread(target=turn).start()\ntime.sleep(1000)",
        "import os\nwhile True:\n    if not os.fork():\n        sum(range(300_000))\n        os._exit(0)\n    os.wait()",
        f"import subprocess, time\n{ENDLESS}subprocess.run(['setsid', 'sh', '-c', '\"$@\" &', 'sh', *argv])\ntime.sleep(1000)",
    ],
    ids=["itself", "child", "thread", "short-lived children", "grandchild of its own session"],
)
def test_a_block_that_computes_too_much_is_ended(write: Write, project: Config, code: str) -> None:
    page = write(blocks(code, "y = 2"), "docs/page.md")

    problems, _ = run(page, replace(project, time_limit=1.0))

    assert problems[0].startswith("docs/page.md:4: used ")
    assert problems[0].endswith(" s of CPU time (at most 1 s); compute less, or raise time_limit in [tool.tutorkit]")
    assert 1.0 <= float(problems[0].split()[2]) < 3.0
    assert problems[1] == f"docs/page.md:{page.blocks[1].line}: was not run: {problems[0]}"


def test_a_block_that_waits_may_take_longer_but_not_for_ever(write: Write, project: Config) -> None:
    short = replace(project, time_limit=0.5)

    sleeps, _ = run(write(blocks("import time\ntime.sleep(1.5)"), "docs/a.md"), short)
    forever, _ = run(write(blocks("import threading\nthreading.Event().wait()"), "docs/b.md"), replace(short, wait_limit=1.0))

    assert sleeps == [""]
    assert forever[0].startswith("docs/b.md:4: waited ")
    assert forever[0].endswith(" s (at most 1 s); wait for less, or raise wait_limit in [tool.tutorkit]")


def test_a_block_that_gets_no_time_is_not_ended_by_the_time_that_passes(write: Write, project: Config) -> None:
    """Beside a busy machine it stands still for a while; here it is stopped, and goes on when it sees that it was."""
    started = project.root / "pid"
    code = (
        f"import os, time\nopen({str(started)!r}, 'w').write(str(os.getpid()))\n"
        "now = before = time.monotonic()\nwhile now < before + 1.5: before, now = now, time.monotonic()"
    )
    stopper = threading.Thread(target=stop_for_a_while, args=[started, 2.0])
    stopper.start()

    problems, _ = run(write(blocks(code), "docs/a.md"), replace(project, time_limit=1.0))

    stopper.join()
    assert problems == [""]


def stop_for_a_while(started: Path, seconds: float) -> None:
    """Stop the process that writes its number to a file."""
    while not started.exists() or not started.read_text():
        time.sleep(0.01)
    os.kill(int(started.read_text()), signal.SIGSTOP)
    time.sleep(seconds)
    os.kill(int(started.read_text()), signal.SIGCONT)


def test_a_block_does_not_pay_for_those_before_it(write: Write, project: Config) -> None:
    """Neither for what the page's process has used, nor for that of a child which it waits for."""
    code = f"{BURN.format(seconds=0.8)}print(flush=True)\ninput()"
    child = f"import subprocess, sys\nchild = subprocess.Popen([sys.executable, '-c', {code!r}], stdin=-1, stdout=-1)"
    wait = BURN.format(seconds=1.5) + "_ = child.communicate(b'\\n')"
    page = write(blocks(BURN.format(seconds=0.8), f"{child}\n_ = child.stdout.readline()", wait), "docs/a.md")

    assert run(page, replace(project, time_limit=1.3)) == ([""] * 3, "")


def test_a_block_pays_for_what_computes_on_behind_it(write: Write, project: Config) -> None:
    """Which may be a server, that works for this block."""
    start = f"import subprocess, time\n{ENDLESS}child = subprocess.Popen(argv)"

    problems, _ = run(write(blocks(start, "time.sleep(1000)"), "docs/a.md"), replace(project, time_limit=1.0))

    assert problems[0] == ""
    assert "used " in problems[1]


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("import os, signal\nos.killpg(0, signal.SIGKILL)", "ended the process that the page runs in, and the one that it was"),
        ("import os\nos.closerange(3, 100)\nwhile True: pass", "ended the process that the page runs in, by SIGKILL"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)", "waited "),
    ],
    ids=["kills the one it is forked from", "closes everything, and goes on", "stops itself"],
)
def test_a_page_ends_at_most_itself(write: Write, project: Config, code: str, message: str) -> None:
    bad, good = write(blocks(code, "y = 2"), "docs/bad.md"), write(blocks("x = 1"), "docs/good.md")

    problems, _ = run(bad, replace(project, wait_limit=1.0))

    assert problems[0].startswith(f"docs/bad.md:4: {message}")
    assert problems[1].startswith(f"docs/bad.md:{bad.blocks[1].line}: was not run: docs/bad.md:4: {message}")
    assert run(good, project) == ([""], "")


def test_a_page_whose_end_takes_too_long_is_told(write: Write, project: Config) -> None:
    page = write(blocks("import atexit, time\natexit.register(time.sleep, 1000)"), "docs/a.md")

    problems, left = run(page, replace(project, wait_limit=1.0))

    assert problems == [""]
    assert left.startswith("after its last block, it waited ")


# --- notebooks ---------------------------------------------------------------------------------------------------------


def cells(*codes: str) -> str:
    """A notebook."""
    head = "---\nfile_format: mystnb\nkernelspec: {name: python3, display_name: Python 3}\n---\n\n# Book\n\n"
    return head + "\n".join(f"```{{code-cell}}\n{code}\n```\n" for code in codes)


@pytest.mark.needs("sphinx")
@pytest.mark.parametrize(
    ("code", "message"),
    [
        (
            f"import subprocess, time\n{ENDLESS}subprocess.run(['setsid', 'sh', '-c', '\"$@\" &', 'sh', *argv])\ntime.sleep(1000)",
            "used ",
        ),
        ("import time\ntime.sleep(1000)", "waited "),
    ],
    ids=["has a grandchild that computes", "waits"],
)
def test_a_cell_is_ended_as_a_block_is(write: Write, project: Config, code: str, message: str) -> None:
    page = write(cells("import time\ntime.sleep(1.5)\nprint(1)", code, "y = 2"), "docs/book.md")
    images = project.root / "images"

    results = execute(page, replace(project, time_limit=1.0, wait_limit=3.0), images)

    before, ended, after = results.values()
    assert (before.problem, before.output) == ("", "1\n")
    assert ended.problem.startswith(f"{page.blocks[1].place}: {message}")
    assert after.problem == f"{page.blocks[2].place}: was not run: the cell at {page.blocks[1].place} failed"
    assert '"1\\n"' in (images / "executed.ipynb").read_text()


# --- the end of a page -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "ends"),
    [
        (
            "import time\nfor _ in range(15):\n    end = time.process_time() + 0.02\n    while time.process_time() < end: pass\n    time.sleep(0.04)",
            True,
        ),
        ("import time\ntime.sleep(1000)", False),
        ("while True: pass", False),
    ],
    ids=["computes, slowly", "waits", "computes on"],
)
def test_what_computes_may_be_about_to_end(monkeypatch: pytest.MonkeyPatch, code: str, ends: bool) -> None:
    """On a busy machine, for longer than the time that what waits is given."""
    monkeypatch.setattr(limits, "GRACE_S", 0.7)
    process = subprocess.Popen([sys.executable, "-c", code])

    left = lasting(lambda: [process.pid] if parent(process.pid) else [])

    process.kill()
    process.wait()
    assert left == ([] if ends else [process.pid])
