"""Which parameters an entity has, which values they take, and which of them are arguments.

Parameters come from two arguments, ``params`` and ``params_as_args``. Each is a dictionary of names and values, or
only names (one, or several), whose values are in the other one. A name in ``params_as_args`` is also passed to the
program as a command-line argument.
"""

import sys
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from numbers import Number
from pathlib import PurePath
from typing import NamedTuple

from smartensemble.checks import LARGEST, listed, passable, plain
from smartensemble.errors import InputTypeError, ParameterError, shown

#: What ``params`` and ``params_as_args`` accept.
Params = Mapping[str, object] | str | Iterable[str] | None

#: The values of one parameter.
Values = Sequence[object]


LONGEST_NAME = 200  #: characters of a parameter's name

MOST_VALUES = 10_000_000  #: of a parameter; a generator may have no end

#: Types of values that need no further check.
CHECKED_TYPES = frozenset((int, float, bool))


class Constant(tuple[object, ...]):
    """The only value of a parameter that is not a list: the same for every member."""


class Parameters(NamedTuple):
    """Names with their values, in the order in which they were named, and the names that are arguments."""

    values: dict[str, Values]
    arguments: tuple[str, ...]


def resolve(subject: str, params: Params, params_as_args: Params = None) -> Parameters:
    """The parameters of `subject`, each with its values from the argument that has them.

    >>> resolve("melt", "THERMO", {"THERMO": [1, 2]})
    Parameters(values={'THERMO': [1, 2]}, arguments=('THERMO',))
    >>> resolve("melt", {"T": 1.5}, "P")
    Traceback (most recent call last):
    smartensemble.errors.ParameterError: melt: parameter 'P' has no values; give them as params={'P': [...]}
    """
    names, in_params = _read(subject, "params", params)
    argument_names, in_arguments = _read(subject, "params_as_args", params_as_args)
    values: dict[str, Values] = {}
    for name in dict.fromkeys((*names, *argument_names)):
        if name in in_params and name in in_arguments:
            raise ParameterError(
                f"{subject}: parameter {shown(name)} has values in params and in params_as_args; "
                f"keep one, and only the name in the other: params_as_args={shown(name)}"
            )
        if name not in in_params and name not in in_arguments:
            where = "params" if name in argument_names else "params_as_args"
            raise ParameterError(
                f"{subject}: parameter {shown(name)} has no values; give them as {where}={{{shown(name)}: [...]}}"
            )
        values[name] = in_params[name] if name in in_params else in_arguments[name]
    return Parameters(values, tuple(dict.fromkeys(argument_names)))


def single(subject: str, parameters: Parameters) -> tuple[dict[str, object], tuple[str, ...]]:
    """The values of the parameters of one model, and the names of those that are arguments.

    >>> single("melt", resolve("melt", {"T": 1.5}, "T"))
    ({'T': 1.5}, ('T',))
    """
    for parameter, column in parameters.values.items():
        if not isinstance(column, Constant):
            raise ParameterError(
                f"{subject}: parameter {parameter!r} has a list of values; a Model takes one, an Ensemble expands lists"
            )
    return {parameter: column[0] for parameter, column in parameters.values.items()}, parameters.arguments


def argument(name: str, value: str) -> tuple[str, ...]:
    """The command-line arguments that give `value` to the parameter `name`: one argument stays one argument.

    >>> argument("T", "1"), argument("THERMO", "1"), argument("-var", "1"), argument("--steps", "1")
    (('-T', '1'), ('--THERMO=1',), ('-var', '1'), ('--steps=1',))
    """
    if name.startswith("--"):
        return (f"{name}={value}",)
    if name.startswith("-"):
        return (name, value)
    return (f"-{name}", value) if len(name) == 1 else (f"--{name}={value}",)


