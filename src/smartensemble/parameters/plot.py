"""See which points of parameter space an ensemble covers. Matplotlib draws them, an extra (``smartensemble[plot]``).

The figure is a lower triangle: below the diagonal, each pair of parameters with a point for each member; on it, how the
members are distributed over each parameter. Colors are those of M. Okabe and K. Ito, which color-blind readers can tell apart.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import ceil, isnan
from typing import TYPE_CHECKING, Any, Protocol

from smartensemble.checks import listed
from smartensemble.errors import InputTypeError, ParameterError, UnsupportedError, did_you_mean, public, shown
from smartensemble.parameters.dimension import MAX_BARS, Dimension, dimension, known
from smartensemble.parameters.resolve import Values
from smartensemble.parameters.strategies import Strategy

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MAX_PARAMETERS = 8  #: in one figure; with more, the panels are too small to read
MAX_LETTERS = 14  #: of a text at a tick
POINT_AREA, MAX_POINT_AREA = 18, 300  #: for one member, and for many, in square points

#: The styles of the first members, and of those that ``extend`` added.
STYLES: tuple[dict[str, Any], ...] = ({"color": "#0072B2", "marker": "o"}, {"color": "#D55E00", "marker": "D"})


class HasValues(Protocol):
    """The part of a model that the plot uses."""

    name: str

    @property
    def values(self) -> dict[str, object]:
        """Its parameters with their types."""


class Design(Protocol):
    """The part of an ensemble that the plot uses."""

    name: str
    params: dict[str, Values]

    @property
    def perm_strategy(self) -> str | Strategy:
        """How its parameters became members."""

    @property
    def seed(self) -> int | None:
        """The seed of its samples."""

    def __iter__(self) -> Iterator[HasValues]: ...


@public
def plot_design(ensemble: Design, params: str | Iterable[str] | None = None, *, sizes: Sequence[int] = ()) -> "Figure":
    """A figure of the members in parameter space; save it with ``savefig``.

    A larger point stands for several members. Members that `extend` added have a second color and shape.

    :param ensemble: the ensemble, whose members have parameters.
    :param params: the names of the parameters to show, at most eight; by default those that differ between members.
    :param sizes: the numbers of samples drawn first, and by each `extend`, which :meth:`smartensemble.Ensemble.plot_design`
        passes.
    :returns: a figure of Matplotlib.
    :raises ParameterError: there is no such parameter, or there are too many for one figure.
    :raises InputTypeError: `params` is neither a name nor a list of names.
    :raises UnsupportedError: Matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise UnsupportedError("plot_design: needs Matplotlib; run pip install 'smartensemble[plot]'") from None

    members = list(ensemble)
    rows = [member.values for member in members]
    names = _chosen(ensemble.name, rows, params)
    dimensions = [dimension(name, [row.get(name) for row in rows], _given(ensemble, name)) for name in names]
    groups = [group for group in _groups(ensemble.name, members, sizes) if group]
    size = len(names)
    figure = Figure(figsize=(6, 2.6) if size == 1 else (1.9 * size + 0.6,) * 2, dpi=150, layout="constrained")
    figure.suptitle(_title(ensemble, len(members)), x=0.01, ha="left", fontsize=9, parse_math=False)
    if size == 1:
        _strip(figure, dimensions[0], groups)
    else:
        _triangle(figure, dimensions, groups)
    if len(groups) > 1:
        handles = [_handle(style) for style in STYLES]
        labels = [f"{len(groups[0])} at first", f"{len(groups[1])} by extend"]
        position: dict[str, Any] = {"loc": "outside right upper"} if size == 1 else {"bbox_to_anchor": (1, 0.94)}
        figure.legend(handles, labels, fontsize=9, frameon=False, **position)
    return figure


def _given(ensemble: Design, name: str) -> Values:
    """The values that were given for a parameter."""
    values = ensemble.params.get(name, ())
    return values if isinstance(values, Sequence) and not isinstance(values, str) else (values,)


def _chosen(subject: str, rows: Sequence[Mapping[str, object]], params: str | Iterable[str] | None) -> list[str]:
    """The parameters to show."""
    values = _texts(rows)
    if not values:
        raise ParameterError(f"{subject}: no member has parameters; an ensemble with params can be plotted")
    if params is None:
        names = [name for name in values if len(values[name]) > 1] or list(values)
    elif (given := [params] if isinstance(params, str) else listed(params)) is not None:
        names = given
    else:
        raise InputTypeError(f"{subject}: params is {shown(params)}; give the name of a parameter, or a list of names")
    for name in names:
        if not isinstance(name, str) or name not in values:
            raise ParameterError(f"{subject}: no parameter {shown(name)}{did_you_mean(name, values)}")
    if not names:
        raise ParameterError(f"{subject}: params is empty; there are {', '.join(values)}")
    if len(names) > MAX_PARAMETERS:
        raise ParameterError(
            f"{subject}: {len(names)} parameters, where {MAX_PARAMETERS} are the most in a figure; choose: params={names[:3]!r}"
        )
    return list(dict.fromkeys(names))


