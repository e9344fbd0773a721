"""Values of SmartSim's settings: what SmartSim accepts is accepted, and an error says what to give."""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from pathlib import PurePath
from typing import Any

from smartensemble.checks import empty, listed
from smartensemble.duration import seconds
from smartensemble.errors import InputTypeError, InputValueError, did_you_mean, shown
from smartensemble.results.no_effect import no_effect
from smartensemble.settings.arguments import dashed, raw_options, text, variables

#: Keywords of one class of settings that create_run_settings and create_batch_settings take for all of them.
OF_OTHERS = (
    *("alloc", "fail_if_missing_exec", "queue", "nodes", "time", "account", "ncpus", "resources", "project", "smts"),
    *("pe_type", "shebang", "batch", "run_args"),
)


def number(subject: str, value: Any) -> int:
    """`value` as a whole number: what ``int()`` takes.

    >>> number("tasks", "4"), number("tasks", 4.0)
    (4, 4)
    """
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError) as error:
        kind = InputTypeError if isinstance(error, TypeError) else InputValueError
        raise kind(f"{subject}: {shown(value)} is no whole number; for example 4") from None


def number_or_word(subject: str, value: Any) -> int | str:
    """`value` as a whole number, or a word such as ``"ALL_HOSTS"``."""
    return value if isinstance(value, str) else number(subject, value)


def word(subject: str, value: Any) -> Any:
    """`value`, which must be text, a number or nothing."""
    if value is not None:
        text(subject, value)
    return value


def words(subject: str, value: Any) -> list[str]:
    """`value` as a list of text; text is one item.

    >>> words("hosts", " n1 "), words("hosts", ["n1", "n2"])
    (['n1'], ['n1', 'n2'])
    """
    found = [value.strip()] if isinstance(value, str) else listed(value)
    if found is None or not all(isinstance(each, str) for each in found):
        raise InputTypeError(f"{subject}: {shown(value)} is no text and no list of text; for example ['n1', 'n2']")
    return found


def commas(subject: str, value: Any) -> str:
    """`value`, text or a list of text, with commas."""
    return ",".join(words(subject, value))


def numbers(subject: str, value: Any) -> str:
    """`value`, a number or several, with commas.

    >>> numbers("cpu_bindings", [1, 2]), numbers("cpu_bindings", 3)
    ('1,2', '3')
    """
    found = listed(value)
    return ",".join(str(number(subject, each)) for each in ([value] if found is None else found))


def exe_arguments(value: Any) -> list[str]:
    """`value` as the arguments of a program. Text is split at blanks, and quotes are nothing special.

    >>> exe_arguments("it's me"), exe_arguments(["a b"])
    (["it's", 'me'], ['a b'])
    """
    found = [] if empty(value) else value.split() if isinstance(value, str) else listed(value)
    if found is None or not all(isinstance(each, (str, PurePath)) for each in found):
        raise InputTypeError(f"exe_args: {shown(value)} is no text and no list of text; for example ['-in', 'in.melt']")
    return [text("exe_args", each) for each in found]


def options(subject: str, value: Any) -> dict[str, Any]:
    """A copy of `value`, options in a program's own words."""
    return {} if empty(value) else deepcopy(raw_options(subject, value))


def resources(value: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of `value`, resources of a job: text or a number for each name."""
    if not isinstance(value, Mapping):
        raise InputTypeError(f"resources: {shown(value)} is no dictionary; for example {{'select': 2}}")
    found: dict[str, Any] = {}
    for name, each in value.items():
        found |= resource(name, each)
    return found


def resource(name: Any, value: Any) -> dict[str, Any]:
    """A resource of a job, by its name: text or a number."""
    if not isinstance(name, str) or not isinstance(value, (str, int)):
        raise InputTypeError(f"resources: {shown(name)}: {shown(value)} is no text and no whole number; give one of them")
    return {name: value}


def option_words(given: Mapping[str, Any], joined: bool = True) -> list[str]:
    """Options with their dashes. One without a value, or with one that is empty or zero, stands alone, as in SmartSim.

    >>> option_words({"n": 2, "mem": "4G", "exclusive": None, "wait": 0})
    ['-n', '2', '--mem=4G', '--exclusive', '--wait']
    """
    found: list[str] = []
    for name, value in given.items():
        option = name if name.startswith("-") else dashed(name)
        if not value:
            found.append(option)
        elif joined and option.startswith("--"):
            found.append(f"{option}={value}")
        else:
            found += [option, str(value)]
    return found


def ignore(owner: object, keywords: Mapping[str, Any], known: Iterable[str]) -> None:
    """Say of each of `keywords` that it has no effect on the settings `owner`."""
    name = type(owner).__name__
    for word, value in keywords.items():
        if word in OF_OTHERS:
            if not empty(value):
                no_effect(f"{name}: {word}", "other settings have such an argument, and these have not")
        else:
            no_effect(f"{name}: {word}", f"there is no such argument{did_you_mean(word, known)}")


def table(values: Mapping[str, Any]) -> list[str]:
    """A line for each of `values`, as SmartSim prints them."""
    return [f"\t{name} = {value}" for name, value in values.items()]


def dialect_value(option: str, value: Any) -> object:
    """The value of an option for a program that spells it in its own way: seconds for a time, and True for no value."""
    if empty(value):
        return True
    if option == "walltime":
        return float(value) if str(value).replace(".", "", 1).isdecimal() else seconds("walltime", value)
    return value


def checked_variables(value: object) -> dict[str, Any]:
    """A copy of `value`, variables of an environment."""
    return deepcopy(dict(value)) if variables({} if empty(value) else value) else {}  # type: ignore[call-overload]
