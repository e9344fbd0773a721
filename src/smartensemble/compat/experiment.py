"""SmartSim's experiment: ours, which makes SmartSim's kinds of things and answers in its words."""

import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from smartensemble import ensemble, experiment, model
from smartensemble.checks import absolute_path, check_name, empty, flag, one_of
from smartensemble.compat._core.control.previewrenderer import Format, Verbosity
from smartensemble.compat.database.orchestrator import Orchestrator
from smartensemble.compat.entity.ensemble import Ensemble
from smartensemble.compat.entity.entity import ExperimentTelemetryConfiguration, TelemetryConfiguration
from smartensemble.compat.entity.model import Model
from smartensemble.compat.error.errors import PreviewFormatError
from smartensemble.compat.settings import BatchSettings, Container, RunSettings
from smartensemble.compat.settings.settings import create_batch_settings, create_run_settings
from smartensemble.compat.started import show_databases
from smartensemble.compat.status import SmartSimStatus
from smartensemble.create import Classes
from smartensemble.databases import orchestrator
from smartensemble.databases.variables import DEFAULT_IDENTIFIER
from smartensemble.duration import Duration
from smartensemble.errors import StateError, public, shown
from smartensemble.files.tags import Delimiter
from smartensemble.parameters.resolve import Params
from smartensemble.results import notes
from smartensemble.results.no_effect import no_effect
from smartensemble.results.table import Table
from smartensemble.runtime.member_record import is_ours
from smartensemble.runtime.runner import Runner
from smartensemble.runtime.servers.registry import Databases
from smartensemble.schedulers import UNBUILT
from smartensemble.settings import batch, run
from smartensemble.settings.arguments import Arguments

logger = notes.logger(__name__)

Entity = model.Model | ensemble.Ensemble | orchestrator.Orchestrator

#: What its create_... methods make.
CLASSES = Classes(Model, Ensemble, orchestrator=lambda: Orchestrator)


