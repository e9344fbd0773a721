"""SmartSim's strategies as functions: names, lists of values and a number make a list of parameter sets."""

import random
from itertools import product

#: The parameters of one model.
ParameterSet = dict[str, str]


def create_all_permutations(
    param_names: list[str],
    param_values: list[list[str]],
    _n_models: int = 0,
) -> list[ParameterSet]:
    """Every combination, the last parameter fastest.

    >>> create_all_permutations(["a", "b"], [["1"], ["2", "3"]])
    [{'a': '1', 'b': '2'}, {'a': '1', 'b': '3'}]
    """
    return [dict(zip(param_names, point, strict=False)) for point in product(*param_values)]


def step_values(param_names: list[str], param_values: list[list[str]], _n_models: int = 0) -> list[ParameterSet]:
    """The first values, then the second ones, up to the end of the shortest list.

    >>> step_values(["a", "b"], [["1", "2"], ["3", "4"]])
    [{'a': '1', 'b': '3'}, {'a': '2', 'b': '4'}]
    """
    return [dict(zip(param_names, point, strict=False)) for point in zip(*param_values, strict=False)]


def random_permutations(param_names: list[str], param_values: list[list[str]], n_models: int = 0) -> list[ParameterSet]:
    """`n_models` of all combinations, or all of them.

    >>> len(random_permutations(["a", "b"], [["1", "2"], ["3", "4"]], 3))
    3
    """
    every = create_all_permutations(param_names, param_values)
    return random.sample(every, n_models) if 0 < n_models < len(every) else every
