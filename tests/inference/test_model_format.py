"""A stored model or script is read back as it was, from all of its value or from the end, and no other value passes for one."""

import struct
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartensemble.errors import InputValueError
from smartensemble.inference import model_format
from smartensemble.inference.model_format import Kind, Metadata

names = st.lists(st.binary()).map(tuple)
sizes = st.integers(min_value=0, max_value=2**63 - 1)
anything = st.builds(
    Metadata,
    kind=st.sampled_from([Kind.MODEL, Kind.SCRIPT]),
    backend=st.sampled_from(["TF", "TORCH"]),
    device=st.sampled_from(["CPU", "gpu:1"]),
    tag=st.binary(),
    batch_size=sizes,
    min_batch_size=sizes,
    min_batch_timeout=sizes,
    inputs=names,
    outputs=names,
    entry_points=names,
)
MODEL = Metadata(Kind.MODEL, "TF", "cpu", b"v1", 4, 2, 10, (b"x", b"\x00{"), (b"y",))


def trailer(value: bytes) -> bytes:
    """The end of a value, found as the module finds it: by its last 10 bytes."""
    (length,) = struct.unpack("<I", value[-10:-6])
    return value[-length:]


@given(anything, st.binary())
def test_what_was_stored_is_read_from_the_value_and_from_its_end(what: Metadata, blob: bytes) -> None:
    value = model_format.encode(what, blob)

    assert model_format.decode(value) == model_format.decode(memoryview(trailer(value))) == what
    assert bytes(model_format.blob(value) or b"") == blob
    assert Kind.of(value) == what.kind


def test_the_end_of_a_value_says_that_it_is_not_whole() -> None:
    value = model_format.encode(MODEL, b"blob")

    assert [model_format.blob(end) for end in (trailer(value), value[1:])] == [None, None]


def test_each_time_that_something_is_stored_has_its_own_version() -> None:
    again = Metadata(MODEL.kind, MODEL.backend, MODEL.device)

    assert len({MODEL.version, again.version}) == 2
    assert replace(MODEL, tag=b"v2").version == MODEL.version


@given(st.binary(), st.sampled_from([b"MODEL_", b"SCRIPT", b"TENSOR", b""]))
def test_bytes_that_somebody_else_set_are_refused(value: bytes, magic: bytes) -> None:
    with pytest.raises(InputValueError, match="no model and no script"):
        model_format.decode(value + magic)


@pytest.mark.parametrize("at", range(1, len(trailer(model_format.encode(MODEL, b""))) + 1))
def test_a_trailer_with_a_byte_changed_is_seen(at: int) -> None:
    whole = model_format.encode(MODEL, b"blob")
    value = b"".join((whole[:-at], bytes([whole[-at] ^ 0xFF]), whole[len(whole) - at + 1 :]))

    try:
        changed = model_format.decode(value) != MODEL or model_format.blob(value) is None
    except InputValueError:
        changed = True

    assert changed


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (None, Kind.OTHER),
        (b"", Kind.OTHER),
        (b"MODEL", Kind.OTHER),
        (b"xTENSOR", Kind.TENSOR),
        (memoryview(b"xMODEL_"), Kind.MODEL),
        (b"SCRIPT", Kind.SCRIPT),
    ],
)
def test_the_kind_of_a_value_is_in_its_last_bytes(value: bytes | None, kind: Kind) -> None:
    assert Kind.of(value) == kind