@public
class Experiment(experiment.Experiment):
    """Creates, generates, runs and watches models and ensembles. See :class:`smartensemble.Experiment`.

    >>> exp = Experiment("driver")
    >>> model = exp.create_model("hello", exp.create_run_settings("echo", "hello world"))
    >>> exp.start(model)
    >>> exp.get_status(model)
    [<SmartSimStatus.STATUS_COMPLETED: 'Completed'>]
    """

    _classes = CLASSES
    _shown = UNBUILT
    if TYPE_CHECKING:

        def create_ensemble(self, *args: Any, **kwargs: Any) -> Ensemble:
            """An ensemble with SmartSim's methods."""

    def __init__(self, name: str, exp_path: str | PurePath | None = None, launcher: str = "local") -> None:
        """The same as :class:`smartensemble.Experiment`.

        :param name: its name, or a path below the working directory, as ``"results/run-1"``: its directory.
        :param launcher: may have capitals.
        """
        super().__init__(
            name, None if empty(exp_path) else exp_path, launcher.lower() if isinstance(launcher, str) else launcher
        )
        self._telemetry = ExperimentTelemetryConfiguration()

    def _check_name(self, name: str) -> None:
        for part in name.split("/") if isinstance(name, str) else [name]:
            check_name("Experiment", part)

    @property
    def exp_path(self) -> str:
        """Its directory. You can set another until something has run in it."""
        return self._exp_path

    @exp_path.setter
    def exp_path(self, path: str | PurePath) -> None:
        self._exp_path = absolute_path(self.name, path)
        if "_databases" in vars(self):
            self._move()

    def _move(self) -> None:
        """Have everything that is found in its directory, or written there, in the one that it has now."""
        if self._runner.history.last or self._databases.running:
            there, self._exp_path = self._exp_path, self._runner.directory
            raise StateError(f"{self.name}: has run something in {self.exp_path}; make another Experiment for {there}")
        known = self._databases.known
        self._runner = Runner(self.name, self._exp_path, self.launcher)
        self._databases = Databases(self.name, self._runner)
        self._databases.known.update(known)

    @property
    def telemetry(self) -> TelemetryConfiguration:
        """Its switch for telemetry."""
        return self._telemetry

    @property
    def db_identifiers(self) -> frozenset[str]:
        """The identifiers of its databases."""
        return frozenset(self._databases.known)

    @property
    def _launcher(self) -> str:
        return self.launcher

    # --- create -------------------------------------------------------------------------------------------------

    def create_model(  # type: ignore[override]
        self,
        name: str,
        run_settings: run.RunSettings,
        params: Params = None,
        path: str | PurePath | None = None,
        enable_key_prefixing: bool = False,
        batch_settings: batch.BatchSettings | None = None,
        *,
        params_as_args: Params = None,
    ) -> Model:
        """A model below this experiment's directory. See :class:`smartensemble.Model` for the arguments."""
        made: Model = Model(name, params, run_settings, path, params_as_args, batch_settings)
        ensemble.set_home(made, self.exp_path)
        if flag("enable_key_prefixing", enable_key_prefixing):
            made.enable_key_prefixing()
        return made

    def create_run_settings(  # type: ignore[override]
        self,
        exe: str | PurePath,
        exe_args: Arguments | None = None,
        run_command: str | None = "auto",
        run_args: Mapping[str, object] | None = None,
        env_vars: Mapping[str, object] | None = None,
        container: Container | None = None,
        *,
        time_limit: Duration | None = None,
        **options: Any,
    ) -> RunSettings:
        """How a program is run: with ``"auto"`` directly on this machine, or by the scheduler's own run command."""
        return create_run_settings(
            *(self.launcher, exe, exe_args, run_command, run_args, env_vars, container), time_limit=time_limit, **options
        )

    def create_batch_settings(
        self,
        nodes: int | None = None,
        time: Duration | None = "",
        queue: str | None = "",
        account: str | None = "",
        batch_args: Mapping[str, object] | None = None,
        **options: Any,
    ) -> BatchSettings:
        """What a batch job asks for. `options` are those of the scheduler's class: ``ncpus``, ``resources``, ``smts``, ..."""
        return create_batch_settings(self.launcher, nodes, time, queue, account, batch_args, **options)

    def create_database(
        self,
        port: int | None = None,
        path: str | PurePath | None = None,
        db_nodes: int = 1,
        batch: bool = False,
        hosts: str | Iterable[str] | None = None,
        run_command: str = "auto",
        interface: str | Iterable[str] | None = None,
        account: str | None = None,
        time: Duration | None = None,
        queue: str | None = None,
        single_cmd: bool = True,
        db_identifier: str = DEFAULT_IDENTIFIER,
        **options: Any,
    ) -> Orchestrator:
        """A database below this experiment's directory. See :class:`Orchestrator` for the arguments.

        :raises EntityExistsError: a database has this identifier already.
        """
        by_name = () if interface is None and self.launcher != "local" else interface  # a network has to be named
        db = Orchestrator(
            *(path, port, by_name, self.launcher, run_command, db_nodes, batch, hosts, account, time),
            single_cmd=single_cmd,
            queue=queue,
            db_identifier=db_identifier,
            **options,
        )
        orchestrator.set_home(db, self.exp_path)
        self._databases.add(db)
        return db

    def reconnect_orchestrator(self, checkpoint: str | PurePath) -> Orchestrator:
        """A database that another process has started; one of this experiment is itself.

        See :meth:`smartensemble.Experiment.reconnect_orchestrator`.

        :param checkpoint: its `checkpoint_file`, or the path that this file has in SmartSim: ``smartsim_db.dat`` beside it.
        """
        theirs = isinstance(checkpoint, (str, PurePath)) and PurePath(checkpoint).name == "smartsim_db.dat"
        found = PurePath(checkpoint).with_name(orchestrator.CHECKPOINT_FILE) if theirs else checkpoint
        here = (db for db in self._databases.running if db.checkpoint_file == os.path.abspath(str(found)))
        return next(here, None) or super().reconnect_orchestrator(found)  # type: ignore[return-value]

    # --- generate and run: given nothing, they do nothing ---------------------------------------------------------

    def generate(
        self,
        *entities: Entity,
        tag: Delimiter | None = None,
        overwrite: bool = False,
        verbose: bool = False,
        allow_unknown: bool = False,
        allow_unused: bool = False,
    ) -> None:
        """Write the directories of `entities`. See :meth:`smartensemble.Experiment.generate`.

        A model whose path is a directory that is somebody's own, such as the working directory, gets one below the
        experiment's directory or its ensemble's, as in SmartSim.
        """
        if not entities:
            os.makedirs(self.exp_path, exist_ok=True)
            return
        for each in experiment.members_of(entities):
            if isinstance(each, Model) and os.path.isdir(each.path) and not is_ours(each.path):
                each.set_path(os.path.join(each.ensemble.path if each.ensemble else self.exp_path, each.name))
                logger.info("%s: is generated in %s", each.name, each.path)
        super().generate(
            *entities,
            tag=";" if tag is None or empty(tag) else tag,
            overwrite=overwrite,
            verbose=verbose,
            allow_unknown=allow_unknown,
            allow_unused=allow_unused,
        )

    def preview(  # type: ignore[override]
        self,
        *entities: Entity,
        verbosity_level: object = Verbosity.INFO,
        output_format: object = Format.PLAINTEXT,
        output_filename: str | PurePath | None = None,
    ) -> None:
        """Print what generate and start would write and run, all of it at every `verbosity_level`.

        :raises PreviewFormatError: there is no such format.
        """
        one_of("verbosity_level", getattr(verbosity_level, "value", verbosity_level), [each.value for each in Verbosity])
        if getattr(output_format, "value", output_format) != Format.PLAINTEXT.value:
            raise PreviewFormatError(f"preview: no output_format {shown(output_format)}; there is 'plain_text'")
        if entities or output_filename is not None:
            super().preview(*entities, output_filename=output_filename)
        else:
            notes.Notes(sys.stdout).say(f"{self.name} in {self.exp_path}")

    def start(
        self,
        *entities: Entity,
        block: bool = True,
        summary: bool = False,
        kill_on_interrupt: bool = True,
        monitor: object = None,
        **options: Any,
    ) -> None:
        """Run `entities`. See :meth:`smartensemble.Experiment.start`, also for more options.

        :param monitor: has no effect: what runs is always watched.
        """
        if monitor is not None:
            no_effect("start: monitor", "what runs is always watched")
        if entities:
            super().start(*entities, block=block, summary=summary, kill_on_interrupt=kill_on_interrupt, **options)
            show_databases(experiment.members_of(entities), self._databases.running, self._runner.scheduler)

    def stop(self, *entities: Entity, **options: float) -> None:
        """End `entities`. See :meth:`smartensemble.Experiment.stop`."""
        if entities:
            super().stop(*map(self._reconnected, entities), **options)

    def _reconnected(self, entity: Entity) -> Entity:
        """The database that this experiment has reconnected to, in place of the one of the experiment that has started it."""
        if not isinstance(entity, orchestrator.Orchestrator):
            return entity
        known = self._databases.known.get(entity.db_identifier, entity)
        return known if known.started and known.checkpoint_file == entity.checkpoint_file else entity

    def summary(self, style: str = "github") -> str:
        """A table of everything that was started, whose rows are numbered, in a style of the `tabulate` library."""
        self._runner.refresh()
        rows = [*self._runner.rows(), *self._databases.rows()]
        return Table({"": number, **row} for number, row in enumerate(rows)).format(style)

    def get_status(self, *entities: Entity) -> list[SmartSimStatus]:  # type: ignore[override]
        """How `entities` stand: the models first, then the members of the ensembles."""
        ordered = sorted(entities, key=lambda entity: isinstance(entity, Ensemble))
        return [SmartSimStatus.of(status) for status in super().get_status(*ordered)] if ordered else []
