"""A model is a program with its parameters, its files and its directory."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import PurePath
from typing import TYPE_CHECKING

from smartensemble.checks import absolute_path, check_name, span, working_directory
from smartensemble.command import Command
from smartensemble.docstrings.described import described_by
from smartensemble.errors import InputTypeError, StateError, public
from smartensemble.files.attach import Files, Paths, attach
from smartensemble.parameters.resolve import Params, argument, resolve, single
from smartensemble.settings.batch import BatchSettings
from smartensemble.settings.command import command_of
from smartensemble.settings.followed import FollowedSettings
from smartensemble.settings.run import RunSettings, check_settings, plain
from smartensemble.sharing import NO_SHARING, Entity, ModelSharing, Sharing, own_sharing
from smartensemble.status import Run, Status

if TYPE_CHECKING:
    from smartensemble.wire.models import Upload

#: The columns of a table that are not parameters.
OTHER_COLUMNS = ("name", "status", "seconds", "exit code", "path", "replica")

#: What a member has attached until files are attached.
NO_FILES = Files()


class Group(Entity):
    """What a member knows about its ensemble."""

    name: str
    path: str


@public
class Model(ModelSharing):
    """One program, with its parameters, its files and its directory.

    :param name: its name, which also names its directory.
    :param params: one value for each parameter, to fill tags in its input files: a dictionary; or a name, or a list of names,
        whose values are in `params_as_args`.
    :param run_settings: how its program is run.
    :param path: its directory; by default, a directory of its name in that of its experiment or ensemble.
    :param params_as_args: parameters that are also passed to the program as arguments: a dictionary with their values; or a
        name, or a list of names, whose values are in `params`.
    :param batch_settings: run it as a batch job of its own.
    :raises InputTypeError: an argument has another type, or there are no run settings.
    :raises InputValueError: the name cannot name a directory, or the path is no path.
    :raises ParameterError: a parameter has a list of values, none, or values in two places.

    >>> model = Model("melt", {"T": 1.5}, RunSettings("echo"))
    >>> model.params, model.status
    ({'T': '1.5'}, <Status.NEW: 'New'>)
    """

    __slots__ = (
        "__weakref__", "_arguments", "_files", "_generated", "_group", "_home", "_own_settings", "_params", "_path", "_refresh",
        "_run", "_settings", "_values", "batch_settings", "name", "replica",
    )  # fmt: skip
    batch_settings: BatchSettings | None
    _path: str | None

    def __init__(
        self,
        name: str,
        params: Params,
        run_settings: RunSettings,
        path: str | PurePath | None = None,
        params_as_args: Params = None,
        batch_settings: BatchSettings | None = None,
    ) -> None:
        check_name("Model", name)
        check_settings(name, run_settings, batch_settings)
        values, arguments = single(name, resolve(name, params, params_as_args))
        if run_settings is None:
            raise InputTypeError(f"{name}: a Model needs run_settings; for example RunSettings('lmp')")
        self._set(name, values, arguments, run_settings)
        self._path = None if path is None else absolute_path(name, path)
        self.batch_settings = batch_settings

    def _set(
        self,
        name: str,
        values: dict[str, object],
        arguments: tuple[str, ...],
        settings: RunSettings,
        group: "Group | None" = None,
        replica: int = 0,
    ) -> None:
        self.name = name
        self._arguments = arguments
        self._files = NO_FILES
        self.batch_settings = None
        self.replica = replica
        self._values = values
        self._settings = settings
        self._own_settings: FollowedSettings | None = None
        self._params: dict[str, str] | None = None
        self._group = group
        self._path = None
        self._home: str | None = None
        self._sharing = NO_SHARING
        self._colocated = None
        self._generated = False
        self._run: Run | None = None
        self._refresh: Callable[[], None] | None = None

    @property
    def params(self) -> dict[str, str]:
        """Its parameters as text, as they go into files and arguments. You can change them until it is generated."""
        if self._params is None:
            self._params = {name: str(value) for name, value in self._values.items()}
        return self._params

    @params.setter
    def params(self, params: Params) -> None:
        self._values, self._arguments = single(self.name, resolve(self.name, params, self._arguments))
        self._params = None

    @property
    def params_as_args(self) -> Sequence[str]:
        """The names of its parameters that are also passed to the program as arguments. You can set others."""
        return self._arguments

    @params_as_args.setter
    def params_as_args(self, names: Params) -> None:
        self._values, self._arguments = single(self.name, resolve(self.name, self.values, names))
        self._params = None

    @property
    def values(self) -> dict[str, object]:
        """Its parameters with their original types; values that you changed in `params` are text."""
        typed = self._values
        return {name: typed[name] if name in typed and str(typed[name]) == text else text for name, text in self.params.items()}

    @property
    def run_settings(self) -> RunSettings:
        """Its own run settings, so a change affects no other member. They follow a change of those that it was created with.

        :raises InputValueError: both were changed, in the same place.
        """
        if self._own_settings is None:
            self._own_settings = FollowedSettings(self.name, self._settings)
        return self._own_settings.now

    @run_settings.setter
    def run_settings(self, run_settings: RunSettings) -> None:
        check_settings(self.name, run_settings, None)
        self._settings, self._own_settings = run_settings, None

    @property
    def path(self) -> str:
        """Its directory. You can set another until it is generated."""
        if self._path is not None:
            return self._path
        home = self._group.path if self._group is not None else self._home or working_directory(self.name)
        return f"{home}/{self.name}"

    @path.setter
    def path(self, path: str | PurePath) -> None:
        self._path = absolute_path(self.name, path)

    @property
    def files(self) -> Files:
        """The files for its directory."""
        return self._files

    @property
    def ensemble(self) -> Group | None:
        """The ensemble that it is a member of."""
        return self._group

    @property
    def status(self) -> Status:
        """Its status, now."""
        return Status.NEW if self._run is None else self._last_run().status

    @property
    def run(self) -> Run:
        """The record of its last run: when it began and ended, and why it failed."""
        if self._run is None:  # of a hundred thousand members, only those that somebody asks about have a record
            self._run = Run()
        return self._run

    def _last_run(self) -> Run:
        """The record of its last run, up to date."""
        if self._refresh is not None:
            self._refresh()
        return self.run

    def colocated_env(self, timeout: float = 60.0) -> dict[str, str]:
        """The environment variables by which another program on its host finds its own database. It must be running.

        :param timeout: the most seconds to wait until the database answers.
        :returns: values by the names of the variables.
        :raises StateError: it has no database of its own, does not run, or the database does not answer in time.
        :raises InputTypeError: `timeout` is no number.
        :raises InputValueError: `timeout` is below zero.
        """
        from smartensemble.databases.colocated import address
        from smartensemble.databases.variables import Endpoint, variables

        timeout = span("timeout", timeout)
        if (own := self.colocated_database) is None:
            raise StateError(f"{self.name}: has no database of its own; give it one by colocate_db_uds()")
        endpoint = Endpoint(own.identifier, "Standalone", (address(self.name, self.path, self._last_run, timeout),))
        return variables(f"{self.name}_client", self.path, [endpoint], False, (), {})

    @property
    def _current_settings(self) -> RunSettings:
        """The settings that its command is made from: those of all, where none are its own."""
        return self._settings if self._own_settings is None else self._own_settings.now

    @property
    def time_limit(self) -> float | None:
        """The seconds after which it is ended; None for no limit."""
        return self._current_settings.time_limit

    @property
    def command(self) -> Command:
        """The command that runs it: its program, the arguments of its settings, then its parameters that are arguments."""
        arguments = [word for name in self._arguments for word in argument(name, self.params[name])]
        return command_of(self._current_settings, self.name, self.path, arguments)

    @property
    def uploads(self) -> "Sequence[Upload]":
        """The models and scripts that its databases store for it: those that were added to it, and to its ensemble."""
        return sharing(self).uploads

    @described_by(attach)
    def attach_generator_files(self, to_copy: Paths = None, to_symlink: Paths = None, to_configure: Paths = None) -> None:
        """Attach files to its directory: copied, linked to, or copied with their tags filled. Replaces the earlier ones."""
        self._files = attach(self.name, to_copy, to_symlink, to_configure)

    attach_generator_file = attach_generator_files

    # --- data that it shares with others through a database --------------------------------------------------------

    def enable_key_prefixing(self) -> None:
        """Prefix the keys that it writes with its name, so no other member overwrites them."""
        self._sharing = replace(self._sharing, prefixing=True)

    def disable_key_prefixing(self) -> None:
        """Leave the keys that it writes as they are."""
        self._sharing = replace(self._sharing, prefixing=False)

    def query_key_prefixing(self) -> bool:
        """True if its name prefixes the keys that it writes. Its own setting decides, or else that of its ensemble.

        :returns: whether prefixing is on.
        """
        return bool(sharing(self).prefixing)

    @property
    def incoming_entities(self) -> list[str]:
        """The names of the members whose data it reads, in the order in which they were registered."""
        return incoming_prefixes(self)

    @property
    def key_prefixes(self) -> Sequence[str]:
        """The prefix of the keys that it writes, where key prefixing is on: its name."""
        return (self.name,)

    def _shared(self) -> Iterator[tuple[str, Sharing]]:
        yield self.name, sharing(self)

    def __getstate__(self) -> tuple[dict[str, object] | None, dict[str, object]]:
        """What a copy has, and a pickle: what ended and how, but nothing of the program that runs the rest."""
        state = {name: getattr(self, name) for each in type(self).__mro__ for name in getattr(each, "__slots__", ())
                 if name not in ("__weakref__", "_refresh")}  # fmt: skip
        run = self._run if self._run is not None and self._run.status.final else None
        state |= {"_refresh": None, "_generated": False, "_run": run and replace(run, handle=0)}
        return getattr(self, "__dict__", None), state

    def __eq__(self, other: object) -> bool:
        return self.name == other.name if isinstance(other, Model) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f"Model({self.name!r}, {self.params!r})"


def sharing(model: Model) -> Sharing:
    """What `model` shares, by its own settings and by those of its ensemble."""
    own = model._sharing
    if model._group is None:
        return own
    group = own_sharing(model._group)
    prefixing = group.prefixing if own.prefixing is None else own.prefixing
    return Sharing(prefixing, (*group.incoming, *own.incoming), (*group.uploads, *own.uploads))


def incoming_prefixes(model: Model) -> list[str]:
    """The prefixes of the keys that `model` reads."""
    return [prefix for producer in sharing(model).incoming for prefix in producer.key_prefixes]


def argument_names(model: Model) -> tuple[str, ...]:
    """The names of the parameters of `model` that are also arguments."""
    return model._arguments


def attached(model: Model) -> Files:
    """The files for the directory of `model`."""
    return model._files


def set_attached(model: Model, files: Files) -> None:
    """Make `files` those for the directory of `model`."""
    model._files = files


def programs(model: Model) -> list[str]:
    """The programs that `model` runs, without what starts them."""
    settings = plain(model._current_settings)
    return [each.exe for each in (settings, *settings.mpmd)]


def by_settings(models: Iterable[Model]) -> "list[tuple[RunSettings, Model]]":
    """The run settings of `models`, each once, with one of those that it runs: a hundred thousand members often share one."""
    found = {id(settings := model._current_settings): (settings, model) for model in models}
    return list(found.values())


def make_member(
    kind: type[Model],
    group: Group,
    name: str,
    values: dict[str, object],
    arguments: tuple[str, ...],
    settings: RunSettings,
    replica: int,
) -> Model:
    """A member of `group`. Its values were checked before, because there may be a hundred thousand members."""
    member = kind.__new__(kind)
    member._set(name, values, arguments, settings, group, replica)
    return member


def join(model: Model, group: Group) -> None:
    """Make `model` a member of `group`."""
    model._group = group


def set_home(model: Model, home: str) -> None:
    """Put the directory of `model` below `home`, unless it has a path of its own or is in an ensemble."""
    model._home = home


def follow(model: Model, before: RunSettings | None, settings: RunSettings) -> None:
    """Run `model` by `settings`, if it was to be run by those `before`. It keeps what it has changed in its own."""
    if model._settings is before:
        model._settings = settings
        if model._own_settings is not None:
            model._own_settings = model._own_settings.of(settings)


def is_generated(model: Model) -> bool:
    """This program has written the directory of `model`."""
    return model._generated


def set_generated(model: Model, generated: bool) -> None:
    """Record whether this program has written the directory of `model`."""
    model._generated = generated


def track(model: Model, run: Run, refresh: Callable[[], None] | None = None) -> None:
    """Make `run` the last run of `model`; `refresh` brings it up to date, and is called before the model's status is read."""
    model._run = run
    model._refresh = refresh


def forget_run(model: Model) -> None:
    """Make `model` a model that never ran, because its directory is new."""
    model._run = model._refresh = None


def refresh(models: Iterable[Model]) -> None:
    """Bring the records of `models` up to date."""
    for each in {model._refresh for model in models} - {None}:
        each()  # type: ignore[misc]


def columns(member: Model) -> dict[str, object]:
    """Its name and its parameters, as the first cells of a row. A parameter with the name of another column is marked."""
    parameters = {f"params.{name}" if name in OTHER_COLUMNS else name: value for name, value in member.values.items()}
    return {"name": member.name, **parameters}
