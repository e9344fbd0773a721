"""From parameters and counts to parameter sets: which strategy, how many, which seed."""

from collections.abc import Callable, Iterator
from math import prod
from secrets import randbits
from typing import NamedTuple

from smartensemble.checks import positive, whole
from smartensemble.errors import InputTypeError, ParameterError, StrategyError, did_you_mean, shown
from smartensemble.parameters import space_filling, strategies
from smartensemble.parameters.resolve import Parameters
from smartensemble.parameters.strategies import Strategy

#: Strategies that draw samples, and strategies that make every parameter set.
SAMPLED: dict[str, Callable[..., Iterator[dict[str, object]]]] = {
    "random": strategies.random,
    "latin_hypercube": space_filling.latin_hypercube,
    "sobol": space_filling.sobol,
}
EXHAUSTIVE: dict[str, Callable[..., Iterator[dict[str, object]]]] = {"all_perm": strategies.all_perm, "step": strategies.step}
STRATEGIES = (*EXHAUSTIVE, *SAMPLED)

#: The most members that are made at a time: a larger number is a mistake, and would fill the memory.
MAX_MEMBERS = 1_000_000


class Expansion(NamedTuple):
    """How parameters become parameter sets."""

    subject: str  #: the ensemble's name, for messages
    parameters: Parameters
    strategy: str | Strategy
    replicas: int = 1  #: members of each parameter set
    sizes: tuple[int, ...] = ()  #: the samples drawn first, and each time that it grew
    n_models: int = 0  #: for a strategy of the user's
    seed: int | None = None

    def sets(self) -> Iterator[dict[str, object]]:
        """The parameter sets; of samples, those that were drawn last."""
        names, values = list(self.parameters.values), list(self.parameters.values.values())
        if not names:
            return iter([{}])
        if self.strategy in SAMPLED:
            return SAMPLED[str(self.strategy)](names, values, self.sizes, self.seed)
        if isinstance(self.strategy, str):
            return EXHAUSTIVE[self.strategy](names, values)
        points = strategies.custom(self.strategy, self.parameters.values, self.n_models)
        for point in points:
            if missing := [name for name in self.parameters.arguments if name not in point]:
                raise StrategyError(
                    f"{self.subject}: the strategy returned {shown(point)} without {missing[0]!r}, an argument; return that too"
                )
        return iter(points)

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
    replicas = None if replicas is None else positive("replicas", replicas)
    n_models = None if n_models is None else positive("n_models", n_models)
    if strategy in SAMPLED and parameters.values:
        size = _samples(subject, parameters, str(strategy), replicas, n_models)
        seed = randbits(32) if seed is None else whole("seed", seed)
        made = Expansion(subject, parameters, strategy, 1, (size,), n_models or 0, seed)
    else:
        _check_unsampled(subject, parameters, strategy, n_models, seed)
        made = Expansion(subject, parameters, strategy, replicas or 1, (), n_models or 0)
    if (size := _members(made)) > MAX_MEMBERS:
        raise ParameterError(
            f"{subject}: {size:,} members, where {MAX_MEMBERS:,} are the most; perm_strategy='random', replicas=100 draws some"
        )
    return made


def _check_unsampled(
    subject: str, parameters: Parameters, strategy: str | Strategy, n_models: int | None, seed: int | None
) -> None:
    """Raise an error for arguments that only count where samples are drawn."""
    if seed is not None:
        raise ParameterError(
            f"{subject}: seed={seed} where nothing is drawn; it counts for params with a strategy that samples"
        )
    if n_models is not None and not parameters.values:
        raise ParameterError(f"{subject}: n_models={n_models} counts samples of params; replicas={n_models} makes clones")
    if n_models is not None and strategy in EXHAUSTIVE:
        raise ParameterError(
            f"{subject}: n_models={n_models} with perm_strategy={shown(strategy)}, which makes as many as there are; "
            "it counts for 'random'"
        )


def _members(expansion: Expansion) -> int:
    """The number of members; for a user's own strategy, which has not run yet, the number of replicas."""
    if expansion.sizes:
        return sum(expansion.sizes)
    lengths = [len(column) for column in expansion.parameters.values.values()]
    sets = {"all_perm": prod(lengths), "step": max(lengths, default=1)}
    return expansion.replicas * sets.get(str(expansion.strategy), 1)


def named(strategy: str | Strategy) -> str | Strategy:
    """The name of a built-in strategy, or the callable itself.

    >>> named("stepp")
    Traceback (most recent call last):
    smartensemble.errors.StrategyError: perm_strategy: no strategy 'stepp'; did you mean 'step'? There are ..., or any callable
    """
    if isinstance(strategy, str):
        if strategy not in STRATEGIES:
            raise StrategyError(
                f"perm_strategy: no strategy {shown(strategy)}{did_you_mean(strategy, STRATEGIES)}, or any callable"
            )
        return strategy
    if not callable(strategy):
        raise InputTypeError(
            f"perm_strategy: {shown(strategy)} is no strategy; there are {', '.join(STRATEGIES)}, or any callable"
        )
    return next((name for name, function in (EXHAUSTIVE | SAMPLED).items() if function is strategy), strategy)


def _samples(subject: str, parameters: Parameters, strategy: str, replicas: int | None, n_models: int | None) -> int:
    """The number of samples that are drawn first: replicas, which SmartSim calls n_models."""
    if n_models is not None and replicas not in (None, n_models):
        raise ParameterError(f"{subject}: n_models={n_models} and replicas={replicas} both count samples; give one")
    count = n_models or replicas
    if count is None:
        raise ParameterError(
            f"{subject}: perm_strategy={shown(strategy)} without a count; give replicas=, the number of samples"
        )
    return min(count, _combinations(parameters)) if strategy == "random" else count


def _combinations(parameters: Parameters) -> int:
    return prod(len(column) for column in parameters.values.values())
