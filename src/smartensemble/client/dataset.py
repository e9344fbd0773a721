"""A dataset: tensors under one name, and metadata that says what they are, in memory.

``put_dataset`` of a client stores it, and ``get_dataset`` reads it. Here is no connection.
"""

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from smartensemble.client.arguments import instance, text
from smartensemble.client.arrays import as_array
from smartensemble.client.descriptions import FIELD
from smartensemble.client.errors import RedisKeyError, RedisRuntimeError
from smartensemble.client.log import SRObject
from smartensemble.client.metadata import COMPLETE, NUMBERS, TENSOR_NAMES, Field
from smartensemble.docstrings.described import calls_described_by, described_by
from smartensemble.errors import InputTypeError, InputValueError, did_you_mean, public, shown

RESERVED = (TENSOR_NAMES, COMPLETE)
#: The types of numbers that metadata takes, by their names.
NUMBER_TYPES = {dtype.name: dtype for dtype in NUMBERS.values()}


@public
@calls_described_by(FIELD)
class Dataset(SRObject):
    """Tensors and metadata under one name.

    What you add is copied, and so is what you get: a change of either changes nothing else.

    :param name: the name by which a client stores it.
    :raises InputTypeError: it is no text.

    >>> import numpy as np
    >>> from smartensemble.client import Dataset
    >>> melt = Dataset("melt")
    >>> melt.add_tensor("energy", np.array([-6.8, -6.2]))
    >>> melt.add_meta_scalar("step", 100)
    >>> melt.add_meta_string("unit", "epsilon")
    >>> melt
    Dataset('melt', tensors=['energy'], metadata=['step', 'unit'])
    """

    def __init__(self, name: str) -> None:
        super().__init__(text("Dataset: name", name))
        self._name = name
        self._tensors: dict[str, NDArray[Any]] = {}
        self._types: dict[str, type] = {}
        self._values: dict[str, list[Any]] = {}

    def __repr__(self) -> str:
        return f"Dataset({self._name!r}, tensors={list(self._tensors)}, metadata={list(self._values)})"

    def __str__(self) -> str:
        """What is in the dataset, line by line."""
        tensors = [f"  {name}: {array.dtype} {array.shape}" for name, array in self._tensors.items()]
        metadata = [f"  {name}: {self._types[name].__name__} [{len(values)}]" for name, values in self._values.items()]
        return "\n".join(
            [f"Dataset {self._name}", "tensors:", *(tensors or ["  none"]), "metadata:", *(metadata or ["  none"])]
        )

    def get_name(self) -> str:
        """The name of the dataset.

        :returns: the name.
        """
        return self._name

    # SmartRedis keeps the data of a dataset in an object of another class, which its lists give; here they are one.

    def get_data(self) -> "Dataset":
        """The dataset itself.

        :returns: the same object.
        """
        return self

    def set_data(self, dataset: "Dataset") -> None:
        """Take the name, the tensors and the metadata of another dataset, in place of those that are there.

        :param dataset: the other dataset, which stays as it is.
        """
        instance(f"{self._subject('set_data')}: dataset", dataset, Dataset)
        vars(self).update(vars(restored(dataset.get_name(), *contents(dataset))))

    @staticmethod
    @described_by(set_data)
    def from_pybind(dataset: "Dataset") -> "Dataset":
        """A dataset of the same name, tensors and metadata.

        :returns: another object.
        :raises InputTypeError: it is no dataset.
        """
        made = Dataset("")
        made.set_data(dataset)
        return made

    # --- tensors ------------------------------------------------------------------------------------------------------------

    def add_tensor(self, name: str, data: ArrayLike) -> None:
        """Add a copy of an array as the tensor `name`.

        :param data: what :meth:`Client.put_tensor <smartensemble.Client.put_tensor>` takes.
        :raises RedisRuntimeError: the dataset has a tensor of this name, or the name is empty.
        :raises InputValueError: `data` has no elements.
        """
        subject = self._subject("add_tensor")
        if not text(f"{subject}: name", name):
            raise RedisRuntimeError(f"{subject}: the name is empty; give the tensor a name")
        if name in self._tensors:
            raise RedisRuntimeError(f"{subject}: there is a tensor {name!r} already; give another name")
        self._tensors[name] = as_array(f"{subject}: {name!r}", data).copy()

    def get_tensor(self, name: str) -> NDArray[Any]:
        """A copy of the tensor `name`.

        :returns: an array with the shape and type that it was added with.
        :raises RedisKeyError: there is no tensor of this name.
        """
        return self._tensor("get_tensor", name).copy()

    def get_tensor_names(self) -> list[str]:
        """The names of the tensors.

        :returns: a list, in the order in which they were added.
        """
        return list(self._tensors)

    def get_tensor_type(self, name: str) -> type:
        """The type of a tensor's elements.

        :returns: a class of NumPy's, such as ``numpy.float64``.
        :raises RedisKeyError: there is no tensor of this name.
        """
        return self._tensor("get_tensor_type", name).dtype.type

    def get_tensor_dims(self, name: str) -> list[int]:
        """The shape of a tensor.

        :returns: its length in each dimension.
        :raises RedisKeyError: there is no tensor of this name.
        """
        return list(self._tensor("get_tensor_dims", name).shape)

    def _tensor(self, method: str, name: str) -> NDArray[Any]:
        subject = self._subject(method)
        if text(f"{subject}: name", name) not in self._tensors:
            raise RedisKeyError(f"{subject}: there is no tensor {name!r}{_others(name, self._tensors)}")
        return self._tensors[name]

    # --- metadata -----------------------------------------------------------------------------------------------------------

    def add_meta_scalar(self, name: str, data: int | float) -> None:
        """Append a number to the metadata field `name`.

        :param data: the number. A Python int is stored as int64 and a float as float64; NumPy's float32, int32, uint32 and
            uint64 keep their type.
        :raises RedisRuntimeError: the field has another type.
        :raises InputValueError: the name is that of a field of the client's own.
        """
        subject = self._subject("add_meta_scalar")
        number = _array(data)
        if number is None or number.size != 1:
            raise InputTypeError(f"{subject}: {shown(data)} is not one number; give one, and call again for each further one")
        if number.dtype.name not in NUMBER_TYPES:
            known = ", ".join(NUMBER_TYPES)
            raise InputTypeError(f"{subject}: {shown(data)} is a {number.dtype}, which no field takes; there are {known}")
        self._append(subject, name, number.dtype.newbyteorder("=").type, number.item())

    def add_meta_string(self, name: str, data: str) -> None:
        """Append a text to the metadata field `name`.

        :param data: the text.
        :raises RedisRuntimeError: the field has numbers.
        :raises InputValueError: the name is that of a field of the client's own.
        """
        subject = self._subject("add_meta_string")
        self._append(subject, name, str, text(f"{subject}: data", data))

    def _append(self, subject: str, name: str, kind: type, value: object) -> None:
        if text(f"{subject}: name", name) in RESERVED:
            raise InputValueError(f"{subject}: {name!r} is a field of the client's own; give another name")
        if self._types.setdefault(name, kind) is not kind:
            has, given = self._types[name].__name__, kind.__name__
            raise RedisRuntimeError(f"{subject}: the field {name!r} has {has}, not {given}; give {has}, or another name")
        self._values.setdefault(name, []).append(value)

    def get_meta_scalars(self, name: str) -> NDArray[Any]:
        """The numbers of a metadata field.

        :returns: an array of one dimension.
        :raises RedisRuntimeError: there is no field of this name, or it has texts.
        """
        subject = self._subject("get_meta_scalars")
        values = self._field(subject, name, RedisRuntimeError)
        if self._types[name] is str:
            raise RedisRuntimeError(f"{subject}: the field {name!r} has texts; get them by get_meta_strings")
        return np.array(values, self._types[name])

    def get_meta_strings(self, name: str) -> list[str]:
        """The texts of a metadata field.

        :returns: a list of them.
        :raises RedisRuntimeError: there is no field of this name, or it has numbers.
        """
        subject = self._subject("get_meta_strings")
        values = self._field(subject, name, RedisRuntimeError)
        if self._types[name] is not str:
            raise RedisRuntimeError(f"{subject}: the field {name!r} has numbers; get them by get_meta_scalars")
        return list(values)

    def get_metadata_field_names(self) -> list[str]:
        """The names of the metadata fields.

        :returns: a list, in the order in which they were added.
        """
        return list(self._values)

    def get_metadata_field_type(self, name: str) -> type:
        """The type of a metadata field.

        :returns: a class of NumPy's, such as ``numpy.int64``; or ``str``.
        :raises RedisKeyError: there is no field of this name.
        """
        self._field(self._subject("get_metadata_field_type"), name, RedisKeyError)
        return self._types[name]

    def _field(self, subject: str, name: str, missing: type[RedisRuntimeError | RedisKeyError]) -> list[Any]:
        if text(f"{subject}: name", name) not in self._values:
            raise missing(f"{subject}: there is no field {name!r}{_others(name, self._values)}")
        return self._values[name]

    def _subject(self, method: str) -> str:
        return f"Dataset {self._name!r}.{method}"


def _others(name: str, known: Collection[str]) -> str:
    return did_you_mean(name, known) if known else "; add it first: there is none"


def _array(data: object) -> NDArray[Any] | None:
    """`data` as an array; None if it is no array, like lists of several lengths."""
    try:
        return np.asarray(data)
    except ValueError:
        return None


def contents(dataset: Dataset) -> tuple[dict[str, Field], dict[str, NDArray[Any]]]:
    """The metadata of a dataset, the names of its tensors included, and the tensors."""
    types, tensors = dataset._types, dataset._tensors
    found: dict[str, Field] = {
        name: list(values) if types[name] is str else np.array(values, types[name]) for name, values in dataset._values.items()
    }
    if tensors:
        found[TENSOR_NAMES] = list(tensors)
    return found, dict(tensors)


def restored(name: str, fields: Mapping[str, Field], tensors: Mapping[str, NDArray[Any]]) -> Dataset:
    """The dataset that has these metadata and tensors, which nobody else may change."""
    made = Dataset(name)
    for field, values in fields.items():
        if field != TENSOR_NAMES:
            made._types[field] = str if isinstance(values, list) else values.dtype.type
            made._values[field] = list(values) if isinstance(values, list) else values.tolist()
    made._tensors.update(tensors)
    return made
