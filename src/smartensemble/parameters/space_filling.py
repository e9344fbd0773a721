"""Space-filling samples, which cover ranges evenly. SciPy draws them, an extra (``smartensemble[designs]``).

In these strategies a tuple of two numbers is a range from low to high; two whole numbers make a range of whole numbers,
both ends included. Any other sequence is a list of values, each equally likely.

Sources: M. D. McKay, R. J. Beckman, W. J. Conover, *Technometrics* 21 (1979) 239, for Latin hypercubes; M. Stein,
*Technometrics* 29 (1987) 143, for growing them; I. M. Sobol', *USSR Comput. Math. Math. Phys.* 7 (1967) 86, and A. B. Owen,
*J. Complexity* 14 (1998) 466, for Sobol' points and their scrambling.
"""

from collections.abc import Callable, Iterator, Sequence
from math import isfinite
from typing import TYPE_CHECKING, Any, cast

from smartensemble.errors import StrategyError, UnsupportedError, shown
from smartensemble.parameters.resolve import Values

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    #: Points in the unit cube: a row for each member, a column for each parameter.
    Points = NDArray[np.float64]


def latin_hypercube(
    names: Sequence[str], values: Sequence[Values], sizes: Sequence[int], seed: int | None = None
) -> Iterator[dict[str, object]]:
    """The points of the last of several batches of `sizes`: each alone in its stratum of every parameter.

    A first batch is a Latin hypercube. A later one goes into the strata that the earlier ones left empty, of as many as there
    are points in the end.

    :param names: the names of the parameters.
    :param values: for each of them, a tuple of two numbers, which is a range, or its values.
    :param sizes: the numbers of samples of all batches so far. Those of the last one are drawn.
    :param seed: a whole number that makes the samples repeatable; None for any samples.
    :returns: a dictionary for each sample: in a range of whole numbers an int, in another range a float.
    :raises StrategyError: a range has no two finite numbers, low before high.
    :raises UnsupportedError: SciPy is not installed.

    >>> for point in latin_hypercube(["T", "N"], [(1.0, 3.0), (1, 4)], [4], seed=1):
    ...     print(f"T={point['T']:.2f} N={point['N']}")
    T=1.65 N=3
    T=2.18 N=1
    T=2.95 N=4
    T=1.42 N=2
    """
    scales = _scales("latin_hypercube", names, values)
    return _members(names, scales, _latin(len(names), sizes, seed))


def sobol(
    names: Sequence[str], values: Sequence[Values], sizes: Sequence[int], seed: int | None = None
) -> Iterator[dict[str, object]]:
    """The points of the last of several batches of `sizes`: those of one scrambled Sobol' sequence.

    The sequence fills space evenly at every length, and best at powers of two.

    :param names: the names of the parameters.
    :param values: for each of them, a tuple of two numbers, which is a range, or its values.
    :param sizes: the numbers of samples of all batches so far. Those of the last one are drawn.
    :param seed: a whole number that makes the samples repeatable; None for any samples.
    :returns: a dictionary for each sample: in a range of whole numbers an int, in another range a float.
    :raises StrategyError: a range has no two finite numbers, low before high.
    :raises UnsupportedError: SciPy is not installed.

    >>> [point["N"] for point in sobol(["N"], [(1, 4)], [4], seed=1)]
    [2, 4, 3, 1]
    """
    scales = _scales("sobol", names, values)
    return _members(names, scales, _sobol(len(names), sizes, seed))


def _members(
    names: Sequence[str], scales: Sequence[Callable[[float], object]], points: "Points"
) -> Iterator[dict[str, object]]:
    rows: list[list[float]] = points.tolist()
    return ({name: scale(u) for name, scale, u in zip(names, scales, row, strict=True)} for row in rows)


def _scales(strategy: str, names: Sequence[str], values: Sequence[Values]) -> list[Callable[[float], object]]:
    return [_scale(f"{strategy}: {name!r}", column) for name, column in zip(names, values, strict=True)]


def _scale(subject: str, values: Values) -> Callable[[float], object]:
    """What a number from 0 to 1 stands for: a value in a range, or an item of a list."""
    if type(values) is not tuple or len(values) != 2 or not all(_is_number(value) for value in values):
        return lambda u: values[min(int(u * len(values)), len(values) - 1)]
    low, high = cast("tuple[float, float]", values)
    if not (isfinite(low) and isfinite(high) and low < high):
        raise StrategyError(f"{subject} is the range {shown(values)}; give a tuple of two finite numbers, low before high")
    if isinstance(low, int) and isinstance(high, int):
        return lambda u: min(low + int(u * (high - low + 1)), high)
    return lambda u: low + u * (high - low)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _sobol(dimensions: int, sizes: Sequence[int], seed: int | None) -> "Points":
    """The points of a sequence that come after those of the earlier batches."""
    qmc = _qmc("sobol")
    import warnings

    engine = qmc.Sobol(dimensions, scramble=True, rng=seed)
    if before := sum(sizes[:-1]):
        engine.fast_forward(before)
    with warnings.catch_warnings():  # a count that is no power of two is the user's choice; the page explains it
        warnings.simplefilter("ignore", UserWarning)
        points: Points = engine.random(sizes[-1])
    return points


def _latin(dimensions: int, sizes: Sequence[int], seed: int | None) -> "Points":
    """The points of the last batch, which depend on those of the earlier ones."""
    qmc = _qmc("latin_hypercube")
    import numpy as np

    generator = np.random.default_rng(seed)
    batch: Points = qmc.LatinHypercube(dimensions, rng=generator).random(sizes[0])
    points = batch
    for size in sizes[1:]:
        strata = len(points) + size
        batch = np.empty((size, dimensions))
        for column in range(dimensions):
            taken = np.floor(points[:, column] * strata)
            free = generator.permutation(np.setdiff1d(np.arange(strata), taken))
            batch[:, column] = (free[:size] + generator.random(size)) / strata
        points = np.concatenate([points, batch])
    return batch


def _qmc(strategy: str) -> Any:
    try:
        from scipy.stats import qmc
    except ImportError:
        raise UnsupportedError(f"{strategy}: needs SciPy; run pip install 'smartensemble[designs]'") from None
    return qmc
