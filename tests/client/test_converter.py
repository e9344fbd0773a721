"""Datasets become arrays of xarray's; the metadata are those that SmartRedis writes."""

import sys
from typing import Any

import numpy as np
import pytest

from smartensemble.client import Dataset, DatasetConverter, RedisKeyError, RedisRuntimeError
from smartensemble.errors import InputTypeError, UnsupportedError


def field(module: Any = None) -> Any:
    """A field on a grid, with its coordinates, as a dataset of ours or of `module`."""
    kind, converter = (module.Dataset, module.DatasetConverter) if module else (Dataset, DatasetConverter)
    made = kind("field")
    made.add_tensor("t", np.arange(6.0).reshape(2, 3))
    made.add_tensor("lat", np.array([10.0, 20.0]))
    for name, value in {"across": "y", "along": "x", "units": "K", "lat_units": "degrees"}.items():
        made.add_meta_string(name, value)
    converter.add_metadata_for_xarray(made, "t", ["across", "along"], "lat", ["units"])
    converter.add_metadata_for_xarray(made, ["lat"], ["across"], attr_names="lat_units")
    return made


@pytest.mark.needs("smartredis")
def test_the_metadata_are_those_of_smartredis() -> None:
    import smartredis

    ours, theirs = field(), field(smartredis)

    assert sorted(ours.get_metadata_field_names()) == sorted(theirs.get_metadata_field_names())
    for name in ours.get_metadata_field_names():
        assert ours.get_meta_strings(name) == theirs.get_meta_strings(name)


@pytest.mark.needs("xarray")
def test_a_field_has_its_dimensions_coordinates_and_attributes() -> None:
    found = DatasetConverter.transform_to_xarray(field())

    assert list(found) == ["t"]
    assert (found["t"].dims, found["t"].values.tolist()) == (("y", "x"), [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]])
    assert found["t"].coords["lat"].values.tolist() == [10.0, 20.0]
    assert (found["t"].attrs, found["t"].coords["lat"].attrs) == ({"units": "K"}, {"lat_units": "degrees"})


def test_without_xarray_an_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xarray", None)

    with pytest.raises(UnsupportedError, match=r"^transform_to_xarray: xarray is not installed; run pip install xarray$"):
        DatasetConverter.transform_to_xarray(field())


@pytest.mark.needs("xarray")
def test_what_is_missing_is_an_error() -> None:
    no_tensor, no_field = field(), field()
    DatasetConverter.add_metadata_for_xarray(no_tensor, "missing", "across")
    no_field.add_tensor("more", np.zeros(2))
    DatasetConverter.add_metadata_for_xarray(no_field, "more", "missing")

    with pytest.raises(RedisKeyError, match="there is no tensor 'missing'"):
        DatasetConverter.transform_to_xarray(no_tensor)
    with pytest.raises(RedisRuntimeError, match="there is no field"):
        DatasetConverter.transform_to_xarray(no_field)
    with pytest.raises(RedisRuntimeError, match="there is no field '_xarray_data_names'"):
        DatasetConverter.transform_to_xarray(Dataset("plain"))


@pytest.mark.parametrize("names", [7, ["t", 7]])
def test_names_that_are_none_are_an_error(names: Any) -> None:
    with pytest.raises(InputTypeError, match=r"data_names(\[1\])?: "):
        DatasetConverter.add_metadata_for_xarray(field(), names, "across")
    with pytest.raises(InputTypeError, match="dataset: 'melt' is no Dataset; "):
        DatasetConverter.add_metadata_for_xarray("melt", "t", "across")  # type: ignore[arg-type]
