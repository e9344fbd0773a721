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

    :param name: its name.
    :param exp_path: its directory, which must exist; by default, a directory of its name in the working directory, created
        on first use.
    :param launcher: what runs its members: ``"local"``, this machine; ``"slurm"``; ``"auto"``, the scheduler in whose
        allocation this program runs, or that is on PATH, or else this machine.
    :raises InputTypeError: an argument has another type.
    :raises InputValueError: the name cannot name a directory.
    :raises NoDirectoryError: `exp_path` is no directory, or something else has its name.
    :raises UnsupportedError: there is no such launcher in this version; the message lists them.

    >>> exp = Experiment("study")
    >>> ens = exp.create_ensemble("hello", replicas=2, run_settings=exp.create_run_settings("true"))
    >>> exp.start(ens)
    >>> exp.get_status(ens)
    [<Status.COMPLETED: 'Completed'>, <Status.COMPLETED: 'Completed'>]
    """

    def __init__(self, name: str, exp_path: str | PurePath | None = None, launcher: str = "local") -> None:
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
        """Write the directories of models and ensembles: input files, ``params.json``, and each ensemble's ``members.csv``.

        The directory of a database is written when it starts.

        :param entities: what to write: models and ensembles.
        :param tag: the delimiter on both sides of a tag, or a pair of an opening and a closing delimiter.
        :param overwrite: replace directories that an earlier generate wrote, and remove those of members that an ensemble no
            longer has.
        :param verbose: print each directory that is written, on standard error.
        :param allow_unknown: leave text alone that looks like a tag and names no parameter.
        :param allow_unused: accept parameters that neither a file nor an argument uses.
        :raises DirectoryExistsError: a member's directory is there already, and `overwrite` is False, or it is not ours to
            replace.
        :raises TagError: a tag names no parameter.
        :raises ParameterError: nothing uses a parameter, and `allow_unused` is False.
        :raises StateError: a member runs, or another program generates or starts in this directory.
        :raises MissingFileError: a file that was attached is gone.
        :raises AccessError: the system refuses to read a file, or to write a directory.
        :raises InputTypeError: an argument has another type.
        :raises InputValueError: no entity is given, two have one directory, or the delimiter cannot be one.
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

        :param entities: what to show: models, ensembles and databases.
        :param tag: the delimiter on both sides of a tag, or a pair of an opening and a closing delimiter.
        :param allow_unknown: leave text alone that looks like a tag and names no parameter.
        :param allow_unused: accept parameters that neither a file nor an argument uses.
        :param output_filename: print into this file; by default, on standard output.
        :raises TagError: a tag names no parameter.
        :raises ParameterError: nothing uses a parameter, and `allow_unused` is False.
        :raises MissingFileError: a file that was attached is gone.
        :raises AccessError: the system refuses to read a file, or to write `output_filename`.
        :raises InputTypeError: an argument has another type.
        :raises InputValueError: no entity is given, two have one directory, or the delimiter cannot be one.
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
        """Run entities: first databases and, once these are ready and hold all uploads, the others.

        Models without a directory are generated first.

        :param entities: what to run: models, ensembles and databases.
        :param block: return when all have ended; otherwise at once.
        :param summary: print a table of the members and servers that it starts.
        :param kill_on_interrupt: Ctrl-C while this blocks stops the members; otherwise they go on while the driver lives.
        :param max_running: the most members that run at a time; by default all, since members may wait for each other.
        :param progress: show how many have ended, while it blocks.
        :param only: ``"failed"`` runs again exactly the members that have not completed.
        :param detach: let the members outlive this program: neither Ctrl-C nor its end ends them. A later experiment in this
            directory sees them, waits for them, and stops them.
        :raises StateError: one of them runs already, or its directory was generated for other parameters; or a database
            cannot be started, or does not answer any more; or no database runs that could store their models and scripts.
        :raises InputTypeError: an argument has another type.
        :raises InputValueError: no entity is given, two have one directory or one socket, or an argument cannot be used.
        :raises UnsupportedError: the scheduler cannot express an option of theirs.
        :raises AccessError: the system refuses to read a file, or to write a directory.
        :raises DirectoryExistsError: the directory of a member is not ours to write into.
        :raises MissingFileError: a program or a file that was attached is gone.
        :raises TagError: a tag names no parameter.
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
        """Wait until entities have ended.

        :param entities: what to wait for: models, ensembles and databases; by default all members that were started.
        :param timeout: the most seconds to wait, zero or more; by default without a limit.
        :returns: True when all have ended; False if `timeout` passes before.
        :raises InputTypeError: an argument has another type.
        :raises InputValueError: one of them was not started, or the time is below zero.
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
        """Wait until everything that was started has ended, and print the status of each member again and again.

        :param interval: the seconds between two prints, above zero.
        :param verbose: print the statuses; otherwise only wait.
        :param kill_on_interrupt: Ctrl-C stops the members; otherwise they go on while the driver lives.
        :raises InputTypeError: an argument has another type.
        :raises InputValueError: `interval` is not above zero.
        """
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
        """End entities: each member with all its processes, then databases. It returns when they have ended.

        For entities that never started, or have ended, it does nothing.

        :param entities: what to end: models, ensembles and databases; by default everything that was started.
        :param grace: seconds between SIGTERM and SIGKILL, zero or more.
        :raises InputTypeError: an argument has another type.
        :raises InputValueError: `grace` is below zero.
        :raises StateError: the scheduler cannot end one member of a job alone.
        """
        from smartensemble.runtime.selection import started

        grace = span("grace", grace)
        self._runner.turns.cancel(members_of(entities) if entities else None, grace)
        chosen = self._select(entities) if entities else None
        if chosen is None or chosen.models:
            self._runner.stop(started(self._runner, chosen.models if chosen else ()), grace)
        self._databases.stop(chosen.databases if chosen else self._databases.running, grace)

    def abandon(self, *entities: Model | Ensemble) -> list[str]:
        """Declare that the programs are gone that ran models and ensembles.

        It is the way out when a machine is gone, and nothing else will tell. The members are Unknown from then on, and can
        be started again. Whatever else these programs ran here is abandoned with them; one that lives after all ends its
        members when it notices.

        :param entities: whose programs are gone: models and ensembles; by default all programs here whose life or death nobody
            can see.
        :returns: the names of the members that counted as running.
        :raises StateError: one of `entities` is known to run; stop it instead.
        :raises InputTypeError: one of them is neither a model nor an ensemble.
        """
        from smartensemble.runtime.journal.abandon import abandon

        paths = [model.path for model in self._select(entities).models] if entities else None
        return abandon(self._runner.history, paths).members

    def get_status(self, *entities: "Model | Ensemble | Orchestrator") -> list[Status]:
        """The status of each model, of each member of an ensemble, and of each server of a database, now.

        :param entities: what to look at: models, ensembles and databases.
        :returns: the statuses of models and members in the order of `entities`; then those of servers.
        :raises InputTypeError: one of them is something else.
        """
        chosen = self._select(entities)
        self._runner.refresh()
        servers = [status for db in chosen.databases for status in self._databases.statuses(db)]
        return [model.run.status for model in chosen.models] + servers

    def finished(self, entity: "Model | Ensemble | Orchestrator") -> bool:
        """True if an entity has ended, completed or not.

        :param entity: a model, an ensemble or a database.
        :returns: whether all of it has ended.
        :raises InputTypeError: it is something else.
        :raises InputValueError: it was not started.
        """
        statuses = Experiment.get_status(self, entity)  # in our words, whatever a subclass answers in
        if Status.NEW in statuses:
            raise InputValueError(f"{entity.name}: was not started; start it first")
        return all(status.final for status in statuses)

    def summary(self, style: str = "github") -> str:
        """A table of everything that was started.

        :param style: a style of the `tabulate <https://pypi.org/project/tabulate/>`_ library.
        :returns: the table, as text: a row for each member and server.
        :raises InputTypeError: the style is no text.
        :raises InputValueError: there is no such style; the message lists them.
        """
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
