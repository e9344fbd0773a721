"""Whatever a public call is given, and wherever it is made, its error is one of ours, before anything is written.

What is called, with which values and in which situations, stands in ``faults``; ``nox -s faults`` makes all calls.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from faults import odd_calls
from faults.odd_world import World, tree
from smartensemble.errors import InputTypeError

PROGRAM = Path(odd_calls.__file__)


@pytest.mark.needs("setpriv")
@pytest.mark.needs("client")
@pytest.mark.needs("database")
def test_every_public_call_fails_with_an_error_of_ours(tmp_path: Path) -> None:
    """With two values for each argument, and in two situations. Root may read everything, unless it gives up that right."""
    bound = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.getuid() == 0 else []
    argv = [*bound, sys.executable, str(PROGRAM), "--each", "2", "--seed", "7"]

    done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=tmp_path)

    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr


def test_what_is_public_is_found_by_itself() -> None:
    names = {each.name for each in odd_calls.public_names()}

    assert {
        "Experiment.__init__",
        "Experiment.start",
        "Ensemble.__getitem__",
        "Model.colocate_db_uds",
        "slurm.validate",
    } <= names
    assert {"compat.entity.Model.set_path", "wire.tensor.encode", "Client.put_tensor", "client.log_data"} <= names
    assert len(names) > 130


def raises(error: Exception) -> Callable[[object], None]:
    def call(value: object) -> None:
        raise error

    return call


def writes(value: object) -> None:
    Path("left").touch()
    raise InputTypeError("value: is odd; give text")


def unsaid(value: object) -> None:
    """A call whose docstring does not say what it raises.

    :raises InputValueError: not this one.
    """
    raise InputTypeError("value: is odd; give text")


WRONG = {
    "raises InputTypeError, which its docstring does not name": unsaid,
    "is a raw KeyError": raises(KeyError("x")),
    "has another form": raises(InputTypeError("no form at all")),
    "cannot be shown": raises(InputTypeError("value: \ud800; give another")),
    "hangs": raises(odd_calls.Hung()),  # type: ignore[arg-type]
    "comes after something was written": writes,
}


@pytest.mark.parametrize(("problem", "function"), WRONG.items(), ids=WRONG)
def test_what_is_wrong_with_an_error_is_seen(problem: str, function: Callable[[object], None], tmp_path: Path) -> None:
    here = Path.cwd()
    try:
        world = World(tmp_path / "home")
        found = list(odd_calls.wrong(odd_calls.Public("f", function), world, {"value": 1}, tree(world.home)))
    finally:
        os.chdir(here)

    assert [each for each in found if each.startswith(problem)]
