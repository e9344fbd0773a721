"""What ensembles and databases have in common: entities, by number and by name."""

from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

from smartensemble.checks import absolute_path
from smartensemble.compat.entity.dbobject import DBModel, DBScript
from smartensemble.errors import UnsupportedError, public


@public
class EntitySequence:
    """A name, a directory, and entities. `Ensemble` has models, and `Orchestrator` has servers."""

    name: str
    path: str

    def __init__(self, name: str, path: str | PurePath, **kwargs: object) -> None:  # noqa: ARG002
        """An error: ensembles and databases are made themselves."""
        raise UnsupportedError(f"{type(self).__name__}: is not made itself; make an Ensemble or an Orchestrator")

    @property
    def entities(self) -> list[Any]:
        """Its entities, in order."""
        raise NotImplementedError

    @property
    def type(self) -> str:
        """The name of its class."""
        return type(self).__name__

    @property
    def db_models(self) -> Iterator[DBModel]:
        """The trained models that were added to it."""
        yield from ()

    @property
    def db_scripts(self) -> Iterator[DBScript]:
        """The scripts and functions that were added to it."""
        yield from ()

    @property
    def batch(self) -> bool:
        """It runs as one job."""
        return False

    def set_path(self, new_path: str | PurePath) -> None:
        """Set its directory."""
        self.path = absolute_path(self.name, new_path)

    def __getitem__(self, name: str) -> Any:
        """An entity by its name, or None if there is none."""
        return next((entity for entity in self.entities if entity.name == name), None)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.entities)

    def __len__(self) -> int:
        return len(self.entities)


class EntityList(EntitySequence):
    """The same."""
