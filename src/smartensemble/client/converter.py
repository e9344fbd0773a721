"""Datasets for xarray: which tensors are variables, which are their coordinates, and what their dimensions are called.

The names are metadata of the dataset, spelled as SmartRedis 0.6.1 spells them, so either client reads what the other wrote.
"""

from collections.abc import Iterable
from typing import Any

from smartensemble.client.arguments import instance, names
from smartensemble.client.dataset import Dataset
from smartensemble.errors import UnsupportedError, public

VARIABLES = "_xarray_data_names"
NOTHING = "null"  #: what a variable without coordinates or attributes has


@public
class DatasetConverter:
    """Describes the tensors of a dataset to xarray, and makes arrays of xarray's from them."""

    @staticmethod
    def add_metadata_for_xarray(
        dataset: Dataset,
        data_names: list[str] | str,
        dim_names: list[str] | str,
        coord_names: list[str] | str | None = None,
        attr_names: list[str] | str | None = None,
    ) -> None:
        """Describe the tensors `data_names` as variables.

        :param dataset: the dataset with the tensors, which gets the descriptions as metadata.
        :param data_names: the name of a tensor, or the names of several.
        :param dim_names: metadata fields of the dataset; the first text of each is the name of a dimension.
        :param coord_names: tensors that are their coordinates, each described by a call of its own.
        :param attr_names: metadata fields of the dataset; the first text of each is the value of an attribute.
        :raises InputTypeError: an argument has another type.

        >>> import numpy as np
        >>> melt = Dataset("melt")
        >>> melt.add_tensor("energy", np.array([-6.8, -6.2]))
        >>> melt.add_meta_string("first", "step")
        >>> DatasetConverter.add_metadata_for_xarray(melt, "energy", "first")
        >>> melt.get_meta_strings("_xarray_energy_dim_names")
        ['first']
        """
        subject = "DatasetConverter.add_metadata_for_xarray"
        instance(f"{subject}: dataset", dataset, Dataset)
        variables = names(f"{subject}: data_names", data_names)
        lists = {
            "dim": names(f"{subject}: dim_names", dim_names),
            "coord": names(f"{subject}: coord_names", coord_names),
            "attr": names(f"{subject}: attr_names", attr_names),
        }
        for variable in variables:
            dataset.add_meta_string(VARIABLES, variable)
            for kind, listed in lists.items():
                dataset.add_meta_string(_field(variable, kind), ",".join(listed) or NOTHING)

    @staticmethod
    def transform_to_xarray(dataset: Dataset) -> dict[str, Any]:
        """An ``xarray.DataArray`` for each variable that is no coordinate of another, by its name.

        :param dataset: a dataset with descriptions by :meth:`add_metadata_for_xarray`.
        :returns: the arrays by the names of the variables.
        :raises UnsupportedError: the package xarray is not installed.
        :raises RedisRuntimeError: a metadata field is missing.
        :raises RedisKeyError: a tensor is missing.
        :raises InputTypeError: `dataset` is no dataset.
        """
        instance("DatasetConverter.transform_to_xarray: dataset", dataset, Dataset)
        try:
            from xarray import DataArray
        except ImportError:
            raise UnsupportedError("transform_to_xarray: xarray is not installed; run pip install xarray") from None
        variables = list(dict.fromkeys(dataset.get_meta_strings(VARIABLES)))
        coordinates = {name for variable in variables for name in _listed(dataset, variable, "coord") if name != variable}
        return {
            variable: DataArray(
                name=variable,
                data=dataset.get_tensor(variable),
                coords=_coordinates(dataset, variable, variables),
                dims=_dimensions(dataset, variable),
                attrs=_attributes(dataset, variable),
            )
            for variable in variables
            if variable not in coordinates
        }


def _field(variable: str, kind: str) -> str:
    return f"_xarray_{variable}_{kind}_names"


def _listed(dataset: Dataset, variable: str, kind: str) -> list[str]:
    """What a variable was described with: its dimensions, coordinates or attributes."""
    listed = dataset.get_meta_strings(_field(variable, kind))[0]
    return [] if listed == NOTHING else listed.split(",")


def _coordinates(dataset: Dataset, variable: str, described: Iterable[str]) -> dict[str, Any]:
    return {
        name: (_dimensions(dataset, name), dataset.get_tensor(name), _attributes(dataset, name))
        for name in _listed(dataset, variable, "coord")
        if name in described
    }


def _dimensions(dataset: Dataset, variable: str) -> list[str]:
    return [dataset.get_meta_strings(field)[0] for field in _listed(dataset, variable, "dim")]


def _attributes(dataset: Dataset, variable: str) -> dict[str, str]:
    return {field: dataset.get_meta_strings(field)[0] for field in _listed(dataset, variable, "attr")}
