"""An ensemble is a group of models: one program with many parameters, replicas, or models that you add."""

import os
from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from dataclasses import replace
from pathlib import PurePath
from typing import TYPE_CHECKING, ClassVar, Self, overload

from smartensemble import model
from smartensemble.checks import absolute_path, check_name, positive, working_directory
from smartensemble.docstrings.described import described_by
from smartensemble.errors import (
    CaseError,
    EntityExistsError,
    InputTypeError,
    InputValueError,
    StrategyError,
    UnknownMemberError,
    public,
    shown,
)
from smartensemble.files.attach import Paths, attach
from smartensemble.model import NO_FILES, Group, Model, columns, follow, join, make_member, refresh, set_attached, sharing
from smartensemble.parameters.expansion import Expansion, expansion, named
from smartensemble.parameters.resolve import Params, resolve
from smartensemble.parameters.strategies import Strategy
from smartensemble.results.failures import Failures, failures
from smartensemble.results.table import Seconds, Table
from smartensemble.settings.batch import BatchSettings
from smartensemble.settings.run import RunSettings, check_settings
from smartensemble.sharing import NO_SHARING, Sharing, own_sharing

if TYPE_CHECKING:
    from matplotlib.figure import Figure


CASES = """there are five ways to initialize an Ensemble:
  1. run_settings and params
  2. run_settings and replicas
  3. batch_settings alone; then add_model()
  4. run_settings, batch_settings and params
  5. run_settings, batch_settings and replicas"""


