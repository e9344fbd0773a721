"""What models and ensembles store in databases, by SmartSim's objects."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from smartensemble.compat.entity.dbobject import DBModel, DBObject, DBScript, add
from smartensemble.errors import InputTypeError, public, shown
from smartensemble.wire.models import Upload


@public
class Stores:
    """A model or an ensemble, as far as it has models, scripts and functions for databases."""

    name: str
    _added: tuple[DBObject, ...] = ()

    if TYPE_CHECKING:

        def _store(self, upload: Upload) -> None:
            """Add `upload` to those to store."""

    def _stored(self) -> list[DBObject]:
        """The objects for what is stored for it."""
        raise NotImplementedError

    @property
    def db_models(self) -> Iterator[DBModel]:
        """The trained models that were added to it, and to its ensemble."""
        return (each for each in self._stored() if isinstance(each, DBModel))

    @property
    def db_scripts(self) -> Iterator[DBScript]:
        """The scripts and functions that were added to it, and to its ensemble."""
        return (each for each in self._stored() if isinstance(each, DBScript))

    def _add(self, kind: type[DBObject], made: Any) -> None:
        if not isinstance(made, kind):
            raise InputTypeError(f"{self.name}: {shown(made)} is no {kind.__name__}; make one by {kind.__name__}(...)")
        self._store(made.upload)
        add(made)
        self._added = (*self._added, made)

    def add_ml_model_object(self, db_model: DBModel) -> None:
        """Store a trained model, as `add_ml_model` does."""
        self._add(DBModel, db_model)

    def add_script_object(self, db_script: DBScript) -> None:
        """Store a script or a function, as `add_script` does."""
        self._add(DBScript, db_script)

    def add_ml_model(
        self,
        name: str,
        backend: str,
        model: bytes | None = None,
        model_path: str | PurePath | None = None,
        device: str = "CPU",
        devices_per_node: int = 1,
        first_device: int = 0,
        batch_size: int = 0,
        min_batch_size: int = 0,
        min_batch_timeout: int = 0,
        tag: str = "",
        inputs: str | Iterable[str] | None = None,
        outputs: str | Iterable[str] | None = None,
    ) -> None:
        """Store a trained model. See :meth:`smartensemble.Model.add_ml_model`."""
        devices = device, devices_per_node, first_device
        batching = batch_size, min_batch_size, min_batch_timeout
        made = DBModel(name, backend, model, model_path, *devices, *batching, tag, inputs, outputs, subject=self.name)
        self.add_ml_model_object(made)

    def add_script(
        self,
        name: str,
        script: str | None = None,
        script_path: str | PurePath | None = None,
        device: str = "CPU",
        devices_per_node: int = 1,
        first_device: int = 0,
    ) -> None:
        """Store functions in TorchScript. See :meth:`smartensemble.Model.add_script`."""
        self.add_script_object(DBScript(name, script, script_path, device, devices_per_node, first_device, subject=self.name))

    def add_function(
        self,
        name: str,
        function: Callable[..., Any] | str | None = None,
        device: str = "CPU",
        devices_per_node: int = 1,
        first_device: int = 0,
    ) -> None:
        """Store a Python function as TorchScript. See :meth:`smartensemble.Model.add_function`."""
        self.add_script_object(DBScript(name, function, None, device, devices_per_node, first_device, subject=self.name))
