"""A server listens where it is asked to, and what is in its way is an error."""

import socket
from pathlib import Path

import pytest

from smartensemble import Experiment, Orchestrator
from smartensemble.databases.orchestrator import running_servers
from smartensemble.errors import DirectoryExistsError, InputValueError, StateError
from smartensemble.runtime.servers.resp import request

pytestmark = pytest.mark.needs("database")


def test_data_that_would_not_be_read_are_an_error(exp: Experiment) -> None:
    db = exp.create_database()
    db.enable_checkpoints(1000)
    exp.start(db)
    request(running_servers(db).shards[0], "SET", "key", "value")
    exp.stop(db)

    with pytest.raises(StateError, match=r"has data of another number of servers \(orchestrator.rdb\)"):
        Experiment("other", exp.exp_path).start(Orchestrator(db.path, db_nodes=2))
    db.conf["appendonly"] = "yes"
    with pytest.raises(StateError, match="has checkpoints and no append-only log"):
        exp.start(db)


def test_a_port_in_use_is_an_error(exp: Experiment) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        db = exp.create_database(port=port)

        with pytest.raises(StateError, match=f"orchestrator: port {port} of 127.0.0.1 is in use; leave port out"):
            exp.start(db)


def test_an_interface_that_is_not_there_is_an_error(exp: Experiment) -> None:
    with pytest.raises(InputValueError, match=r"no address of an interface 'ipogif0'; there are .*lo"):
        exp.start(exp.create_database(interface="ipogif0"))


def test_the_socket_of_a_dead_server_is_taken_away_and_that_of_a_living_one_is_not(
    exp: Experiment, tmp_path_factory: pytest.TempPathFactory
) -> None:
    db = exp.create_database(path=tmp_path_factory.mktemp("db"))
    exp.start(db)
    path = db.get_address()[0].removeprefix("unix://")
    exp.stop(db)
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(path)

    exp.start(db)
    assert db.is_active()

    Path(db.checkpoint_file).unlink()
    with pytest.raises(StateError, match=f"a server that lives listens at {path}"):
        Experiment("other", exp.exp_path).start(Orchestrator(db.path))
    assert db.is_active()


def test_a_path_that_is_too_long_for_a_socket_gets_a_short_one(tmp_path: Path) -> None:
    home = tmp_path / ("long " * 20)
    home.mkdir()
    exp = Experiment("study", home)
    db = exp.create_database()
    exp.start(db)
    path = Path(db.get_address()[0].removeprefix("unix://"))

    assert (db.is_active(), len(str(path)) < 100, path.parent.stat().st_mode & 0o777) == (True, True, 0o700)
    assert not path.is_relative_to(home)
    exp.stop(db)
    assert not path.parent.exists()


@pytest.mark.parametrize("name", ["orchestrator.conf", "orchestrator.out", "orchestrator.exit", "socket/orchestrator"])
def test_a_server_writes_over_no_file_of_the_users(exp: Experiment, name: str) -> None:
    Path(name).parent.mkdir(mode=0o700, exist_ok=True)
    Path(name).write_text("mine")

    with pytest.raises(
        (DirectoryExistsError, StateError), match=f"{name}: is there already|{name} is no socket, and nothing replaces it"
    ):
        exp.start(exp.create_database(path="."))

    assert Path(name).read_text() == "mine"


def test_a_server_starts_again_where_it_was_also_in_another_experiment(exp: Experiment) -> None:
    db = exp.create_database(path="data")
    other = Experiment("other")
    for experiment, each in ((exp, db), (exp, db), (other, other.create_database(path="data"))):
        experiment.start(each)
        experiment.stop(each)

    assert not Path(db.checkpoint_file).exists()


def test_a_directory_that_is_somebodys_own_gets_no_other_mode_for_a_socket(exp: Experiment) -> None:
    Path("socket").mkdir(mode=0o755)
    db = exp.create_database(path=".")

    exp.start(db)

    assert Path("socket").stat().st_mode & 0o777 == 0o755
    assert Path(db.get_address()[0].removeprefix("unix://")).parent.stat().st_mode & 0o777 == 0o700
