"""See which points of parameter space an ensemble covers. Matplotlib draws them, an extra (``smartensemble[plot]``).

The figure is a lower triangle: below the diagonal, each pair of parameters with a point for each member; on it, how the
members are distributed over each parameter. Colours are those of M. Okabe and K. Ito, which the colour-blind can tell apart.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, isfinite, isnan, log2, nan
from typing import TYPE_CHECKING, Any, Protocol

from smartensemble.errors import InputTypeError, ParameterError, UnsupportedError, did_you_mean
from smartensemble.parameters.expansion import Expansion
from smartensemble.parameters.resolve import Values

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST = 8  #: parameters in one figure: with more, panels are too small to be read
FEW = 12  #: so many values get a bar each, and so many texts a tick each; more of them are grouped
LONG = 14  #: letters of a text at a tick
AREA, LARGEST = 18, 300  #: of a point that stands for one member, and of one for many, in square printer's points

#: The looks of members that were there first, and of those that ``extend`` added.
LOOKS: tuple[dict[str, Any], ...] = ({"color": "#0072B2", "marker": "o"}, {"color": "#D55E00", "marker": "D"})


class Member(Protocol):
    """What is asked of a model."""

    name: str

    @property
    def values(self) -> dict[str, object]:
        """Its parameters with their types."""


class Design(Protocol):
    """What is asked of an ensemble."""

    name: str
    params: dict[str, Values]
    _expansion: Expansion

    def __iter__(self) -> Iterator[Member]: ...


@dataclass(frozen=True)
class Dimension:
    """One parameter: where each member stands on its axis, and what the axis shows."""

    name: str
    places: list[float]  #: of each member; nan where it lacks the parameter
    ticks: tuple[str, ...] = ()  #: the texts that stand at 0, 1, 2, ...; none for numbers
    edges: tuple[float, ...] = ()  #: of the bins of a histogram; none where each value has a bar
    whole: bool = False  #: numbers, and all of them whole

    @property
    def bar(self) -> float:
        """How wide a bar is."""
        values = sorted(set(_known(self.places)))
        gaps = [after - before for before, after in pairwise(values)]
        return 1 if self.ticks else max(min(gaps, default=1), (values[-1] - values[0]) / 30)

    @property
    def limits(self) -> tuple[float, float]:
        """The ends of the axis, with a margin."""
        numbers = _known([*self.places, *self.edges, *range(len(self.ticks))])
        low, high = min(numbers), max(numbers)
        margin = (high - low) / 15 if self.edges else max((high - low) / 15, 0.6 * self.bar)
        return low - margin, high + margin


def plot_design(ensemble: Design, params: str | Iterable[str] | None = None) -> "Figure":
    """A figure of the members in parameter space, to be saved with ``savefig``.

    A larger point stands for several members. Members that `extend` added have a second colour and shape.

    :param params: the parameters to show; by default those that differ between members.
    :raises ParameterError: there is no such parameter, or there are too many for one figure.
    :raises UnsupportedError: Matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise UnsupportedError("plot_design: needs Matplotlib; run pip install 'smartensemble[plot]'") from None

    members = list(ensemble)
    rows = [member.values for member in members]
    names = _chosen(ensemble.name, rows, params)
    dimensions = [_dimension(name, [row.get(name) for row in rows], ensemble.params.get(name, ())) for name in names]
    groups = [group for group in _groups(ensemble, members) if group]
    size = len(names)
    figure = Figure(figsize=(6, 2.6) if size == 1 else (1.9 * size + 0.6,) * 2, dpi=150, layout="constrained")
    figure.suptitle(_title(ensemble, len(members)), x=0.01, ha="left", fontsize=9, parse_math=False)
    if size == 1:
        _strip(figure, dimensions[0], groups)
    else:
        _triangle(figure, dimensions, groups)
    if len(groups) > 1:
        handles = [_handle(look) for look in LOOKS]
        labels = [f"{len(groups[0])} at first", f"{len(groups[1])} by extend"]
        place: dict[str, Any] = {"loc": "outside right upper"} if size == 1 else {"bbox_to_anchor": (1, 0.94)}
        figure.legend(handles, labels, fontsize=9, frameon=False, **place)
    return figure


