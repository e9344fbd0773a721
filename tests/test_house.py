"""The house keeps its measures: rooms that are not crowded, files and functions that a person can hold, doors that are used.

The layers themselves are contracts of import-linter, in ``pyproject.toml``, which the test command checks.
"""

import ast
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from radon.complexity import cc_visit

ROOT = Path(__file__).parents[1]
SOURCES = [ROOT / "src", *(ROOT / "packages").glob("*/src")]
FILES = sorted(path for source in SOURCES for path in source.rglob("*.py"))
NAMES = [str(path.relative_to(ROOT)) for path in FILES]

FILES_IN_A_FOLDER = 15
LINES, LONG, LONG_FILES = 400, 300, 5
COMPLEXITY = 15
#: A field of a docstring, with the lines that continue it.
FIELD = re.compile(r"^( *):(param|returns|raises)\b.*\n(?:\1 +\S.*\n)*", re.MULTILINE)

#: The last line of a test file's docstring, where it tests modules besides the one of its name: ``Tests start and jobs.queue.``
TESTS = re.compile(r"Tests ((?:[\w.]+, )*[\w.]+ and )?[\w.]+\.")


def test_there_is_something_to_measure() -> None:
    assert len(FILES) > 150
    assert {path.name for path in SOURCES[0].iterdir()} >= {"smartensemble"}


def test_no_folder_has_more_files_than_a_person_can_hold() -> None:
    crowded = {str(folder.relative_to(ROOT)): count for folder, count in Counter(path.parent for path in FILES).items()
               if count > FILES_IN_A_FOLDER}  # fmt: skip

    assert crowded == {}


def test_files_are_read_in_one_sitting() -> None:
    """What an argument means is read in the reference: its lines count for the first limit only."""
    texts = {name: path.read_text() for name, path in zip(NAMES, FILES, strict=True)}
    lines = {name: len(text.splitlines()) for name, text in texts.items()}
    read = {name: len(FIELD.sub("", text).splitlines()) for name, text in texts.items()}

    assert {name: count for name, count in lines.items() if count > LINES} == {}
    assert len([name for name, count in read.items() if count > LONG]) <= LONG_FILES


def test_functions_are_simple() -> None:
    """By radon's count, which sees boolean operators and comprehensions too."""
    complex_ones = {
        f"{name}:{block.lineno} {block.fullname}": block.complexity
        for name, path in zip(NAMES, FILES, strict=True)
        for block in every_function(path)
        if block.complexity > COMPLEXITY
    }

    assert complex_ones == {}


def every_function(path: Path) -> Iterator[Any]:
    for block in cc_visit(path.read_text()):
        yield from getattr(block, "methods", [block])


def test_no_module_reaches_for_the_private_name_of_another() -> None:
    reached = {name: found for name, path in zip(NAMES, FILES, strict=True) if (found := list(reaches(path)))}

    assert reached == {}


def reaches(path: Path) -> Iterator[str]:
    """What a module names that is private to another."""
    tree = ast.parse(path.read_text())
    own = set(defined(tree)) | NAMED_TUPLES | STANDARD_LIBRARY
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            names = [alias.name for alias in node.names]
            yield from (name for name in names if private(name) and not (path.parent / f"{name}.py").exists())
        elif isinstance(node, ast.Attribute) and private(node.attr) and not by_itself(node.value) and node.attr not in own:
            yield ast.unparse(node)


#: Public in spite of their names: see the documentation of `collections.namedtuple`, `os` and `sys`. What runs at the end of a
#: process has no other name.
NAMED_TUPLES = {"_replace", "_asdict", "_fields", "_make", "_field_defaults"}
STANDARD_LIBRARY = {"_exit", "_getframe", "_run_exitfuncs"}


def private(name: str) -> bool:
    return name.startswith("_") and not (name.startswith("__") and name.endswith("__")) and name != "_"


def by_itself(value: ast.expr) -> bool:
    """``self``, ``cls`` and ``super()``: a class may use what its own base has."""
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name):
        return value.func.id == "super"
    return isinstance(value, ast.Name) and value.id in ("self", "cls")