@public
class Ensemble(Group):
    """A group of models, made from parameters, from a number of replicas, or one by one: see :doc:`/howto/initialize`.

    :param name: its name; members are called ``name_0``, ``name_1``, ...
    :param params: parameters and their values: a dictionary; or a name, or a list of names, whose values are in
        `params_as_args`. A list, or any other sequence or 1-D array, has several values.
    :param path: its directory; by default, a directory of its name in that of its experiment.
    :param params_as_args: parameters that are also passed to the program as arguments: a dictionary with their
        values; or a name, or a list of names, whose values are in `params`.
    :param batch_settings: run it as one batch job. These settings size the whole job.
    :param run_settings: how each member's program is run. Each member gets its own, which follow these.
    :param perm_strategy: how parameters become members: ``"all_perm"`` (the default), ``"step"``, ``"random"``,
        ``"latin_hypercube"``, ``"sobol"``, or a callable that takes names, lists of values as text, and `n_models`.
    :param perm_strat: the same as `perm_strategy`, as SmartSim spells it.
    :param replicas: without parameters, the number of members; with them, the clones of each parameter set; with
        a strategy that samples, the number of samples.
    :param n_models: the number of samples as well, or for a callable to use.
    :param seed: a whole number that makes samples repeatable. By default, one is chosen and recorded.
    :raises CaseError: the arguments are none of the five ways to initialize an ensemble; the message lists them.
    :raises InputTypeError: an argument has another type.
    :raises InputValueError: the name cannot name a directory, the path is no path, or two words for one argument differ.
    :raises ParameterError: a parameter has no values, or values in two places; or a number is too small.
    :raises StrategyError: there is no such strategy, the values do not fit it, or it returned no members.
    :raises UnsupportedError: the strategy needs SciPy, which is not installed.

    >>> melt = Ensemble("melt", {"T": [1.5, 3.0]}, run_settings=RunSettings("echo"))
    >>> [member.name for member in melt]
    ['melt_0', 'melt_1']
    >>> melt["melt_1"].params
    {'T': '3.0'}
    """

    _member_class: ClassVar[type[Model]] = Model  #: a subclass may make others

    def __init__(
        self,
        name: str,
        params: Params = None,
        path: str | PurePath | None = None,
        params_as_args: Params = None,
        batch_settings: BatchSettings | None = None,
        run_settings: RunSettings | None = None,
        perm_strat: str | Strategy | None = None,
        *,
        replicas: int | None = None,
        n_models: int | None = None,
        perm_strategy: str | Strategy | None = None,
        seed: int | None = None,
    ) -> None:
        check_name("Ensemble", name)
        check_settings(name, run_settings, batch_settings)
        if perm_strat is not None and perm_strategy is not None and named(perm_strat) != named(perm_strategy):
            raise InputValueError(
                f"{name}: perm_strat={shown(perm_strat)} and perm_strategy={shown(perm_strategy)} mean the same; give one"
            )
        parameters = resolve(name, params, params_as_args)
        _check_case(name, bool(parameters.values), run_settings, batch_settings, replicas, n_models)
        self.name = name
        self._home = working_directory(name) if path is None else ""
        self._path = None if path is None else absolute_path(name, path)
        self.params = parameters.values
        self.params_as_args = parameters.arguments
        self.batch_settings = batch_settings
        self.replicas = replicas
        strategy = perm_strategy if perm_strat is None else perm_strat
        self._expansion = expansion(name, parameters, "all_perm" if strategy is None else strategy, replicas, n_models, seed)
        self._files = NO_FILES
        self._sharing = replace(NO_SHARING, prefixing=run_settings is not None)  # members that it made have it on
        self._members: dict[str, Model] = {}
        self._generated = 0  #: members made so far, which numbers the next one
        self._settings = run_settings
        if self._settings is not None:
            self._create(self._expansion, self._settings)

    def _create(self, plan: Expansion, settings: RunSettings) -> list[Model]:
        """Add members for each parameter set of `plan`, one for each clone."""
        number, arguments, kind = self._generated, plan.parameters.arguments, self._member_class
        made: dict[str, Model] = {}
        for values in plan.sets():
            for replica in range(plan.replicas):
                name = f"{self.name}_{number}"
                made[name] = make_member(kind, self, name, values, arguments, settings, replica)
                number += 1
        if taken := made.keys() & self._members.keys():
            raise EntityExistsError(f"{self.name}: there is a member {min(taken)!r} that was added; give that another name")
        self._members.update(made)
        self._expansion = plan
        self._generated = number
        return list(made.values())

    @property
    def path(self) -> str:
        """Its directory, in which each member has one of its name. You can set another until it is generated."""
        return os.path.join(self._home, self.name) if self._path is None else self._path

    @path.setter
    def path(self, path: str | PurePath) -> None:
        self._path = absolute_path(self.name, path)

    @property
    def run_settings(self) -> RunSettings | None:
        """How its members are run. A change reaches every member that has not changed the same in its own."""
        return self._settings

    @run_settings.setter
    def run_settings(self, run_settings: RunSettings) -> None:
        check_settings(self.name, run_settings, None)
        before, self._settings = self._settings, run_settings
        for member in self:
            follow(member, before, run_settings)

    @property
    def perm_strategy(self) -> str | Strategy:
        """How parameters became members: the name of a strategy, or a callable."""
        return self._expansion.strategy

    @property
    def seed(self) -> int | None:
        """The seed of its samples; None if it has none."""
        return self._expansion.seed

    def extend(self, count: int) -> list[Model]:
        """Add samples to a sampled design, and return their members. Existing members stay as they are.

        The new members get the files that were attached to the ensemble.

        :param count: the number of samples to add, from 1 on.
        :returns: the new members, in order.
        :raises StrategyError: the ensemble was not sampled, or has no combinations left.
        :raises EntityExistsError: a model that you added has the name of a new member.
        :raises InputTypeError: `count` is no whole number.
        :raises InputValueError: `count` is less than 1.
        :raises UnsupportedError: the strategy needs SciPy, which is not installed.
        """
        plan = self._expansion.grown(positive("extend", count))
        if self._settings is None:
            raise StrategyError(f"{self.name}: was not sampled, so it cannot grow; give params and run_settings")
        added = self._create(plan, self._settings)
        for member in added:
            set_attached(member, self._files)
        return added

    def plot_design(self, params: str | Iterable[str] | None = None) -> "Figure":
        """A figure of the members in parameter space: see :func:`smartensemble.parameters.plot.plot_design`.

        :param params: the names of the parameters to show; by default those that differ between members.
        :returns: a figure of Matplotlib; save it with ``savefig``.
        :raises ParameterError: there is no such parameter, or there are too many for one figure.
        :raises InputTypeError: `params` is neither a name nor a list of names.
        :raises UnsupportedError: Matplotlib is not installed.
        """
        from smartensemble.parameters.plot import plot_design

        return plot_design(self, params, sizes=self._expansion.sizes)

    def add_model(self, model: Model) -> None:
        """Add a model as a member. It keeps its own settings, parameters and files.

        :param model: the model, which is in no ensemble yet.
        :raises EntityExistsError: a member has that name already, the model is in another ensemble, or what is stored for it
            has the name of something that is stored for all members.
        :raises InputTypeError: it is no Model.
        """
        if not isinstance(model, Model):
            raise InputTypeError(f"{self.name}: {shown(model)} is no Model; make one with create_model(name, run_settings)")
        if model.name in self._members:
            raise EntityExistsError(f"{self.name}: there is a member {model.name!r}; give the model another name")
        if model.ensemble is not None:
            raise EntityExistsError(f"{self.name}: {model.name!r} is a member of {model.ensemble.name!r}; make another model")
        if added := own_sharing(model).uploads:
            from smartensemble.databases.uploads import check_free

            check_free(model.name, self._sharing.uploads, *added)
        join(model, self)
        self._members[model.name] = model

    @described_by(attach)
    def attach_generator_files(self, to_copy: Paths = None, to_symlink: Paths = None, to_configure: Paths = None) -> None:
        """Attach files to each member's directory: copied, linked to, or copied with their tags filled.

        Replaces files that were attached before. Models that you add later have their own files.
        """
        self._files = attach(self.name, to_copy, to_symlink, to_configure)
        for member in self:
            set_attached(member, self._files)

    attach_generator_file = attach_generator_files

    def enable_key_prefixing(self) -> None:
        """Prefix the keys that each member writes with the member's name, also for members that you add later."""
        self._sharing = replace(self._sharing, prefixing=True)
        for member in self:
            if own_sharing(member).prefixing is False:
                member.enable_key_prefixing()

    def query_key_prefixing(self) -> bool:
        """True if the keys of every member are prefixed with its name.

        :returns: whether prefixing is on for all of them.
        """
        return all(member.query_key_prefixing() for member in self) if self else bool(self._sharing.prefixing)

    @property
    def key_prefixes(self) -> Sequence[str]:
        """The prefixes of the keys that its members write, where key prefixing is on: their names."""
        return [member.name for member in self]

    def _shared(self) -> Iterator[tuple[str, Sharing]]:
        yield self.name, self._sharing
        for member in self:
            if own_sharing(member) is not NO_SHARING:
                yield member.name, sharing(member)

    def table(self) -> Table:
        """One row for each member: name, parameters, status, seconds, exit code, path. It prints as a table.

        :returns: a list of dictionaries. Parameters keep their types; ``seconds`` is a float or None, ``exit code`` an int
            or None.
        """
        refresh(self)
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
        """The failed members, in groups that ended the same way with the same last output; print it for a report.

        For each group it has the parameter values that only its members have, and the command that runs one of them again.

        :returns: the groups, the largest first; empty if no member failed.
        """
        refresh(self)
        return failures(self)

    @property
    def models(self) -> list[Model]:
        """The members, in order."""
        return list(self._members.values())

    entities = models

    @property
    def batch(self) -> bool:
        """True if it runs as one batch job."""
        return self.batch_settings is not None

    def __iter__(self) -> Iterator[Model]:
        return iter(self._members.values())

    def __len__(self) -> int:
        return len(self._members)

    def __contains__(self, member: object) -> bool:
        name = member.name if isinstance(member, Model) else member
        return isinstance(name, str) and name in self._members

    @overload
    def __getitem__(self, key: str | int) -> Model: ...
    @overload
    def __getitem__(self, key: slice) -> list[Model]: ...
    def __getitem__(self, key: str | int | slice) -> Model | list[Model]:
        """A member by its name or its number, or several by a slice.

        :param key: a name, a number from 0 on (or from -1 back), or a slice of numbers.
        :returns: the member; for a slice, a list of members.
        :raises UnknownMemberError: there is no such member.
        :raises InputTypeError: `key` is none of these.
        """
        try:
            if isinstance(key, bool):
                raise TypeError
            found: Model | list[Model] = self._members[key] if isinstance(key, str) else self.models[key]
        except LookupError:
            raise UnknownMemberError(f"{self.name}: no member {shown(key)}; there are {_some(list(self._members))}") from None
        except (TypeError, ValueError):
            raise InputTypeError(f"{self.name}: {shown(key)} names no member; give a name, a number or a slice") from None
        return found

    def __copy__(self) -> Self:
        """An ensemble of its own, with a copy of each member: to add to it, or to change one, changes nothing in this one."""
        twin = super().__copy__()
        twin._members = {name: copy(member) for name, member in self._members.items()}
        for member in twin:
            join(member, twin)
        return twin

    def __repr__(self) -> str:
        return f"Ensemble({self.name!r}, {len(self)} members)"


def set_home(entity: Model | Ensemble, home: str) -> None:
    """Put the directory of `entity` below `home`, unless it has a path of its own."""
    if isinstance(entity, Model):
        model.set_home(entity, home)
    else:
        entity._home = home


def _check_case(name: str, params: bool, run: object, batch: object, replicas: object, n_models: object) -> None:
    """An error, unless the arguments are one of the five cases."""
    if run is not None and (params or replicas is not None):
        return
    arguments = [word for word, there in (("run_settings", run), ("batch_settings", batch), ("params", params)) if there]
    arguments += [word for word, count in (("replicas", replicas), ("n_models", n_models)) if count is not None]
    if arguments != ["batch_settings"]:
        raise CaseError(f"{name}: {' and '.join(arguments) or 'nothing but a name'} given; {CASES}")


def _some(names: list[str]) -> str:
    """A few of `names`, for a message."""
    return ", ".join(names[:5]) + (f", ... {names[-1]}" if len(names) > 5 else "") if names else "none"
