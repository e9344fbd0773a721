"""SmartSim's own tests are judged by a rule, and what comes out is counted."""

import subprocess
import sys
from pathlib import Path

import judge
import pytest
from judge import Verdict, declared, names_of_tests, public_part, report

HEAD = "import pytest\nfrom smartsim import Experiment\n"


@pytest.mark.parametrize(
    "body",
    [
        "def test_x(test_dir): Experiment('e', exp_path=test_dir)",
        "def helper(self): self._own\ndef test_x(): helper(Experiment)",
        "from smartsim.settings import RunSettings, _private\ndef test_x(): RunSettings",
        "def test_x(monkeypatch): monkeypatch.setattr(os, 'environ', {})",
        "from smartsim._core import gone\ndef test_x():\n    gone = 1\n    assert gone",
        "from smartsim._core import name\ndef name(): return 1\ndef test_x(): name()",
        "def test_x(): Experiment.__name__",
    ],
)
def test_a_test_of_what_is_public_is_judged(body: str) -> None:
    kept, _ = public_part(HEAD + body)

    assert names_of_tests(kept) == ["test_x"]


@pytest.mark.parametrize(
    "body",
    [
        "def test_x(): Experiment('e')._control",
        "import smartsim._core.config as config\ndef test_x(): config.x",
        "def test_x():\n    import smartsim._core",
        "from smartsim._core import x\ndef helper(): x()\nclass Mock:\n    y = helper\ndef test_x(): Mock()",
        "from smartsim._core import *\ndef test_x(): Anything()",
        "from smartsim.wlm.slurm import _get_alloc_cmd\ndef test_x(): _get_alloc_cmd()",
        "def test_x(gone): pass",
        "from conftest import gone\ndef test_x(): gone",
        "@pytest.fixture\ndef own(gone): pass\ndef test_x(own): own",
        "def test_x(monkeypatch): monkeypatch.setattr(smartsim.settings.base, 'x', 1)",
        "def test_x(monkeypatch): monkeypatch.setattr(Experiment, '_start', 1)",
        "def test_x(monkeypatch): monkeypatch.setattr('smartsim.settings.base.x', 1)",
        "def test_x(monkeypatch): monkeypatch.setattr('smartsim._core.control.x', 1)",
    ],
)
def test_a_test_of_what_is_private_is_not(body: str) -> None:
    kept, lost = public_part(HEAD + body, ["gone"])

    assert (names_of_tests(kept), "test_x" in lost) == ([], True)


def test_a_test_that_tests_nothing_is_none() -> None:
    empty = "def test_empty(): ...\n"
    fixture = "@pytest.fixture\ndef test_archive(): return 1\n"

    assert names_of_tests(f"{empty}{fixture}def test_x(): assert 1") == ["test_x"]


def test_the_counts_tell_what_fails_on_purpose() -> None:
    verdicts = [
        Verdict("a::test_1", "passed"),
        Verdict("a::test_2[x]", "failed", "why"),
        Verdict("a::test_3", "failed", "ValueError: y"),
        Verdict("a::test_4", "passed"),
        Verdict("a::test_5", "skipped"),
    ]

    assert report(["a::test_6"], verdicts, {"a::test_2": "reason", "a::test_4": "reason"}) == (
        [
            "FAILED a::test_3: ValueError: y",
            "a::test_4: passes, and is declared as a difference",
            "2 of 4 tests passed, 50.0 %; 1 failed on purpose, and 1 otherwise; 1 were skipped",
            "1 test functions cannot be judged, because they use what is private",
        ],
        1,
    )


def test_each_declared_difference_has_a_reason() -> None:
    assert all(len(reason.split()) > 3 and "::test_" in test for test, reason in declared(judge.DIFFERENCES).items())


CONFTEST = """
import pytest
from smartsim._core.config import CONFIG
from smartsim._core.control import Controller

@pytest.fixture
def launcher():
    return CONFIG.test_launcher

@pytest.fixture
def controller():
    return Controller()
"""
TESTS = """
from smartsim import Experiment

def test_public(launcher):
    assert Experiment("study", launcher=launcher).launcher == "local"

def test_differs():
    assert Experiment("study").launcher == "pbs"

def test_private(controller):
    pass
"""


def test_the_tests_of_a_directory_are_judged(tmp_path: Path) -> None:
    (tmp_path / "tests/backends").mkdir(parents=True)
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "tests/test_small.py").write_text(TESTS)
    (tmp_path / "tests/test_missing.py").write_text("from smartsim.nonsense import x\ndef test_y(): x\ndef test_z(): x\n")
    (tmp_path / "tests/test_private.py").write_text("from smartsim._core import x\ndef test_x(): x\n")
    (tmp_path / "tests/backends/test_torch.py").write_text("def test_torch(): pass\n")

    argv = [sys.executable, judge.__file__, str(tmp_path)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout.splitlines()[-5:]) == (
        1,
        [
            "FAILED test_missing::test_y: ModuleNotFoundError: No module named 'smartsim.nonsense'",
            "FAILED test_missing::test_z: ModuleNotFoundError: No module named 'smartsim.nonsense'",
            "FAILED test_small::test_differs: AssertionError: assert 'local' == 'pbs'",
            "1 of 4 tests passed, 25.0 %; 0 failed on purpose, and 3 otherwise; 0 were skipped",
            "2 test functions cannot be judged, because they use what is private",
        ],
    )
