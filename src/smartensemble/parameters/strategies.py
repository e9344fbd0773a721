"""Expand one dictionary of parameters into many."""

import random as _random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice, product
from math import prod
from typing import TypeVar

from smartensemble.checks import listed, plain
from smartensemble.errors import InputTypeError, StrategyError, shown
from smartensemble.parameters.resolve import Constant, Values

T = TypeVar("T")

MOST_POINTS = 10_000_000  #: of a strategy of your own, which may have no end

#: A strategy of your own: names, the values of each as text, and ``n_models`` (0 when it was not given) in;
#: a dictionary for each member out.
Strategy = Callable[[list[str], list[list[str]], int], Iterable[Mapping[str, object]]]


def all_perm(names: Sequence[str], values: Sequence[Sequence[T]], _n_models: int = 0) -> Iterator[dict[str, T]]:
    """Every combination; the last parameter changes fastest.

    :param names: the names of the parameters.
    :param values: for each of them, its values.
    :param _n_models: is not used.
    :returns: a dictionary for each member, with the values that were given.

    >>> list(all_perm(["T", "P"], [[1, 2], [5, 6]]))
    [{'T': 1, 'P': 5}, {'T': 1, 'P': 6}, {'T': 2, 'P': 5}, {'T': 2, 'P': 6}]
    """
    return (dict(zip(names, point, strict=True)) for point in product(*values))


def step(names: Sequence[str], values: Sequence[Sequence[T]], _n_models: int = 0) -> Iterator[dict[str, T]]:
    """The first value of each list, then the second ones, and so on: lists of one length.

    :param names: the names of the parameters.
    :param values: for each of them, its values.
    :param _n_models: is not used.
    :returns: a dictionary for each member, with the values that were given.
    :raises StrategyError: the lists have several lengths.

    >>> list(step(["T", "P"], [[1, 2], [5, 6]]))
    [{'T': 1, 'P': 5}, {'T': 2, 'P': 6}]
    >>> step(["T", "P"], [[1, 2, 3], [5, 6]])
    Traceback (most recent call last):
    smartensemble.errors.StrategyError: step: 'T' has 3 values and 'P' has 2; give lists of one length, or one value alone
    """
    lengths = {name: len(column) for name, column in zip(names, values, strict=True) if not isinstance(column, Constant)}
    longest = max(lengths, key=lengths.__getitem__, default=None)
    shortest = min(lengths, key=lengths.__getitem__, default=None)
    if longest is None or shortest is None:
        return all_perm(names, values)
    if lengths[longest] != lengths[shortest]:
        raise StrategyError(
            f"step: {longest!r} has {lengths[longest]} values and {shortest!r} has {lengths[shortest]}; "
            "give lists of one length, or one value alone"
        )
    columns = [tuple(column) * lengths[longest] if isinstance(column, Constant) else column for column in values]
    return (dict(zip(names, point, strict=True)) for point in zip(*columns, strict=True))


def random(
    names: Sequence[str], values: Sequence[Sequence[T]], sizes: Sequence[int], seed: int | None = None
) -> Iterator[dict[str, T]]:
    """Different combinations, drawn without replacement: the last of several batches of `sizes`.

    The product is never built: combinations are numbered, and numbers are drawn. One seed gives one sequence, of which more
    samples show more; where it is longer than there are combinations, it has all of them.

    :param names: the names of the parameters.
    :param values: for each of them, its values.
    :param sizes: the numbers of samples of all batches so far. Those of the last one are drawn.
    :param seed: a whole number that makes the samples repeatable; None for any samples.
    :returns: a dictionary for each sample, with the values that were given.

    >>> list(random(["T", "P"], [range(10**6), range(10**6)], [2], seed=7))
    [{'T': 434439, 'P': 589175}, {'T': 54335, 'P': 349841}]
    >>> list(random(["T", "P"], [range(10**6), range(10**6)], [1, 1], seed=7))
    [{'T': 54335, 'P': 349841}]
    """
    lengths = [len(column) for column in values]
    numbers = _draw(prod(lengths), sum(sizes), _random.Random(seed))
    for number in islice(numbers, sum(sizes[:-1]), None):
        rest, indices = number, []
        for length in reversed(lengths):
            rest, index = divmod(rest, length)
            indices.append(index)
        yield {name: column[index] for name, column, index in zip(names, values, reversed(indices), strict=True)}


def _draw(size: int, count: int, source: _random.Random) -> Iterator[int]:
    """`count` different numbers below `size`, in random order: a Fisher-Yates shuffle that stores only what it moved.

    It takes only bits from `source`, because no version of Python has changed their sequence.
    """
    moved: dict[int, int] = {}
    for done in range(min(count, size)):
        left = size - done
        bits = left.bit_length()
        while (chosen := source.getrandbits(bits)) >= left:
            pass
        yield moved.get(done + chosen, done + chosen)
        moved[done + chosen] = moved.get(done, done)


def custom(strategy: Strategy, values: Mapping[str, Values], n_models: int) -> list[dict[str, object]]:
    """The points that a strategy of the user's returns for `values`, checked, with the types of those values."""
    name = getattr(strategy, "__name__", None) or shown(strategy)
    typed = {parameter: {str(value): value for value in reversed(column)} for parameter, column in values.items()}
    answer = strategy(list(values), [[str(value) for value in column] for column in values.values()], n_models)
    points = listed(answer, MOST_POINTS)
    if points is None:
        raise StrategyError(f"{name}: returned {shown(answer)}; a strategy returns a list of dictionaries, one for each member")
    members = []
    for point in points:
        if not isinstance(point, Mapping):
            raise StrategyError(f"{name}: returned {shown(point)} for a member; give a dictionary of names and values")
        answered = {parameter: plain(value) for parameter, value in point.items()}
        for parameter, value in answered.items():
            if not isinstance(parameter, str) or not isinstance(value, (str, int, float)):
                raise InputTypeError(
                    f"{name}: returned {shown(parameter)}: {shown(value)}; names are text, values text or numbers"
                )
        members.append({parameter: typed.get(parameter, {}).get(str(value), value) for parameter, value in answered.items()})
    if not members:
        raise StrategyError(f"{name}: returned no members; return at least one dictionary")
    return members
