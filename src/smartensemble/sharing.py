"""What models share through databases: whose keys they read, whether theirs have a prefix, and what is stored for them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Protocol

from smartensemble.databases.uploads import Batching, Devices, Upload, ml_model
from smartensemble.databases.uploads import function as stored_function
from smartensemble.databases.uploads import script as stored_script
from smartensemble.errors import EntityExistsError, InputTypeError, strict


class Producer(Protocol):
    """Whose data others read: a model, or an ensemble."""

    @property
    def key_prefixes(self) -> Sequence[str]:
        """The prefixes of the keys that it writes."""


@dataclass(frozen=True)
class Sharing:
    """What an entity shares through databases. Those that share nothing have one value between them, so it costs nothing."""

    prefixing: bool | None = None  #: None: as its ensemble says
    incoming: tuple[Producer, ...] = ()
    uploads: tuple[Upload, ...] = ()


#: What an entity shares until it is told to share.
NO_SHARING = Sharing()


class Entity:
    """A model or an ensemble. Members write keys with a prefix, read those of others, and find what was stored for them."""

    __slots__ = ()
    name: str
    _sharing: Sharing

    @property
    def key_prefixes(self) -> Sequence[str]:
        """The prefixes of the keys that it writes, where key prefixing is on: the names of its members, or its own."""
        raise NotImplementedError

    def _store(self, upload: Upload) -> None:
        """Have `upload` stored, unless its name is taken."""
        raise NotImplementedError

    @strict
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
        """Have a trained model stored in every database that runs, and in a member's own, before the member starts.

        An ensemble has it stored for all its members, also for those that are added later.

        :param name: the name that clients run it by.
        :param backend: ``"TORCH"``, ``"ONNX"``, ``"TF"`` or ``"TFLITE"``.
        :param model: the model, as the bytes that its framework saves; or
        :param model_path: the file that it is saved in, which is read now.
        :param device: ``"CPU"``, ``"GPU"``, or one of several GPUs, as ``"GPU:1"``.
        :param devices_per_node: the GPUs that clients choose from with ``run_model_multigpu``, ``GPU:n`` for each.
        :param first_device: the number of the first one.
        :param batch_size: the most rows of several clients' runs that are run at once; 0 runs each alone.
        :param min_batch_size: the rows to wait for.
        :param min_batch_timeout: the most milliseconds to wait for them; 0 sets no limit.
        :param tag: a remark on it, such as its version.
        :param inputs: the names of its inputs; for TF only.
        :param outputs: the names of its outputs; for TF only.
        :raises MissingFileError: there is no such file.
        :raises EntityExistsError: there is a model or script of this name.
        """
        devices = Devices(device, devices_per_node, first_device)
        batching = Batching(batch_size, min_batch_size, min_batch_timeout)
        self._store(ml_model(self.name, name, backend, model, model_path, devices, batching, tag, inputs, outputs))

    @strict
    def add_function(
        self,
        name: str,
        function: Callable[..., Any] | str | None = None,
        device: str = "CPU",
        devices_per_node: int = 1,
        first_device: int = 0,
    ) -> None:
        """Have a Python function stored as TorchScript, as :meth:`add_ml_model` does with a model.

        What is stored is its source: it must not use anything around it.

        :param name: the name that clients run it by, by ``run_script`` with its own name as well.
        :param function: the function, or its text. The other arguments are those of :meth:`add_ml_model`.
        :raises InputValueError: it has no source, or is a lambda.
        """
        self._store(stored_function(self.name, name, function, Devices(device, devices_per_node, first_device)))

    @strict
    def add_script(
        self,
        name: str,
        script: str | None = None,
        script_path: str | PurePath | None = None,
        device: str = "CPU",
        devices_per_node: int = 1,
        first_device: int = 0,
    ) -> None:
        """Have functions in TorchScript stored, as :meth:`add_ml_model` does with a model.

        :param name: the name that clients run them by.
        :param script: their text; or
        :param script_path: the file with it, which is read now. The other arguments are those of :meth:`add_ml_model`.
        :raises MissingFileError: there is no such file.
        """
        self._store(stored_script(self.name, name, script, script_path, Devices(device, devices_per_node, first_device)))


def own_sharing(entity: Entity) -> Sharing:
    """What `entity` shares by its own settings, whatever its ensemble says."""
    return entity._sharing


def check_incoming(name: str, known: Iterable[Producer], producer: object) -> None:
    """An error, unless `producer` may be registered beside those that are known."""
    if not isinstance(producer, Entity):
        raise InputTypeError(f"{name}: {producer!r} is neither a Model nor an Ensemble; register who writes the data")
    read = {prefix for each in known for prefix in each.key_prefixes}
    if twice := read.intersection(producer.key_prefixes):
        raise EntityExistsError(f"{name}: reads from {min(twice)!r} already; register each once")
