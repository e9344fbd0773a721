"""Tensors: put, get, copy, rename, delete, and wait for them."""

from typing import TYPE_CHECKING, Any

from numpy.typing import ArrayLike, NDArray

from smartensemble.client.arrays import Receiver, as_array, check_out, store
from smartensemble.client.calls.polling import poll
from smartensemble.client.descriptions import CALL, TENSOR
from smartensemble.client.keys import key_of
from smartensemble.docstrings.described import calls_described_by
from smartensemble.errors import public
from smartensemble.wire.slots import slot_of

if TYPE_CHECKING:
    from smartensemble.client.database import Database
    from smartensemble.client.keys import Names


@public
@calls_described_by(TENSOR, CALL)
class TensorCalls:
    """The calls about tensors."""

    _database: "Database"
    _names: "Names"

    def put_tensor(self, name: str, data: ArrayLike) -> None:
        """Store an array under `name`, in the place of what was there.

        :param data: an array of float64, float32, int64, int32, int16, int8, uint16, uint8, bool or text, in any order and byte
            order; or what NumPy makes such an array of. An object with bytes is stored as uint8. SmartRedis' client cannot read
            bool, text, and arrays without dimensions.
        :raises InputTypeError: it has a type that no database stores, such as complex128; the message says what to do instead.
        :raises InputValueError: it has no elements.
        """
        key = self._names.written("tensor", name)
        self._database.send(key, store(name, key, as_array(name, data)))

    def get_tensor(self, name: str, *, out: NDArray[Any] | None = None) -> NDArray[Any]:
        """The array that is stored under `name`, in C order; yours to change.

        :param out: an array in C order of the same type and shape, which receives the elements and is returned.
        :returns: an array of the type and shape that were stored.
        :raises RedisRuntimeError: there is no tensor of this name.
        :raises InputValueError: `out` has another type or shape; it is as it was.
        """
        key = self._names.read("tensor", name)
        return self._database.receive(key, ("AI.TENSORGET", key, "META", "BLOB"), Receiver(name, check_out(out)))

    def delete_tensor(self, name: str) -> None:
        """Delete the tensor `name`; if there is none, do nothing."""
        key = self._names.read("tensor", name)
        self._database.call(key, "UNLINK", key)

    def copy_tensor(self, src_name: str, dest_name: str) -> None:
        """Store the tensor `src_name` under `dest_name` too.

        :raises RedisRuntimeError: there is no tensor `src_name`.
        """
        self._names.written("tensor", dest_name)  # what is wrong with it is an error before anything is read
        self.put_tensor(dest_name, self.get_tensor(src_name))

    def rename_tensor(self, old_name: str, new_name: str) -> None:
        """Store the tensor `old_name` under `new_name`, and no longer under `old_name`.

        :raises RedisRuntimeError: there is no tensor `old_name`.
        """
        old, new = self._names.read("tensor", old_name), self._names.written("tensor", new_name)
        if slot_of(old) == slot_of(new) or not self._database.sharded:
            self._database.call(old, "RENAME", old, new)
        else:
            self.copy_tensor(old_name, new_name)
            self._database.call(old, "UNLINK", old)

    def tensor_exists(self, name: str) -> bool:
        """Whether there is a tensor `name`.

        :returns: True if there is one.
        """
        return self._exists(self._names.read("tensor", name))

    def poll_tensor(self, name: str, poll_frequency_ms: int, num_tries: int) -> bool:
        """Wait for the tensor `name`: ask `num_tries` times, every `poll_frequency_ms` milliseconds.

        :returns: True if it is there.
        """
        return self._poll(self._names.read("tensor", name), poll_frequency_ms, num_tries)

    def key_exists(self, key: str) -> bool:
        """Whether the database has `key`, which gets no prefix.

        :returns: True if it has.
        """
        return self._exists(key_of("key", key))

    def poll_key(self, key: str, poll_frequency_ms: int, num_tries: int) -> bool:
        """Wait for `key`, which gets no prefix, as :meth:`poll_tensor` does.

        :returns: True if it is there.
        """
        return self._poll(key_of("key", key), poll_frequency_ms, num_tries)

    def _exists(self, key: bytes) -> bool:
        return bool(self._database.call(key, "EXISTS", key))

    def _poll(self, key: bytes, poll_frequency_ms: int, num_tries: int) -> bool:
        return poll(lambda: self._exists(key), poll_frequency_ms, num_tries)
