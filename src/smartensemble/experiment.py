"""An experiment creates models and ensembles, generates their directories, runs them, and reports their status."""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from smartensemble.checks import flag, positive, span, writable
from smartensemble.create import Creator, directory_of
from smartensemble.ensemble import Ensemble
from smartensemble.errors import InputValueError, UnsupportedError, did_you_mean, public, shown
from smartensemble.files.tags import Delimiter
from smartensemble.model import Model
from smartensemble.results.table import Table
from smartensemble.status import Status

# What acts is imported by the methods that act: who only describes an ensemble pays half for the import.
if TYPE_CHECKING:
    from smartensemble.databases.orchestrator import Orchestrator
    from smartensemble.runtime.selection import Selection

GRACE = 5.0  #: seconds that a member has to obey SIGTERM


@public
class Experiment(Creator):
    """Creates, generates, runs and watches models and ensembles, all below one directory.

    >>> exp = Experiment("study")
    >>> ens = exp.create_ensemble("hello", replicas=2, run_settings=exp.create_run_settings("true"))
    >>> exp.start(ens)
    >>> exp.get_status(ens)
    [<Status.COMPLETED: 'Completed'>, <Status.COMPLETED: 'Completed'>]
    """

    def __init__(self, name: str, exp_path: str | PurePath | None = None, launcher: str = "local") -> None:
        """An experiment.

        :param name: its name.
        :param exp_path: its directory, which must exist; by default, a directory of its name in the working directory, created
            on first use.
        :param launcher: what runs its members: ``"local"``, this machine; ``"slurm"``; ``"auto"``, the scheduler in whose
            allocation this program runs, or that is on PATH, or else this machine.
        """
        from smartensemble.runtime.jobs.allocation import detect_launcher
        from smartensemble.runtime.runner import Runner
        from smartensemble.runtime.servers.registry import Databases
        from smartensemble.schedulers import SCHEDULERS

        self._check_name(name)
        if not isinstance(launcher, str) or launcher not in (*SCHEDULERS, *self._shown, "auto"):
            raise UnsupportedError(f"{name}: no launcher {shown(launcher)} in this version{did_you_mean(launcher, SCHEDULERS)}")
        self.name = name
        self.exp_path = directory_of(name, exp_path)
        self.launcher = detect_launcher() if launcher == "auto" else launcher
        self._runner = Runner(name, self.exp_path, self.launcher)
        self._databases = Databases(name, self._runner)

    # --- generate -----------------------------------------------------------------------------------------------

    def generate(
        self,
        *entities: "Model | Ensemble | Orchestrator",
        tag: Delimiter = ";",
        overwrite: bool = False,
        verbose: bool = False,
        allow_unknown: bool = False,
        allow_unused: bool = False,
    ) -> None:
        """Write the directories of `entities`: input files, ``params.json``, and each ensemble's ``members.csv``.

        The directory of a database is written when it starts.

        :param tag: the delimiter on both sides of a tag, or a pair of an opening and a closing delimiter.
        :param overwrite: replace directories that an earlier generate wrote, and remove those of members that an ensemble no
            longer has.
        :param verbose: print each directory that is written, on standard error.
        :param allow_unknown: leave text alone that looks like a tag and names no parameter.
        :param allow_unused: accept parameters that neither a file nor an argument uses.
        :raises DirectoryExistsError: a member's directory is there already, and `overwrite` is False, or it is not ours to
            replace.
        :raises TagError: a tag names no parameter.
        """
        overwrite, verbose = flag("overwrite", overwrite), flag("verbose", verbose)
        allow_unknown, allow_unused = flag("allow_unknown", allow_unknown), flag("allow_unused", allow_unused)
        with self._runner.turns.transaction(members_of(entities), GRACE) as transaction:
            from smartensemble.runtime.input_files import TagOptions
            from smartensemble.runtime.start import generate

            chosen = self._select(entities)
            generate(self._runner, transaction, chosen, TagOptions(tag, allow_unknown, allow_unused), overwrite)
        if verbose:
            from smartensemble.results.notes import Notes

            Notes(sys.stderr).say("\n".join(f"{model.name}: generated {model.path}" for model in chosen.models))

    def preview(
        self,
        *entities: "Model | Ensemble | Orchestrator",
        tag: Delimiter = ";",
        allow_unknown: bool = False,
        allow_unused: bool = False,
        output_filename: str | PurePath | None = None,
    ) -> None:
        """Print what generate and start would write and run, on any machine: scripts, directories, commands, files.

        :param output_filename: print into this file.
        :raises TagError: generate would raise it.
        """
        from smartensemble.results.notes import Notes
        from smartensemble.runtime import directories
        from smartensemble.runtime.input_files import TagOptions
        from smartensemble.runtime.jobs.share_out import batch_jobs, partitions_if_known
        from smartensemble.runtime.preview import preview
        from smartensemble.runtime.servers.colocated import Environment

        allow_unknown, allow_unused = flag("allow_unknown", allow_unknown), flag("allow_unused", allow_unused)
        place = None if output_filename is None else writable("preview: output_filename", output_filename)
        chosen = self._select(entities)
        command = Environment(self._databases.running, self._runner.scheduler).command
        renderer = directories.check(chosen.models, TagOptions(tag, allow_unknown, allow_unused))
        runs = {model.path: model.run for model in chosen.models}
        batches = batch_jobs(chosen.entities, runs, command, self._runner.scheduler, ask=partitions_if_known)
        text = preview(f"{self.name} in {self.exp_path}", chosen.databases, chosen.models, list(batches), renderer, command)
        if place is None:
            print(Notes(sys.stdout).printable(text), end="")
        else:
            Path(place).write_text(text, encoding="utf-8")

    # --- run ----------------------------------------------------------------------------------------------------

    def start(
        self,
        *entities: "Model | Ensemble | Orchestrator",
        block: bool = True,
        summary: bool = False,
        kill_on_interrupt: bool = True,
        max_running: int | None = None,
        progress: bool = True,
        only: str | None = None,
        detach: bool = False,
    ) -> None:
        """Run `entities`: first databases and, once these are ready and hold all uploads, the others.

        Models without a directory are generated first.

        :param block: return when all have ended; otherwise at once.
        :param summary: print a table of the members and servers that it starts.
        :param kill_on_interrupt: Ctrl-C while this blocks stops the members; otherwise they go on while the driver lives.
        :param max_running: members that run at a time; by default all, since members may wait for each other.
        :param progress: show how many have ended, while it blocks.
        :param only: ``"failed"`` runs again exactly the members that have not completed.
        :param detach: let the members outlive this program: neither Ctrl-C nor its end ends them. A later experiment in this
            directory sees them, waits for them, and stops them.
        :raises StateError: one of them runs already, or its directory was generated for other parameters; or a database
            cannot be started, or does not answer any more; or no database runs that could store their models and scripts.
        """
        block, summary, progress = flag("block", block), flag("summary", summary), flag("progress", progress)
        kill_on_interrupt, detach = flag("kill_on_interrupt", kill_on_interrupt), flag("detach", detach)
        max_running = None if max_running is None else positive("max_running", max_running)
        try:
            with self._runner.turns.transaction(members_of(entities), GRACE) as transaction:  # from here on, stop knows of it
                from smartensemble.runtime.start import StartRequest, start

                chosen = self._select(entities)
                if only is not None and (not isinstance(only, str) or only != "failed"):
                    raise InputValueError(f"{self.name}: only={shown(only)} is no choice; there is only='failed'")
                request = StartRequest(chosen, max_running, only == "failed", detach, summary)
                models = start(self._runner, self._databases, transaction, request)
            if block and models:
                from smartensemble.runtime.progress import watch

                title = ", ".join(entity.name for entity in chosen.entities[:3]) + (", ..." if chosen.entities[3:] else "")
                runs = [(model.name, model.run) for model in models]
                watch(self._runner, self._databases, title, runs, GRACE if kill_on_interrupt and not detach else None, progress)
        except KeyboardInterrupt:
            if kill_on_interrupt and not detach:
                self._runner.stop_own(GRACE)
            raise

    def wait(self, *entities: "Model | Ensemble | Orchestrator", timeout: float | None = None) -> bool:
        """Wait until `entities`, by default all members that were started, have ended; False if `timeout` seconds pass before.

        :raises InputValueError: one of them was not started.
        """
        from smartensemble.runtime.selection import check_started, started

        timeout = None if timeout is None else span("timeout", timeout)
        chosen = self._select(entities) if entities else None
        if chosen:
            check_started(chosen.entities)
        databases = chosen.databases if chosen else []
        left = [] if databases and chosen and not chosen.models else started(self._runner, chosen.models if chosen else ())

        def ended() -> bool:
            self._databases.tell()
            while left and left[-1].status.final:  # none is asked twice
                left.pop()
            return not left

        return self._databases.wait(databases, ended, timeout) if databases else self._runner.wait(ended, timeout)

    def poll(self, interval: float = 10, verbose: bool = True, kill_on_interrupt: bool = True) -> None:
        """Wait until everything that was started has ended; if `verbose`, print the statuses every `interval` seconds."""
        from smartensemble.results.notes import Notes

        verbose, kill_on_interrupt = flag("verbose", verbose), flag("kill_on_interrupt", kill_on_interrupt)
        if not span("interval", interval):
            raise InputValueError(f"interval: {shown(interval)} is no time to wait; give seconds above zero")
        try:
            while not self.wait(timeout=interval):
                if verbose:
                    notes = Notes(sys.stdout)
                    for entry in list(self._runner.history.last.values()):
                        notes.say(f"{entry.name}: {entry.run.status}")
        except KeyboardInterrupt:
            if kill_on_interrupt:
                self._runner.stop_own(GRACE)
            raise

    def stop(self, *entities: "Model | Ensemble | Orchestrator", grace: float = GRACE) -> None:
        """End `entities`, by default everything that was started: each member with all its processes, then databases.

        It returns when they have ended.

        For entities that never started, or have ended, it does nothing.

        :param grace: seconds between SIGTERM and SIGKILL.
        """
        from smartensemble.runtime.selection import started

        grace = span("grace", grace)
        self._runner.turns.cancel(members_of(entities) if entities else None, grace)
        chosen = self._select(entities) if entities else None
        if chosen is None or chosen.models:
            self._runner.stop(started(self._runner, chosen.models if chosen else ()), grace)
        self._databases.stop(chosen.databases if chosen else self._databases.running, grace)

    def abandon(self, *entities: Model | Ensemble) -> list[str]:
        """Declare that the programs are gone that ran `entities`; the names of the members that counted as running.

        Without `entities`, all programs here whose life or death nobody can see. It is the way out when a machine is gone, and
        nothing else will tell. The members are Unknown from then on, and can be started again. Whatever else these programs ran
        here is abandoned with them; one that lives after all ends its members when it notices.

        :raises StateError: one of `entities` is known to run; stop it instead.
        """
        from smartensemble.runtime.journal.abandon import abandon

        paths = [model.path for model in self._select(entities).models] if entities else None
        return abandon(self._runner.history, paths).members

    def get_status(self, *entities: "Model | Ensemble | Orchestrator") -> list[Status]:
        """The status of each model of `entities`, in their order, or of each member of an ensemble; then of each server."""
        chosen = self._select(entities)
        self._runner.refresh()
        servers = [status for db in chosen.databases for status in self._databases.statuses(db)]
        return [model.run.status for model in chosen.models] + servers

    def finished(self, entity: "Model | Ensemble | Orchestrator") -> bool:
        """True if all of `entity` has ended, completed or not.

        :raises InputValueError: it was not started.
        """
        statuses = Experiment.get_status(self, entity)  # in our words, whatever a subclass answers in
        if Status.NEW in statuses:
            raise InputValueError(f"{entity.name}: was not started; start it first")
        return all(status.final for status in statuses)

    def summary(self, style: str = "github") -> str:
        """A table of everything that was started, in a style of the `tabulate` library."""
        self._runner.refresh()
        rows = Table([*self._runner.rows(), *self._databases.rows()])
        return rows.format(style)

    def __repr__(self) -> str:
        return f"Experiment({self.name!r})"

    def __str__(self) -> str:
        return self.name

    # --- what the verbs above have in common ----------------------------------------------------------------------

    def _select(self, entities: "Sequence[Model | Ensemble | Orchestrator]") -> "Selection":
        """What is named, below this experiment's directory."""
        from smartensemble.runtime.selection import select

        return select(self._runner, self._databases, self.exp_path, entities)


def members_of(entities: "Iterable[Model | Ensemble | Orchestrator]") -> "list[Model | Orchestrator]":
    """The models and databases among `entities`, and the members of ensembles."""
    return [each for entity in entities for each in (entity if isinstance(entity, Ensemble) else [entity])]
