"""What failed members have in common: how they ended, their last output, and the parameters that only they have."""

import re
import shlex
from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol

from smartensemble.command import Command
from smartensemble.status import Run, Status

NUMBER = re.compile(r"[-+]?\d+(\.\d*)?([eE][-+]?\d+)?")


class HasRun(Protocol):
    """The part of a model that its failure needs."""

    name: str

    @property
    def run(self) -> Run:
        """The record of its last run."""

    @property
    def path(self) -> str:
        """Its directory."""

    @property
    def values(self) -> dict[str, object]:
        """Its parameters."""

    @property
    def command(self) -> Command:
        """The command that runs it."""


class Failure(NamedTuple):
    """Members that failed in the same way."""

    members: tuple[str, ...]
    cause: str  #: exit code, signal, time limit, or why they did not start
    last_lines: tuple[str, ...]  #: the last lines that the first of them wrote
    shared: dict[str, tuple[object, ...]]  #: parameter -> values that all of them have one of, and no other member has
    again: str  #: a line of shell that runs the first of them again

    def __str__(self) -> str:
        names = ", ".join(self.members[:4]) + (f", ... {self.members[-1]}" if len(self.members) > 4 else "")
        lines = [f"{len(self.members)} failed: {names}", f"  {self.cause}"]
        lines += [f"    | {line}" for line in self.last_lines]
        for name, values in self.shared.items():
            lines.append(f"  only they have {name} = {' or '.join(map(str, values))}")
        return "\n".join([*lines, f"  again by hand: {self.again}"])


class Failures(tuple[Failure, ...]):
    """Groups of failed members, the largest first; print them for a report."""

    __slots__ = ()

    def __str__(self) -> str:
        return "\n\n".join(map(str, self)) or "none failed"

    __repr__ = __str__


def failures(members: Iterable[HasRun]) -> Failures:
    """The failed ones of `members`, in groups that ended the same way with the same last output."""
    all_members = list(members)
    groups: dict[tuple[str, tuple[str, ...]], list[HasRun]] = {}
    for member in all_members:
        if member.run.status is Status.FAILED:
            groups.setdefault((_anonymous(member.run.cause, member), _fingerprint(member)), []).append(member)
    found = [
        Failure(
            tuple(member.name for member in group),
            group[0].run.cause,
            group[0].run.last_lines,
            dict(_shared(group, all_members)),
            by_hand(group[0].command),
        )
        for group in groups.values()
    ]
    return Failures(sorted(found, key=lambda failure: -len(failure.members)))


def by_hand(command: Command) -> str:
    """A line of shell that runs a command as it ran.

    >>> from pathlib import Path
    >>> by_hand(Command(("lmp", "-in", "in.melt"), Path("/study/melt_0"), {"N": "1"}))
    'cd /study/melt_0 && N=1 lmp -in in.melt'
    """
    variables = "".join(f"{name}={shlex.quote(value)} " for name, value in command.env.items())
    return f"cd {shlex.quote(str(command.cwd))} && {variables}{command}"


def _fingerprint(member: HasRun) -> tuple[str, ...]:
    """The last lines of a member without what differs from member to member: directory, name, numbers, blanks."""
    return tuple(" ".join(NUMBER.sub("#", _anonymous(line, member)).split()) for line in member.run.last_lines)


def _anonymous(line: str, member: HasRun) -> str:
    return line.replace(member.path, "DIR").replace(member.name, "NAME")


def _shared(group: list[HasRun], all_members: list[HasRun]) -> Iterator[tuple[str, tuple[object, ...]]]:
    """The parameters whose values distinguish the group from all other members."""
    inside = {member.name for member in group}
    others = [member for member in all_members if member.name not in inside]
    for name in group[0].values if others else ():
        mine = dict.fromkeys(str(member.values.get(name)) for member in group)
        if not any(str(member.values.get(name)) in mine for member in others):
            typed = {str(member.values.get(name)): member.values.get(name) for member in group}
            yield name, tuple(typed.values())
