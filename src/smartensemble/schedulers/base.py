"""A scheduler is a record: how its options are spelled. An option without a spelling has no effect there."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

#: What a batch job asks for, by portable names: nodes, time, queue, account, batch_args. None or empty was not asked for.
Asked = Mapping[str, object]


@dataclass(frozen=True)
class Scheduler:
    """What a batch script looks like for one scheduler."""

    name: str
    directive: str = ""  #: what begins a line of options in the script
    options: Mapping[str, str] = field(default_factory=dict)  #: portable option -> how it is spelled

    def directives(self, asked: Asked) -> Iterator[str]:
        """The lines of options."""
        for option, spelled in self.options.items():
            if spelled and asked.get(option):
                yield f"{self.directive} {spelled}={asked[option]}"

    def without_effect(self, asked: Asked) -> list[str]:
        """The options that are given and that this scheduler has no use for.

        >>> LOCAL.without_effect({"nodes": 4, "time": "00:10:00", "queue": "debug", "account": None})
        ['nodes', 'queue']
        """
        return [option for option, value in asked.items() if value and option not in self.options]


#: This machine: no nodes, queues or accounts. The supervisor keeps the time.
LOCAL = Scheduler("local", options={"time": ""})
