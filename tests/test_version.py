"""The version is that of the distribution, and the one that the command prints.

Tests __main__.
"""

import subprocess
import sys
from importlib.metadata import version

import pytest

from smartensemble.version import __version__


def test_it_is_that_of_the_distribution() -> None:
    assert version("smartensemble") == __version__


@pytest.mark.parametrize("command", [["smartensemble"], [sys.executable, "-m", "smartensemble"]])
def test_the_command_prints_it_by_either_name(command: list[str]) -> None:
    done = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True)

    assert done.stdout == f"smartensemble {__version__}\n"
