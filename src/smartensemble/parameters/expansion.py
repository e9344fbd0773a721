"""From parameters and counts to parameter sets: which strategy, how many, which seed."""

from collections.abc import Callable, Iterator
from math import prod
from secrets import randbits
from typing import NamedTuple

from smartensemble.checks import positive, whole
from smartensemble.errors import InputTypeError, ParameterError, StrategyError, did_you_mean
from smartensemble.parameters import space_filling as designs
from smartensemble.parameters import strategies
from smartensemble.parameters.resolve import Parameters
from smartensemble.parameters.strategies import Strategy

#: Strategies that draw samples; the others make as many parameter sets as there are.
SAMPLED: dict[str, Callable[..., Iterator[dict[str, object]]]] = {
    "random": strategies.random,
    "latin_hypercube": designs.latin_hypercube,
    "sobol": designs.sobol,
}
EXHAUSTIVE: dict[str, Callable[..., Iterator[dict[str, object]]]] = {"all_perm": strategies.all_perm, "step": strategies.step}
NAMES = (*EXHAUSTIVE, *SAMPLED)

#: The most members that are made at a time: what is above it is a slip, and would fill the memory.
MOST = 1_000_000


class Expansion(NamedTuple):
    """How parameters become parameter sets."""

    subject: str  #: the ensemble's name, for messages
    parameters: Parameters
    strategy: str | Strategy
    clones: int = 1  #: how often each parameter set is used
    sizes: tuple[int, ...] = ()  #: how many samples were drawn first, and each time that it grew
    n_models: int = 0  #: what a strategy of the user's is told
    seed: int | None = None

    def sets(self) -> Iterator[dict[str, object]]:
        """The parameter sets; of samples, those of the last batch."""
        names, values = list(self.parameters.values), list(self.parameters.values.values())
        if not names:
            return iter([{}])
        if self.strategy in SAMPLED:
            return SAMPLED[str(self.strategy)](names, values, self.sizes, self.seed)
        if isinstance(self.strategy, str):
            return EXHAUSTIVE[self.strategy](names, values)
        answered = strategies.custom(self.strategy, self.parameters.values, self.n_models)
        for point in answered:
            if missing := [name for name in self.parameters.arguments if name not in point]:
                raise StrategyError(
                    f"{self.subject}: the strategy returned {point!r:.80} without {missing[0]!r}, an argument; return that too"
                )
        return iter(answered)

    def grown(self, count: int) -> "Expansion":
        """With `count` more samples."""
        if self.strategy not in SAMPLED or not self.sizes:
            raise StrategyError(f"{self.subject}: was not sampled, so it cannot grow; sampled are {', '.join(SAMPLED)}")
        grown = self._replace(sizes=(*self.sizes, count))
        size, combinations = sum(grown.sizes), _combinations(self.parameters)
        if self.strategy == "random" and size > combinations:
            raise StrategyError(
                f"{self.subject}: {size} samples of {combinations} combinations; there are {combinations - size + count} left"
            )
        return grown


def expansion(
    subject: str,
    parameters: Parameters,
    strategy: str | Strategy,
    replicas: int | None,
    n_models: int | None,
    seed: int | None,
) -> Expansion:
    """How `parameters` become parameter sets, checked: each count has a meaning, and there are not too many members."""
    strategy = named(strategy)
    samples = strategy in SAMPLED and bool(parameters.values)
    clones = None if replicas is None else positive("replicas", replicas)
    count = None if n_models is None else positive("n_models", n_models)
    if seed is not None and not samples:
        raise ParameterError(
            f"{subject}: seed={seed} where nothing is drawn; it counts for params with a strategy that samples"
        )
    sizes: tuple[int, ...]
    if samples:
        sizes, clones = (_samples(subject, parameters, str(strategy), clones, count),), 1
        seed = randbits(32) if seed is None else whole("seed", seed)
    else:
        sizes, clones = (), clones or 1
        if count is not None and not parameters.values:
            raise ParameterError(f"{subject}: n_models={count} counts samples of params; replicas={count} makes clones")
        if count is not None and strategy in EXHAUSTIVE:
            raise ParameterError(
                f"{subject}: n_models={count} with perm_strategy={strategy!r}, which makes as many as there are; "
                "it counts for 'random'"
            )
    lengths = [len(column) for column in parameters.values.values()]
    size = (
        sum(sizes) if samples else clones * {"all_perm": prod(lengths), "step": max(lengths, default=1)}.get(str(strategy), 1)
    )
    if size > MOST:
        raise ParameterError(
            f"{subject}: {size:,} members, where {MOST:,} are the most; perm_strategy='random', replicas=100 draws some"
        )
    return Expansion(subject, parameters, strategy, clones, sizes, count or 0, seed)


def named(strategy: str | Strategy) -> str | Strategy:
    """The name of a built-in strategy, or the callable itself.

    >>> named("stepp")
    Traceback (most recent call last):
    smartensemble.errors.StrategyError: perm_strategy: no strategy 'stepp'; did you mean 'step'? There are ..., or any callable
    """
    if isinstance(strategy, str):
        if strategy not in NAMES:
            raise StrategyError(f"perm_strategy: no strategy {strategy!r}{did_you_mean(strategy, NAMES)}, or any callable")
        return strategy
    if not callable(strategy):
        raise InputTypeError(f"perm_strategy: {strategy!r} is no strategy; there are {', '.join(NAMES)}, or any callable")
    return next((name for name, function in (EXHAUSTIVE | SAMPLED).items() if function is strategy), strategy)


def _samples(subject: str, parameters: Parameters, strategy: str, replicas: int | None, n_models: int | None) -> int:
    """How many samples are drawn first: replicas, which SmartSim calls n_models."""
    if n_models is not None and replicas not in (None, n_models):
        raise ParameterError(f"{subject}: n_models={n_models} and replicas={replicas} both count samples; give one")
    count = n_models or replicas
    if count is None:
        raise ParameterError(f"{subject}: perm_strategy={strategy!r} without a count; give replicas=, the number of samples")
    return min(count, _combinations(parameters)) if strategy == "random" else count


def _combinations(parameters: Parameters) -> int:
    return prod(len(column) for column in parameters.values.values())
