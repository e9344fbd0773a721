"""A model is a program with its parameters; an ensemble is a group of them."""

import os
import re
from collections.abc import Callable, Iterable, Iterator
from copy import copy
from pathlib import PurePath
from typing import TYPE_CHECKING, NamedTuple, overload

from smartensemble.command import Command
from smartensemble.databases import uploads
from smartensemble.errors import (
    CaseError,
    EntityExistsError,
    InputTypeError,
    InputValueError,
    ParameterError,
    StrategyError,
    UnknownMemberError,
    strict,
)
from smartensemble.files.attach import Files, Paths, attach
from smartensemble.parameters.expansion import Expansion, expansion
from smartensemble.parameters.resolve import Constant, Given, argument, positive, resolve
from smartensemble.parameters.strategies import Strategy
from smartensemble.results.failures import Failures, failures
from smartensemble.results.table import Seconds, Table
from smartensemble.settings.run import BatchSettings, Duration, RunSettings
from smartensemble.sharing import Holder
from smartensemble.status import Run, Status

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from smartensemble.databases.orchestrator import Colocated

CASES = """there are five ways to initialise an Ensemble:
  1. run_settings and params
  2. run_settings and replicas
  3. batch_settings alone; then add_model()
  4. run_settings, batch_settings and params
  5. run_settings, batch_settings and replicas"""


#: The columns of a table that are not parameters.
TAKEN = ("name", "status", "seconds", "exit code", "path", "replica")


class Links(NamedTuple):
    """What a model shares with others through a database. One that shares nothing costs nothing: all have the same."""

    prefixing: bool | None = None  #: None: as its ensemble says
    incoming: "tuple[Model | Ensemble, ...]" = ()
    colocated: "Colocated | None" = None
    uploads: "tuple[uploads.Upload, ...]" = ()


#: What stands for the run of a member that was never started, for the files of one that has none, and for its links.
NEVER, NOTHING, NO_LINKS = Run(), Files(), Links()


