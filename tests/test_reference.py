"""The reference has every name of the package, says everything of each, and names nothing that is not there.

Tests smartensemble, client.descriptions, databases.descriptions and docstrings.described.
"""

import ast
import importlib
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, get_overloads

import pytest

import smartensemble
from faults.odd_calls import named
from smartensemble import Client, Ensemble, Experiment, Model, Orchestrator, RunSettings, SrunSettings, client, errors
from smartensemble.client import errors as client_errors
from smartensemble.docstrings.described import arguments, described_by, fields, merged

PAGES = Path(__file__).parents[1] / "docs" / "reference"
ERRORS = (PAGES / "errors.rst").read_text()
RAISED = {name: kind for module in (errors, client_errors) for name, kind in vars(module).items() if name.endswith("Error")}
DIRECTIVE = re.compile(r"( *)\.\. (?:auto)?(currentmodule|module|class|method|property|function):: ([\w.]+)(\(\))?")


class Entry(NamedTuple):
    """What the reference describes."""

    name: str  #: such as ``smartensemble.Experiment.start``
    thing: Any
    answer: bool = False  #: a class whose instances are answers: nobody makes one

    @property
    def takes(self) -> list[inspect.Parameter]:
        """What it takes; nothing if it is no callable."""
        function = self.thing.__init__ if inspect.isclass(self.thing) else function_of(self.thing)
        if not inspect.isfunction(function) or self.answer:
            return []
        forms = get_overloads(inspect.unwrap(function)) or [function]
        found = {name: each for form in forms for name, each in inspect.signature(form).parameters.items()}
        return [each for name, each in found.items() if name not in ("self", "cls")]

    @property
    def says(self) -> dict[tuple[str, str | None], str]:
        """The fields of its docstring."""
        return dict(fields(self.thing.__doc__ or ""))


def function_of(thing: Any) -> Any:
    """What a static method, or one of a class, calls."""
    return getattr(thing, "__func__", thing)


@cache
def entries() -> dict[str, Entry]:
    """The entries of the pages, by their names."""
    return {each.name: each for page in sorted((PAGES / "api").glob("*.rst")) for each in entries_of(page.read_text())}


def entries_of(page: str) -> Iterator[Entry]:
    module, owner = "", Entry("", None)
    for line in page.splitlines():
        if match := DIRECTIVE.match(line):
            indent, kind, name, answer = match.groups()
            if kind in ("currentmodule", "module"):
                module = name
            elif indent:
                yield Entry(f"{owner.name}.{name}", inspect.getattr_static(owner.thing, name))
            else:
                full = name if name.startswith("smartensemble") else f"{module}.{name}"
                home, _, last = full.rpartition(".")
                owner = Entry(full, getattr(importlib.import_module(home), last), bool(answer))
                yield owner
        elif line.strip() == ":members:":
            yield from (Entry(f"{owner.name}.{name}", vars(owner.thing)[name]) for name in public(owner.thing))


def public(kind: type) -> Iterator[str]:
    """The methods and properties that a class of ours defines for its users, or has by another class of ours."""
    for name, thing in inspect.getmembers_static(kind):
        function = thing.fget if isinstance(thing, property) else getattr(thing, "__func__", thing)
        ours = inspect.isfunction(function) and function.__module__.startswith("smartensemble")
        if ours and not name.startswith("_"):
            yield name


def classes() -> list[Entry]:
    return [each for each in entries().values() if inspect.isclass(each.thing)]


# --- nothing is left out ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", smartensemble.__all__)
def test_every_name_of_the_package_is_in_the_reference(name: str) -> None:
    assert f"smartensemble.{name}" in entries()


@pytest.mark.parametrize("name", client.__all__)
def test_every_name_of_the_client_is_in_the_reference(name: str) -> None:
    pages = "".join(page.read_text() for page in (PAGES / "api").glob("smartensemble.[Cc]lient*.rst"))

    assert re.search(rf"^.. auto\w+:: {name}\b", pages, re.MULTILINE) or name in client.LoggingLevel.__members__


#: Where the reference has what these classes inherit.
FOLLOWERS = {
    **dict.fromkeys((f"smartensemble.{name}Settings" for name in ("Srun", "Mpirun", "Mpiexec")), "smartensemble.RunSettings"),
    "smartensemble.SbatchSettings": "smartensemble.BatchSettings",
    "smartensemble.client.log.LogContext": "smartensemble.client.log.SRObject",
}


@pytest.mark.parametrize("entry", classes(), ids=lambda entry: entry.name)
def test_every_public_method_and_property_is_in_the_reference(entry: Entry) -> None:
    home = FOLLOWERS.get(entry.name, entry.name)

    assert [name for name in public(entry.thing) if f"{home}.{name}" not in entries()] == []


@pytest.mark.parametrize("module", ["smartensemble.slurm", "smartensemble.wlm", "smartensemble.wire.tensor"])
def test_every_function_that_users_call_is_in_the_reference(module: str) -> None:
    functions = [name for name, value in named([module]) if inspect.isfunction(value)]

    assert functions
    assert [name for name in functions if f"smartensemble.{name}" not in entries()] == []


@pytest.mark.parametrize("page", sorted((PAGES / "api").glob("smartensemble.*.rst")), ids=lambda page: page.stem)
def test_every_page_is_in_the_list(page: Path) -> None:
    assert f"   {page.stem.removeprefix('smartensemble.')}\n" in (PAGES / "api.rst").read_text()


# --- of each, everything is said ----------------------------------------------------------------------------------------


