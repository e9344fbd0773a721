"""Our client has the names and arguments of SmartRedis 0.6.1, in the same places and with the same defaults."""

import inspect
from collections.abc import Iterator
from typing import Any

import pytest

import smartensemble.client

#: Names that are SmartRedis' way to its library in C++, and do not reach a user of it.
OF_THE_LIBRARY = {"ConfigOptions.from_pybind", "ConfigOptions.get_data", "ConfigOptions.set_configoptions"} | {
    f"LogContext.{name}" for name in ("from_pybind", "get_context", "set_context")
}


def theirs() -> Iterator[tuple[str, Any]]:
    """The public names of SmartRedis, and of its classes."""
    import smartredis
    import smartredis.error

    for module, names in ((smartredis, smartredis.__all__), (smartredis.error, smartredis.error.__all__)):
        for name in names:
            value = getattr(module, name)
            yield name, value
            if inspect.isclass(value) and not issubclass(value, Exception) and name not in ("LLInfo",):
                members = inspect.getmembers(value, inspect.isroutine)
                yield from ((f"{name}.{each}", found) for each, found in members if not each.startswith("_"))


def ours(name: str) -> Any:
    found: Any = smartensemble.client
    for part in name.split("."):
        found = getattr(found, part)
    return found


def arguments(function: Any) -> list[tuple[str, Any]]:
    """The arguments that can be given by their places: names and defaults."""
    by_place = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.POSITIONAL_ONLY)
    return [(each.name, each.default) for each in inspect.signature(function).parameters.values() if each.kind in by_place]


@pytest.mark.needs("smartredis")
def test_every_name_of_smartredis_is_there() -> None:
    names = {name for name, _ in theirs()} - OF_THE_LIBRARY

    assert len(names) > 100
    assert [name for name in sorted(names) if not _has(name)] == []


def _has(name: str) -> bool:
    try:
        return ours(name) is not None
    except AttributeError:
        return False


@pytest.mark.needs("smartredis")
def test_every_function_takes_the_same_arguments() -> None:
    functions = {name: value for name, value in theirs() if inspect.isroutine(value) and name not in OF_THE_LIBRARY}
    different = {
        name: (found, expected)
        for name, value in functions.items()
        if (found := arguments(ours(name))) != (expected := arguments(value))
    }

    assert len(functions) > 90
    assert different == {}


@pytest.mark.needs("smartredis")
def test_every_error_is_what_the_one_of_smartredis_is() -> None:
    errors = {name: value for name, value in theirs() if inspect.isclass(value) and issubclass(value, Exception)}

    assert len(errors) == 8
    for name, value in errors.items():
        bases = [base.__name__ for base in value.__mro__ if base.__name__ in (*errors, "RuntimeError")]
        assert [base.__name__ for base in ours(name).__mro__ if base.__name__ in bases] == bases


@pytest.mark.needs("smartredis")
def test_levels_of_the_log_have_the_same_values() -> None:
    import smartredis

    for name in ("LLQuiet", "LLInfo", "LLDebug", "LLDeveloper"):
        assert int(ours(name)) == int(getattr(smartredis, name))
