"""The caller's arguments, as start, stop and the others need them: databases, entities, and their models."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from smartensemble.databases.orchestrator import Orchestrator
from smartensemble.databases.orchestrator import set_home as set_database_home
from smartensemble.ensemble import Ensemble, set_home
from smartensemble.errors import InputTypeError, InputValueError, shown
from smartensemble.model import Model
from smartensemble.runtime.runner import LISTING_AGE_S, Runner
from smartensemble.runtime.servers.registry import Databases
from smartensemble.status import Run, Status


class Selection(NamedTuple):
    """The entities that a caller passed."""

    databases: list[Orchestrator]
    entities: list[Model | Ensemble]
    models: list[Model]  #: of `entities`


def select(runner: Runner, databases: Databases, home: str, named: Sequence[object]) -> Selection:
    """The selection of what is `named`. Each gets a directory below `home`, and the record of its last run there.

    :raises InputTypeError: something that no experiment creates.
    :raises InputValueError: nothing; an ensemble without members; or two models of one directory.
    """
    chosen = [each for each in named if isinstance(each, Orchestrator)]
    for db in chosen:
        databases.add(db)
        if not db.started:  # by another experiment, in whose directory it runs
            set_database_home(db, home)
    runner.history.refresh()
    entities = [_checked(runner.name, each) for each in named if not isinstance(each, Orchestrator)]
    if not entities and not chosen:
        raise InputValueError(f"{runner.name}: nothing given; give models or ensembles")
    for entity in entities:
        place(runner, home, entity)
    models = [model for entity in entities for model in (entity if isinstance(entity, Ensemble) else [entity])]
    _check_directories(runner.name, models)
    return Selection(chosen, entities, models)


def place(runner: Runner, home: str, entity: Model | Ensemble) -> None:
    """Put `entity` below `home`, unless it has a path of its own, and read the record of its last run there."""
    set_home(entity, home)
    runner.known[id(entity)] = entity
    runner.history.refresh(LISTING_AGE_S)
    runner.adopt(entity.models if isinstance(entity, Ensemble) else [entity])


def check_started(entities: Iterable[Model | Ensemble]) -> None:
    """An error, unless all of `entities` were started."""
    for entity in entities:
        if any(model.run.status is Status.NEW for model in (entity if isinstance(entity, Ensemble) else [entity])):
            raise InputValueError(f"{entity.name}: was not started; start it first")


def started(runner: Runner, models: Iterable[Model]) -> list[Run]:
    """The runs of those of `models` that were started; of all that ran here, if there are none."""
    if models := list(models):
        return [model.run for model in models if model.run.status is not Status.NEW]
    runner.refresh()
    return [entry.run for entry in runner.history.last.values()]


def _checked(name: str, entity: object) -> Model | Ensemble:
    if not isinstance(entity, (Model, Ensemble)):
        raise InputTypeError(f"{name}: {shown(entity)} is neither a Model nor an Ensemble; give what create_... returned")
    if isinstance(entity, Ensemble) and not entity:
        raise InputValueError(f"{entity.name}: has no members; add some with add_model()")
    return entity


def _check_directories(name: str, models: Sequence[Model]) -> None:
    """An error, if two of `models` have one directory."""
    seen: dict[str, Model] = {}
    for model in models:
        if seen.setdefault(model.path, model) is not model:
            raise InputValueError(
                f"{model.name}: two of what was given share the directory {model.path}; give each its own name"
            )
    if len(seen) < len(models):
        raise InputValueError(f"{name}: a model was given twice; give it once")
