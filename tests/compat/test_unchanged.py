"""``python -m smartensemble.compat driver.py`` runs a driver as Python does, and its imports of others' packages give ours.

Tests __main__, as_smartredis.smartredis, as_smartsim.smartsim, drivers and stand_ins.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from smartensemble.compat import settings, stand_ins
from smartensemble.compat.drivers import main
from smartensemble.compat.stand_ins import StandIns

COMPAT = ("-m", "smartensemble.compat")


def python(directory: Path, *argv: str) -> "subprocess.CompletedProcess[str]":
    """What a Python does that runs in a directory."""
    return subprocess.run([sys.executable, *argv], cwd=directory, capture_output=True, text=True, check=False)


def ours(directory: Path, driver: str, *arguments: str) -> list[str]:
    """The lines that a driver prints, which runs whole."""
    (directory / "driver.py").write_text(driver)
    done = python(directory, *COMPAT, *arguments, "driver.py")
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


# --- as Python does ---------------------------------------------------------------------------------------------------------

MAIN = """
import atexit, sys
atexit.register(lambda: print(sys.modules["__main__"].__dict__ is globals()))
print(sorted(globals()), [globals()[name] for name in ("__file__", "__name__", "__spec__", "__package__", "__cached__")])
print(type(__loader__), __loader__.path, type(__builtins__), sys.argv, sys.path[0])
sys.exit(3)
"""
FAILS = """
def fail():
    raise ValueError("first")
try:
    fail()
except ValueError:
    raise KeyError("second")
"""
HOOK = """
import sys, traceback
sys.excepthook = lambda kind, error, trace: print("own:", kind, error, *traceback.format_tb(trace))
raise ValueError("shown by the driver")
"""
ENDS = {
    "main": MAIN,
    "fails": FAILS,
    "hook": HOOK,
    "syntax": "first = (\n",
    "imports": "import wrong\n",
    "text": "import sys; sys.exit('a text is written, and the exit code is 1')\n",
    "interrupted": "raise KeyboardInterrupt\n",
    "latin": "# coding: latin-1\nprint(ascii('\xe9'))\n",
}


@pytest.mark.parametrize("driver", ENDS.values(), ids=ENDS)
def test_a_driver_begins_and_ends_as_with_python(driver: str, tmp_path: Path) -> None:
    (tmp_path / "wrong.py").write_text("first = (\n")
    (tmp_path / "drivers").mkdir()
    (tmp_path / "drivers/driver.py").write_text(driver, encoding="latin-1")
    (tmp_path / "drivers/wrong.py").write_text("second = [\n")

    expected, found = (python(tmp_path, *words, "drivers/driver.py", "-x", "one") for words in ((), COMPAT))

    assert (found.returncode, found.stdout, found.stderr) == (expected.returncode, expected.stdout, expected.stderr)


def test_a_module_runs_as_with_python(tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text("import sys; print(__name__, sys.argv); 1 / 0")

    expected, found = (python(tmp_path, *words, "-m", "module", "-x", "one") for words in ((), COMPAT))

    assert (found.returncode, found.stdout) == (expected.returncode, expected.stdout)
    assert "runpy" not in found.stderr
    assert found.stderr.splitlines()[-1] == "ZeroDivisionError: division by zero"


@pytest.mark.parametrize(("path", "why"), [("missing.py", "No such file or directory"), (".", "Is a directory")])
def test_a_driver_that_cannot_be_read_is_an_error(path: str, why: str, tmp_path: Path) -> None:
    done = python(tmp_path, *COMPAT, path)

    said = f"python -m smartensemble.compat: {path}: cannot be read: {why}; give the file of a driver\n"
    assert (done.returncode, done.stderr) == (2, said)


@pytest.mark.parametrize(
    ("argv", "subject"),
    [([], "nothing"), (["--smartredis"], "--smartredis"), (["-m"], "-m"), (["--wrong", "x.py"], "--wrong x.py")],
)
def test_a_driver_that_is_not_named_is_an_error(argv: list[str], subject: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(argv)

    first, *_ = capsys.readouterr().err.splitlines()
    assert code == 2
    assert first == f"python -m smartensemble.compat: {subject}: no driver is named; give its file, such as driver.py"


def test_help_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    assert capsys.readouterr().out.startswith("usage: python -m smartensemble.compat")


# --- imports ----------------------------------------------------------------------------------------------------------------

IMPORTS = """
import smartsim.settings
from smartsim import Experiment
from smartsim.settings import RunSettings
import smartensemble.compat
print(smartsim is smartensemble.compat, RunSettings is smartensemble.compat.settings.RunSettings)
print(smartsim.__spec__.name, smartsim.settings.__spec__.name)
try:
    import smartsim.nonsense
