"""Settings of one member that follow those that it was created with: a change of either reaches its command."""

from copy import copy

from smartensemble.errors import InputValueError
from smartensemble.settings.run import RunSettings


class FollowedSettings:
    """A member's own run settings. What they do not change themselves they take from `source`, also later.

    >>> source = RunSettings("echo")
    >>> followed = FollowedSettings("m", source)
    >>> followed.now.update_env({"A": 1})
    >>> source.add_exe_args("later")
    >>> followed.now.env_vars, followed.now.exe_args
    ({'A': '1'}, ['later'])
    """

    def __init__(self, name: str, source: RunSettings) -> None:
        self.name = name
        self.source = source
        self._own = copy(source)
        self._base = copy(source)  #: as they were when the own ones were last brought up to date

    @property
    def now(self) -> RunSettings:
        """The settings, with what has changed in the source.

        :raises InputValueError: both have changed the same.
        """
        own, base, source = vars(self._own), vars(self._base), vars(self.source)
        for word in [word for word, value in source.items() if word not in base or value != base[word]]:
            if word in own and own[word] not in (base.get(word), source[word]):
                raise InputValueError(
                    f"{self.name}: {word.lstrip('_')} is {own[word]!r} in its own run_settings, and was changed to "
                    f"{source[word]!r} in those that it was created with; change one of them"
                )
            own[word], base[word] = copy(source[word]), copy(source[word])
        return self._own

    def of(self, source: RunSettings) -> "FollowedSettings | None":
        """These, which follow `source` from now on; None where that is of another kind, and they cannot."""
        if type(source) is not type(self.source):
            return None
        self.source = source
        return self

    def __copy__(self) -> "FollowedSettings":
        twin = FollowedSettings(self.name, self.source)
        twin._own, twin._base = copy(self._own), copy(self._base)
        return twin
