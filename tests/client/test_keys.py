"""A name gets the prefix of who writes, or of whose data is read, as SmartRedis' client gives it."""

import pytest

from smartensemble.client import RedisRuntimeError
from smartensemble.client.keys import Kind, Names
from smartensemble.errors import InputTypeError

KINDS: tuple[Kind, ...] = ("tensor", "dataset", "list", "model")


def test_without_variables_a_name_is_a_key() -> None:
    names = Names()

    assert [[names.read(kind, "x"), names.written(kind, "x")] for kind in KINDS] == [[b"x", b"x"]] * 4


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_can_have_prefixes_or_none(kind: Kind) -> None:
    names = Names("out", ("in", "other"))
    found = []

    for use in (True, False):
        names.use_prefix(kind, use)
        found.append((names.read(kind, "x"), names.written(kind, "x")))

    assert found == [(b"in.x", b"out.x"), (b"x", b"x")]


def test_models_have_no_prefix_until_it_is_asked_for() -> None:
    names = Names("out", ("in",))

    assert {kind: names.read(kind, "x") for kind in KINDS if names.prefixed[kind]}.keys() == {"tensor", "dataset", "list"}


def test_a_writer_without_sources_reads_names_as_they_are() -> None:
    assert Names("out").read("tensor", "x") == b"x"


def test_the_source_can_be_changed_to_one_that_is_known() -> None:
    names = Names("", ("a", "b"))

    names.choose_source("b")

    assert names.read("tensor", "\u00e9") == "b.\u00e9".encode()
    with pytest.raises(RedisRuntimeError, match=r"^set_data_source: 'c' is no source of this client; there are a, b"):
        names.choose_source("c")
    with pytest.raises(RedisRuntimeError, match=r"SSKEYIN names none"):
        Names().choose_source("a")
    with pytest.raises(InputTypeError, match=r"use_prefix: 'no' is neither"):
        names.use_prefix("list", "no")
    assert names.read("tensor", "x") == b"b.x"
