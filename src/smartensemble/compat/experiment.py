"""SmartSim's experiment: ours, which makes SmartSim's kinds of things and answers in its words."""

import os
from collections.abc import Mapping
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from smartensemble import ensemble, experiment, model
from smartensemble.checks import empty, flag
from smartensemble.compat.database import Orchestrator
from smartensemble.compat.entity import Ensemble, Model, TelemetryConfiguration
from smartensemble.compat.settings import BatchSettings, Container, RunSettings
from smartensemble.compat.settings.settings import create_batch_settings, create_run_settings
from smartensemble.compat.started import show_databases
from smartensemble.compat.status import SmartSimStatus
from smartensemble.create import Classes
from smartensemble.databases import orchestrator
from smartensemble.duration import Duration
from smartensemble.errors import UnsupportedError, public, shown
from smartensemble.files.tags import Delimiter
from smartensemble.parameters.resolve import Params
from smartensemble.results import notes
from smartensemble.runtime.member_record import is_ours
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

        def create_database(self, *args: Any, **kwargs: Any) -> Orchestrator:
            """A database with SmartSim's methods."""

        def reconnect_orchestrator(self, checkpoint: str | PurePath) -> Orchestrator:
            """A database with SmartSim's methods."""

    def __init__(self, name: str, exp_path: str | PurePath | None = None, launcher: str = "local") -> None:
        """The same as :class:`smartensemble.Experiment`; the launcher's name may have capitals."""
        super().__init__(
            name, None if empty(exp_path) else exp_path, launcher.lower() if isinstance(launcher, str) else launcher
        )
        self.telemetry = TelemetryConfiguration()

    @property
    def db_identifiers(self) -> set[str]:
        """The identifiers of its databases."""
        return set(self._databases.known)

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
        model = Model(name, params, run_settings, path, params_as_args, batch_settings)
        ensemble.set_home(model, self.exp_path)
        if flag("enable_key_prefixing", enable_key_prefixing):
            model.enable_key_prefixing()
        return model

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
        verbosity_level: object = "info",  # noqa: ARG002
        output_format: object = "plain_text",
        output_filename: str | PurePath | None = None,
    ) -> None:
        """Print what generate and start would write and run, all of it at every `verbosity_level`."""
        word = getattr(output_format, "value", output_format)
        if not isinstance(word, str) or word != "plain_text":
            raise UnsupportedError(f"preview: no output_format {shown(output_format)}; there is 'plain_text'")
        super().preview(*entities, output_filename=output_filename)

    def start(
        self, *entities: Entity, block: bool = True, summary: bool = False, kill_on_interrupt: bool = True, **options: Any
    ) -> None:
        """Run `entities`. See :meth:`smartensemble.Experiment.start`, also for more options."""
        if entities:
            super().start(*entities, block=block, summary=summary, kill_on_interrupt=kill_on_interrupt, **options)
            show_databases(experiment.members_of(entities), self._databases.running, self._runner.scheduler)

    def stop(self, *entities: Entity, **options: float) -> None:
        """End `entities`. See :meth:`smartensemble.Experiment.stop`."""
        if entities:
            super().stop(*entities, **options)

    def get_status(self, *entities: Entity) -> list[SmartSimStatus]:  # type: ignore[override]
        """How `entities` stand: the models first, then the members of the ensembles."""
        ordered = sorted(entities, key=lambda entity: isinstance(entity, Ensemble))
        return [SmartSimStatus.of(status) for status in super().get_status(*ordered)] if ordered else []
