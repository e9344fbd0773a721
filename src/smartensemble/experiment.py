"""An experiment creates models and ensembles, generates their directories, runs them, and knows how they stand."""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path, PurePath

from smartensemble.entities import Ensemble, Model, check_name
from smartensemble.errors import (
    InputTypeError,
    InputValueError,
    NoDirectoryError,
    StateError,
    UnsupportedError,
    did_you_mean,
    strict,
)
from smartensemble.parameters import Given, positive
from smartensemble.runtime import generate as generation
from smartensemble.runtime.batch import Batch
from smartensemble.runtime.job import Job, Launcher
from smartensemble.runtime.local import local
from smartensemble.runtime.preview import preview
from smartensemble.runtime.progress import Progress
from smartensemble.schedulers.base import LOCAL
from smartensemble.settings import BatchSettings, Duration, RunSettings, Singularity, Words
from smartensemble.status import Run, Status
from smartensemble.strategies import Strategy
from smartensemble.table import Seconds, Table
from smartensemble.tags import Delimiter

logger = logging.getLogger(__name__)

LAUNCHERS: dict[str, Callable[[], Launcher]] = {"local": local}
GRACE = 5.0  #: seconds that a member has to obey SIGTERM
LOOK = 0.05  #: seconds between two looks at the files of a batch job


