"""What an experiment creates: models, ensembles, settings and databases, all below its directory."""

import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, ClassVar, NoReturn

from smartensemble.checks import check_name, path_text
from smartensemble.databases.descriptions import DATABASE
from smartensemble.docstrings.described import described_by
from smartensemble.duration import Duration
from smartensemble.ensemble import Ensemble
from smartensemble.errors import InputTypeError, NoDirectoryError, UnsupportedError, public, shown
from smartensemble.model import Model
from smartensemble.parameters.resolve import Params
from smartensemble.parameters.strategies import Strategy
from smartensemble.settings.arguments import Arguments
from smartensemble.settings.batch import BatchSettings
from smartensemble.settings.container import Singularity
from smartensemble.settings.run import RunSettings

if TYPE_CHECKING:
    from smartensemble.client import Client
    from smartensemble.databases.orchestrator import Orchestrator
    from smartensemble.runtime.runner import Runner
    from smartensemble.runtime.servers.registry import Databases


def _orchestrator() -> "type[Orchestrator]":
    from smartensemble.databases.orchestrator import Orchestrator

    return Orchestrator


@dataclass(frozen=True)
class Classes:
    """What the create_... methods of an experiment make; a subclass of Experiment may make others."""

    model: type[Model] = Model
    ensemble: type[Ensemble] = Ensemble
    batch_settings: type[BatchSettings] = BatchSettings
    orchestrator: "Callable[[], type[Orchestrator]]" = _orchestrator  #: loads the class, which few experiments need