def defined(tree: ast.Module) -> Iterator[str]:
    """The names that a module defines: functions, classes, variables, and the attributes and slots of its classes."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, (ast.Name, ast.Attribute)) and isinstance(node.ctx, ast.Store):
            if isinstance(node, ast.Name):
                yield node.id
            elif by_itself(node.value):
                yield node.attr


def test_no_test_keeps_a_list_of_what_is_not_for_users() -> None:
    tests = [path for path in (ROOT / "tests").rglob("*.py") if path != Path(__file__)]

    assert [path.name for path in tests if "INTERNAL" in path.read_text()] == []


@pytest.mark.parametrize("package", ["smartensemble", "tutorkit"])
def test_tests_mirror_the_rooms(package: str) -> None:
    """A folder of tests is a room of the sources; ``site``, ``samples`` and ``worlds`` are what tests stand on."""
    [source] = [source / package for source in SOURCES if (source / package).exists()]
    home = ROOT / "tests" / ("" if package == "smartensemble" else package)
    rooms = {str(path.relative_to(source)) for path in source.rglob("*") if path.is_dir()}
    folders = {str(path.parent.relative_to(home)) for path in home.rglob("test_*.py")}
    others = {".", "site"} | {folder for folder in folders if folder.split("/")[0] == "tutorkit"}

    assert folders - rooms - others == set()


def test_the_tests_of_each_module_are_found_by_its_name() -> None:
    """In the file of its name, or in one whose docstring names it, in the same room or the room above."""
    nobody, nothing = found_by_name(modules(), docstrings())

    assert nobody == [], "no test file has the name of these modules, and none names them"
    assert nothing == [], "test files name these, and there are no such modules"


@pytest.mark.parametrize(
    ("tests", "nobody", "nothing"),
    [
        ({}, ["p", "p.run", "p.run.jobs.queue", "p.run.turns"], []),
        ({"p.run.test_turns": "Turns."}, ["p", "p.run", "p.run.jobs.queue"], []),
        ({"p.test_turns": "Turns.", "p.run.jobs.test_turns": ""}, ["p", "p.run", "p.run.jobs.queue", "p.run.turns"], []),
        ({"p.run.test_start": "Starts.\n\nTests jobs.queue and turns."}, ["p", "p.run"], []),
        ({"p.run.test_start": "Tests jobs.queue, turns and run.", "p.test_p": ""}, [], []),
        ({"p.run.test_run": "", "p.run.jobs.test_x": "Tests queue."}, ["p", "p.run.turns"], []),
        ({"p.test_x": "Tests run.jobs.queue, run.turns, p and run."}, ["p.run.jobs.queue"], ["p.test_x: run.jobs.queue"]),
        ({"p.run.test_turn": "Tests turn."}, ["p", "p.run", "p.run.jobs.queue", "p.run.turns"], ["p.run.test_turn: turn"]),
        ({"p.run.test_x": "Tests turns.\nMore."}, ["p", "p.run", "p.run.jobs.queue", "p.run.turns"], []),
    ],
)
def test_a_module_that_no_test_file_names_is_found_out(tests: dict[str, str], nobody: list[str], nothing: list[str]) -> None:
    assert found_by_name(["p", "p.run", "p.run.jobs.queue", "p.run.turns"], tests) == (nobody, nothing)


def found_by_name(modules: Iterable[str], tests: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """The modules whose tests nobody finds, and what test files name that is no module; `tests` has their docstrings."""
    left, nothing = set(modules), []
    known = frozenset(left)
    for test, docstring in tests.items():
        room, _, file = test.rpartition(".")
        left -= meant(room, file.removeprefix("test_"))
        for name in named(docstring):
            if not (found := meant(room, name) & known):
                nothing.append(f"{test}: {name}")
            left -= found
    return sorted(left), nothing


def named(docstring: str) -> list[str]:
    """The modules that a test file names."""
    *_, last = docstring.splitlines() or [""]
    return last[len("Tests ") : -1].replace(" and ", ", ").split(", ") if TESTS.fullmatch(last) else []


def meant(room: str, name: str) -> set[str]:
    """What a name means to the tests of a room: a module there, one in a room of that room, or the room itself."""
    inside = {f"{room}.{name}"} if name.count(".") < 2 else set()
    return inside | ({room} if name == room.rpartition(".")[2] else set())


def modules() -> Iterator[str]:
    """The modules, and the packages that are more than a docstring, by their dotted names."""
    for source in SOURCES:
        for path in source.rglob("*.py"):
            parts = path.relative_to(source).with_suffix("").parts
            if path.name != "__init__.py":
                yield ".".join(parts)
            elif len(ast.parse(path.read_text()).body) > 1:
                yield ".".join(parts[:-1])


def docstrings() -> dict[str, str]:
    """The docstrings of the test files, each by the dotted name that it has in the rooms of the sources."""
    home = ROOT / "tests"
    found = {}
    for path in sorted(home.rglob("test_*.py")):
        parts = path.relative_to(home).with_suffix("").parts
        parts = parts if parts[0] == "tutorkit" else ("smartensemble", *parts)
        found[".".join(parts)] = ast.get_docstring(ast.parse(path.read_text())) or ""
    return found


@pytest.mark.parametrize("folder", [".", "packages/tutorkit"])
def test_each_dependency_has_a_line_of_reason(folder: str) -> None:
    project = tomllib.loads((ROOT / folder / "pyproject.toml").read_text())["project"]
    named = [*project["dependencies"], *(each for extra in project["optional-dependencies"].values() for each in extra)]
    names = {re.split("[<>=!~ ;[]", each)[0].lower() for each in named} - {project["name"]}
    table = (ROOT / "docs/understand/dependencies.rst").read_text().lower()

    assert [name for name in sorted(names) if not re.search(rf"(\* - |, ){re.escape(name)}\b", table)] == []