except ModuleNotFoundError as error:
    print(error.name, error)
"""
ELSEWHERE = """
import multiprocessing, pickle, subprocess, sys
from smartsim import Experiment
from smartsim.status import SmartSimStatus

NAME = "import smartsim.settings; print(smartsim.__name__, smartsim.settings.__name__)"

def name(number):
    import smartsim
    return smartsim.__name__

if __name__ == "__main__":
    exp = Experiment("study")
    member = exp.create_model("member", exp.create_run_settings(sys.executable, ["-c", NAME]))
    exp.start(member)
    print(open("study/member/member.out").read(), end="")
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        print(pool.map(name, [1]))
    print(pickle.loads(pickle.dumps(SmartSimStatus.STATUS_NEW)) is SmartSimStatus.STATUS_NEW)
"""


def test_smartsim_and_its_modules_are_compat(tmp_path: Path) -> None:
    assert ours(tmp_path, IMPORTS) == [
        "True True",
        "smartensemble.compat smartensemble.compat.settings",
        "smartsim.nonsense No module named 'smartsim.nonsense'",
    ]


def test_so_it_is_in_members_and_in_other_processes(tmp_path: Path) -> None:
    assert ours(tmp_path, ELSEWHERE) == [
        "smartensemble.compat smartensemble.compat.settings",
        "['smartensemble.compat']",
        "True",
    ]


SMARTREDIS = """
import sys
import smartensemble.client
import smartredis
from smartredis import Client, ConfigOptions, Dataset, LLInfo, log_data
from smartredis.client import Client as Same
from smartredis.dataset import Dataset as SameDataset
from smartredis.dataset_utils import DatasetConverter
from smartredis.error import RedisReplyError
from smartredis.logcontext import LogContext
from smartsim import Experiment

print(smartredis is smartensemble.client, Client is Same is smartensemble.Client, Dataset is SameDataset)
exp = Experiment("study")
code = "import smartredis; print(smartredis.__name__)"
member = exp.create_model("member", exp.create_run_settings(sys.executable, ["-c", code]))
exp.start(member)
print(open("study/member/member.out").read(), end="")
"""


@pytest.mark.needs("numpy", "hiredis")
def test_smartredis_is_our_client_on_demand(tmp_path: Path) -> None:
    assert ours(tmp_path, SMARTREDIS, "--smartredis") == ["True True True", "smartensemble.client"]


def test_smartredis_is_what_it_was_without(tmp_path: Path) -> None:
    (tmp_path / "smartredis.py").write_text("print('the real one')")

    assert ours(tmp_path, "import smartredis") == ["the real one"]


def test_a_module_keeps_its_own_specification() -> None:
    spec = StandIns(["smartsim"]).find_spec("smartsim.settings")

    assert spec is not None
    assert spec.loader is not None
    assert spec.loader.create_module(spec) is settings
    spec.loader.exec_module(settings)
    assert settings.__spec__ is not None
    assert settings.__spec__.name == "smartensemble.compat.settings"


@pytest.mark.parametrize("package", ["smartsim", "smartredis"])
def test_a_member_whose_python_lacks_us_gets_the_real_one(package: str, tmp_path: Path) -> None:
    (tmp_path / f"{package}.py").write_text("print('the real one')")
    stand_in = Path(stand_ins.__file__).with_name(f"as_{package}")
    code = f"import sys; sys.path[:0] = [{str(stand_in)!r}, {str(tmp_path)!r}]; import {package}; print({package}.__file__)"

    done = python(tmp_path, "-I", "-S", "-c", code)

    assert (done.stdout.splitlines(), done.stderr) == (["the real one", str(tmp_path / f"{package}.py")], "")


NO_EFFECT = """
import os, sys
from smartensemble.results.no_effect import no_effect
no_effect("set_tasks", "there is no run command")
if os.fork() == 0:
    sys.exit()
os.wait()
1 / 0
"""


def test_what_had_no_effect_is_said_at_the_end_and_once(tmp_path: Path) -> None:
    (tmp_path / "driver.py").write_text(NO_EFFECT)

    *_, error, title, line = python(tmp_path, *COMPAT, "driver.py").stderr.splitlines()

    assert error == "ZeroDivisionError: division by zero"
    assert title == "python -m smartensemble.compat: what had no effect:"
    assert line == "  set_tasks: has no effect, because there is no run command"