def _chosen(subject: str, rows: Sequence[Mapping[str, object]], params: str | Iterable[str] | None) -> list[str]:
    """The parameters to show."""
    values: dict[str, set[str]] = {}
    for row in rows:
        for name, value in row.items():
            values.setdefault(name, set()).add(str(value))
    if not values:
        raise ParameterError(f"{subject}: no member has parameters; an ensemble with params can be plotted")
    if params is None:
        names = [name for name in values if len(values[name]) > 1] or list(values)
    elif isinstance(params, Iterable):
        names = list(dict.fromkeys([params] if isinstance(params, str) else params))
    else:
        raise InputTypeError(f"{subject}: params is {params!r}; give the name of a parameter, or a list of names")
    for name in names:
        if name not in values:
            raise ParameterError(f"{subject}: no parameter {name!r}{did_you_mean(str(name), values)}")
    if not names:
        raise ParameterError(f"{subject}: params is empty; there are {', '.join(values)}")
    if len(names) > MOST:
        raise ParameterError(
            f"{subject}: {len(names)} parameters, where {MOST} are the most in a figure; choose: params={names[:3]!r}"
        )
    return names


def _dimension(name: str, values: Sequence[object], given: Values) -> Dimension:
    """The axis of a parameter that has `values`, which were made from those `given`."""
    there = [value for value in values if value is not None]
    if not all(map(_is_number, there)):
        ticks = tuple(dict.fromkeys(map(str, [*given, *there])))
        number = {text: float(place) for place, text in enumerate(ticks)}
        return Dimension(name, [nan if value is None else number[str(value)] for value in values], ticks)
    numbers: list[Any] = there
    places = [nan if value is None else float(value) for value in values]  # type: ignore[arg-type]
    whole = all(isinstance(value, int) for value in numbers)
    low, high = min(numbers), max(numbers)
    if drawn := _is_range(given, numbers):
        low, high = min(low, *given), max(high, *given)
    if len(set(numbers)) > FEW or (drawn and not (whole and high - low < FEW)):
        return Dimension(name, places, edges=_edges(low, high, len(numbers), whole), whole=whole)
    return Dimension(name, places, whole=whole)


def _is_range(given: Values, numbers: Sequence[Any]) -> bool:
    """Samples were drawn between the two numbers that were given."""
    if type(given) is not tuple or len(given) != 2 or not all(map(_is_number, given)):
        return False
    low, high = given
    return any(low < number < high for number in numbers)


def _known(places: Iterable[float]) -> list[float]:
    return [place for place in places if not isnan(place)]


def _is_number(value: object) -> bool:
    """It has a place on an axis: text, truth values and infinities have none."""
    try:
        return isinstance(value, (int, float)) and not isinstance(value, bool) and isfinite(value)
    except OverflowError:
        return False