def test_every_parameter_has_a_type_and_a_sentence() -> None:
    """100 % of them: a page without a parameter's meaning is of no use to who needs that one."""
    taken = [(entry, each) for entry in entries().values() for each in entry.takes]
    untyped = [f"{entry.name}({each.name})" for entry, each in taken if each.annotation is each.empty]
    unsaid = [f"{entry.name}({each.name})" for entry, each in taken if not sentence(entry, "param", each.name)]

    assert len(taken) > 500
    assert (untyped, unsaid) == ([], [])


def sentence(entry: Entry, kind: str, name: str | None = None) -> str:
    return entry.says.get((kind, name), "").rpartition(f":{kind} {name}:" if name else f":{kind}:")[2].strip()


def test_no_parameter_is_described_that_is_not_there() -> None:
    nobody = [
        f"{entry.name}({name})"
        for entry in entries().values()
        for kind, name in entry.says
        if kind == "param" and name not in [each.name for each in entry.takes]
    ]

    assert nobody == []


def test_every_function_says_what_it_returns() -> None:
    functions = [entry for entry in entries().values() if inspect.isfunction(function_of(entry.thing))]
    answering = [
        each for each in functions if inspect.signature(function_of(each.thing)).return_annotation not in (None, "None")
    ]

    assert len(answering) > 40
    assert [each.name for each in answering if not sentence(each, "returns")] == []


def test_what_raises_says_so() -> None:
    """By its own lines; what comes from further below, ``faults/odd_calls.py`` finds when it makes the calls."""
    callables = [entry for entry in entries().values() if entry.takes or inspect.isfunction(entry.thing)]
    raising = [(entry, name) for entry in callables for name in sorted(raised(entry.thing))]

    assert len(raising) > 30
    assert [f"{entry.name}: {name}" for entry, name in raising if not names(entry, name)] == []


def raised(thing: Any) -> set[str]:
    """The errors of ours that the lines of a callable raise."""
    function = inspect.unwrap(thing.__init__ if inspect.isclass(thing) else thing)
    if function.__code__.co_filename.startswith("<"):  # a dataclass has made it
        return set()
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    calls = [node.exc for node in ast.walk(tree) if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call)]
    return {ast.unparse(call.func) for call in calls} & set(RAISED)


def names(entry: Entry, name: str) -> bool:
    """It names an error, or a class that this belongs to."""
    return any(("raises", each.__name__) in entry.says for each in RAISED[name].__mro__)


def test_every_error_that_is_named_exists() -> None:
    said = [(entry, str(name)) for entry in entries().values() for kind, name in entry.says if kind == "raises"]

    assert len(said) > 200
    assert [f"{entry.name}: {name}" for entry, name in said if name not in RAISED] == []


# --- what several take is described once --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "source"),
    [
        (Experiment.create_ensemble, Ensemble),
        (Experiment.create_model, Model),
        (Experiment.create_run_settings, RunSettings),
        (Experiment.create_batch_settings, smartensemble.BatchSettings),
        (Experiment.create_database, Orchestrator),
        (SrunSettings, RunSettings),
        (Model.colocate_db_tcp, Model.colocate_db_uds),
        (Client.set_model_from_file_multigpu, Client.set_model),
    ],
)
def test_what_creates_a_thing_describes_what_the_thing_takes(method: Callable[..., Any], source: Callable[..., Any]) -> None:
    own, other = dict(fields(method.__doc__ or "")), dict(fields(source.__doc__ or ""))
    shared = [key for key in other if key[0] == "param" and key[1] in arguments(method)]

    assert len(shared) >= 4
    different = [name for kind, name in shared if own[kind, name] != other[kind, name]]
    assert set(different) <= {"run_command", "run_args"}  # which are not the same there


A, B, RETURNS, RAISES = ":param a: first,\n    on two lines.", ":param b: theirs.", ":returns: it.", ":raises ValueError: no."


@pytest.mark.parametrize(
    ("docstring", "expected"),
    [
        ("", [A, B, RETURNS, RAISES]),
        (":param b: mine.\n", [A, ":param b: mine.", RETURNS, RAISES]),
        (":returns: mine.\n\n>>> 1\n1", [A, B, ":returns: mine.", RAISES, "\n>>> 1\n1"]),
        (":raises OSError: ever.\n", [A, B, RETURNS, ":raises OSError: ever.", RAISES]),
        ("    :param a: mine,\n        on two lines.\n    ", [":param a: mine,\n    on two lines.", B, RETURNS, RAISES]),
    ],
)
def test_a_docstring_gets_what_it_lacks(docstring: str, expected: list[str]) -> None:
    assert merged(f"Sum.\n\n{docstring}", ["a", "b"], ["\n".join([A, B, RETURNS, RAISES])]) == "\n".join(["Sum.\n", *expected])


def test_only_own_parameters_are_described() -> None:
    assert merged("Sum.", ["c"], [":param a: one."]) == "Sum."


def test_without_docstrings_nothing_is_described() -> None:
    """As by python -OO."""

    def bare(a: int) -> None: ...

    assert described_by(A)(bare).__doc__ is None


# --- errors -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in vars(errors) if name.endswith("Error") and name != "SmartEnsembleError"])
def test_every_error_has_a_block_that_raises_it(name: str) -> None:
    section = re.split(r"^\.\. autoexception:: ", ERRORS, flags=re.MULTILINE)[1:]
    mine = next(text for text in section if text.startswith(f"{name}\n"))

    assert f"smartensemble.errors.{name}: " in mine
