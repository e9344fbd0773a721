"""ML models and TorchScript that members find in databases: checked when they are added, and the commands that store them.

In a sharded database each server has one, with the key ``{tag}.name``, whose tag belongs to that server.
"""

import os
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from smartensemble.checks import check_key, empty, listed, positive, read, whole
from smartensemble.databases.shard import slot_range
from smartensemble.databases.torchscript import check_script
from smartensemble.errors import (
    AccessError,
    EntityExistsError,
    InputTypeError,
    InputValueError,
    NoDirectoryError,
    UnsupportedError,
    did_you_mean,
    shown,
)
from smartensemble.wire.models import (
    MODEL_FORMATS,
    Batching,
    MLModel,
    Script,
    Upload,
    checked_batching,
    function_source,
    keys,
)
from smartensemble.wire.slots import slot_tag


@dataclass(frozen=True)
class Devices:
    """The devices that a model or script is stored for, as :meth:`Model.add_ml_model` takes them."""

    device: str = "CPU"
    devices_per_node: int = 1  #: the GPUs that clients choose from
    first_device: int = 0  #: the number of the first of them


def commands(upload: Upload, shards: int = 1) -> list[list[list[bytes]]]:
    r"""The commands that store `upload`, for each server of a database.

    >>> commands(Script("s", "..."))
    [[[b'AI.SCRIPTSET', b's', b'CPU', b'SOURCE', b'...']]]
    >>> for arguments in commands(Script("s", "...", ("GPU:0", "GPU:1", "GPU")), shards=3)[1]:
    ...     print(arguments[:3])
    [b'AI.SCRIPTSET', b'{8M}.s.GPU:0', b'GPU:0']
    [b'AI.SCRIPTSET', b'{8M}.s.GPU:1', b'GPU:1']
    [b'AI.SCRIPTSET', b'{8M}.s', b'GPU']
    """
    before = [b"{%s}." % slot_tag(slot_range(number, shards)[0]) for number in range(shards)] if shards > 1 else [b""]
    named = list(zip(keys(upload), upload.devices, strict=True))
    return [[upload.command(prefix + key.encode(), device) for key, device in named] for prefix in before]


def check_free(subject: str, known: Iterable[Upload], *new: Upload) -> None:
    """An error if a name of `new` is one of `known`: a model and a script with one name would share a key."""
    taken = {key for upload in known for key in keys(upload)}
    for upload in new:
        if twice := taken.intersection(keys(upload)):
            raise EntityExistsError(f"{subject}: there is a model or script {min(twice)!r}; give this one another name")


# --- arguments, checked -------------------------------------------------------------------------------------------------------


def ml_model(
    subject: str,
    name: str,
    backend: str,
    model: bytes | None,
    model_path: str | PurePath | None,
    devices: Devices,
    batching: Batching,
    tag: str,
    inputs: str | Iterable[str] | None,
    outputs: str | Iterable[str] | None,
) -> MLModel:
    """The model to store for the member or ensemble `subject`."""
    subject = f"{subject}: {check_key(subject, name)}"
    kind = backend.upper() if isinstance(backend, str) else ""
    if kind not in MODEL_FORMATS:
        raise InputValueError(f"{subject}: no backend {shown(backend)}{did_you_mean(kind, MODEL_FORMATS)}")
    if isinstance(model, str):
        raise InputTypeError(
            f"{subject}: a model in memory is bytes, and this is text; did you mean model_path={shown(model)}?"
        )
    if model is not None and not isinstance(model, (bytes, bytearray, memoryview)):
        raise InputTypeError(f"{subject}: model is of the type {type(model).__name__}; give the bytes that it is saved as")
    content = bytes(_one(subject, "model", model, model_path))
    if not content:
        raise InputValueError(f"{subject}: the model is empty; give the bytes that it is saved as")
    if not isinstance(tag, str):
        raise InputTypeError(f"{subject}: tag is {shown(tag)}; a tag is text")
    sides = [_names(subject, side, names) for side, names in (("inputs", inputs), ("outputs", outputs))]
    if kind == "TF" and not all(sides):
        raise InputValueError(f"{subject}: TF needs the names of inputs and outputs; give inputs=['x'], outputs=['y']")
    if kind != "TF" and any(sides):
        raise InputValueError(f"{subject}: {kind} takes no inputs and no outputs; its models know them, leave them out")
    return MLModel(name, kind, content, _device_names(subject, devices), checked_batching(subject, kind, batching), tag, *sides)