def _edges(low: float, high: float, count: int, whole: bool) -> tuple[float, ...]:
    """The edges of bins: about as many bins as each holds members, and a power of two, as many designs have.

    Of whole numbers, each bin has the same number, if that can be.
    """
    bins = 2 ** min(max(round(log2(count) / 2), 2), 5)
    if whole:
        low, high = low - 0.5, high + 0.5
        fair = [number for number in range(bins // 2, 2 * bins + 1) if (high - low) % number == 0]
        bins = min(fair, key=lambda number: abs(number - bins), default=bins)
    return (*(low + (high - low) * number / bins for number in range(bins)), high)


def _groups(ensemble: Design, members: Sequence[Member]) -> tuple[list[int], list[int]]:
    """The numbers of the members that were there first, and of those that ``extend`` added."""
    sizes = ensemble._expansion.sizes
    added = {f"{ensemble.name}_{number}" for number in range(sum(sizes[:1]), sum(sizes))}
    numbers = range(len(members))
    return (
        [number for number in numbers if members[number].name not in added],
        [number for number in numbers if members[number].name in added],
    )


def _title(ensemble: Design, count: int) -> str:
    plan = ensemble._expansion
    strategy = plan.strategy if isinstance(plan.strategy, str) else getattr(plan.strategy, "__name__", "a callable")
    seed = "" if plan.seed is None else f", seed {plan.seed}"
    return f"{_short(ensemble.name)}: {count} member{'s' * (count > 1)}, {strategy}{seed}"


def _triangle(figure: "Figure", dimensions: Sequence[Dimension], groups: Sequence[list[int]]) -> None:
    size = len(dimensions)
    grid = figure.add_gridspec(size, size)
    for row, vertical in enumerate(dimensions):
        for column, horizontal in enumerate(dimensions[: row + 1]):
            axes = figure.add_subplot(grid[row, column])
            axes.spines[["top", "right"]].set_visible(False)
            if row == column:
                _distribution(axes, horizontal, groups)
            else:
                _points(axes, horizontal.places, vertical.places, groups)
                _scale(axes, "y", vertical, labelled=column == 0)
            _scale(axes, "x", horizontal, labelled=row == size - 1)


def _strip(figure: "Figure", dimension: Dimension, groups: Sequence[list[int]]) -> None:
    """The distribution over one parameter, and a point for each member below it."""
    above, below = figure.subplots(2, 1, height_ratios=(4, 1))
    for axes in (above, below):
        axes.spines[["top", "right", "left"]].set_visible(False)
    _distribution(above, dimension, groups)
    _scale(above, "x", dimension, labelled=False)
    _points(below, dimension.places, [0.0] * len(dimension.places), groups)
    below.set_yticks([])
    _scale(below, "x", dimension, labelled=True)


def _points(axes: "Axes", across: Sequence[float], up: Sequence[float], groups: Sequence[list[int]]) -> None:
    """A point for each member; for those at one place, one of an area for all of them."""
    counts = [Counter((across[number], up[number]) for number in group) for group in groups]
    area = min(AREA, LARGEST / max(max(count.values()) for count in counts))
    for count, look in zip(counts, LOOKS, strict=False):
        there = [place for place in count if not any(map(isnan, place))]
        axes.scatter(
            [x for x, _ in there],
            [y for _, y in there],
            s=[area * count[place] for place in there],
            alpha=0.75,
            linewidths=0,
            rasterized=len(there) > 2000,
            **look,
        )


def _distribution(axes: "Axes", dimension: Dimension, groups: Sequence[list[int]]) -> None:
    """How many members there are at each value, or in each bin; those of the second group stand on those of the first."""
    places = [_known(dimension.places[number] for number in group) for group in groups]
    colors = [look["color"] for look in LOOKS[: len(groups)]]
    if dimension.edges:
        axes.hist(places, bins=dimension.edges, stacked=True, color=colors, edgecolor="white", linewidth=0.5)
    else:
        below: Counter[float] = Counter()
        for group, color in zip(places, colors, strict=True):
            count = Counter(group)
            bottom = [below[place] for place in count]
            axes.bar(list(count), list(count.values()), 0.7 * dimension.bar, bottom, color=color)
            below += count
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)


def _scale(axes: "Axes", which: str, dimension: Dimension, labelled: bool) -> None:
    """Limits, ticks and the name of an axis. The inner panels have ticks without labels."""
    from matplotlib.ticker import MaxNLocator, ScalarFormatter

    axis = axes.xaxis if which == "x" else axes.yaxis
    (axes.set_xlim if which == "x" else axes.set_ylim)(*dimension.limits)
    if dimension.ticks:
        every = range(0, len(dimension.ticks), ceil(len(dimension.ticks) / FEW))
        texts = [_short(dimension.ticks[place]) for place in every]
        upright = which == "x" and sum(map(len, texts)) > 12
        axis.set_ticks(list(every), texts, rotation=90 if upright else 0, parse_math=False)
    else:
        axis.set_major_formatter(formatter := ScalarFormatter())
        formatter.set_powerlimits((-3, 5))
        axis.set_major_locator(MaxNLocator(4, steps=[1, 2, 2.5, 5, 10], integer=dimension.whole))
    axis.offsetText.set_visible(labelled)
    axis.offsetText.set_fontsize(8)
    axis.set_tick_params(labelsize=8, labelbottom=labelled, labelleft=labelled)
    if labelled:
        axis.set_label_text(_short(dimension.name), parse_math=False)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONG else f"{line[: LONG - 1]}…"


def _handle(look: Mapping[str, Any]) -> Any:
    from matplotlib.lines import Line2D

    return Line2D([], [], linestyle="", markersize=5, **look)
