"""No test waits for a number of seconds of its own: on a machine that does something else, any number is too small one day.

Tests wait by ``worlds.patience``. What waits without a limit, as ``subprocess.run`` may, is ended by pytest-timeout: see
``timeout`` in ``pyproject.toml``.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
OWN = {TESTS / "worlds/patience.py", Path(__file__)}
FILES = [TESTS.parent / "conftest.py", *sorted({*TESTS.rglob("*.py")} - OWN)]
#: Methods that take the most seconds that they wait.
WAITS = {"acquire", "communicate", "get_message", "join", "poll", "result", "select", "settimeout", "wait"}
LIMITS = {"timeout", "socket_timeout", "socket_connect_timeout"}  #: arguments that are the same
IN_A_DRIVER = re.compile(r"(?<![\w-])timeout=\d|\.(?:wait|join)\(\d")  #: the same, in the text of another program

#: What is itself the subject, and trips on no machine: how such a call begins.
SUBJECTS = {
    "inference/test_batching.py": ["run("],  # beside a clock that stands still
    # Redis' command WAIT, which is asked again; and a worker that is silent for longer than it said
    "inference/test_queue.py": ["master.client.wait(", "time.sleep("],
    "runtime/jobs/test_jobs.py": ["slurm_exp.wait(timeout=1)", "slurm_exp.wait(timeout=0.1)", "stop.join(0.1)"],
    "runtime/test_colocated.py": ["model.colocated_env(timeout=0)"],
    "runtime/journal/test_journal.py": ["exp.wait(ens, timeout=0.5)"],  # it comes to nothing, however long
    "runtime/local/test_launcher.py": ["exp.wait("],
    "runtime/start_interrupts.py": ["time.sleep("],  # a moment that is drawn at random
    "client/test_database.py": ["Client("],  # beside a server that stands still
    "faults/campaign.py": ["time.sleep("],  # a fault comes at a random moment
    "tutorkit/running/test_limits.py": ["time.sleep("],  # a block stands still for a while
}


def waits(path: Path) -> Iterator[str]:
    """Each wait for a number of seconds that stands in a file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and (by_number(node) or ast.unparse(node.func) == "time.sleep"):
            yield ast.unparse(node)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from (line.strip() for line in node.value.splitlines() if IN_A_DRIVER.search(line))


def by_number(call: ast.Call) -> bool:
    """Whether a call waits for so many seconds."""
    limits = [each.value for each in call.keywords if each.arg in LIMITS]
    if isinstance(call.func, ast.Attribute) and call.func.attr in WAITS:
        limits += call.args
    return any(isinstance(limit, ast.Constant) and type(limit.value) in (int, float) for limit in limits)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(TESTS.parent)))
def test_no_test_waits_for_a_number_of_seconds(path: Path) -> None:
    subjects = tuple(SUBJECTS.get(str(path.relative_to(TESTS.parent)).removeprefix("tests/"), ()))

    assert [wait for wait in waits(path) if not wait.startswith(subjects)] == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("thread.join(60)", True),
        ("thread.join(PATIENCE_S)", False),
        ("','.join(names)", False),
        ("subprocess.run(argv, timeout=20, check=False)", True),
        ("exp.wait(timeout=PATIENCE_S)", False),
        ("while not done:\n    time.sleep(0.1)", True),
        ("driver('exp.wait(timeout=60)')", True),
        ("driver('exp.wait()')", False),
    ],
)
def test_such_waits_are_found(text: str, found: bool, tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(text)

    assert bool([*waits(tmp_path / "test_it.py")]) is found
