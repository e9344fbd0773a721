"""SmartSim's objects for what is stored in databases: trained models, scripts and functions."""

from collections.abc import Callable, Iterable
from pathlib import Path, PurePath
from typing import Any

from smartensemble.checks import empty
from smartensemble.databases import uploads
from smartensemble.databases.uploads import Devices
from smartensemble.errors import StateError, public
from smartensemble.wire.models import Batching, MLModel, Script, Upload

__all__ = ["DBModel", "DBObject", "DBScript"]


class DBObject:
    """What is stored in a database: from memory (`func`) or from a `file`.

    You can set its attributes until it is added to a model or an ensemble.
    """

    name: str
    func: Any
    file: Path | None
    device: str
    devices_per_node: int
    first_device: int
    _subject: str
    _made: Upload | None  #: what is stored for it; None after a change
    _added: bool = False

    def __setattr__(self, name: str, value: object) -> None:
        if self._added:
            raise StateError(f"{self.name}: was added, so a change of {name} comes too late; add another object")
        vars(self).update({name: value, "_made": None})

    @property
    def upload(self) -> Upload:
        """What is stored for it, checked."""
        if self._made is None:
            vars(self)["_made"] = self._make()
        return self._made  # type: ignore[return-value]

    def _make(self) -> Upload:
        raise NotImplementedError

    @property
    def devices(self) -> list[str]:
        """The devices that it is stored for."""
        several = self.upload.devices
        return list(several if len(several) == 1 else several[:-1])

    @property
    def is_file(self) -> bool:
        """It comes from a file."""
        return self.func is None

    def _place(self, func: Any, file: str | PurePath | None, devices: Devices) -> None:
        self.func = func
        self.file = None if file is None else Path(file).resolve()
        self.device = devices.device
        self.devices_per_node = devices.devices_per_node
        self.first_device = devices.first_device

    @property
    def _devices(self) -> Devices:
        return Devices(self.device, self.devices_per_node, self.first_device)

    def __str__(self) -> str:
        named = {name: value for name, value in vars(self).items() if not (empty(value) or name == "func" or name[0] == "_")}
        return "".join(f"{name}: {value}\n" for name, value in named.items())


@public
class DBModel(DBObject):
    """A trained model. See :meth:`smartensemble.Model.add_ml_model` for the arguments.

    >>> DBModel("net", "TORCH", b"...", device="GPU", devices_per_node=2).devices
    ['GPU:0', 'GPU:1']
    """

    def __init__(
        self,
        name: str,
        backend: str,
        model: bytes | None = None,
        model_file: str | PurePath | None = None,
        device: str = "CPU",
        devices_per_node: int = 1,
        first_device: int = 0,
        batch_size: int = 0,
        min_batch_size: int = 0,
        min_batch_timeout: int = 0,
        tag: str = "",
        inputs: str | Iterable[str] | None = None,
        outputs: str | Iterable[str] | None = None,
        *,
        subject: str = "DBModel",
    ) -> None:
        """A model to store.

        :param subject: what the message of an error begins with.
        :raises MissingFileError: there is no such file.
        """
        devices = Devices(device, devices_per_node, first_device)
        batching = Batching(batch_size, min_batch_size, min_batch_timeout)
        made = uploads.ml_model(subject, name, backend, model, model_file, devices, batching, tag, inputs, outputs)
        self._subject = subject
        self.name = name
        self._place(model, model_file, devices)
        self.backend = made.backend
        self.batch_size = batch_size
        self.min_batch_size = min_batch_size
        self.min_batch_timeout = min_batch_timeout
        self.tag = tag
        self.inputs = list(made.inputs)
        self.outputs = list(made.outputs)
        vars(self)["_made"] = made

    @property
    def model(self) -> bytes | None:
        """The model in memory, if it is there."""
        return self.func  # type: ignore[no-any-return]

    def _make(self) -> MLModel:
        batching = Batching(self.batch_size, self.min_batch_size, self.min_batch_timeout)
        names = self.tag, self.inputs, self.outputs
        return uploads.ml_model(self._subject, self.name, self.backend, self.func, self.file, self._devices, batching, *names)


@public
class DBScript(DBObject):
    r"""A script, or a function. See :meth:`smartensemble.Model.add_script` for the arguments.

    >>> DBScript("double", "def double(x):\n    return 2 * x").is_file
    False
    """

    def __init__(
        self,
        name: str,
        script: str | Callable[..., Any] | None = None,
        script_path: str | PurePath | None = None,
        device: str = "CPU",
        devices_per_node: int = 1,
        first_device: int = 0,
        *,
        subject: str = "DBScript",
    ) -> None:
        """A script to store.

        :param subject: what the message of an error begins with.
        :raises MissingFileError: there is no such file.
        """
        devices = Devices(device, devices_per_node, first_device)
        made = _script(subject, name, script, script_path, devices)
        self._subject = subject
        self.name = name
        self._place(script, script_path, devices)
        vars(self)["_made"] = made

    @property
    def script(self) -> str | Callable[..., Any] | None:
        """The script in memory, if it is there."""
        return self.func  # type: ignore[no-any-return]

    def _make(self) -> Script:
        return _script(self._subject, self.name, self.func, self.file, self._devices)


def _script(subject: str, name: str, script: Any, path: str | PurePath | None, devices: Devices) -> Script:
    if path is None and callable(script):
        return uploads.function(subject, name, script, devices)
    return uploads.script(subject, name, script, path, devices)


def add(made: DBObject) -> Upload:
    """What is stored for `made`, which nobody changes any more."""
    upload = made.upload
    vars(made)["_added"] = True
    return upload


def objects(stored: Iterable[Upload], known: Iterable[DBObject]) -> list[DBObject]:
    """The objects that stand for what is `stored`: those that are known, or made from it."""
    by_identity = {id(each.upload): each for each in known}
    return [by_identity.get(id(upload)) or _object(upload) for upload in stored]


def _object(upload: Upload) -> DBObject:
    several = len(upload.devices) > 1
    devices: dict[str, Any] = {"device": upload.devices[-1]}
    if several:
        devices |= {"devices_per_node": len(upload.devices) - 1, "first_device": int(upload.devices[0].partition(":")[2])}
    if isinstance(upload, Script):
        return DBScript(upload.name, upload.source, **devices)
    names: dict[str, Any] = {"tag": upload.tag, "inputs": upload.inputs, "outputs": upload.outputs}
    return DBModel(upload.name, upload.backend, upload.content, **names, **vars(upload.batching), **devices)
