"""A batch job: members that run inside one script, and their status, which they record in files."""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from smartensemble.command import Command
from smartensemble.errors import UnsupportedError
from smartensemble.runtime.jobs.verdict import MemberEvidence, member_verdict
from smartensemble.runtime.outcome import last_lines, settle
from smartensemble.schedulers.base import Layout, Partition, Plan, Scheduler, State
from smartensemble.schedulers.directives import with_directives
from smartensemble.schedulers.script import batch_script, member_script
from smartensemble.schedulers.sizing import plan
from smartensemble.settings.batch import BatchSettings, portable_options, scheduler_of
from smartensemble.settings.preamble import split
from smartensemble.status import Run, Status

ENDS = ("started", "exit")  #: the files by which it is known how a command stands


@dataclass(frozen=True)
class Batch:
    """A batch job of `members`, each a command with the record of its run."""

    name: str
    directory: Path
    members: Sequence[tuple[Command, Run]]
    settings: BatchSettings
    scheduler: Scheduler
    run: Run
    plan: Plan | None = None  #: how the members share an allocation, where a scheduler gives one
    array: bool = False  #: each member is a task of an array
    tasks: dict[int, State] = field(default_factory=dict)  #: how tasks of it ended, by its scheduler

    @cached_property
    def command(self) -> Command:
        """The command that runs the script on this machine."""
        return Command(("/bin/bash", str(self.script)), self.directory, {}, self.name, self.settings.time_limit)

    @property
    def script(self) -> Path:
        """Where the script is."""
        return self.directory / f"{self.name}.sh"

    def text(self, max_running: int | None = None) -> str:
        """The script, as it is handed to the scheduler."""
        scripts = [beside(command, "sh") for command, _ in self.members]
        options, preamble = portable_options(self.settings), split(self.settings.preamble).commands
        return batch_script(self.name, self.directory, scripts, self.scheduler, options, preamble, max_running, self.plan)

    def planned(self, partitions: Sequence[Partition], max_running: int | None = None) -> "Batch":
        """The same, with the size that its members need on a cluster of these `partitions`.

        :raises UnsupportedError: its settings ask for what the scheduler cannot express.
        :raises InputValueError: there is no room for a member, or an option is more than a line.
        """
        if (only := scheduler_of(self.settings)) not in ("", self.scheduler.name):
            raise UnsupportedError(
                f"{self.name}: {type(self.settings).__name__} are for {only}, and this job is for {self.scheduler.name}; "
                "make them by create_batch_settings"
            )
        if unknown := self.scheduler.without_effect(portable_options(self.settings)):
            raise UnsupportedError(
                f"{self.name}: {self.scheduler.name} cannot express {unknown[0]!r}; it understands "
                f"{', '.join(self.scheduler.options)}, and its own options by batch_args={{...}}"
            )
        files = {"output": str(self.command.out), "error": str(self.command.err)}
        commands = [command for command, _ in self.members]
        options = with_directives(self.name, {"name": self.name} | portable_options(self.settings), self.scheduler)
        if any(map(self.scheduler.exclusive, commands)):
            max_running = 1
        made = plan(self.name, commands, options, partitions, self.settings.overcommit, max_running)
        made = replace(made, options={**made.options, **files})
        for _ in self.scheduler.directives(made.options):
            pass  # what cannot be spelled is an error here, before anything is written
        return replace(self, plan=made, array=made.layout is Layout.ARRAY)

    def write(self, max_running: int | None = None) -> None:
        """Write the scripts."""
        self.directory.mkdir(parents=True, exist_ok=True)
        for command, _ in self.members:
            text = member_script(self._placed(command))
            with open(f"{command.cwd}/{command.name}.sh", "wb") as file:  # there may be thousands
                file.write(text.encode(errors="surrogateescape"))
        self.script.write_text(self.text(max_running), encoding="utf-8", errors="surrogateescape")

    def clear(self) -> None:
        """Delete the status files of an earlier run: those of its members, and of its job."""
        for command, suffixes in [*((each, ENDS) for each, _ in self.members), (self.command, (*ENDS, "out", "err"))]:
            for suffix in suffixes:
                path = f"{command.cwd}/{command.name}.{suffix}"
                if written(path) is not None:
                    os.unlink(path)

    def _placed(self, command: Command) -> Command:
        """A member's command, as its script starts it: as a task of a step, or as a step."""
        if not self.plan:
            return command
        if not self.plan.layout.starts_steps:
            return replace(command, argv=self.scheduler.task(command))
        argv = self.scheduler.step(command, node_cpus=self.plan.node_cpus, overcommit=self.plan.overcommit)
        return replace(command, argv=argv)

    def code(self) -> int | None:
        """The exit code of the job itself; for an array, the largest exit code of its tasks. None while it runs."""
        try:
            codes = beside(self.command, "exit").read_text().split()
        except FileNotFoundError:
            return None
        whole = len(codes) >= (len(self.members) if self.array else 1) and all(code.isdigit() for code in codes)
        return max(map(int, codes)) if whole else None

    def refresh(self, begin: int = 0, end: int | None = None) -> None:
        """Update the records of members, by default of all, from their files and from the end of the job."""
        over = self.run.status.final  # read first: what the job did before its end is then on the disk
        for number, (command, run) in enumerate(self.members[begin:end], begin):
            if not run.status.final:
                state = self.tasks.get(number, (self.run.status, self.run.cause))
                self._refresh_member(command, run, state, over or number in self.tasks)

    def _refresh_member(self, command: Command, run: Run, state: State, over: bool) -> None:
        """Read the files of a member, and settle it when they, or the end of its job, say how it ended."""
        if run.started is None and (started := written(f"{command.cwd}/{command.name}.started")):
            run.status, run.started = Status.RUNNING, started
        if run.started is None and not over:
            return
        ended = written(f"{command.cwd}/{command.name}.exit")
        text = beside(command, "exit").read_text() if ended else ""
        now = time.time()
        evidence = MemberEvidence(
            self.name,
            int(text) if text.endswith("\n") else None,  # a file that is not whole says nothing
            now - (ended or now),
            command.time_limit is not None,
            over,
            *state,
            self.run.stopping,
            bool(self.run.job),
            self.run.exit_code,
        )
        if verdict := member_verdict(evidence):
            by_itself = verdict.event in ("exit", "limit")
            settle(run, command, verdict.event, verdict.detail, (ended if by_itself else self.run.ended) or now)
        if verdict and verdict.from_job:
            run.last_lines, run.last_lines_file = last_lines(self.command)


def beside(command: Command, suffix: str) -> Path:
    """A file of a command's, in its directory."""
    return command.cwd / f"{command.name}.{suffix}"


def written(path: Path | str) -> float | None:
    """When a file was written; None if it is not there."""
    try:
        return os.stat(path).st_mtime
    except FileNotFoundError:
        return None
