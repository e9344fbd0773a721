"""Lists of datasets, at their ends and where they are wrong."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from smartensemble import Client
from smartensemble.client import Dataset, RedisReplyError, RedisRuntimeError
from smartensemble.errors import InputTypeError, InputValueError, ParameterError
from worlds.servers import ONE_SERVER, Server

pytestmark = ONE_SERVER


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    with Client(address=f"unix://{server.socket}") as made:
        yield made


def numbered(number: int) -> Dataset:
    made = Dataset(f"one_{number}")
    made.add_tensor("x", np.array([number]))
    return made


@pytest.fixture
def listed(client: Client) -> list[Dataset]:
    made = [numbered(number) for number in range(4)]
    for one in made:
        client.put_dataset(one)
        client.append_to_list("all", one)
    return made


def test_a_dataset_can_be_in_a_list_twice(client: Client, listed: list[Dataset]) -> None:
    client.append_to_list("all", listed[0])

    found = client.get_datasets_from_list("all")
    found[0].add_tensor("y", np.zeros(1))

    assert [each.get_name() for each in found] == ["one_0", "one_1", "one_2", "one_3", "one_0"]
    assert [each.get_tensor_names() for each in (found[0], found[4])] == [["x", "y"], ["x"]]


@pytest.mark.parametrize(
    ("first", "last", "numbers"),
    [(0, -1, [0, 1, 2, 3]), (1, 2, [1, 2]), (-1, -1, [3]), (2, 99, [2, 3]), (3, 1, []), (9, 12, []), (-99, 0, [0])],
)
def test_a_range_includes_both_ends(client: Client, listed: list[Dataset], first: int, last: int, numbers: list[int]) -> None:
    found = client.get_dataset_list_range("all", first, last)

    assert [int(each.get_tensor("x")[0]) for each in found] == numbers


def test_a_list_that_is_not_there_is_empty(client: Client) -> None:
    assert client.get_list_length("none") == 0
    assert client.get_datasets_from_list("none") == []
    assert client.poll_list_length("none", 0, 1, 1)
    client.delete_list("none")


def test_of_a_dataset_that_was_deleted_there_is_an_empty_one(client: Client, listed: list[Dataset]) -> None:
    client.delete_dataset("one_1")

    assert [len(each.get_tensor_names()) for each in client.get_datasets_from_list("all")] == [1, 0, 1, 1]


def test_a_list_copied_or_renamed_to_its_own_name_is_still_there(client: Client, listed: list[Dataset]) -> None:
    client.copy_list("all", "all")
    client.rename_list("all", "all")

    assert client.get_list_length("all") == 4


def test_a_copy_replaces_what_was_there(client: Client, listed: list[Dataset]) -> None:
    client.append_to_list("other", listed[3])

    client.copy_list("all", "other")

    assert client.get_list_length("other") == 4


WRONG: dict[str, tuple[Callable[[Client], object], type[Exception], str]] = {
    "no list to copy": (lambda c: c.copy_list("none", "new"), RedisRuntimeError, "^copy_list: there is no list 'none'; append"),
    "no list to rename": (lambda c: c.rename_list("none", "new"), RedisRuntimeError, "^rename_list: there is no list 'none'"),
    "empty source": (lambda c: c.copy_list("", "new"), InputValueError, "^src_name: is empty; "),
    "empty target": (lambda c: c.rename_list("all", ""), InputValueError, "^dest_name: is empty; "),
    "empty name": (lambda c: c.get_datasets_from_list(""), InputValueError, "^list_name: is empty; "),
    "no dataset": (lambda c: c.append_to_list("all", "x"), InputTypeError, "^dataset: 'x' is no Dataset; "),  # type: ignore[arg-type]
    "name": (lambda c: c.get_list_length(7), InputTypeError, "^name: 7 is no text"),  # type: ignore[arg-type]
    "length below zero": (lambda c: c.poll_list_length("all", -1, 1, 1), ParameterError, "^list_length: -1 is not"),
    "length": (lambda c: c.poll_list_length_gte("all", 1.5, 1, 1), InputTypeError, "^list_length: 1.5 is not"),  # type: ignore[arg-type]
    "index": (lambda c: c.get_dataset_list_range("all", "0", 1), InputTypeError, "^start_index: '0' is no whole"),  # type: ignore[arg-type]
    "another key": (lambda c: c.get_list_length("text"), RedisReplyError, "WRONGTYPE"),
    "another entry": (lambda c: c.get_datasets_from_list("odd"), RedisReplyError, "^odd: b'x' is the key of no dataset; "),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_an_error(what: str, client: Client, server: Server) -> None:
    call, error, why = WRONG[what]
    server.client.set("text", "x")
    server.client.rpush("odd", "x")

    with pytest.raises(error, match=why):
        call(client)
