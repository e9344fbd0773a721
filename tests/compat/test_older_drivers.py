"""What drivers do that SmartSim lets them do, without a word about it in its documentation."""

import logging
from pathlib import Path

import pytest

from smartensemble.compat import Experiment
from smartensemble.compat.database import Orchestrator
from smartensemble.compat.entity import Model
from smartensemble.compat.log import log_to_exp_file
from smartensemble.compat.settings import RunSettings
from smartensemble.errors import InputValueError
from smartensemble.results.no_effect import forget, said


def test_an_empty_path_is_none(tmp_path: Path) -> None:
    model = Model("model", {}, RunSettings("true"), "")

    Experiment("study", tmp_path).generate(model)

    assert Path(model.path) == tmp_path / "model"


def test_a_port_in_the_place_of_the_path_is_the_port() -> None:
    assert Orchestrator(7000).ports == [7000]
    assert Orchestrator(7000, 7001).ports == [7001]


def test_on_a_cluster_a_database_is_described_without_an_interface() -> None:
    db = Orchestrator(launcher="slurm", db_nodes=3)

    assert (db.launcher, db.db_nodes) == ("slurm", 3)
    with pytest.raises(InputValueError, match="name that of its nodes, such as interface='ib0'"):
        Experiment("study", launcher="slurm").create_database(db_nodes=3)


def test_a_port_has_no_effect_at_a_unix_socket() -> None:
    forget()
    model = Model("model", {}, RunSettings("true"))

    model.colocate_db_uds(port=7000, ifname="lo")

    why = "has no effect, because its own database listens at a unix socket"
    assert sorted(said()) == [f"model: ifname='lo': {why}", f"model: port=7000: {why}"]


def test_a_function_filters_lines_too(tmp_path: Path) -> None:
    logger = logging.Logger("own")

    handler = log_to_exp_file(str(tmp_path / "log"), logger, "info", "%(message)s", lambda line: "no" not in line.getMessage())
    logger.info("yes")
    logger.info("no")
    handler.close()

    assert (tmp_path / "log").read_text() == "yes\n"


@pytest.mark.needs("database")
def test_who_has_reconnected_stops_a_database_by_the_object_of_who_has_started_it(tmp_path: Path) -> None:
    exp = Experiment("first", tmp_path)
    db = exp.create_database(workers=0)
    exp.start(db)
    other = Experiment("second", tmp_path)
    again = other.reconnect_orchestrator(db.checkpoint_file)

    other.stop(db)

    assert not again.is_active()
    assert not db.is_active()
