"""A database has SmartSim's attributes, keywords and servers.

Tests orchestrator.
"""

import pytest

from smartensemble.compat import Experiment
from smartensemble.compat.database import Orchestrator
from smartensemble.compat.settings import BatchSettings, RunSettings
from smartensemble.errors import InputValueError, StateError, UnsupportedError
from smartensemble.results import no_effect


def test_a_database_is_a_list_of_servers(theirs: Experiment) -> None:
    db = theirs.create_database(port=7000, db_nodes=3)

    assert [node.name for node in db] == ["orchestrator_0", "orchestrator_1", "orchestrator_2"]
    assert (len(db), db["orchestrator_1"].ports, db["other"]) == (3, [7001], None)
    assert (db.ports, list(db.db_models), db.entities[0].path) == ([7000, 7001, 7002], [], db.path)
    assert isinstance(db.entities[0].run_settings, RunSettings)
    with pytest.raises(StateError, match="does not run"):
        db.entities[0].host  # noqa: B018


def test_ports_and_threads_are_set_before_it_starts(theirs: Experiment) -> None:
    db = theirs.create_database()

    db.ports = [7000]
    db.queue_threads = 2
    db.intra_threads = 3
    db.inter_threads = 4

    assert (db.port, db.access, db.worker_options.workers, db.worker_options.intra_op_threads) == (7000, "open", 2, 3)
    assert (db.queue_threads, db.intra_threads, db.inter_threads) == (2, 3, 4)
    assert [line.split(": has")[0] for line in no_effect.said()] == ["orchestrator: inter_op_threads"]
    with pytest.raises(InputValueError, match="consecutive"):
        db.ports = [7000, 8000]


@pytest.mark.needs("database")
def test_a_running_database_says_where_each_server_listens(theirs: Experiment) -> None:
    db = theirs.create_database(interface="lo")
    theirs.start(db)
    [node] = db

    [info] = node.get_launched_shard_info()

    assert db.get_address() == [f"{node.host}:{db.ports[0]}"] == [f"{info.hostname}:{info.port}"]
    with pytest.raises(StateError, match="runs"):
        db.ports = [7000]
    with pytest.raises(StateError, match="runs"):
        db.path = "/tmp"
    theirs.stop(db)


@pytest.mark.usefixtures("anew")
@pytest.mark.parametrize("method", ["set_cpus", "set_hosts", "set_run_arg"])
def test_what_needs_a_run_command_has_no_effect_here(method: str) -> None:
    db = Orchestrator()

    for _ in range(2):
        getattr(db, method)("1")

    [line] = no_effect.said()
    assert line.startswith(f"orchestrator: {method}")


@pytest.mark.parametrize("method", ["set_walltime", "set_batch_arg"])
def test_what_needs_a_job_is_an_error_as_there(method: str) -> None:
    with pytest.raises(UnsupportedError, match=f"{method}: orchestrator has no job of its own"):
        getattr(Orchestrator(), method)("1")


@pytest.mark.needs("slurm")
def test_the_settings_of_a_database_on_a_cluster_are_smartsims() -> None:
    db = Experiment("exp", launcher="slurm").create_database(
        interface="lo", batch=True, run_args={"label": None}, batch_args={"exclusive": None}
    )

    assert db.batch_settings
    db.batch_settings.set_partition("main")
    db.run_settings.set("exclusive")
    db.set_cpus(2)
    db.set_walltime("00:05:00")

    assert isinstance(db.batch_settings, BatchSettings)
    assert {"--partition=main", "--exclusive", "--time=00:05:00"} <= set(db.batch_settings.format_batch_args())
    assert {"--label", "--exclusive", "--cpus-per-task=2"} <= set(db.run_settings.format_run_args())