def _read(subject: str, argument: str, params: Params) -> tuple[list[str], dict[str, Values]]:
    """The names in one of the two arguments, and the values that came with them."""
    if params is None:
        return [], {}
    values: dict[str, Values] = {}
    if isinstance(params, Mapping):
        values = {name: _values(f"{subject}: {argument}[{shown(name)}]", value) for name, value in params.items()}
    names = [params] if isinstance(params, str) else list(params) if isinstance(params, Mapping) else listed(params)
    if names is None:
        raise InputTypeError(
            f"{subject}: {argument} is {shown(params)}; give a dictionary of names and values, a name, or a list of names"
        )
    for name in names:
        if not isinstance(name, str):
            raise InputTypeError(
                f"{subject}: {argument} names a parameter {shown(name)}; a name is a string, as in {{'T': [1.5, 3.0]}}"
            )
        if not name or name != name.strip() or not name.isprintable() or len(name) > LONGEST_NAME:
            raise ParameterError(f"{subject}: {argument} names a parameter {shown(name)}; use a word without blanks around it")
    return names, values


def _values(subject: str, value: object) -> Values:
    """The values of one parameter: of any iterable in its order, or one value on its own.

    >>> _values("T", range(2)), _values("T", "text"), _values("T", 1.5)
    (range(0, 2), ('text',), (1.5,))
    """
    if value is None:
        raise ParameterError(f"{subject} is None, which is no value; leave the parameter out, or write 'None'")
    if isinstance(value, (bytes, bytearray, memoryview)):
        raise InputTypeError(f"{subject} is bytes; parameters are text or numbers: decode it")
    if isinstance(value, (Mapping, set, frozenset)):
        raise InputTypeError(f"{subject} is a {type(value).__name__}, which has no order of values; give a list")
    if isinstance(shape := getattr(value, "shape", ()), tuple) and len(shape) > 1:
        raise InputTypeError(f"{subject} is a {type(value).__name__} of rows and columns; give one column, or a list of values")
    if isinstance(value, range):
        if value[sys.maxsize : sys.maxsize + 1] or max(abs(value.start), abs(value.stop)) > LARGEST:
            raise ParameterError(f"{subject} is {shown(value)}, with more values than can be counted; give a shorter range")
        values: Values = value
    elif isinstance(value, (str, PurePath)) or not _iterable(value):
        return Constant((_value(subject, value),))
    else:
        values = _listed(subject, value)
    if not values:
        raise ParameterError(f"{subject} is an empty list, which makes no members; give at least one value")
    return values


def _listed(subject: str, value: object) -> Values:
    """The values of one parameter, checked, in a list, or a tuple if they were in one: sampling takes a pair for a range."""
    values = listed(value, MOST_VALUES)
    if values is None:
        raise ParameterError(f"{subject} has more than {MOST_VALUES:,} values; give fewer, or a range")
    if not CHECKED_TYPES.issuperset(map(type, values)) or any(type(each) is int and abs(each) > LARGEST for each in values):
        values = [_value(subject, each) for each in values]
    return tuple(values) if isinstance(value, tuple) else values


def _value(subject: str, value: object) -> object:
    """One value, or an error if it cannot be written into a file or passed to a program."""
    if value is None:
        raise ParameterError(f"{subject} holds None, which is no value; leave it out, or write 'None'")
    if getattr(value, "ndim", 0) != 0:
        raise InputTypeError(f"{subject} holds a {type(value).__name__}; each value is text, a number or a truth value")
    value = plain(value)
    if type(value).__name__ == "MaskedConstant":
        raise ParameterError(f"{subject} holds a masked value, which is none; leave it out, or fill it")
    if isinstance(value, Enum) and str(value) != str(value.value):
        raise InputTypeError(f"{subject} holds {shown(value)}; give its value, {shown(value.value)}")
    if not isinstance(value, (str, PurePath, Number)):
        raise InputTypeError(f"{subject} holds a {type(value).__name__}; each value is text, a number or a truth value")
    if isinstance(value, int) and abs(value) > LARGEST:
        raise ParameterError(f"{subject} holds {shown(value)}, with too many digits to be written; give a smaller number")
    if not passable(text := str(value)):
        what = "a NUL character" if "\0" in text else "half of a surrogate pair"
        raise ParameterError(f"{subject} holds {shown(value)}, with {what}, which no program can receive; take it out")
    return value


def _iterable(value: object) -> bool:
    """Whether iterating works: a numpy array without dimensions claims to be iterable, but is not."""
    try:
        iter(value)  # type: ignore[call-overload]
    except TypeError:
        return False
    return True