class Model(Holder):
    """One program, with its parameters, its files and its directory.

    >>> model = Model("melt", {"T": 1.5}, RunSettings("echo"))
    >>> model.params, model.status
    ({'T': '1.5'}, <Status.NEW: 'New'>)
    """

    __slots__ = (
        "__weakref__", "_given", "_home", "_links", "_own_settings", "_params", "_parent", "_path", "_settings", "_watch",
        "batch_settings", "files", "generated", "name", "params_as_args", "replica", "run",
    )  # fmt: skip
    batch_settings: BatchSettings | None
    _path: str | None

    @strict
    def __init__(
        self,
        name: str,
        params: Given,
        run_settings: RunSettings,
        path: str | PurePath | None = None,
        params_as_args: Given = None,
        batch_settings: BatchSettings | None = None,
    ) -> None:
        """A model of one program.

        :param name: its name, which also names its directory.
        :param params: one value for each parameter, to fill tags in its input files.
        :param run_settings: how its program is run.
        :param path: its directory; by default one of its name below its experiment's or ensemble's.
        :param params_as_args: parameters that are also passed to the program as arguments.
        :param batch_settings: run it as a batch job of its own.
        """
        check_name("Model", name)
        check_settings(name, run_settings, batch_settings)
        parameters = resolve(name, params, params_as_args)
        for parameter, column in parameters.values.items():
            if not isinstance(column, Constant):
                raise ParameterError(
                    f"{name}: parameter {parameter!r} has a list of values; a Model takes one, an Ensemble expands lists"
                )
        if run_settings is None:
            raise InputTypeError(f"{name}: a Model needs run_settings; for example RunSettings('lmp')")
        self._set(
            name,
            {parameter: column[0] for parameter, column in parameters.values.items()},
            parameters.arguments,
            copy(run_settings),
        )
        self._path = None if path is None else _absolute(name, path)
        self.batch_settings = batch_settings

    def _set(self, name: str, given: dict[str, object], arguments: tuple[str, ...], settings: RunSettings) -> None:
        self.name = name
        self.params_as_args = arguments
        self.files = NOTHING
        self.generated = False
        self.batch_settings = None
        self.replica = 0
        self.run = NEVER
        self._given = given
        self._settings = settings
        self._own_settings: RunSettings | None = None
        self._params: dict[str, str] | None = None
        self._parent: Ensemble | None = None
        self._path = None
        self._home: str | None = None
        self._links = NO_LINKS
        self._watch: Callable[[], None] | None = None

    @property
    def params(self) -> dict[str, str]:
        """Its parameters as text, the way they go into files and arguments. May be changed until it is generated."""
        if self._params is None:
            self._params = {name: str(value) for name, value in self._given.items()}
        return self._params

    @property
    def values(self) -> dict[str, object]:
        """Its parameters with the types they were given in; what was changed in `params` is text."""
        given = self._given
        return {name: given[name] if name in given and str(given[name]) == text else text for name, text in self.params.items()}

    @property
    def run_settings(self) -> RunSettings:
        """How its program is run: its own copy, so that a change concerns no other member."""
        if self._own_settings is None:
            self._own_settings = copy(self._settings)
        return self._own_settings

    @property
    def path(self) -> str:
        """Its directory."""
        if self._path is not None:
            return self._path
        home = self._parent.path if self._parent is not None else self._home or os.getcwd()
        return f"{home}/{self.name}"

    @property
    def ensemble(self) -> "Ensemble | None":
        """The ensemble that it is a member of."""
        return self._parent

    def place(self, home: str) -> None:
        """Put its directory below `home`, unless it has a path of its own or is in an ensemble."""
        self._home = home

    def watch(self, look: Callable[[], None]) -> None:
        """Have `look` called before its status is told."""
        self._watch = look

    @property
    def status(self) -> Status:
        """Where it stands, now."""
        if self._watch is not None:
            self._watch()
        return self.run.status

    @property
    def time_limit(self) -> float | None:
        """The seconds after which it is ended; None for no limit."""
        return (self._own_settings or self._settings).time_limit

    @property
    def command(self) -> Command:
        """The command that runs it: its program, the arguments of its settings, then its parameters that are arguments."""
        arguments = [word for name in self.params_as_args for word in argument(name, self.params[name])]
        return (self._own_settings or self._settings).command(self.name, self.path, arguments)

    @strict
    def attach_generator_files(self, to_copy: Paths = None, to_symlink: Paths = None, to_configure: Paths = None) -> None:
        """Files for its directory: copied, linked to, or copied with their tags filled. Replaces what was attached before.

        :raises MissingFileError: a file that is not there.
        """
        self.files = attach(self.name, to_copy, to_symlink, to_configure)

    attach_generator_file = attach_generator_files

    # --- data that it shares with others through a database --------------------------------------------------------

    def enable_key_prefixing(self) -> None:
        """Have its name put before the keys that it writes, so that no other member overwrites them."""
        self._links = self._links._replace(prefixing=True)

    def disable_key_prefixing(self) -> None:
        """Have the keys that it writes left as they are."""
        self._links = self._links._replace(prefixing=False)

    def query_key_prefixing(self) -> bool:
        """Its name is put before the keys that it writes: as it was told, or as its ensemble is."""
        own = self._links.prefixing
        return (self._parent is not None and self._parent._prefixing) if own is None else own

    def register_incoming_entity(self, incoming_entity: "Model | Ensemble") -> None:
        """Let it read what `incoming_entity` writes, with that one's prefix: one model, or each member of an ensemble.

        :raises EntityExistsError: it reads from that one already.
        """
        _check_incoming(self.name, self.incoming_entities, incoming_entity)
        self._links = self._links._replace(incoming=(*self._links.incoming, incoming_entity))

    @property
    def incoming_entities(self) -> list[str]:
        """The names of the members whose data it reads, in the order in which they were registered."""
        producers = (*(self._parent._incoming if self._parent is not None else ()), *self._links.incoming)
        return [name for producer in producers for name in _names(producer)]

    @strict
    def colocate_db_uds(
        self,
        unix_socket: str | PurePath | None = None,
        socket_permissions: int = 700,
        db_cpus: int = 1,
        custom_pinning: Iterable[int] | None = None,
        debug: bool = False,
        db_identifier: str = "",
        *,
        server: str | PurePath | None = None,
        workers: int = 1,
        intra_op_threads: int = 1,
        model_time_limit: Duration = 300.0,
    ) -> None:
        """Give it a database of its own, on its host, that it reaches by a unix socket. It begins and ends with the model.

        :param unix_socket: its path; by default one that no other has, in a directory that only you enter.
        :param socket_permissions: who may connect, as ``chmod`` takes it.
        :param db_cpus: threads of the server that read and write at a time.
        :param custom_pinning: the CPUs that the server may use; by default all.
        :param debug: have the server write more into ``NAME.db.out``.
        :param db_identifier: what its variables end in, as ``SSDB_name``; by default nothing.
        :param server: the program, as :meth:`Experiment.create_database` takes it.
        :param workers: the processes that run its models and scripts; 0 for none.
        :param intra_op_threads: the threads that a model may use in each of them.
        :param model_time_limit: how long a run of a model may take.
        """
        from smartensemble.databases.orchestrator import colocated
        from smartensemble.databases.shard import speakable

        given = (workers, intra_op_threads, model_time_limit)
        own = colocated(self.name, db_cpus, custom_pinning, debug, db_identifier, server, *given)
        socket = None if unix_socket is None else str(unix_socket)
        if socket is not None and not speakable(socket):
            raise InputValueError(
                f"{self.name}: unix_socket {socket!r} is too long, or has characters that clients do not take; leave it out"
            )
        if not re.fullmatch(r"0?[0-7]{3}", str(socket_permissions)):
            raise InputValueError(f"{self.name}: socket_permissions is {socket_permissions!r}; give three octal digits, as 700")
        own = own._replace(socket=socket, permissions=str(socket_permissions))
        self._links = self._links._replace(colocated=own)

    @strict
    def colocate_db_tcp(
        self,
        port: int | None = None,
        ifname: str = "lo",
        db_cpus: int = 1,
        custom_pinning: Iterable[int] | None = None,
        debug: bool = False,
        db_identifier: str = "",
        *,
        server: str | PurePath | None = None,
        workers: int = 1,
        intra_op_threads: int = 1,
        model_time_limit: Duration = 300.0,
    ) -> None:
        """Give it a database of its own, on its host, that it reaches by a port, as does every user of that host.

        :param port: its port; by default a free one is chosen when the model starts.
        :param ifname: the network interface that it listens on.
        """
        from smartensemble.databases.orchestrator import checked_port, colocated

        given = (workers, intra_op_threads, model_time_limit)
        own = colocated(self.name, db_cpus, custom_pinning, debug, db_identifier, server, *given)
        number = None if port is None else checked_port(self.name, port)
        self._links = self._links._replace(colocated=own._replace(tcp=True, port=number, interface=ifname))

    colocate_db = colocate_db_tcp

    @property
    def colocated_database(self) -> "Colocated | None":
        """The database of its own."""
        return self._links.colocated

    @property
    def colocated(self) -> bool:
        """It has a database of its own."""
        return self._links.colocated is not None

    def _hold(self, upload: "uploads.Upload") -> None:
        uploads.check_free(self.name, self.uploads, upload)
        self._links = self._links._replace(uploads=(*self._links.uploads, upload))

    @property
    def uploads(self) -> "tuple[uploads.Upload, ...]":
        """The models and scripts that it finds in its databases: those of its ensemble, then its own."""
        return (*(self._parent._uploads if self._parent is not None else ()), *self._links.uploads)

    def __eq__(self, other: object) -> bool:
        return self.name == other.name if isinstance(other, Model) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f"Model({self.name!r}, {self.params!r})"