def _texts(rows: Sequence[Mapping[str, object]]) -> dict[str, set[str]]:
    """The values of each parameter, as text."""
    values: dict[str, set[str]] = {}
    for row in rows:
        for name, value in row.items():
            values.setdefault(name, set()).add(str(value))
    return values


def _groups(ensemble: str, members: Sequence[HasValues], sizes: Sequence[int]) -> tuple[list[int], list[int]]:
    """The indices of the first members, and of those that ``extend`` added."""
    added = {f"{ensemble}_{number}" for number in range(sum(sizes[:1]), sum(sizes))}
    numbers = range(len(members))
    return (
        [number for number in numbers if members[number].name not in added],
        [number for number in numbers if members[number].name in added],
    )


def _title(ensemble: Design, count: int) -> str:
    strategy = ensemble.perm_strategy
    if not isinstance(strategy, str):
        strategy = getattr(strategy, "__name__", "a callable")
    seed = "" if ensemble.seed is None else f", seed {ensemble.seed}"
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
                _points(axes, horizontal.positions, vertical.positions, groups)
                _scale(axes, "y", vertical, labeled=column == 0)
            _scale(axes, "x", horizontal, labeled=row == size - 1)


def _strip(figure: "Figure", dimension: Dimension, groups: Sequence[list[int]]) -> None:
    """The distribution over one parameter, and a point for each member below it."""
    above, below = figure.subplots(2, 1, height_ratios=(4, 1))
    for axes in (above, below):
        axes.spines[["top", "right", "left"]].set_visible(False)
    _distribution(above, dimension, groups)
    _scale(above, "x", dimension, labeled=False)
    _points(below, dimension.positions, [0.0] * len(dimension.positions), groups)
    below.set_yticks([])
    _scale(below, "x", dimension, labeled=True)


def _points(axes: "Axes", across: Sequence[float], up: Sequence[float], groups: Sequence[list[int]]) -> None:
    """A point for each member; members at one position share a point with the area of all of them."""
    counts = [Counter((across[number], up[number]) for number in group) for group in groups]
    area = min(POINT_AREA, MAX_POINT_AREA / max(max(count.values()) for count in counts))
    for count, style in zip(counts, STYLES, strict=False):
        points = [position for position in count if not any(map(isnan, position))]
        axes.scatter(
            [x for x, _ in points],
            [y for _, y in points],
            s=[area * count[position] for position in points],
            alpha=0.75,
            linewidths=0,
            rasterized=len(points) > 2000,
            **style,
        )


def _distribution(axes: "Axes", dimension: Dimension, groups: Sequence[list[int]]) -> None:
    """The number of members at each value, or in each bin; those of the second group stand on those of the first."""
    positions = [known(dimension.positions[number] for number in group) for group in groups]
    colors = [style["color"] for style in STYLES[: len(groups)]]
    if dimension.edges:
        axes.hist(positions, bins=dimension.edges, stacked=True, color=colors, edgecolor="white", linewidth=0.5)
    else:
        below: Counter[float] = Counter()
        for group, color in zip(positions, colors, strict=True):
            count = Counter(group)
            bottom = [below[position] for position in count]
            axes.bar(list(count), list(count.values()), 0.7 * dimension.bar, bottom, color=color)
            below += count
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)


def _scale(axes: "Axes", which: str, dimension: Dimension, labeled: bool) -> None:
    """Limits, ticks and the name of an axis. The inner panels have ticks without labels."""
    from matplotlib.ticker import MaxNLocator, ScalarFormatter

    axis = axes.xaxis if which == "x" else axes.yaxis
    (axes.set_xlim if which == "x" else axes.set_ylim)(*dimension.limits)
    if dimension.ticks:
        every = range(0, len(dimension.ticks), ceil(len(dimension.ticks) / MAX_BARS))
        texts = [_short(dimension.ticks[position]) for position in every]
        upright = which == "x" and sum(map(len, texts)) > 12
        axis.set_ticks(list(every), texts, rotation=90 if upright else 0, parse_math=False)
    else:
        axis.set_major_formatter(formatter := ScalarFormatter())
        formatter.set_powerlimits((-3, 5))
        axis.set_major_locator(MaxNLocator(4, steps=[1, 2, 2.5, 5, 10], integer=dimension.whole))
    axis.offsetText.set_visible(labeled)
    axis.offsetText.set_fontsize(8)
    axis.set_tick_params(labelsize=8, labelbottom=labeled, labelleft=labeled)
    if labeled:
        axis.set_label_text(_short(dimension.name), parse_math=False)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= MAX_LETTERS else f"{line[: MAX_LETTERS - 1]}…"


def _handle(style: Mapping[str, Any]) -> Any:
    from matplotlib.lines import Line2D

    return Line2D([], [], linestyle="", markersize=5, **style)
