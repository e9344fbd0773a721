"""Keys and slots belong together as servers say."""

import binascii

import pytest

from smartensemble.wire.slots import SLOTS, slot_of, slot_tag
from worlds.servers import Start


def test_every_slot_has_a_tag_without_braces() -> None:
    tags = [slot_tag(slot) for slot in range(SLOTS)]

    assert [binascii.crc_hqx(tag, 0) % SLOTS for tag in tags] == list(range(SLOTS))
    assert not any(brace in tag for tag in tags for brace in b"{}")
    assert [slot_of(b"{%s}.name" % tag) for tag in tags] == list(range(SLOTS))


@pytest.mark.parametrize(
    "key", [b"x", b"{a}x", b"x{a}", b"{}x", b"x}{", b"{a", b"a{b}{c}", b"{{a}}", b"a}b{c}", b"", b"\0\xff", b"{}{a}"]
)
def test_a_key_is_in_the_slot_that_redis_py_says(key: bytes) -> None:
    from redis.crc import key_slot

    assert slot_of(key) == key_slot(key)


def test_a_key_is_in_the_slot_that_a_server_says(start: Start) -> None:
    server = start("--cluster-enabled", "yes")

    for key in (b"x", b"{a}x", b"{}x", b"a{b}{c}", b"{{a}}"):
        assert server.client.execute_command("CLUSTER", "KEYSLOT", key) == slot_of(key)