def columns(member: Model) -> dict[str, object]:
    """Its name and its parameters, as the first cells of a row. A parameter with the name of another column is marked."""
    return {"name": member.name} | {f"params.{name}" if name in TAKEN else name: value for name, value in member.values.items()}


class Ensemble(Holder):
    """A group of models, made from parameters, from a number of replicas, or one by one.

    >>> melt = Ensemble("melt", {"T": [1.5, 3.0]}, run_settings=RunSettings("echo"))
    >>> [member.name for member in melt]
    ['melt_0', 'melt_1']
    >>> melt["melt_1"].params
    {'T': '3.0'}
    """

    @strict
    def __init__(
        self,
        name: str,
        params: Given = None,
        path: str | PurePath | None = None,
        params_as_args: Given = None,
        batch_settings: BatchSettings | None = None,
        run_settings: RunSettings | None = None,
        perm_strat: str | Strategy | None = None,
        *,
        replicas: int | None = None,
        n_models: int | None = None,
        perm_strategy: str | Strategy | None = None,
        seed: int | None = None,
    ) -> None:
        """An ensemble, in one of five ways: see :doc:`/howto/initialise`.

        :param name: its name; members are called ``name_0``, ``name_1``, ...
        :param params: parameters and their values: a dictionary; or a name, or a list of names, whose values are in
            `params_as_args`.
        :param path: its directory; by default one of its name below its experiment's.
        :param params_as_args: parameters that are also passed to the program as arguments: a dictionary with their
            values; or a name, or a list of names, whose values are in `params`.
        :param batch_settings: run it as one batch job.
        :param run_settings: how each member's program is run. Each member gets its own copy.
        :param perm_strat: how parameters become members: ``"all_perm"`` (the default), ``"step"``, ``"random"``,
            ``"latin_hypercube"``, ``"sobol"``, or a callable that takes names, lists of values as text, and `n_models`.
        :param replicas: without parameters, the number of members; with them, the clones of each parameter set; with
            a strategy that samples, the number of samples.
        :param n_models: the number of samples as well, or for a callable to use.
        :param perm_strategy: the same as `perm_strat`.
        :param seed: makes samples repeatable. Without it one is chosen and recorded.
        """
        check_name("Ensemble", name)
        check_settings(name, run_settings, batch_settings)
        if perm_strat is not None and perm_strategy is not None and perm_strat != perm_strategy:
            raise InputValueError(
                f"{name}: perm_strat={perm_strat!r} and perm_strategy={perm_strategy!r} mean the same; give one"
            )
        parameters = resolve(name, params, params_as_args)
        _check_case(name, bool(parameters.values), run_settings, batch_settings, replicas, n_models)
        self.name = name
        self.path = os.path.join(os.getcwd(), name) if path is None else _absolute(name, path)
        self.params = parameters.values
        self.params_as_args = parameters.arguments
        self.batch_settings = batch_settings
        self.run_settings = run_settings
        self.replicas = replicas
        given = perm_strategy if perm_strat is None else perm_strat
        self._expansion = expansion(name, parameters, "all_perm" if given is None else given, replicas, n_models, seed)
        self._placed = path is not None
        self._files = NOTHING
        self._prefixing = run_settings is not None  #: members that it made have it on
        self._incoming: tuple[Model | Ensemble, ...] = ()
        self._uploads: tuple[uploads.Upload, ...] = ()
        self._members: dict[str, Model] = {}
        self._generated = 0  #: members made so far, which numbers the next one
        self._settings = None if run_settings is None else copy(run_settings)
        if self._settings is not None:
            self._create(self._expansion, self._settings)

    def _create(self, plan: Expansion, settings: RunSettings) -> list[Model]:
        """Add members for each parameter set of `plan`, as often as there are clones."""
        number = self._generated
        made: dict[str, Model] = {}
        for values in plan.sets():
            for replica in range(plan.clones):
                member = Model.__new__(Model)
                name = f"{self.name}_{number}"
                member._set(name, values, plan.parameters.arguments, settings)
                member._parent = self
                member.replica = replica
                made[name] = member
                number += 1
        if taken := made.keys() & self._members.keys():
            raise EntityExistsError(f"{self.name}: there is a member {min(taken)!r} that was added; give that another name")
        self._members.update(made)
        self._expansion = plan
        self._generated = number
        return list(made.values())

    @property
    def perm_strategy(self) -> str | Strategy:
        """How parameters became members: the name of a strategy, or a callable."""
        return self._expansion.strategy

    @property
    def seed(self) -> int | None:
        """What the samples were drawn with; None where nothing is drawn."""
        return self._expansion.seed

    def extend(self, count: int) -> list[Model]:
        """Add `count` samples to a sampled design, and return their members. Those that exist stay as they are.

        The new members get the files that were attached to the ensemble.

        :raises StrategyError: the ensemble was not sampled, or has no combinations left.
        """
        plan = self._expansion.grown(positive("extend", count))
        if self._settings is None:
            raise StrategyError(f"{self.name}: was not sampled, so it cannot grow; give params and run_settings")
        added = self._create(plan, self._settings)
        for member in added:
            member.files = self._files
        return added

    def plot_design(self, params: str | Iterable[str] | None = None) -> "Figure":
        """A figure of the members in parameter space: see :func:`smartensemble.parameters.plot.plot_design`."""
        from smartensemble.parameters.plot import plot_design

        return plot_design(self, params)

    def place(self, home: str) -> None:
        """Put its directory below `home`, unless it has a path of its own."""
        if not self._placed:
            self.path = os.path.join(home, self.name)

    def add_model(self, model: Model) -> None:
        """Add `model` as a member. It keeps its own settings, parameters and files.

        :raises EntityExistsError: there is a member of that name.
        """
        if not isinstance(model, Model):
            raise InputTypeError(f"{self.name}: {model!r} is no Model; make one with create_model(name, run_settings)")
        if model.name in self._members:
            raise EntityExistsError(f"{self.name}: there is a member {model.name!r}; give the model another name")
        if model._parent is not None:
            raise EntityExistsError(f"{self.name}: {model.name!r} is a member of {model._parent.name!r}; make another model")
        uploads.check_free(model.name, self._uploads, *model._links.uploads)
        model._parent = self
        self._members[model.name] = model

    @strict
    def attach_generator_files(self, to_copy: Paths = None, to_symlink: Paths = None, to_configure: Paths = None) -> None:
        """Files for each member's directory: copied, linked to, or copied with their tags filled.

        Replaces what was attached before. Models that are added later bring their own files.

        :raises MissingFileError: a file that is not there.
        """
        self._files = attach(self.name, to_copy, to_symlink, to_configure)
        for member in self:
            member.files = self._files

    attach_generator_file = attach_generator_files

    def enable_key_prefixing(self) -> None:
        """Have each member's name put before the keys that it writes, also of members that are added later."""
        self._prefixing = True
        for member in self:
            if member._links.prefixing is False:
                member.enable_key_prefixing()

    def query_key_prefixing(self) -> bool:
        """Every member's name is put before the keys that it writes."""
        return all(member.query_key_prefixing() for member in self) if self else self._prefixing

    def register_incoming_entity(self, incoming_entity: "Model | Ensemble") -> None:
        """Let each member read what `incoming_entity` writes, also members that are added later.

        :raises EntityExistsError: one of them reads from that one already.
        """
        _check_incoming(self.name, [name for producer in self._incoming for name in _names(producer)], incoming_entity)
        for member in self:
            if member._links.incoming:
                _check_incoming(member.name, member.incoming_entities, incoming_entity)
        self._incoming = (*self._incoming, incoming_entity)

    def _hold(self, upload: "uploads.Upload") -> None:
        uploads.check_free(self.name, self._uploads, upload)
        for member in self:
            if member._links.uploads:
                uploads.check_free(member.name, member._links.uploads, upload)
        self._uploads = (*self._uploads, upload)

    def table(self) -> Table:
        """One row for each member: name, parameters, status, seconds, exit code, path. It prints as a table."""
        self._look()
        cells = [columns(member) for member in self]
        names = dict.fromkeys(name for row in cells for name in row)
        return Table(
            {
                **{name: row.get(name) for name in names},
                "status": str(member.run.status),
                "seconds": None if member.run.seconds is None else Seconds(member.run.seconds),
                "exit code": member.run.exit_code,
                "path": member.path,
            }
            for member, row in zip(self, cells, strict=True)
        )

    def failures(self) -> Failures:
        """The failed members, in groups that ended the same way with the same last words; printed, a report.

        Of each group it tells which values of parameters only its members have, and the command that runs one of them again.
        """
        self._look()
        return failures(self)

    def _look(self) -> None:
        """Have the members' records brought up to date."""
        for watch in {member._watch for member in self} - {None}:
            watch()  # type: ignore[misc]

    @property
    def models(self) -> list[Model]:
        """The members, in order."""
        return list(self._members.values())

    entities = models

    @property
    def batch(self) -> bool:
        """It runs as one batch job."""
        return self.batch_settings is not None

    def __iter__(self) -> Iterator[Model]:
        return iter(self._members.values())

    def __len__(self) -> int:
        return len(self._members)

    def __contains__(self, member: object) -> bool:
        return (member.name if isinstance(member, Model) else member) in self._members

    @overload
    def __getitem__(self, key: str | int) -> Model: ...
    @overload
    def __getitem__(self, key: slice) -> list[Model]: ...
    def __getitem__(self, key: str | int | slice) -> Model | list[Model]:
        """A member by its name or its number, or several by a slice."""
        if isinstance(key, str):
            if key not in self._members:
                raise UnknownMemberError(f"{self.name}: no member {key!r}; there are {_some(list(self._members))}")
            return self._members[key]
        return self.models[key]

    def __repr__(self) -> str:
        return f"Ensemble({self.name!r}, {len(self)} members)"


