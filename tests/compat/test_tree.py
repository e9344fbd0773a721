"""The tree of modules is SmartSim's: each public name, parameter and attribute is there, or the page lists it as a difference.

What SmartSim has is in ``tests/samples/smartsim``, as ``smartsim_names.py`` prints it; where SmartSim 0.8.0 is installed, it is
asked again.

Tests compat, error, error.errors, entity.dbnode, servertype and version.
"""

import importlib
import inspect
import json
import re
import subprocess
from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from smartensemble.compat import Experiment, entity
from smartensemble.compat.entity.entity import SmartSimEntity
from smartensemble.compat.entity.files import EntityFiles
from smartensemble.compat.log import LowPassFilter
from smartensemble.compat.settings import RunSettings
from worlds import smartsim

NAMES = smartsim.NAMES
CLASSES = [(module, name) for module, names in NAMES.items() for name, found in names.items() if isinstance(found, dict)]

PAGE = (smartsim.ROOT / "docs/howto/smartsim.rst").read_text().partition("Names that are not there")[2]
#: The first cells of the page's table of names that are not there, or not the same: ``module.Class.name``.
DECLARED = re.findall(r"``([^`]+)``", "".join(re.findall(r"^   \* - ((?:``.*?``(?:,\s+)?)+)$", PAGE, re.MULTILINE | re.DOTALL)))


def ours(module: str) -> Any:
    return importlib.import_module(f"smartensemble.compat.{module}".rstrip("."))


def declared(name: str) -> bool:
    """The page lists `name`, or all names like it."""
    return any(fnmatchcase(name, pattern) for pattern in DECLARED)


@pytest.mark.skipif(
    not smartsim.SMARTSIM.exists(), reason="needs SmartSim 0.8.0 in .nox/smartsim, which nox -s benchmarks installs"
)
def test_the_names_are_those_of_the_smartsim_that_is_installed() -> None:
    done = subprocess.run(
        [smartsim.SMARTSIM, Path(__file__).with_name("smartsim_names.py")], capture_output=True, text=True, check=True
    )

    assert json.loads(done.stdout) == smartsim.NAMES


@pytest.mark.parametrize("module", NAMES, ids=lambda module: module or "smartsim")
def test_a_module_has_smartsims_names(module: str) -> None:
    there = vars(ours(module))

    assert [name for name in NAMES[module] if name not in there and not declared(f"{module}.{name}")] == []


@pytest.mark.parametrize("module", NAMES, ids=lambda module: module or "smartsim")
def test_a_name_is_the_same_wherever_it_is_imported_from(module: str) -> None:
    there = vars(ours(module))
    elsewhere = {name: found.removeprefix("from smartsim.") for name, found in NAMES[module].items() if "from " in found}

    for name in there.keys() & elsewhere.keys():
        assert there[name] is getattr(ours(elsewhere[name]), name), name


# --- what a class has ---------------------------------------------------------------------------------------------------------


def an_object(module: str, name: str) -> Any:
    """An object of a class that has attributes."""
    if not module.startswith("settings"):
        return made()[name]
    kind = getattr(ours(module), name)
    first = next(iter(inspect.signature(kind).parameters.values()), None)
    return kind() if first is None or first.default is not first.empty else kind("true")


def made() -> dict[str, Any]:
    """An object of each other class that has attributes."""
    exp = Experiment("exp")
    model = exp.create_model("model", RunSettings("true"))
    db = exp.create_database()
    return {
        "Experiment": exp,
        "ExperimentTelemetryConfiguration": exp.telemetry,
        "Model": model,
        "Ensemble": exp.create_ensemble("ens", {"T": [1, 2]}, run_settings=RunSettings("true")),
        "Orchestrator": db,
        "DBNode": db.entities[0],
        "DBModel": entity.DBModel("net", "TORCH", b"..."),
        "DBObject": entity.DBScript("double", "def double(x):\n    return 2 * x"),
        "DBScript": entity.DBScript("double", "def double(x):\n    return 2 * x"),
        "EntityFiles": EntityFiles(),
        "LowPassFilter": LowPassFilter(),
        "EntityList": db,
        "EntitySequence": db,
        "SmartSimEntity": SmartSimEntity("node", "/tmp", RunSettings("true")),
        "TelemetryConfiguration": entity.TelemetryConfiguration(),
    }


