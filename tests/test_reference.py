"""The reference has every name of the package, and nothing that is not there.

Tests smartensemble.
"""

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import smartensemble
from smartensemble import errors
from smartensemble.results.table import Table

PAGES = Path(__file__).parents[1] / "docs" / "reference"
REFERENCE = (PAGES / "api.rst").read_text() + (PAGES / "client.rst").read_text()
ERRORS = (PAGES / "errors.rst").read_text()
CLASSES = [
    smartensemble.Client,
    smartensemble.Experiment,
    smartensemble.Ensemble,
    smartensemble.Model,
    smartensemble.Orchestrator,
    smartensemble.RunSettings,
    smartensemble.BatchSettings,
    smartensemble.Singularity,
    Table,
]


def described() -> dict[str, set[str]]:
    """The classes of the page, each with the methods and properties below it."""
    found: dict[str, set[str]] = {}
    for line in REFERENCE.splitlines():
        if match := re.match(r"(\s*)\.\. (?:auto)?(class|method|property)::\s+(?:[\w.]+\.)?(\w+)", line):
            indent, kind, name = match.groups()
            if kind == "class":
                members = found.setdefault(name, set())
            elif indent:
                members.add(name)
    return found


def public(kind: type) -> Iterator[str]:
    """The methods and properties that a class defines for its users, or has by another class."""
    for name, thing in inspect.getmembers_static(kind):
        if not name.startswith("_") and (inspect.isfunction(thing) or isinstance(thing, (property, classmethod, staticmethod))):
            yield name


@pytest.mark.parametrize("name", smartensemble.__all__)
def test_every_name_of_the_package_is_in_the_reference(name: str) -> None:
    assert name in described()


@pytest.mark.parametrize("kind", CLASSES)
def test_every_public_method_and_property_is_in_the_reference(kind: type) -> None:
    assert set(public(kind)) - described()[kind.__name__] == set()


@pytest.mark.parametrize("kind", CLASSES)
def test_the_reference_names_no_method_that_is_not_there(kind: type) -> None:
    assert {name for name in described()[kind.__name__] if not hasattr(kind, name)} == set()


@pytest.mark.parametrize("name", ["all_perm", "step", "random", "latin_hypercube", "sobol", "plot_design"])
def test_every_strategy_and_the_plot_are_in_the_reference(name: str) -> None:
    assert re.search(rf"autofunction:: (\w+\.)*{name}$", REFERENCE, re.MULTILINE)


@pytest.mark.parametrize("name", [name for name in vars(errors) if name.endswith("Error") and name != "SmartEnsembleError"])
def test_every_error_has_a_block_that_raises_it(name: str) -> None:
    section = re.split(r"^\.\. autoexception:: ", ERRORS, flags=re.MULTILINE)[1:]
    mine = next(text for text in section if text.startswith(f"{name}\n"))

    assert f"smartensemble.errors.{name}: " in mine