def check_name(kind: str, name: object) -> None:
    """An error, unless `name` can name a directory."""
    if not isinstance(name, str):
        raise InputTypeError(f"{kind}: name is {name!r}; a name is text")
    if not name or "/" in name or name.startswith(".") or not name.isprintable() or name != name.strip():
        raise InputValueError(f"{kind}: {name!r} cannot name a directory; use a name without '/', leading dot or outer blanks")
    if len(name.encode()) > 200:
        raise InputValueError(f"{kind}: {name[:20]!r}... has {len(name.encode())} bytes; a name may have 200")


def check_settings(name: str, run_settings: object, batch_settings: object) -> None:
    """An error, unless the settings are settings."""
    if run_settings is not None and not isinstance(run_settings, RunSettings):
        raise InputTypeError(f"{name}: run_settings is {run_settings!r}; for example RunSettings('lmp', ['-in', 'in.melt'])")
    if batch_settings is not None and not isinstance(batch_settings, BatchSettings):
        raise InputTypeError(f"{name}: batch_settings is {batch_settings!r}; for example BatchSettings(nodes=4)")


def _names(producer: "Model | Ensemble") -> list[str]:
    """The names that are put before the keys that `producer` writes."""
    return [member.name for member in producer] if isinstance(producer, Ensemble) else [producer.name]


