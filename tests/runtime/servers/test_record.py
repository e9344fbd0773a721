"""Another process finds a database by its record, and hears where there is none."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from smartensemble import Experiment, Orchestrator, Status
from smartensemble.errors import InputValueError, StateError
from smartensemble.runtime.standalone.procfs import began
from worlds.servers import environment, pid_of
from worlds.strangers import FOREIGN, NO_FILES

pytestmark = pytest.mark.needs("database")

Driver = Callable[..., "subprocess.Popen[str]"]


def test_a_detached_database_is_reconnected_to(driver: Driver, tmp_path: Path) -> None:
    process = driver("""
        db = exp.create_database(access="password")
        exp.start(db, detach=True)
        print(db.checkpoint_file)
    """)
    assert process.stdout
    checkpoint = process.stdout.readline().strip()
    assert process.wait() == 0

    exp = Experiment("other", tmp_path)
    db = exp.reconnect_orchestrator(checkpoint)
    try:
        assert db.is_active()
        assert environment(exp)["SSDB"] == db.get_address()[0]
        assert exp.get_status(db) == [Status.RUNNING]
        with pytest.raises(StateError, match=r"runs in .*orchestrator already, as pid"):
            Experiment("study", tmp_path / "study").start(Orchestrator(db.path))
    finally:
        pid = pid_of(db)
        exp.stop(db)
    assert (began(pid), Path(checkpoint).exists()) == (None, False)


def test_reconnecting_to_nothing_says_so(exp: Experiment, tmp_path: Path) -> None:
    with pytest.raises(InputValueError, match="is not there; give the checkpoint_file"):
        exp.reconnect_orchestrator(tmp_path / "smartsim_db.json")
    for other in ("[]", '{"shards": []}'):
        (tmp_path / "other.json").write_text(other)
        with pytest.raises(InputValueError, match="describes no database"):
            exp.reconnect_orchestrator(tmp_path / "other.json")
    with pytest.raises(InputValueError, match="cannot be read: Is a directory; give the checkpoint_file"):
        exp.reconnect_orchestrator(tmp_path)
    db = exp.create_database()
    exp.start(db)
    left = Path(db.checkpoint_file).read_text()
    exp.stop(db)
    (tmp_path / "left.json").write_text(left)
    with pytest.raises(StateError, match="orchestrator: does not answer at unix://"):
        exp.reconnect_orchestrator(tmp_path / "left.json")


@pytest.mark.parametrize("kind", NO_FILES)
def test_what_is_no_file_describes_no_database(exp: Experiment, tmp_path: Path, kind: str) -> None:
    NO_FILES[kind](tmp_path / "it")

    with pytest.raises(InputValueError, match=rf"^{tmp_path}/it: .*; give the checkpoint_file"):
        exp.reconnect_orchestrator(tmp_path / "it")


@pytest.mark.parametrize("content", FOREIGN.values(), ids=FOREIGN)
def test_the_file_of_a_stranger_describes_no_database(exp: Experiment, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "it").write_bytes(content)

    with pytest.raises(InputValueError, match=rf"^{tmp_path}/it: describes no database .*; give the checkpoint_file"):
        exp.reconnect_orchestrator(tmp_path / "it")
