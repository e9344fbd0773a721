"""A batch job: members that run inside one script, and how they stand by the files that they leave."""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from smartensemble.command import Command
from smartensemble.runtime.outcome import last_words, settle
from smartensemble.schedulers.base import Scheduler
from smartensemble.schedulers.script import batch_script, member_script
from smartensemble.settings import BatchSettings
from smartensemble.status import Run, Status

TIMED_OUT = 124  #: the exit code of timeout(1)
KILLED = 128 + 9
PATIENCE = 5.0  #: seconds after which the signal that ended a member was its own
BY_SIGNAL = (128 + 15, KILLED)  #: how bash tells that a program was ended as stop does it


@dataclass(frozen=True)
class Batch:
    """A batch job of `members`, each a command with the record of its run."""

    name: str
    directory: Path
    members: Sequence[tuple[Command, Run]]
    settings: BatchSettings
    scheduler: Scheduler
    run: Run

    @property
    def command(self) -> Command:
        """The command that runs the script on this machine."""
        return Command(("/bin/bash", str(self.script)), self.directory, {}, self.name, self.settings.time_limit)

    @property
    def script(self) -> Path:
        """Where the script is."""
        return self.directory / f"{self.name}.sh"

    def text(self, at_once: int | None = None) -> str:
        """The script, as it is handed to the scheduler."""
        scripts = [_beside(command, "sh") for command, _ in self.members]
        return batch_script(
            self.name, self.directory, scripts, self.scheduler, self.settings.asked, self.settings.preamble, at_once
        )

    def write(self, at_once: int | None = None) -> None:
        """Write the scripts, and take away what an earlier run left."""
        for command, _ in self.members:
            for suffix in ("started", "exit"):
                _beside(command, suffix).unlink(missing_ok=True)
            _beside(command, "sh").write_text(member_script(command), encoding="utf-8", errors="surrogateescape")
        self.directory.mkdir(parents=True, exist_ok=True)
        self.script.write_text(self.text(at_once), encoding="utf-8", errors="surrogateescape")

    def look(self) -> None:
        """Bring the members' records up to date with their files, and with the job's own end."""
        over = self.run.status.final  # asked first: what the job did before its end is then on the disk
        for command, run in self.members:
            if not run.status.final:
                self._look_at(command, run, over)

    def _look_at(self, command: Command, run: Run, over: bool) -> None:
        """Settle a member by its exit code; by the end of the job, if it left none."""
        if started := _written(_beside(command, "started")):
            run.status, run.started = Status.RUNNING, started
        ended = _written(_beside(command, "exit"))
        code = _beside(command, "exit").read_text() if ended else ""
        stopped = self.run.stopping or self.run.status is Status.CANCELLED
        whole = ended is not None and code.endswith("\n")
        signalled = whole and int(code) in BY_SIGNAL
        if signalled and not over and time.time() - (ended or 0) < PATIENCE:
            return  # it may be the job's end that ended it, which is told a moment later
        if whole and ended and not (signalled and (stopped or (over and self.run.exit_code is None))):
            limit = command.time_limit is not None and int(code) in (TIMED_OUT, KILLED)
            settle(run, command, "limit" if limit else "exit", int(code), ended)
        elif over and stopped:
            settle(run, command, "cancelled", None, self.run.ended or time.time())
        elif over:
            settle(
                run,
                command,
                "failed",
                self.run.cause or f"the batch job {self.name} ended before it",
                self.run.ended or time.time(),
            )
            run.words, run.said_in = last_words(self.command)


def _beside(command: Command, suffix: str) -> Path:
    return command.cwd / f"{command.name}.{suffix}"


def _written(path: Path) -> float | None:
    """When a file was written; None if it is not there."""
    try:
        return os.stat(path).st_mtime
    except FileNotFoundError:
        return None
