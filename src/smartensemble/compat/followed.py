"""Lists that SmartSim hands out as its own: a change in one is followed here, as it is there."""

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any


class FollowedList(list[Any]):
    """A list. After each change, `follow` receives all its items.

    >>> changed = FollowedList("ab", print)
    >>> changed.append("c")
    ['a', 'b', 'c']
    """

    def __init__(self, items: Iterable[Any], follow: Callable[[list[Any]], None]) -> None:
        super().__init__(items)
        self.follow = follow

    def __reduce__(self) -> Any:
        return list, (list(self),)  # a copy, and a pickle, is a list of its own


def _followed(name: str) -> Callable[..., Any]:
    change = getattr(list, name)

    @wraps(change)
    def changed(self: FollowedList, *args: Any, **kwargs: Any) -> Any:
        before = list(self)
        result = change(self, *args, **kwargs)
        try:
            self.follow(list(self))
        except BaseException:
            list.__setitem__(self, slice(None), before)
            raise
        return result

    return changed


for _name in ("append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort"):
    setattr(FollowedList, _name, _followed(_name))
for _name in ("__delitem__", "__iadd__", "__imul__", "__setitem__"):
    setattr(FollowedList, _name, _followed(_name))