@pytest.mark.parametrize(("module", "name"), CLASSES)
def test_a_class_has_smartsims_names(module: str, name: str) -> None:
    if declared(f"{module}.{name}"):
        return
    with_attributes = "attribute" in NAMES[module][name].values()

    there = an_object(module, name) if with_attributes else getattr(ours(module), name)
    missing = [each for each in NAMES[module][name] if each not in dir(there) and not declared(f"{module}.{name}.{each}")]
    assert missing == []


@pytest.mark.parametrize(("module", "name"), CLASSES)
def test_methods_have_smartsims_parameters_in_its_order(module: str, name: str) -> None:
    if declared(f"{module}.{name}"):
        return
    kind = getattr(ours(module), name)
    methods = {method: words for method, words in NAMES[module][name].items()
               if words.startswith("(") and not declared(f"{module}.{name}.{method}")}  # fmt: skip

    differ = {method: lacks(words, inspect.signature(getattr(kind, method))) for method, words in methods.items()}
    assert {method: difference for method, difference in differ.items() if difference} == {}


@pytest.mark.parametrize("module", NAMES, ids=lambda module: module or "smartsim")
def test_functions_have_smartsims_parameters_in_its_order(module: str) -> None:
    functions = {name: found for name, found in NAMES[module].items() if isinstance(found, str) and found.startswith("(")}

    differ = {name: lacks(words, inspect.signature(getattr(ours(module), name))) for name, words in functions.items()
              if not declared(f"{module}.{name}")}  # fmt: skip
    assert {name: difference for name, difference in differ.items() if difference} == {}


def lacks(words: str, signature: inspect.Signature) -> str:
    """What a call that is right there cannot say here."""
    parameters = [each for each in signature.parameters.values() if each.name not in ("self", "cls")]
    kinds = {each.kind for each in parameters}
    names = [each.name for each in parameters]
    before, _, after = words[1:-1].partition("*")
    by_position = before.strip(", ").split(", ") if before else []
    if names[: len(by_position)] != by_position and inspect.Parameter.VAR_POSITIONAL not in kinds:
        return f"by position {by_position}, and here {names}"
    by_keyword = [] if after.startswith("*") else [each for each in after.split(", ")[1:] if "*" not in each]
    if lost := [name for name in by_keyword if name not in names and inspect.Parameter.VAR_KEYWORD not in kinds]:
        return f"no keyword {lost}, but {names}"
    several = re.match(r"(^|.*, )\*\w", words[1:-1]) is not None
    return "not several" if several and inspect.Parameter.VAR_POSITIONAL not in kinds else ""


@pytest.mark.parametrize(
    ("words", "signature", "difference"),
    [
        ("(a, b)", lambda a, b, c=1: 0, ""),
        ("(a, b)", lambda b, a: 0, "by position"),
        ("(a, *, b)", lambda a, *, b: 0, ""),
        ("(a, *, b)", lambda a: 0, "no keyword"),
        ("(*args, a)", lambda *entities, a: 0, ""),
        ("(*args, a)", lambda entities, a: 0, "not several"),
        ("(a, **kwargs)", lambda a: 0, ""),
        ("()", lambda **options: 0, ""),
    ],
)
def test_a_difference_of_parameters_is_found(words: str, signature: Callable[..., object], difference: str) -> None:
    assert lacks(words, inspect.signature(signature)).startswith(difference)
    assert bool(lacks(words, inspect.signature(signature))) is bool(difference)


@pytest.mark.parametrize(("module", "name"), CLASSES)
def test_what_is_an_attribute_there_is_read_and_set_here(module: str, name: str) -> None:
    attributes = [each for each, kind in NAMES[module][name].items()
                  if kind == "attribute" and not declared(f"{module}.{name}.{each}")]  # fmt: skip
    if declared(f"{module}.{name}") or not attributes:
        return
    there = an_object(module, name)
    for each in attributes:
        setattr(there, each, getattr(there, each))


def test_the_page_lists_no_difference_that_is_none() -> None:
    """Each pattern of the page's table is that of a name which SmartSim has."""
    names = {f"{module}.{name}" for module, found in NAMES.items() for name in found}
    members = {f"{module}.{name}.{member}" for module, name in CLASSES for member in NAMES[module][name]}

    assert [pattern for pattern in DECLARED if not any(fnmatchcase(each, pattern) for each in names | members)] == []