class Experiment:
    """Creates, generates, runs and watches models and ensembles, all below one directory.

    >>> exp = Experiment("study")
    >>> ens = exp.create_ensemble("hello", replicas=2, run_settings=exp.create_run_settings("true"))
    >>> exp.start(ens)
    >>> exp.get_status(ens)
    [<Status.COMPLETED: 'Completed'>, <Status.COMPLETED: 'Completed'>]
    """

    @strict
    def __init__(self, name: str, exp_path: str | PurePath | None = None, launcher: str = "local") -> None:
        """An experiment.

        :param name: its name.
        :param exp_path: its directory, which is there; by default one of its name in the working directory, which is made
            when it is needed.
        :param launcher: what runs its members: ``"local"``, this machine.
        """
        check_name("Experiment", name)
        if exp_path is not None and not isinstance(exp_path, (str, PurePath)):
            raise InputTypeError(f"{name}: exp_path is {exp_path!r}; give text or a pathlib.Path")
        if exp_path is not None and not os.path.isdir(exp_path):
            raise NoDirectoryError(f"{name}: exp_path {os.fspath(exp_path)!r} is no directory; make it, or leave it out")
        if launcher not in (*LAUNCHERS, "auto"):
            raise UnsupportedError(f"{name}: no launcher {launcher!r} in this version{did_you_mean(str(launcher), LAUNCHERS)}")
        self.name = name
        self.exp_path = os.path.abspath(name if exp_path is None else exp_path)
        self.launcher = "local" if launcher == "auto" else launcher
        self._launcher: Launcher | None = None
        self._started: dict[str, tuple[Model, Run]] = {}  #: by directory, whose one run at a time this is
        self._batches: list[Batch] = []
        self._turn = threading.Lock()  #: held by the one thread that generates or starts

    # --- create -------------------------------------------------------------------------------------------------

    @strict
    def create_ensemble(
        self,
        name: str,
        params: Given = None,
        batch_settings: BatchSettings | None = None,
        run_settings: RunSettings | None = None,
        replicas: int | None = None,
        perm_strategy: str | Strategy = "all_perm",
        path: str | PurePath | None = None,
        *,
        params_as_args: Given = None,
        n_models: int | None = None,
        seed: int | None = None,
    ) -> Ensemble:
        """An ensemble below this experiment's directory. See :class:`Ensemble` for the arguments."""
        ensemble = Ensemble(
            name,
            params,
            path,
            params_as_args,
            batch_settings,
            run_settings,
            perm_strategy,
            replicas=replicas,
            n_models=n_models,
            seed=seed,
        )
        self._place(ensemble)
        return ensemble

    @strict
    def create_model(
        self,
        name: str,
        run_settings: RunSettings,
        params: Given = None,
        path: str | PurePath | None = None,
        batch_settings: BatchSettings | None = None,
        *,
        params_as_args: Given = None,
    ) -> Model:
        """A model below this experiment's directory. See :class:`Model` for the arguments."""
        model = Model(name, params, run_settings, path, params_as_args, batch_settings)
        self._place(model)
        return model

    @strict
    def create_run_settings(
        self,
        exe: str | PurePath,
        exe_args: Words | None = None,
        run_command: str | None = "auto",
        run_args: Mapping[str, object] | None = None,
        env_vars: Mapping[str, object] | None = None,
        container: Singularity | None = None,
        *,
        time_limit: Duration | None = None,
    ) -> RunSettings:
        """How a program is run. See :class:`RunSettings` for the arguments; ``"auto"`` runs it directly on this machine."""
        return RunSettings(exe, exe_args, run_command, run_args, env_vars, container, time_limit=time_limit)

    @strict
    def create_batch_settings(
        self,
        nodes: int | None = None,
        time: Duration | None = None,
        queue: str | None = None,
        account: str | None = None,
        batch_args: Mapping[str, object] | None = None,
        *,
        preamble: str | Sequence[str] = (),
    ) -> BatchSettings:
        """What a batch job asks for. See :class:`BatchSettings` for the arguments."""
        return BatchSettings(nodes, time, queue, account, batch_args, preamble)

    # --- generate -----------------------------------------------------------------------------------------------

    @strict
    def generate(
        self,
        *entities: Model | Ensemble,
        tag: Delimiter = ";",
        overwrite: bool = False,
        verbose: bool = False,
        allow_unknown: bool = False,
        allow_unused: bool = False,
    ) -> None:
        """Write the directories of `entities`: input files, ``params.json``, and each ensemble's ``members.csv``.

        :param tag: what stands on both sides of a tag; a pair for an opening and a closing delimiter.
        :param overwrite: replace directories that are there, and remove those of members that an ensemble no longer has.
        :param verbose: log each directory that is written.
        :param allow_unknown: leave what looks like a tag and names no parameter as it is.
        :param allow_unused: accept parameters that neither a file nor an argument uses.
        :raises DirectoryExistsError: a member's directory is there already, and `overwrite` is False.
        :raises TagError: a tag names no parameter.
        """
        models = self._models(entities)
        with self._turn:
            former = [path for entity in entities if isinstance(entity, Ensemble) for path in generation.former_members(entity)]
            self._check_not_running([model.path for model in models] + former * overwrite)
            renderer = generation.check(models, generation.Options(tag, allow_unknown, allow_unused), overwrite)
            for path in former * overwrite:
                generation.remove(path)
            self._write(models, renderer)
        if verbose:
            for model in models:
                logger.warning("%s: generated %s", model.name, model.path)

    def preview(
        self,
        *entities: Model | Ensemble,
        tag: Delimiter = ";",
        allow_unknown: bool = False,
        allow_unused: bool = False,
        output_filename: str | PurePath | None = None,
    ) -> None:
        """Print what generate and start would write and run: scripts, directories, commands, files. Nothing is written.

        :param output_filename: print into this file.
        :raises TagError: generate would raise it.
        """
        models = self._models(entities)
        renderer = generation.check(models, generation.Options(tag, allow_unknown, allow_unused), overwrite=True)
        text = preview(f"{self.name} in {self.exp_path}", models, list(self._batch_jobs(entities)), renderer)
        if output_filename is None:
            print(text, end="")
        else:
            Path(output_filename).write_text(text, encoding="utf-8")

    def _write(self, models: Sequence[Model], renderer: generation.Renderer) -> None:
        origins = {
            ensemble: generation.origin(ensemble) for ensemble in {model.ensemble for model in models} if ensemble is not None
        }
        for model in models:
            generation.write(model, renderer, origins.get(model.ensemble, {}) if model.ensemble is not None else {})
            model.run = Run()
            model.generated = True
        for ensemble in origins:
            generation.write_index(ensemble)

    # --- run ----------------------------------------------------------------------------------------------------

    @strict
    def start(
        self,
        *entities: Model | Ensemble,
        block: bool = True,
        summary: bool = False,
        kill_on_interrupt: bool = True,
        max_running: int | None = None,
        progress: bool = True,
    ) -> None:
        """Run `entities`. What has no directory yet is generated.

        :param block: return when all have ended; otherwise at once.
        :param summary: print a table of what is started.
        :param kill_on_interrupt: Ctrl-C stops the members; otherwise they go on while the driver lives.
        :param max_running: members that run at a time; by default all, since members may wait for each other.
        :param progress: show how many have ended, while it blocks.
        :raises StateError: one of them runs already, or its directory was generated for other parameters.
        """
        models = self._models(entities)
        at_once = None if max_running is None else positive("max_running", max_running)
        with self._turn:
            self._launch(entities, models, at_once, summary)
        if block:
            title = ", ".join(entity.name for entity in entities[:3]) + ", ..." * (len(entities) > 3)
            self._watch([(model.name, model.run) for model in models], title, kill_on_interrupt, progress)

    def _launch(
        self, entities: Sequence[Model | Ensemble], models: Sequence[Model], at_once: int | None, summary: bool
    ) -> None:
        """Generate what is missing, and hand everything to the launcher."""
        self._check_not_running([model.path for model in models])
        self._launcher = launcher = LAUNCHERS[self.launcher]()
        missing = [model for model in models if not model.generated and not generation.is_there(model)]
        self._write(missing, generation.check(missing, generation.Options(), overwrite=False))
        self._advise(entities, len(models), at_once)
        for batch in self._batch_jobs(entities):  # before anything counts as started: a full disk starts nothing
            batch.write(at_once)
        for model in models:
            model.run = Run(Status.QUEUED)
            model.watch(self._look)
            self._started[model.path] = model, model.run
        batches = list(self._batch_jobs(entities))
        in_batches = {id(run) for batch in batches for _, run in batch.members}
        jobs: list[Job] = [(model.command, model.run) for model in models if id(model.run) not in in_batches]
        if summary:
            print(Table({"name": model.name, "command": str(model.command)} for model in models))
        self._batches += batches
        launcher.start([*jobs, *((batch.command, batch.run) for batch in batches)], at_once)

    def wait(self, *entities: Model | Ensemble, timeout: float | None = None) -> bool:
        """Wait until `entities`, or all that was started, have ended; False if `timeout` seconds pass before."""
        runs = [run for _, run in self._runs(entities)]
        return self._wait_for(lambda: all(run.status.final for run in runs), timeout)

    def poll(self, interval: float = 10, verbose: bool = True, kill_on_interrupt: bool = True) -> None:
        """Wait until all that was started has ended, and print how it stands every `interval` seconds if `verbose`."""
        try:
            while not self.wait(timeout=interval):
                if verbose:
                    for model, run in list(self._started.values()):
                        print(f"{model.name}: {run.status}")
        except KeyboardInterrupt:
            if kill_on_interrupt:
                self.stop()
            raise

    def stop(self, *entities: Model | Ensemble, grace: float = GRACE) -> None:
        """End `entities`, or all that was started: each member and all that it started. It returns when they have ended.

        Stopping what was not started, or has ended, does nothing.

        :param grace: seconds between SIGTERM and SIGKILL.
        """
        chosen = [model for model, _ in self._runs(entities)]
        runs = [model.run for model in chosen if model.run.handle]
        for batch in self._batches:
            mine = [run for _, run in batch.members]
            asked = [run for run in mine if any(run is model.run for model in chosen)]
            if len(asked) == len(mine):
                runs.append(batch.run)
            elif any(run.status.active for run in asked):
                raise StateError(
                    f"{batch.name}: runs as one batch job, whose members cannot be stopped alone; stop the ensemble"
                )
        if runs and self._launcher and (left := self._launcher.stop(runs, grace)):
            logger.warning("%s: processes %s did not end, even by SIGKILL", self.name, ", ".join(map(str, left)))
        self._look()

    def get_status(self, *entities: Model | Ensemble) -> list[Status]:
        """How each model of `entities` stands, in their order; a member of an ensemble for each of its members."""
        self._look()
        return [model.run.status for model in self._models(entities)]

    def finished(self, entity: Model | Ensemble) -> bool:
        """All of `entity` has ended, well or not.

        :raises InputValueError: it was not started.
        """
        statuses = self.get_status(entity)
        if Status.NEW in statuses:
            raise InputValueError(f"{entity.name}: was not started; start it first")
        return all(status.final for status in statuses)

    def summary(self, style: str = "github") -> str:
        """What was started, as a table in a style of the `tabulate` library."""
        self._look()
        return Table(
            {
                "Name": model.name,
                "Entity-Type": "Model",
                "JobID": run.handle or "",
                "RunID": 0,
                "Time": Seconds(run.seconds or 0),
                "Status": str(run.status),
                "Returncode": run.exit_code,
            }
            for model, run in list(self._started.values())
        ).format(style)

    def __repr__(self) -> str:
        return f"Experiment({self.name!r})"

    def __str__(self) -> str:
        return self.name

    # --- what the verbs above have in common ----------------------------------------------------------------------

    def _place(self, entity: Model | Ensemble) -> None:
        """Put `entity` below this experiment's directory, unless it has a path of its own."""
        entity.place(self.exp_path)

    def _models(self, entities: Sequence[Model | Ensemble]) -> list[Model]:
        """The models of `entities`, or an error if they are none, or two have one name."""
        if not entities:
            raise InputValueError(f"{self.name}: nothing given; give models or ensembles")
        models: list[Model] = []
        for entity in entities:
            if not isinstance(entity, (Model, Ensemble)):
                raise InputTypeError(
                    f"{self.name}: {entity!r} is neither a Model nor an Ensemble; give what create_... returned"
                )
            if isinstance(entity, Ensemble) and not entity:
                raise InputValueError(f"{entity.name}: has no members; add some with add_model()")
            self._place(entity)
            models += entity if isinstance(entity, Ensemble) else [entity]
        seen: dict[str, Model] = {}
        for model in models:
            if seen.setdefault(model.path, model) is not model:
                raise InputValueError(
                    f"{model.name}: two of what was given share the directory {model.path}; give each its own name"
                )
        if len(seen) < len(models):
            raise InputValueError(f"{self.name}: a model was given twice; give it once")
        return models

    def _batch_jobs(self, entities: Sequence[Model | Ensemble]) -> Iterator[Batch]:
        """The batch jobs among `entities`: ensembles with batch settings, and models with their own."""
        for entity in entities:
            if entity.batch_settings is not None:
                members = [(model.command, model.run) for model in (entity if isinstance(entity, Ensemble) else [entity])]
                # The script of a model's own job is beside the model's script: one name for both, and it would run itself.
                name = entity.name if isinstance(entity, Ensemble) else f"{entity.name}.batch"
                yield Batch(name, Path(entity.path), members, entity.batch_settings, LOCAL, Run(Status.QUEUED))
            elif isinstance(entity, Ensemble):
                yield from self._batch_jobs([model for model in entity if model.batch_settings is not None])

    def _check_not_running(self, paths: Sequence[str]) -> None:
        """An error, unless no member runs in one of the directories `paths`."""
        self._look()
        for path in paths:
            if path in self._started and self._started[path][1].status.active:
                raise StateError(f"{self._started[path][0].name}: runs in {path}; wait for it or stop it first")

    def _advise(self, entities: Sequence[Model | Ensemble], count: int, at_once: int | None) -> None:
        """Say once what has no effect here, and what may be too much."""
        cpus = len(os.sched_getaffinity(0))
        if (at_once or count) > 4 * cpus and count > 4 * cpus:
            logger.warning(
                "%s: %d members at once on %d CPUs; max_running=%d runs fewer at a time", self.name, count, cpus, cpus
            )
        ignored = {
            word: None for batch in self._batch_jobs(entities) for word in batch.scheduler.without_effect(batch.settings.asked)
        }
        if ignored:
            logger.warning("%s: on this machine %s has no effect; the script runs with bash", self.name, ", ".join(ignored))

    def _runs(self, entities: Sequence[Model | Ensemble]) -> list[tuple[Model, Run]]:
        """The runs of `entities`; of all that was started, if none is named."""
        if not entities:
            return list(self._started.values())
        return [(model, model.run) for model in self._models(entities) if model.run.status is not Status.NEW]

    def _look(self) -> None:
        """Take in the news that are there, without waiting."""
        self._wait_for(lambda: False, 0)

    def _wait_for(self, until: Callable[[], bool], timeout: float | None = None) -> bool:
        """Take in news until `until` holds; False if `timeout` seconds pass before. Batch jobs are looked at by and by."""

        def news() -> bool:
            for batch in list(self._batches):  # another thread may add to it
                batch.look()
                if batch.run.status.final:
                    self._batches.remove(batch)
            return until()

        limit = None if timeout is None else time.monotonic() + timeout
        while self._launcher is not None:
            waits = [LOOK] * bool(self._batches) + ([] if limit is None else [max(0.0, limit - time.monotonic())])
            if self._launcher.wait(news, min(waits, default=None)):
                return True
            if limit is not None and time.monotonic() >= limit:
                return False
            if not self._batches and limit is None:  # the launcher is gone, and has said so to all that it ran
                break
        return until()

    def _watch(self, runs: Sequence[tuple[str, Run]], title: str, kill_on_interrupt: bool, progress: bool) -> None:
        """Wait for `runs`, and show their progress."""
        with Progress(title, runs, progress) as shown:
            try:
                self._wait_for(shown.update)
            except KeyboardInterrupt:
                if kill_on_interrupt:
                    self.stop()
                raise