def script(subject: str, name: str, text: str | None, path: str | PurePath | None, devices: Devices) -> Script:
    """The script to store for the member or ensemble `subject`."""
    subject = f"{subject}: {check_key(subject, name)}"
    if text is not None and not isinstance(text, str):
        raise InputTypeError(f"{subject}: script is {shown(text)}; a script is text")
    read = _one(subject, "script", text, path)
    try:
        source = read if isinstance(read, str) else bytes(read).decode()
    except UnicodeDecodeError:
        raise InputValueError(f"{subject}: {path} is no text in UTF-8; give a script of TorchScript functions") from None
    if not source.strip():
        raise InputValueError(f"{subject}: the script is empty; give the text of TorchScript functions")
    check_script(subject, source)
    return Script(name, source, _device_names(subject, devices))


def function(subject: str, name: str, function: Callable[..., Any] | str | None, devices: Devices) -> Script:
    """The script of one Python function, or of its text."""
    if isinstance(function, str):
        return script(subject, name, function, None, devices)
    subject = f"{subject}: {check_key(subject, name)}"
    source = function_source(subject, function)
    check_script(subject, source)
    return Script(name, source, _device_names(subject, devices))


def _one(subject: str, argument: str, content: Any, path: str | PurePath | None) -> Any:
    """The content: from memory, or else from the file."""
    if (content is None) == (path is None):
        which = "neither" if content is None else "both"
        raise InputValueError(f"{subject}: {which} of {argument} and {argument}_path given; give one of them")
    if path is None:
        return content
    if not isinstance(path, (str, PurePath)):
        raise InputTypeError(f"{subject}: {argument}_path is {shown(path)}; give text or a pathlib.Path")
    try:
        return read(os.path.abspath(path), subject)
    except (AccessError, NoDirectoryError) as error:
        raise InputValueError(str(error)) from None


def _names(subject: str, side: str, names: object) -> tuple[str, ...]:
    if empty(names):
        return ()
    found = tuple([names] if (several := listed(names)) is None else several)
    if not all(isinstance(name, str) and name for name in found):
        raise InputTypeError(f"{subject}: {side} is {shown(names)}; give a name, or a list of names")
    return found


def _device_names(subject: str, devices: Devices) -> tuple[str, ...]:
    """The devices to store it for. With several GPUs, the last one is ``GPU``, which means all.

    >>> _device_names("net", Devices("gpu", devices_per_node=2, first_device=1))
    ('GPU:1', 'GPU:2', 'GPU')
    """
    device = devices.device
    if not isinstance(device, str) or not (match := re.fullmatch(r"(CPU|GPU)(:\d{1,5})?", device.upper())):
        raise InputValueError(f"{subject}: no device {shown(device)}; there are CPU, GPU, GPU:0, GPU:1, ...")
    kind, number = match.groups()
    if kind == "CPU" and number:
        raise InputValueError(f"{subject}: no device {shown(device)}; all CPUs are one device, 'CPU'")
    count, first = positive("devices_per_node", devices.devices_per_node), whole("first_device", devices.first_device)
    if (count, first) == (1, 0):
        return (match[0],)
    if kind == "CPU":
        raise UnsupportedError(f"{subject}: devices_per_node and first_device count GPUs; leave them out, or give device='GPU'")
    if number:
        raise InputValueError(f"{subject}: {shown(device)} is one device, and several are asked for; give device='GPU'")
    return (*(f"GPU:{each}" for each in range(first, first + count)), "GPU")


def merged(subject: str, uploads: Sequence[Upload]) -> list[Upload]:
    """Each of `uploads` once.

    :raises EntityExistsError: two that differ have one key.
    """
    found: dict[str, Upload] = {}
    for upload in uploads:
        for key in keys(upload):
            if found.setdefault(key, upload) is not upload and found[key] != upload:
                raise EntityExistsError(
                    f"{subject}: two members bring a different {key!r}, and share a database; give each another name"
                )
    return list(dict.fromkeys(found.values()))
