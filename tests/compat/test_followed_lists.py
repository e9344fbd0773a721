"""A change of a list that was handed out is followed.

Tests followed.
"""

from collections.abc import Callable
from copy import copy
from typing import Any

import pytest

from smartensemble.compat.followed import FollowedList


@pytest.mark.parametrize(
    ("change", "left"),
    [
        (lambda items: items.append(3), [1, 2, 3]),
        (lambda items: items.extend([3, 4]), [1, 2, 3, 4]),
        (lambda items: items.insert(0, 0), [0, 1, 2]),
        (lambda items: items.pop(), [1]),
        (lambda items: items.remove(1), [2]),
        (lambda items: items.clear(), []),
        (lambda items: items.reverse(), [2, 1]),
        (lambda items: items.sort(key=lambda item: -item), [2, 1]),
        (lambda items: items.__setitem__(0, 5), [5, 2]),
        (lambda items: items.__delitem__(slice(None)), []),
        (lambda items: items.__iadd__([3]), [1, 2, 3]),
        (lambda items: items.__imul__(2), [1, 2, 1, 2]),
    ],
)
def test_each_change_of_a_list_is_followed(change: Callable[[Any], Any], left: list[int]) -> None:
    followed: list[list[int]] = []
    items = FollowedList([1, 2], followed.append)

    change(items)

    assert (items, followed, type(copy(items))) == (left, [left], list)
