"""Datasets: put, get, copy, rename, delete, and wait for them.

A dataset is a hash of metadata and, beside it on the same server, its tensors. The field that says that it is complete is
written last, so whoever waits for a dataset never gets a part of it.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from smartensemble.client import metadata
from smartensemble.client.arguments import instance
from smartensemble.client.arrays import Receiver, command
from smartensemble.client.calls.polling import poll
from smartensemble.client.dataset import Dataset, contents, restored
from smartensemble.client.descriptions import CALL, DATASET
from smartensemble.client.errors import RedisKeyError, RedisReplyError, RedisRuntimeError
from smartensemble.client.keys import key_of
from smartensemble.client.metadata import COMPLETE, TENSOR_NAMES, Field
from smartensemble.docstrings.described import calls_described_by
from smartensemble.errors import public

if TYPE_CHECKING:
    from smartensemble.client.database import Command, Database
    from smartensemble.client.keys import Names


@public
@calls_described_by(DATASET, CALL)
class DatasetCalls:
    """The calls about datasets."""

    _database: "Database"
    _names: "Names"

    def put_dataset(self, dataset: Dataset) -> None:
        """Store a dataset, in the place of what was there under its name.

        :param dataset: the dataset, with its name.
        :raises RedisRuntimeError: it has neither tensors nor metadata.
        """
        name = instance("dataset", dataset, Dataset).get_name()
        fields, tensors = contents(dataset)
        if not fields:
            raise RedisRuntimeError(f"put_dataset: {name!r} has neither tensors nor metadata; add some")
        store(self._database, self._names.written("dataset", braced(name)), fields, tensors)

    def get_dataset(self, name: str) -> Dataset:
        """The dataset of this name.

        :returns: a :class:`~smartensemble.client.dataset.Dataset` of your own, with all of its tensors and metadata.
        :raises RedisKeyError: there is none.
        """
        return restored(name, *self._load_dataset("get_dataset", name))

    def copy_dataset(self, src_name: str, dest_name: str) -> None:
        """Store the dataset `src_name` under `dest_name` too.

        :raises RedisKeyError: there is no dataset `src_name`.
        """
        key = self._names.written("dataset", braced(dest_name))
        store(self._database, key, *self._load_dataset("copy_dataset", src_name))

    def rename_dataset(self, old_name: str, new_name: str) -> None:
        """Store the dataset `old_name` under `new_name`, and no longer under `old_name`.

        :raises RedisKeyError: there is no dataset `old_name`.
        """
        old, new = self._names.read("dataset", braced(old_name)), self._names.written("dataset", braced(new_name))
        fields, tensors = self._load_dataset("rename_dataset", old_name)
        if old != new:
            store(self._database, new, fields, tensors)
            delete(self._database, old, fields)

    def delete_dataset(self, name: str) -> None:
        """Delete a dataset with its tensors.

        :raises RedisRuntimeError: there is none.
        """
        fields = self._metadata("delete_dataset", name, RedisRuntimeError)
        delete(self._database, self._names.read("dataset", braced(name)), fields)

    def dataset_exists(self, name: str) -> bool:
        """Whether there is a dataset of this name, and all of it.

        :returns: True if there is.
        """
        key = self._names.read("dataset", braced(name)) + b".meta"
        return bool(self._database.call(key, "HEXISTS", key, COMPLETE))

    def poll_dataset(self, name: str, poll_frequency_ms: int, num_tries: int) -> bool:
        """Wait for a dataset: ask `num_tries` times, every `poll_frequency_ms` milliseconds.

        :returns: True if it is there, and all of it.
        """
        return poll(lambda: self.dataset_exists(name), poll_frequency_ms, num_tries)

    def _load_dataset(self, call: str, name: str) -> tuple[dict[str, Field], dict[str, NDArray[Any]]]:
        """The metadata and the tensors of a dataset."""
        key = self._names.read("dataset", braced(name))
        fields = self._metadata(call, name, RedisKeyError)
        return fields, load_tensors(self._database, name, {key: fields})[key]

    def _metadata(self, call: str, name: str, missing: type[RedisReplyError]) -> dict[str, Field]:
        key = self._names.read("dataset", braced(name)) + b".meta"
        if not (reply := self._database.call(key, "HGETALL", key)):
            raise missing(f"{call}: there is no dataset {name!r}; put it first, or check its name and prefix")
        return metadata.fields(reply)


def store(database: "Database", key: bytes, fields: Mapping[str, Field], tensors: Mapping[str, NDArray[Any]]) -> None:
    """Replace the dataset with `key`. What says that it is complete goes only when all else is stored."""
    meta = key + b".meta"
    commands: list[tuple[bytes, Command]] = [(meta, ("UNLINK", meta)), (meta, ("HSET", meta, *metadata.arguments(fields)))]
    commands += [(at := tensor_key(key, name), command(name, at, array)) for name, array in tensors.items()]
    database.call_many(commands)
    database.call(meta, "HSET", meta, COMPLETE, "1")


def delete(database: "Database", key: bytes, fields: Mapping[str, Field]) -> None:
    """Delete the dataset with `key` and these metadata."""
    keys = [key + b".meta", *(tensor_key(key, name) for name in tensor_names(fields))]
    database.call_many([(each, ("UNLINK", each)) for each in keys])


def load_tensors(
    database: "Database", name: str, datasets: Mapping[bytes, Mapping[str, Field]]
) -> dict[bytes, dict[str, NDArray[Any]]]:
    """The tensors of datasets, each by its key and its metadata."""
    wanted = [(key, tensor) for key, fields in datasets.items() for tensor in tensor_names(fields)]
    keys = [tensor_key(key, tensor) for key, tensor in wanted]
    arrays = database.call_many([(key, ("AI.TENSORGET", key, "META", "BLOB")) for key in keys], Receiver(name)) if keys else []
    found: dict[bytes, dict[str, NDArray[Any]]] = {key: {} for key in datasets}
    for (key, tensor), array in zip(wanted, arrays, strict=True):
        found[key][tensor] = array
    return found


def braced(name: str) -> str:
    """The name of a dataset in its keys: the braces let the server choose by it alone, so all of a dataset is on one.

    >>> braced("melt")
    '{melt}'
    """
    key_of("name", name)
    return f"{{{name}}}"


def tensor_key(key: bytes, name: str) -> bytes:
    """The key of a tensor of the dataset with `key`.

    >>> tensor_key(b"b.{melt}", "energy")
    b'b.{melt}.energy'
    """
    return key + b"." + name.encode("utf-8", "surrogateescape")


def tensor_names(fields: Mapping[str, Field]) -> list[str]:
    """The names of a dataset's tensors, by its metadata.

    >>> tensor_names({".tensor_names": ["x", "y"]}), tensor_names({"unit": ["K"]})
    (['x', 'y'], [])
    """
    return [str(name) for name in fields.get(TENSOR_NAMES, [])]