def _check_incoming(name: str, known: list[str], producer: object) -> None:
    """An error, unless `producer` may be registered beside those that are known."""
    if not isinstance(producer, (Model, Ensemble)):
        raise InputTypeError(f"{name}: {producer!r} is neither a Model nor an Ensemble; register who writes the data")
    if twice := set(known).intersection(_names(producer)):
        raise EntityExistsError(f"{name}: reads from {min(twice)!r} already; register each once")


def _absolute(name: str, path: object) -> str:
    """`path` as an absolute one, or an error if it is none."""
    if not isinstance(path, (str, PurePath)):
        raise InputTypeError(f"{name}: path is {path!r}; give text or a pathlib.Path")
    if not str(path) or "\0" in str(path):
        raise InputValueError(f"{name}: path {str(path)!r} cannot be a directory; give one, or leave it out")
    return os.path.abspath(path)


def _check_case(name: str, params: bool, run: object, batch: object, replicas: object, n_models: object) -> None:
    """An error, unless the arguments are one of the five cases."""
    if run is not None and (params or replicas is not None):
        return
    given = [word for word, there in (("run_settings", run), ("batch_settings", batch), ("params", params)) if there]
    given += [word for word, count in (("replicas", replicas), ("n_models", n_models)) if count is not None]
    if given != ["batch_settings"]:
        raise CaseError(f"{name}: {' and '.join(given) or 'nothing but a name'} given; {CASES}")


def _some(names: list[str]) -> str:
    """A few of `names`, for a message."""
    return ", ".join(names[:5]) + (f", ... {names[-1]}" if len(names) > 5 else "") if names else "none"
