"""Aggregation lists: the keys of datasets, from which all of them are read at once.

What a list holds is ``PREFIX.{name}``, the key of a dataset as its writer had it, so a reader needs no prefix of its own.
"""

import operator
from collections.abc import Callable
from typing import TYPE_CHECKING

from smartensemble.checks import whole
from smartensemble.client import metadata
from smartensemble.client.arguments import instance, integer
from smartensemble.client.calls.datasets import braced, load_tensors
from smartensemble.client.calls.polling import poll
from smartensemble.client.dataset import Dataset, restored
from smartensemble.client.descriptions import CALL, LIST
from smartensemble.client.errors import RedisInternalError, RedisRuntimeError
from smartensemble.client.keys import key_of
from smartensemble.docstrings.described import calls_described_by
from smartensemble.errors import InputValueError, public, shown

if TYPE_CHECKING:
    from smartensemble.client.database import Database
    from smartensemble.client.keys import Names


@public
@calls_described_by(LIST, CALL)
class ListCalls:
    """The calls about aggregation lists."""

    _database: "Database"
    _names: "Names"

    def append_to_list(self, list_name: str, dataset: Dataset) -> None:
        """Append a dataset to a list, or begin one with it. Put the dataset too: the list has its name only.

        :param dataset: the dataset.
        """
        key = self._names.written("list", list_name)
        entry = self._names.written("dataset", braced(instance("dataset", dataset, Dataset).get_name()))
        self._database.call(key, "RPUSH", key, entry)

    def delete_list(self, list_name: str) -> None:
        """Delete a list, not its datasets; if there is none, do nothing."""
        key = self._names.read("list", list_name)
        self._database.call(key, "UNLINK", key)

    def copy_list(self, src_name: str, dest_name: str) -> None:
        """Make the list `dest_name` the same as `src_name`; their datasets are the same ones.

        :raises RedisRuntimeError: there is no list `src_name`.
        """
        self._copy_list("copy_list", src_name, dest_name)

    def rename_list(self, src_name: str, dest_name: str) -> None:
        """Make the list `dest_name` of `src_name`, which there is no longer.

        :raises RedisRuntimeError: there is no list `src_name`.
        """
        if self._copy_list("rename_list", src_name, dest_name):
            self.delete_list(src_name)

    def _copy_list(self, call: str, src_name: str, dest_name: str) -> bool:
        """Copy a list; whether it is another one."""
        for argument, name in (("src_name", src_name), ("dest_name", dest_name)):
            check_list_name(argument, name)
        source, target = self._names.read("list", src_name), self._names.written("list", dest_name)
        if not (entries := self._database.call(source, "LRANGE", source, 0, -1)):
            raise RedisRuntimeError(f"{call}: there is no list {src_name!r}; append to it first, or check its name and prefix")
        if source == target:
            return False
        self._database.call_many([(target, ("UNLINK", target)), (target, ("RPUSH", target, *entries))])
        return True

    def get_list_length(self, list_name: str) -> int:
        """The number of datasets in a list.

        :returns: a number; 0 if there is no such list.
        """
        key = self._names.read("list", list_name)
        return int(self._database.call(key, "LLEN", key))

    def poll_list_length(self, name: str, list_length: int, poll_frequency_ms: int, num_tries: int) -> bool:
        """Wait until a list has `list_length` datasets: ask `num_tries` times, every `poll_frequency_ms` milliseconds.

        :returns: True if it has.
        """
        return self._poll_length(name, operator.eq, list_length, poll_frequency_ms, num_tries)

    def poll_list_length_gte(self, name: str, list_length: int, poll_frequency_ms: int, num_tries: int) -> bool:
        """Wait until a list has `list_length` datasets or more, as :meth:`poll_list_length` does.

        :returns: True if it has.
        """
        return self._poll_length(name, operator.ge, list_length, poll_frequency_ms, num_tries)

    def poll_list_length_lte(self, name: str, list_length: int, poll_frequency_ms: int, num_tries: int) -> bool:
        """Wait until a list has `list_length` datasets or fewer, as :meth:`poll_list_length` does.

        :returns: True if it has.
        """
        return self._poll_length(name, operator.le, list_length, poll_frequency_ms, num_tries)

    def _poll_length(
        self, name: str, fits: Callable[[int, int], bool], list_length: int, poll_frequency_ms: int, num_tries: int
    ) -> bool:
        length = whole("list_length", list_length)
        return poll(lambda: fits(self.get_list_length(name), length), poll_frequency_ms, num_tries)

    def get_datasets_from_list(self, list_name: str) -> list[Dataset]:
        """The datasets of a list, in its order.

        :returns: a list of them. For one that was deleted, it has a dataset without contents.
        """
        return self.get_dataset_list_range(list_name, 0, -1)

    def get_dataset_list_range(self, list_name: str, start_index: int, end_index: int) -> list[Dataset]:
        """Some of the datasets of a list, in its order.

        :param start_index: the number of the first one, from 0 on; -1 is the last of the list.
        :param end_index: the number of the last one, which is included.
        :returns: a list of them, as :meth:`get_datasets_from_list` returns it.
        """
        check_list_name("list_name", list_name)
        key = self._names.read("list", list_name)
        first, last = integer("start_index", start_index), integer("end_index", end_index)
        entries: list[bytes] = self._database.call(key, "LRANGE", key, first, last)
        names = [dataset_name(list_name, entry) for entry in entries]
        once = list(dict.fromkeys(entries))
        hashes = self._database.call_many([(at := entry + b".meta", ("HGETALL", at)) for entry in once]) if once else []
        fields = {entry: metadata.fields(reply) for entry, reply in zip(once, hashes, strict=True)}
        tensors = load_tensors(self._database, list_name, fields)
        return [restored(name, fields[entry], tensors[entry]) for name, entry in zip(names, entries, strict=True)]


def check_list_name(argument: str, name: str) -> None:
    """An error if this is the name of no list."""
    if not key_of(argument, name):
        raise InputValueError(f"{argument}: is empty; give the name of a list")


def dataset_name(list_name: str, entry: bytes) -> str:
    """The name of the dataset whose key a list has.

    >>> dataset_name("all", b"b.{melt}")
    'melt'
    """
    begin, end = entry.find(b"{"), entry.rfind(b"}")
    if not 0 <= begin < end:
        raise RedisInternalError(f"{list_name}: {shown(entry)} is the key of no dataset; append by append_to_list")
    return entry[begin + 1 : end].decode("utf-8", "surrogateescape")
