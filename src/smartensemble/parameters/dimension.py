"""One parameter as an axis of a plot: the position of each member on it, and how to draw it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite, isnan, log2, nan
from typing import Any

from smartensemble.parameters.resolve import Values

MAX_BARS = 12  #: values with a bar each, and texts with a tick each; more of them are grouped


@dataclass(frozen=True)
class Dimension:
    """One parameter of all members."""

    name: str
    positions: list[float]  #: of each member; nan where it lacks the parameter
    ticks: tuple[str, ...] = ()  #: the texts that stand at 0, 1, 2, ...; none for numbers
    edges: tuple[float, ...] = ()  #: of the bins of a histogram; none where each value has a bar
    whole: bool = False  #: numbers, and all of them whole

    @property
    def bar(self) -> float:
        """The width of a bar."""
        values = sorted(set(known(self.positions)))
        gaps = [after - before for before, after in pairwise(values)]
        return 1 if self.ticks else max(min(gaps, default=1), (values[-1] - values[0]) / 30)

    @property
    def limits(self) -> tuple[float, float]:
        """The ends of the axis, with a margin."""
        numbers = known([*self.positions, *self.edges, *range(len(self.ticks))])
        low, high = min(numbers), max(numbers)
        margin = (high - low) / 15 if self.edges else max((high - low) / 15, 0.6 * self.bar)
        return low - margin, high + margin


def dimension(name: str, column: Sequence[object], values: Values) -> Dimension:
    """The axis of a parameter whose `values` were given, with one of `column` for each member."""
    known_values = [value for value in column if value is not None]
    if not all(map(_is_number, known_values)):
        ticks = tuple(dict.fromkeys(map(str, [*values, *known_values])))
        number = {text: float(position) for position, text in enumerate(ticks)}
        return Dimension(name, [nan if value is None else number[str(value)] for value in column], ticks)
    numbers: list[Any] = known_values
    positions = [nan if value is None else float(value) for value in column]  # type: ignore[arg-type]
    whole = all(isinstance(value, int) for value in numbers)
    low, high = min(numbers), max(numbers)
    if drawn := _is_range(values, numbers):
        low, high = min(low, *values), max(high, *values)
    if len(set(numbers)) > MAX_BARS or (drawn and not (whole and high - low < MAX_BARS)):
        return Dimension(name, positions, edges=_edges(low, high, len(numbers), whole), whole=whole)
    return Dimension(name, positions, whole=whole)


def _is_range(values: Values, numbers: Sequence[Any]) -> bool:
    """Whether samples were drawn between the two numbers that were given."""
    if type(values) is not tuple or len(values) != 2 or not all(map(_is_number, values)):
        return False
    low, high = values
    return any(low < number < high for number in numbers)


def known(positions: Iterable[float]) -> list[float]:
    """The positions of the members that have the parameter."""
    return [position for position in positions if not isnan(position)]


def _is_number(value: object) -> bool:
    """Whether a value has a position on an axis: text, truth values and infinities have none."""
    try:
        return isinstance(value, (int, float)) and not isinstance(value, bool) and isfinite(value)
    except OverflowError:
        return False


def _edges(low: float, high: float, count: int, whole: bool) -> tuple[float, ...]:
    """The edges of bins: about as many bins as members in each, and a power of two, like the size of many designs.

    Each bin covers the same number of whole numbers, if possible.
    """
    bins = 2 ** min(max(round(log2(count) / 2), 2), 5)
    if whole:
        low, high = low - 0.5, high + 0.5
        fair = [number for number in range(bins // 2, 2 * bins + 1) if (high - low) % number == 0]
        bins = min(fair, key=lambda number: abs(number - bins), default=bins)
    return (*(low + (high - low) * number / bins for number in range(bins)), high)
