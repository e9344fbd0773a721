"""SmartSim's model: ours, with SmartSim's methods and attributes."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from smartensemble import model
from smartensemble.checks import check_name
from smartensemble.compat.entity.dbobject import DBObject, objects
from smartensemble.compat.entity.entity import SmartSimEntity
from smartensemble.compat.entity.files import EntityFiles, files_of
from smartensemble.compat.entity.stored import Stores
from smartensemble.compat.followed import FollowedList
from smartensemble.compat.keywords import Colocation, colocation, pinning
from smartensemble.compat.status import SmartSimStatus
from smartensemble.errors import InputTypeError, StateError, UnsupportedError, public, shown
from smartensemble.files.attach import Files
from smartensemble.model import argument_names, attached, set_attached, sharing
from smartensemble.parameters.resolve import Params
from smartensemble.results.no_effect import no_effect
from smartensemble.settings.batch import BatchSettings
from smartensemble.settings.run import RunSettings
from smartensemble.sharing import Producer, check_incoming

if TYPE_CHECKING:
    from smartensemble.compat.entity.ensemble import Ensemble

NAME: Any = vars(model.Model)["name"]  #: where a model keeps its name


@public
class Model(Stores, SmartSimEntity, model.Model):
    """One program, with its parameters, its files and its directory. See :class:`smartensemble.Model`.

    >>> from smartensemble.compat.settings import RunSettings
    >>> melt = Model("melt", {"T": 1.5}, RunSettings("echo"))
    >>> melt.params = {"T": 3.0}
    >>> melt, melt.params, melt.files is None
    (melt, {'T': '3.0'}, True)
    """

    def __init__(
        self,
        name: str,
        params: Params,
        run_settings: RunSettings,
        path: str | PurePath | None = None,
        params_as_args: Params = None,
        batch_settings: BatchSettings | None = None,
    ) -> None:
        """The same as :class:`smartensemble.Model`. An empty `path` is none."""
        path = None if isinstance(path, str) and not path else path
        model.Model.__init__(self, name, params, run_settings, path, params_as_args, batch_settings)

    # --- what SmartSim has as attributes: a change is followed -------------------------------------------------------

    @property
    def name(self) -> str:
        """Its name, which also names its output."""
        return NAME.__get__(self, type(self))  # type: ignore[no-any-return]

    @name.setter
    def name(self, name: str) -> None:
        check_name("Model", name)
        if getattr(self, "_group", None) is not None and getattr(self, "name", name) != name:
            raise StateError(f"{self.name}: is a member of an ensemble, which knows it by its name; name it when you make it")
        NAME.__set__(self, name)

    @property  # type: ignore[override]
    def files(self) -> EntityFiles | None:
        """The files for its directory; None until some are attached."""
        files = attached(self)
        return None if files is model.NO_FILES else files_of(files, lambda changed: set_attached(self, changed))

    @files.setter
    def files(self, files: EntityFiles | None) -> None:
        if files is not None and not isinstance(files, EntityFiles):
            raise InputTypeError(f"{self.name}: files are {shown(files)}; give EntityFiles(tagged, copy, symlink), or None")
        set_attached(
            self, model.NO_FILES if files is None else Files(tuple(files.copy), tuple(files.link), tuple(files.tagged))
        )

    @property
    def params_as_args(self) -> list[str]:
        """The names of its parameters that are arguments of its program."""
        return FollowedList(argument_names(self), self._set_arguments)

    @params_as_args.setter
    def params_as_args(self, names: Params) -> None:
        self._set_arguments(names)

    def _set_arguments(self, names: Params) -> None:
        setter: Any = model.Model.params_as_args
        setter.fset(self, names)

    @property
    def incoming_entities(self) -> list[Any]:
        """The entities whose data it reads."""
        return FollowedList(sharing(self).incoming, self._set_incoming)

    @incoming_entities.setter
    def incoming_entities(self, entities: Sequence[Producer]) -> None:
        self._set_incoming(entities)

    def _set_incoming(self, entities: Sequence[Producer]) -> None:
        of_ensemble = sharing(self).incoming[: -len(self._sharing.incoming) or None]
        own = tuple(entity for entity in entities if entity not in of_ensemble)
        for number, entity in enumerate(own):
            check_incoming(self.name, (*of_ensemble, *own[:number]), entity)
        self._sharing = replace(self._sharing, incoming=own)

    @property
    def status(self) -> SmartSimStatus:  # type: ignore[override]
        """How it stands."""
        return SmartSimStatus.of(super().status)

    def _stored(self) -> list[DBObject]:
        group: Ensemble | None = getattr(self, "_group", None)
        return objects(sharing(self).uploads, (*self._added, *(getattr(group, "_added", ()))))

    # --- methods --------------------------------------------------------------------------------------------------------

    def params_to_args(self) -> None:
        """Do nothing: the parameters in `params_as_args` are arguments already."""

    @property
    def attached_files_table(self) -> str:
        """The files for its directory, as a table."""
        files = self.files
        return "No file attached to this model." if files is None else str(files)

    def print_attached_files(self) -> None:
        """Print the files for its directory."""
        print(self.attached_files_table)

    def colocate_db_uds(
        self,
        unix_socket: str | PurePath | None = None,
        socket_permissions: int = 700,
        db_cpus: int = 1,
        custom_pinning: Iterable[int | Iterable[int]] | None = None,
        debug: bool = False,
        db_identifier: str = "",
        **options: Any,
    ) -> None:
        """Give it a database of its own, which listens at a unix socket. See :meth:`smartensemble.Model.colocate_db_uds`.

        :param options: more of its options, SmartSim's, and settings of the server, as ``maxclients=100000``.
        """
        for name in options.keys() & {"port", "ifname"}:
            no_effect(f"{self.name}: {name}={shown(options.pop(name))}", "its own database listens at a unix socket")
        found = self._colocation(options)
        given = unix_socket, socket_permissions, db_cpus, pinning(custom_pinning, db_cpus), debug, db_identifier
        super().colocate_db_uds(*given, **found.ours)
        self._colocate(found, {"unix_socket": unix_socket, "socket_permissions": socket_permissions, "port": 0}, given[2:])

    def colocate_db_tcp(
        self,
        port: int | None = None,
        ifname: str | Sequence[str] = "lo",
        db_cpus: int = 1,
        custom_pinning: Iterable[int | Iterable[int]] | None = None,
        debug: bool = False,
        db_identifier: str = "",
        **options: Any,
    ) -> None:
        """Give it a database of its own, which listens at a port. See :meth:`smartensemble.Model.colocate_db_tcp`.

        :param options: more of its options, SmartSim's, and settings of the server, as ``maxclients=100000``.
        """
        found = self._colocation(options)
        interface = ifname[0] if isinstance(ifname, (list, tuple)) and ifname else ifname
        given = port, interface, db_cpus, pinning(custom_pinning, db_cpus), debug, db_identifier
        super().colocate_db_tcp(*given, **found.ours)  # type: ignore[arg-type]
        self._colocate(found, {"port": port, "ifname": ifname}, given[2:])

    def colocate_db(self, *args: Any, **kwargs: Any) -> None:
        """The same as `colocate_db_tcp`."""
        self.colocate_db_tcp(*args, **kwargs)

    def _colocation(self, options: dict[str, Any]) -> Colocation:
        if self.run_settings.mpmd:
            raise UnsupportedError(
                f"{self.name}: several programs in one step have no database of their own; start one by create_database()"
            )
        return colocation(self.name, options)

    def _colocate(self, found: Colocation, connection: dict[str, object], common: Sequence[object]) -> None:
        """Take over what `found` says, and show all of it where SmartSim does: in its run settings."""
        own = self.colocated_database
        assert own
        self._colocated = replace(own, conf=tuple({**dict(own.conf), **found.conf}.items()))
        settings: Any = self.run_settings
        settings.colocated_db_settings = {
            **connection,
            **dict(zip(("cpus", "custom_pinning", "debug", "db_identifier"), common, strict=True)),
            "custom_pinning": ",".join(map(str, own.pinning)) or None,
            "rai_args": found.inference,
            "extra_db_args": found.conf,
            "db_models": list(self.db_models),
            "db_scripts": list(self.db_scripts),
        }
