"""A dataset is stored whole or not at all, and nothing that was stored is lost."""

from collections.abc import Iterator

import numpy as np
import pytest

from smartensemble import Client
from smartensemble.client import Dataset, RedisKeyError, RedisReplyError, RedisRuntimeError
from smartensemble.errors import InputTypeError
from worlds.servers import ONE_SERVER, Server

pytestmark = ONE_SERVER


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    with Client(address=f"unix://{server.socket}") as made:
        yield made


def melt(name: str = "melt", **tensors: float) -> Dataset:
    made = Dataset(name)
    for tensor, value in tensors.items():
        made.add_tensor(tensor, np.array([value]))
    made.add_meta_string("unit", "K")
    return made


def test_types_that_smartredis_cannot_read_come_back_too(client: Client) -> None:
    made = Dataset("more")
    made.add_tensor("bool", np.array([True, False]))
    made.add_tensor("text", np.array(["a", "\u00e9"]))
    made.add_tensor("number", np.float64(1.5))
    client.put_dataset(made)

    found = client.get_dataset("more")

    assert [found.get_tensor(name).tolist() for name in ("bool", "text", "number")] == [[True, False], ["a", "\u00e9"], 1.5]


def test_many_tensors_come_in_their_order(client: Client) -> None:
    large = np.arange(100_000.0)
    made = Dataset("many")
    for number in range(50):
        made.add_tensor(f"x{number}", large + number)
    client.put_dataset(made)

    found = client.get_dataset("many")

    assert found.get_tensor_names() == [f"x{number}" for number in range(50)]
    for number in range(50):
        np.testing.assert_array_equal(found.get_tensor(f"x{number}"), large + number)


def test_a_dataset_is_replaced_by_another_of_its_name(client: Client) -> None:
    client.put_dataset(melt(old=1))

    client.put_dataset(melt(new=2))

    assert client.get_dataset("melt").get_tensor_names() == ["new"]


def test_a_dataset_can_be_changed_and_put_again(client: Client) -> None:
    client.put_dataset(melt(x=1))
    found = client.get_dataset("melt")

    found.add_tensor("y", np.array([2.0]))
    found.add_meta_string("unit", "mK")
    client.put_dataset(found)

    again = client.get_dataset("melt")
    assert (again.get_tensor_names(), again.get_meta_strings("unit")) == (["x", "y"], ["K", "mK"])


def test_a_dataset_renamed_to_its_own_name_is_still_there(client: Client) -> None:
    client.put_dataset(melt(x=1))

    client.rename_dataset("melt", "melt")
    client.copy_dataset("melt", "melt")

    assert client.get_dataset("melt").get_tensor("x").tolist() == [1]


def test_what_is_deleted_leaves_no_key(client: Client, server: Server) -> None:
    client.put_dataset(melt(x=1, y=2))

    client.delete_dataset("melt")

    assert server.client.keys() == []


def test_a_dataset_is_complete_only_when_all_of_it_is_stored(server: Server) -> None:
    """Here a user may write the metadata, and not all tensors."""
    server.client.execute_command("ACL", "SETUSER", "some", "on", ">word", "~{melt}.meta", "~{melt}.w", "+@all")
    try:
        with Client(address=f"unix://{server.socket}", user="some", password="word") as client:
            with pytest.raises(RedisRuntimeError, match=r"\{melt\}\.x: NOPERM"):
                client.put_dataset(melt(w=1, x=2))
            found = client.dataset_exists("melt"), client.poll_dataset("melt", 1, 2)
    finally:
        server.client.execute_command("ACL", "DELUSER", "some")

    assert found == (False, False)


def test_a_dataset_without_its_tensor_is_an_error_that_names_it(client: Client, server: Server) -> None:
    client.put_dataset(melt(x=1))
    server.client.delete("{melt}.x")

    with pytest.raises(RedisRuntimeError, match=r"\{melt\}\.x: tensor key is empty"):
        client.get_dataset("melt")


@pytest.mark.parametrize("name", ["a b", "{braces}", "a}b", "\u00e9", "", "x" * 300])
def test_any_name_is_the_name_of_a_dataset(client: Client, name: str) -> None:
    client.put_dataset(melt(name, x=1))
    client.append_to_list("all", melt(name, x=1))

    assert client.dataset_exists(name)
    assert client.get_dataset(name).get_name() == name
    if name:
        assert [each.get_name() for each in client.get_datasets_from_list("all")] == [name]


def test_a_dataset_that_is_not_there_is_an_error(client: Client) -> None:
    for call, kind in (
        (lambda: client.get_dataset("none"), RedisKeyError),
        (lambda: client.copy_dataset("none", "copy"), RedisKeyError),
        (lambda: client.rename_dataset("none", "new"), RedisKeyError),
        (lambda: client.delete_dataset("none"), RedisRuntimeError),
    ):
        with pytest.raises(kind, match=r"_dataset: there is no dataset 'none'; put it first"):
            call()


def test_what_is_no_dataset_is_an_error(client: Client, server: Server) -> None:
    server.client.set("{text}.meta", "x")
    server.client.hset("{odd}.meta", mapping={"field": "odd"})

    with pytest.raises(RedisReplyError, match="WRONGTYPE"):
        client.get_dataset("text")
    with pytest.raises(RedisReplyError, match="are no metadata of a dataset"):
        client.get_dataset("odd")
    with pytest.raises(RedisRuntimeError, match="'empty' has neither tensors nor metadata; add some"):
        client.put_dataset(Dataset("empty"))
    with pytest.raises(InputTypeError, match=r"^dataset: array\(.*\) is no Dataset; "):
        client.put_dataset(np.zeros(1))  # type: ignore[arg-type]
    with pytest.raises(InputTypeError, match=r"^name: 7 is no text"):
        client.get_dataset(7)  # type: ignore[arg-type]