@public
class Creator:
    """An experiment, as far as it creates things."""

    name: str
    exp_path: str
    launcher: str
    _classes = Classes()
    _shown: ClassVar[Collection[str]] = ()  #: launchers that it can show the jobs of, and not start
    _runner: "Runner"
    _databases: "Databases"

    @described_by(Ensemble)
    def create_ensemble(
        self,
        name: str,
        params: Params = None,
        batch_settings: BatchSettings | None = None,
        run_settings: RunSettings | None = None,
        replicas: int | None = None,
        perm_strategy: str | Strategy = "all_perm",
        path: str | PurePath | None = None,
        *,
        params_as_args: Params = None,
        n_models: int | None = None,
        seed: int | None = None,
    ) -> Ensemble:
        """An ensemble below this experiment's directory.

        :returns: an :class:`Ensemble` with its members. Nothing is written yet.
        """
        ensemble = self._classes.ensemble(
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

    @described_by(Model)
    def create_model(
        self,
        name: str,
        run_settings: RunSettings,
        params: Params = None,
        path: str | PurePath | None = None,
        batch_settings: BatchSettings | None = None,
        *,
        params_as_args: Params = None,
    ) -> Model:
        """A model below this experiment's directory.

        :returns: a :class:`Model`. Nothing is written yet.
        """
        model = self._classes.model(name, params, run_settings, path, params_as_args, batch_settings)
        self._place(model)
        return model

    @described_by(RunSettings)
    def create_run_settings(
        self,
        exe: str | PurePath,
        exe_args: Arguments | None = None,
        run_command: str | None = "auto",
        run_args: Mapping[str, object] | None = None,
        env_vars: Mapping[str, object] | None = None,
        container: Singularity | None = None,
        *,
        time_limit: Duration | None = None,
    ) -> RunSettings:
        """Settings that run a program.

        :param run_command: a program that starts it, such as ``"mpirun"``; None for none. With ``"auto"`` the program runs
            directly on this machine, and by the scheduler's run command on a cluster: ``srun``.
        :returns: :class:`RunSettings`, for as many models and ensembles as you like.
        """
        if isinstance(run_command, str) and run_command == "auto":
            run_command = self._runner.scheduler.run_command or None
        return RunSettings(exe, exe_args, run_command, run_args, env_vars, container, time_limit=time_limit)

    @described_by(BatchSettings)
    def create_batch_settings(
        self,
        nodes: int | None = None,
        time: Duration | None = None,
        queue: str | None = None,
        account: str | None = None,
        batch_args: Mapping[str, object] | None = None,
        *,
        preamble: str | Sequence[str] = (),
        overcommit: bool = False,
        array: bool = False,
    ) -> BatchSettings:
        """Settings of a batch job.

        :returns: :class:`BatchSettings`, for an ensemble or a model.
        """
        return self._classes.batch_settings(
            nodes, time, queue, account, batch_args, preamble, overcommit=overcommit, array=array
        )

    @described_by(DATABASE)
    def create_database(
        self,
        port: int | None = None,
        path: str | PurePath | None = None,
        db_nodes: int = 1,
        batch: bool = False,
        hosts: Iterable[str] | None = None,
        run_command: str = "auto",
        interface: str | Iterable[str] | None = None,
        account: str | None = None,
        time: Duration | None = None,
        queue: str | None = None,
        single_cmd: bool = True,
        db_identifier: str = "orchestrator",
        *,
        per_node: int = 1,
        access: str | None = None,
        server: str | PurePath | None = None,
        workers: int = 1,
        intra_op_threads: int = 1,
        model_time_limit: Duration = 300.0,
        confine: bool = True,
    ) -> "Orchestrator":
        """A database below this experiment's directory, which :meth:`start` starts.

        On this machine, `run_command`, `batch`, `hosts`, `account`, `time`, `queue` and `per_node` have no effect, which a
        start reports.

        :returns: an :class:`Orchestrator`. Nothing runs yet.
        :raises EntityExistsError: a database has this identifier already.
        """
        from smartensemble.databases.orchestrator import set_home as set_database_home

        db = self._classes.orchestrator()(
            path=path,
            port=port,
            interface=interface,
            launcher=self.launcher,
            run_command=run_command,
            db_nodes=db_nodes,
            batch=batch,
            hosts=hosts,
            account=account,
            time=time,
            single_cmd=single_cmd,
            queue=queue,
            per_node=per_node,
            db_identifier=db_identifier,
            access=access,
            server=server,
            workers=workers,
            intra_op_threads=intra_op_threads,
            model_time_limit=model_time_limit,
            confine=confine,
        )
        set_database_home(db, self.exp_path)
        self._databases.add(db)
        return db

    def reconnect_orchestrator(self, checkpoint: str | PurePath) -> "Orchestrator":
        """A database that another process has started: members get its variables, and you can stop it.

        :param checkpoint: its :attr:`Orchestrator.checkpoint_file`.
        :returns: an :class:`Orchestrator` that runs.
        :raises InputTypeError: it is no path.
        :raises InputValueError: there is no such file, or it is something else.
        :raises AccessError: the file cannot be read.
        :raises StateError: the database does not answer.
        """
        return self._databases.reconnect(
            path_text("reconnect_orchestrator: checkpoint", checkpoint), self._classes.orchestrator()
        )

    def _check_name(self, name: str) -> None:
        check_name("Experiment", name)

    def client(self, db: "Orchestrator | Model | str | None" = None, *, timeout: float | None = None) -> "Client":
        """A client of a database, for your own program.

        :param db: a database or its identifier, by default the only one that runs; or a model that runs with one of its own.
        :param timeout: how many seconds it waits for the reply to a command; by default as long as members do, ten minutes.
        :returns: a :class:`Client` that is connected; close it, or use it in a ``with`` block.
        :raises StateError: it does not run.
        :raises RedisConnectionError: it cannot be reached from here.
        :raises UnsupportedError: NumPy or hiredis is not installed.
        :raises InputTypeError: `db` is none of these, or `timeout` is no number.
        :raises InputValueError: there is none of this identifier, the model has none, several run and `db` is None, or
            `timeout` is not above zero.
        """
        from smartensemble.runtime.servers.clients import chosen, own_client

        if isinstance(db, Model):
            return own_client(self._runner, db, timeout)
        return chosen(self.name, self._databases.known, db).client(timeout=timeout)

    def _place(self, entity: Model | Ensemble) -> None:
        """Put `entity` below this experiment's directory, unless it has its own path, and read the record of its last run."""
        from smartensemble.runtime.selection import place

        place(self._runner, self.exp_path, entity)

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        """An error, which copy and pickle raise: it runs processes, and these run once."""
        raise UnsupportedError(
            f"{self.name}: is not to be copied or pickled; make another by Experiment({self.name!r}, {self.exp_path!r})"
        )


def directory_of(name: str, path: object) -> str:
    """The directory of the experiment `name`: `path`, which is there, or one of its name, where nothing else is."""
    if path is not None and not isinstance(path, (str, PurePath)):
        raise InputTypeError(f"{name}: exp_path is {shown(path)}; give text or a pathlib.Path")
    if path is not None and not os.path.isdir(path):
        raise NoDirectoryError(f"{name}: exp_path {shown(os.fspath(path))} is no directory; make it, or leave it out")
    directory = os.path.abspath(name if path is None else path)
    if os.path.lexists(directory) and not os.path.isdir(directory):
        raise NoDirectoryError(f"{name}: {directory} is no directory; move it away, or give another name or exp_path")
    return directory
