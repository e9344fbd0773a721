"""Which requests run together as one batch now, and which wait for more of their kind.

Requests for one model run as one larger batch if the model was stored with a batch size: their inputs are concatenated along
the first dimension, and the outputs are split again. The rules are those of RedisAI.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

#: The type, and the dimensions but the first, of each input tensor.
Form = tuple[tuple[str, tuple[int, ...]], ...]


class Candidate(NamedTuple):
    """The part of a request that batching uses; with a `batch_size` of 0 it runs alone."""

    arrived: float  #: when, in seconds of a clock
    model: bytes = b""  #: the version of the model
    batch_size: int = 0
    min_batch_size: int = 0
    min_batch_timeout: int = 0  #: in milliseconds; 0 is no limit
    rows: int = 0  #: the first dimension of all inputs; 0 if they differ in it
    form: Form = ()

    @property
    def alone(self) -> bool:
        """It shares its run with no other request."""
        return not 0 < self.rows < self.batch_size


ALONE = Candidate(0.0)


class Batches(NamedTuple):
    """Requests by their indices: those that run now, in groups, and those that wait, each with the end of its wait."""

    groups: list[list[int]]
    waits: dict[int, float]


def batches(candidates: Sequence[Candidate], now: float) -> Batches:
    """The groups in which `candidates`, the oldest first, run now.

    The oldest takes others into its batch until it has as many rows as the batch size; the last one may exceed that. A batch
    with fewer rows than the minimum waits until its oldest request has waited long enough.

    >>> batches([Candidate(0.0, b"m", 4, rows=1), Candidate(0.0), Candidate(0.0, b"m", 4, rows=2)], now=0.0)
    Batches(groups=[[0, 2], [1]], waits={})
    """
    if candidates.count(ALONE) == len(candidates):
        return Batches([[index] for index in range(len(candidates))], {})
    groups: list[list[int]] = []
    waits: dict[int, float] = {}
    left = list(range(len(candidates)))
    while left:
        first = candidates[left[0]]
        group = left[:1] if first.alone else _group(candidates, left)
        left = [index for index in left if index not in group] if len(group) > 1 else left[1:]
        until = first.arrived + first.min_batch_timeout / 1000 if first.min_batch_timeout else math.inf
        if not first.alone and sum(candidates[index].rows for index in group) < first.min_batch_size and now < until:
            waits.update(dict.fromkeys(group, until))
        else:
            groups.append(group)
    return Batches(groups, waits)


def _group(candidates: Sequence[Candidate], indices: Sequence[int]) -> list[int]:
    """The first of `indices`, and those that join its batch."""
    first = candidates[indices[0]]
    group: list[int] = []
    rows = 0
    for index in indices:
        candidate = candidates[index]
        if rows < first.batch_size and candidate.rows and candidate.model == first.model and candidate.form == first.form:
            group.append(index)
            rows += candidate.rows
    return group
