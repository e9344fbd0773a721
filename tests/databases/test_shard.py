"""What servers read is text: their configuration, and how they share the keys."""

import pytest

from smartensemble.databases.shard import Shard, slot_range, speakable
from smartensemble.wire.slots import SLOTS


@pytest.mark.parametrize("count", [1, 2, 3, 7, 12, 1000])
def test_every_slot_is_served_by_exactly_one_server(count: int) -> None:
    ranges = [slot_range(number, count) for number in range(count)]

    assert [slot for first, last in ranges for slot in range(first, last + 1)] == list(range(SLOTS))


@pytest.mark.parametrize("address", ["127.0.0.1:6379", "unix:///run/db/socket"])
def test_an_address_says_where_a_server_listens(address: str) -> None:
    assert Shard.at("db", address).address == address


@pytest.mark.parametrize(
    ("path", "good"),
    [
        *[("/tmp/a-b_c.d/e", True), ("/tmp/a b", False), ("/tmp/a,b", False), ("/tmp/é", False)],
        *[("/" + 99 * "d", True), ("/" + 100 * "d", False), ("", False)],
    ],
)
def test_a_socket_is_short_and_of_characters_that_clients_take(path: str, good: bool) -> None:
    assert speakable(path) is good
