"""SmartSim's models and ensembles: ours, with those of its methods that ours spell otherwise or have no more."""

from pathlib import PurePath

from tabulate import tabulate

from smartensemble import ensemble, model
from smartensemble.checks import absolute_path
from smartensemble.compat.missing import OBJECTS, Missing, missing
from smartensemble.errors import StrategyError, UnsupportedError, public
from smartensemble.parameters.expansion import named
from smartensemble.parameters.resolve import Params
from smartensemble.parameters.strategies import Strategy
from smartensemble.settings.batch import BatchSettings
from smartensemble.settings.run import RunSettings

__all__ = [
    "DBModel",
    "DBNode",
    "DBObject",
    "DBScript",
    "Ensemble",
    "EntityList",
    "EntitySequence",
    "Model",
    "SmartSimEntity",
    "TaggedFilesHierarchy",
    "TelemetryConfiguration",
]


class Typed:
    """What models and ensembles have in common."""

    __slots__ = ()

    @property
    def type(self) -> str:
        """The name of its class."""
        return type(self).__name__


@public
class Model(Typed, model.Model):
    """One program, with its parameters, its files and its directory. See :class:`smartensemble.Model`."""

    __slots__ = ()
    add_ml_model_object = missing("add_ml_model_object", OBJECTS)
    add_script_object = missing("add_script_object", OBJECTS)

    def set_path(self, path: str) -> None:
        """Set its directory."""
        self._path = absolute_path(self.name, path)

    def params_to_args(self) -> None:
        """Do nothing: the parameters in `params_as_args` are arguments already."""

    @property
    def attached_files_table(self) -> str:
        """The files for its directory, as a table."""
        return _files_table(self)

    def print_attached_files(self) -> None:
        """Print the files for its directory."""
        print(self.attached_files_table)

    def __repr__(self) -> str:
        return self.name


@public
class Ensemble(Typed, ensemble.Ensemble):
    """A group of models. See :class:`smartensemble.Ensemble`.

    ``ensemble["no_such_member"]`` is None, as in SmartSim.
    """

    _member_class = Model

    def __init__(
        self,
        name: str,
        params: Params = None,
        path: str | PurePath | None = None,
        params_as_args: Params = None,
        batch_settings: BatchSettings | None = None,
        run_settings: RunSettings | None = None,
        perm_strat: str | Strategy = "all_perm",
        *,
        replicas: int | None = None,
        n_models: int | None = None,
        seed: int | None = None,
    ) -> None:
        """The same as :class:`smartensemble.Ensemble`.

        :raises UnsupportedError: there is no such strategy.
        """
        try:
            named(perm_strat)
        except StrategyError as error:
            raise UnsupportedError(str(error)) from None
        super().__init__(
            name,
            params,
            path,
            params_as_args,
            batch_settings,
            run_settings,
            perm_strat,
            replicas=replicas,
            n_models=n_models,
            seed=seed,
        )

    def set_path(self, new_path: str) -> None:
        """Set its directory, in which each member has one of its name."""
        self.path = absolute_path(self.name, new_path)
        self._has_path = True

    @property
    def attached_files_table(self) -> str:
        """The files for each member's directory, as a table."""
        if not self:
            return "The ensemble is empty, no files to show."
        rows = [[member.name, _files_table(member)] for member in self]
        return tabulate(rows, ["Model name", "Files"], "grid")

    def print_attached_files(self) -> None:
        """Print the files for each member's directory."""
        print(self.attached_files_table)

    def __getitem__(self, key):  # type: ignore[no-untyped-def]
        """A member by its name, or None if there is no such member; by number or slice as in our own ensembles."""
        return super().__getitem__(key) if not isinstance(key, str) or key in self else None


def _files_table(model: model.Model) -> str:
    """The files for the directory of `model`, as a table; it may have been made without this module."""
    files = (("Copy", model.files.to_copy), ("Symlink", model.files.to_symlink), ("Configure", model.files.to_configure))
    rows = [[word, "\n".join(map(str, paths))] for word, paths in files if paths]
    return tabulate(rows, ["Strategy", "Files"], "grid") if rows else "No file attached to this model."


#: Models are the only single entities, and ensembles the only groups of them.
SmartSimEntity = Model
EntityList = EntitySequence = Ensemble


class TelemetryConfiguration:
    """Telemetry: there is none, and it can be switched off."""

    is_enabled = False
    enable = missing("telemetry", "is not in this version; ensemble.table() and members.csv say what ran")

    def disable(self) -> None:
        """Do nothing: there is none."""


class DBObject(Missing):
    """What is put into a database."""

    why = OBJECTS


class DBModel(DBObject):
    """A trained model for a database."""


class DBScript(DBObject):
    """A script for a database."""


class DBNode(Missing):
    """One server of a database."""


class TaggedFilesHierarchy(Missing):
    """The files that are configured."""
