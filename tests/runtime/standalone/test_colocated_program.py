"""What the wrapper of a member decides: its rank, its server's configuration, where a socket may be.

Tests colocated, network, own_server and rendezvous.
"""

import json
import socket
from pathlib import Path

import pytest

from smartensemble.databases import shard
from smartensemble.databases.colocated import checked_socket
from smartensemble.errors import InputValueError
from smartensemble.runtime.standalone import network
from smartensemble.runtime.standalone.colocated import Wrapping
from smartensemble.runtime.standalone.errors import LostError
from smartensemble.runtime.standalone.network import Address, free_socket, remove_socket_directory, socket_home
from smartensemble.runtime.standalone.own_server import configuration
from smartensemble.runtime.standalone.rendezvous import Rank

OPEN_MPI = {"OMPI_COMM_WORLD_RANK": "5", "OMPI_COMM_WORLD_LOCAL_RANK": "1", "OMPI_COMM_WORLD_LOCAL_SIZE": "4"}
MPICH = {"PMI_RANK": "2", "MPI_LOCALRANKID": "2", "MPI_LOCALNRANKS": "3"}
SLURM = {"SLURM_PROCID": "3", "SLURM_LOCALID": "0", "SLURM_STEP_TASKS_PER_NODE": "2,1(x3)", "SLURM_NODEID": "2"}

UNIX = ["port 0", 'unixsocket "/run/db"', "unixsocketperm 700", 'save ""']


@pytest.mark.parametrize(
    ("environ", "rank"),
    [
        ({}, (0, 0, 1)),
        (OPEN_MPI, (5, 1, 4)),
        (MPICH, (2, 2, 3)),
        (SLURM, (3, 0, 1)),
        (SLURM | {"SLURM_STEP_TASKS_PER_NODE": "4"}, (3, 0, 4)),
        (SLURM | OPEN_MPI, (5, 1, 4)),  # mpirun inside a step of Slurm
        ({"SLURM_PROCID": "3"}, (0, 0, 1)),  # sbatch says no more, and runs one process
    ],
)
def test_the_rank_is_what_the_run_command_says(environ: dict[str, str], rank: tuple[int, int, int]) -> None:
    found = Rank.of(environ)

    assert (found.number, found.local, found.local_size) == rank


@pytest.mark.parametrize(
    ("address", "given", "lines"),
    [
        ("/run/db", {}, UNIX),
        ("/run/db", {"permissions": "755"}, ["port 0", 'unixsocket "/run/db"', "unixsocketperm 755", 'save ""']),
        (("10.0.0.1", 7), {}, ["bind 10.0.0.1", "port 7", "protected-mode no", 'save ""']),
        (
            ("10.0.0.1", 7),
            {"conf": [("loadmodule", "/a b.so"), ("io-threads", "2")]},
            ["bind 10.0.0.1", "port 7", "protected-mode no", 'save ""', 'loadmodule "/a b.so"', "io-threads 2"],
        ),
        (
            "/run/db",
            {"users": ["user default on +@all", "user o on >OWNER", "user w on >WORKER"]},
            [*UNIX, "user default on +@all", "user o on >one", "user w on >two"],
        ),
    ],
)
def test_a_server_is_configured_for_its_address(address: Address, given: dict[str, object], lines: list[str]) -> None:
    wrapping = Wrapping("model", "SSDB", "server", **given)  # type: ignore[arg-type]

    assert configuration(wrapping, address, "one", "two").splitlines() == lines


def test_a_wrapping_crosses_a_command_line() -> None:
    wrapping = Wrapping("mü", "SSDB", "/server", shared=True, port=7, worker=["a b"], keys=["k"])

    read = Wrapping(**json.loads(str(wrapping)))

    assert vars(read) == vars(wrapping)


@pytest.mark.parametrize("name", ["short", "with space", "ü", "d" * 90])
def test_a_socket_is_here_if_clients_take_its_path(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients and the rest of the package say the same of it."""
    here = tmp_path / name
    here.mkdir()
    monkeypatch.chdir(here)

    assert (socket_home() == str(here)) == shard.speakable(f"{here}/.db-12345678/db")
    assert network.MAX_SOCKET_BYTES == shard.MAX_SOCKET_BYTES


def test_only_a_socket_makes_room_for_a_socket(tmp_path: Path) -> None:
    left, data = tmp_path / "left", tmp_path / "data"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(left))
    data.write_text("mine")

    free_socket(str(left))
    with pytest.raises(LostError, match="data is no socket, and nothing replaces it; give another unix_socket, or none"):
        free_socket(str(data))
    with pytest.raises(InputValueError, match="data' is there already, and is no socket; give another path"):
        checked_socket("m", str(data))
    remove_socket_directory(str(tmp_path))

    assert [path.name for path in tmp_path.iterdir()] == ["data"]
