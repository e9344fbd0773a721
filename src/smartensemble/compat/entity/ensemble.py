"""SmartSim's ensemble: ours, with SmartSim's methods and attributes."""

from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

from tabulate import tabulate

from smartensemble import ensemble
from smartensemble.compat.entity.dbobject import DBObject, objects
from smartensemble.compat.entity.entityList import EntityList
from smartensemble.compat.entity.model import Model
from smartensemble.compat.entity.stored import Stores
from smartensemble.compat.followed import FollowedList
from smartensemble.errors import StrategyError, UnsupportedError, public, shown
from smartensemble.parameters.expansion import named
from smartensemble.parameters.resolve import Constant, Params
from smartensemble.parameters.strategies import Strategy
from smartensemble.results.no_effect import no_effect
from smartensemble.settings.batch import BatchSettings
from smartensemble.settings.run import RunSettings
from smartensemble.sharing import own_sharing

MADE = "its members are made already; make another ensemble"


@public
class Ensemble(Stores, EntityList, ensemble.Ensemble):
    """A group of models. See :class:`smartensemble.Ensemble`.

    ``ensemble["no_such_member"]`` is None, as in SmartSim.

    >>> from smartensemble.compat.settings import RunSettings
    >>> Ensemble("melt", {"T": [1, 2]}, run_settings=RunSettings("echo")).entities
    [melt_0, melt_1]
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
        counts: dict[str, Any] = {"replicas": replicas, "n_models": n_models, "seed": seed}
        ensemble.Ensemble.__init__(self, name, params, path, params_as_args, batch_settings, run_settings, perm_strat, **counts)
        values = {name: found[0] if isinstance(found, Constant) else found for name, found in self.params.items()}
        vars(self).update(params=values, params_as_args=list(self.params_as_args))

    def __setattr__(self, name: str, value: object) -> None:
        if name in ("params", "params_as_args", "replicas") and "_members" in vars(self):
            no_effect(f"{self.name}: {name} = {shown(value)}", MADE)
        super().__setattr__(name, value)

    @property
    def batch(self) -> bool:
        """True if it runs as one batch job."""
        return self.batch_settings is not None

    @property  # type: ignore[override]
    def entities(self) -> list[Model]:
        """Its members, in order. To change the list changes the ensemble."""
        return FollowedList(self.models, self._set_entities)

    @entities.setter
    def entities(self, members: Any) -> None:
        self._set_entities(members)

    def _set_entities(self, members: Sequence[Model]) -> None:
        before = self._members
        try:
            self._members = {member.name: member for member in before.values() if any(member is each for each in members)}
            for member in members:
                if not any(member is each for each in self._members.values()):
                    self.add_model(member)
        except BaseException:
            self._members = before
            raise
        self._members = {member.name: member for member in members}

    def _stored(self) -> list[DBObject]:
        return objects(own_sharing(self).uploads, self._added)

    @property
    def attached_files_table(self) -> str:
        """The files for each member's directory, as a table."""
        if not self:
            return "The ensemble is empty, no files to show."
        return tabulate([[member.name, member.attached_files_table] for member in self], ["Model name", "Files"], "grid")

    def print_attached_files(self) -> None:
        """Print the files for each member's directory."""
        print(self.attached_files_table)

    def __iter__(self) -> Any:
        return iter(self._members.values())

    def __len__(self) -> int:
        return len(self._members)

    def __getitem__(self, key):  # type: ignore[no-untyped-def]
        """A member by its name, or None if there is no such member; by number or slice as in our own ensembles."""
        return ensemble.Ensemble.__getitem__(self, key) if not isinstance(key, str) or key in self else None
