"""Which of the runs at hand go together now, and which wait for more of their kind.

Runs of one model are one run of a larger batch, if the model was stored with a batch size: what they bring is put together
along the first dimension, and what comes out is split again. It is planned as RedisAI plans it.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

#: The type, and the dimensions but the first, of each of the tensors that go in.
Form = tuple[tuple[str, tuple[int, ...]], ...]


class Run(NamedTuple):
    """What planning needs to know of a run; with a `batch_size` of 0 it goes alone."""

    came: float  #: when, in seconds of a clock
    model: bytes = b""  #: the version of the model
    batch_size: int = 0
    min_batch_size: int = 0
    min_batch_timeout: int = 0  #: in milliseconds; 0 is for ever
    rows: int = 0  #: the first dimension of all that goes in; 0 if they have not the same
    form: Form = ()

    @property
    def alone(self) -> bool:
        """It takes no other along."""
        return not 0 < self.rows < self.batch_size


ALONE = Run(0.0)


class Plan(NamedTuple):
    """Runs by their numbers: those that go now, in groups, and those that wait, each with the time until which it does."""

    groups: list[list[int]]
    waits: dict[int, float]


def plan(runs: Sequence[Run], now: float) -> Plan:
    """The groups in which `runs`, the oldest first, go now.

    The oldest takes others along until there are as many rows as the batch size; the last one may bring more than that. A group
    with fewer rows than the least waits until its oldest has waited long enough.

    >>> plan([Run(0.0, b"m", 4, rows=1), Run(0.0), Run(0.0, b"m", 4, rows=2)], now=0.0)
    Plan(groups=[[0, 2], [1]], waits={})
    """
    if runs.count(ALONE) == len(runs):
        return Plan([[number] for number in range(len(runs))], {})
    groups: list[list[int]] = []
    waits: dict[int, float] = {}
    left = list(range(len(runs)))
    while left:
        first = runs[left[0]]
        group = left[:1] if first.alone else _group(runs, left)
        left = [number for number in left if number not in group] if len(group) > 1 else left[1:]
        until = first.came + first.min_batch_timeout / 1000 if first.min_batch_timeout else math.inf
        if not first.alone and sum(runs[number].rows for number in group) < first.min_batch_size and now < until:
            waits.update(dict.fromkeys(group, until))
        else:
            groups.append(group)
    return Plan(groups, waits)


def _group(runs: Sequence[Run], numbers: Sequence[int]) -> list[int]:
    """The first of `numbers`, and those that it takes along."""
    first = runs[numbers[0]]
    group: list[int] = []
    rows = 0
    for number in numbers:
        run = runs[number]
        if rows < first.batch_size and run.rows and run.model == first.model and run.form == first.form:
            group.append(number)
            rows += run.rows
    return group
