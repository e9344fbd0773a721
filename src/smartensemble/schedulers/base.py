"""A scheduler is a record: how its options are spelled. An option without a spelling has no effect there."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from smartensemble.settings import BatchSettings

#: The options of a batch job that every scheduler may spell.
OPTIONS = ("nodes", "time", "queue", "account", "batch_args")


@dataclass(frozen=True)
class Scheduler:
    """What a batch script looks like for one scheduler."""

    name: str
    directive: str = ""  #: what begins a line of options in the script
    options: Mapping[str, str] = field(default_factory=dict)  #: portable option -> how it is spelled

    def directives(self, settings: BatchSettings) -> Iterator[str]:
        """The lines of options."""
        for option, spelled in self.options.items():
            if spelled and (value := getattr(settings, option)) is not None:
                yield f"{self.directive} {spelled}={value}"

    def without_effect(self, settings: BatchSettings) -> list[str]:
        """The options that are given and that this scheduler has no use for.

        >>> LOCAL.without_effect(BatchSettings(nodes=4, time="00:10:00", queue="debug"))
        ['nodes', 'queue']
        """
        return [option for option in OPTIONS if getattr(settings, option) and option not in self.options]


#: This machine: no nodes, queues or accounts. The supervisor keeps the time.
LOCAL = Scheduler("local", options={"time": ""})
