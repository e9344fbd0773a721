"""SmartSim's keywords are mapped, or said once to have no effect.

Tests keywords.
"""

from typing import Any

import pytest

from smartensemble.compat import Experiment
from smartensemble.compat.error import SSUnsupportedError
from smartensemble.compat.settings import RunSettings, SrunSettings
from smartensemble.errors import InputValueError
from smartensemble.results import no_effect


@pytest.mark.parametrize(
    ("options", "workers", "threads", "said"),
    [
        ({}, 1, 1, []),
        ({"threads_per_queue": 4, "intra_op_threads": 2}, 4, 2, []),
        ({"threads_per_queue": None, "inter_op_threads": None}, 1, 1, []),
        ({"inter_op_threads": 2}, 1, 1, ["orchestrator: inter_op_threads"]),
        ({"gpus_per_shard": 1, "cpus_per_shard": 1}, 1, 1, ["orchestrator: cpus_per_shard", "orchestrator: gpus_per_shard"]),
        ({"run_command": ""}, 1, 1, []),
        ({"run_args": {"label": None}}, 1, 1, ["orchestrator: set_run_arg('label')"]),
        ({"batch_args": {"exclusive": None}}, 1, 1, ["orchestrator: batch_args['exclusive']"]),
        ({"workers": 3}, 3, 1, []),
    ],
)
def test_keywords_of_a_database_are_mapped_or_said(
    theirs: Experiment, options: dict[str, Any], workers: int, threads: int, said: list[str]
) -> None:
    db = theirs.create_database(**options)

    assert (db.worker_options.workers, db.worker_options.intra_op_threads) == (workers, threads)
    assert sorted(line.split(": has")[0] for line in no_effect.said()) == said


def test_a_misspelt_keyword_of_a_database_is_an_error(theirs: Experiment) -> None:
    with pytest.raises(TypeError, match="thread_per_queue"):
        theirs.create_database(thread_per_queue=2)


@pytest.mark.parametrize("method", ["colocate_db", "colocate_db_tcp", "colocate_db_uds"])
def test_settings_of_the_server_and_options_of_inference_go_to_a_models_own_database(theirs: Experiment, method: str) -> None:
    model = theirs.create_model("model", RunSettings("true"))
    options = {"maxclients": 100, "loglevel": "notice", "threads_per_queue": 2, "intra_op_parallelism": 3, "confine": False}

    getattr(model, method)(db_cpus=2, debug=True, custom_pinning=[0, [1, 2], range(3, 5)], **options)

    own = model.colocated_database
    assert own
    assert dict(own.conf) == {"io-threads": "2", "loglevel": "notice", "maxclients": "100"}
    assert (own.pinning, own.worker_options.workers, own.worker_options.intra_op_threads) == ((0, 1, 2, 3, 4), 2, 3)
    assert not own.worker_options.confine


def test_what_a_models_own_database_does_without_is_said_or_refused(theirs: Experiment) -> None:
    model = theirs.create_model("model", RunSettings("true"))

    model.colocate_db_tcp(ifname=["lo"], custom_pinning=[], inter_op_parallelism=2, server_threads=2)
    model.colocate_db_uds(port=6780)

    without = ["model: inter_op_parallelism", "model: port=6780", "model: server_threads"]
    assert sorted(line.split(": has")[0] for line in no_effect.said()) == without
    for options, why in (
        ({"limit_app_cpus": True}, "limit_app_cpus is no option"),
        ({"max_clients": 3}, "is no name of a setting"),
    ):
        with pytest.raises((SSUnsupportedError, InputValueError), match=why):
            model.colocate_db_tcp(**options)


def test_several_programs_have_no_database_of_their_own(theirs: Experiment) -> None:
    settings = SrunSettings("true")
    model = theirs.create_model("model", settings)
    settings.make_mpmd(SrunSettings("true"))

    with pytest.raises(SSUnsupportedError, match="several programs in one step"):
        model.colocate_db_tcp()


def test_what_was_asked_of_a_models_own_database_is_in_its_run_settings(theirs: Experiment) -> None:
    settings = RunSettings("true")
    model = theirs.create_model("model", settings)
    model.add_ml_model("net", "TORCH", b"...")

    model.colocate_db_tcp(port=6780, db_cpus=2, custom_pinning=[1, [2]], db_identifier="own", maxclients=10)

    shown: dict[str, Any] = vars(model.run_settings)["colocated_db_settings"]
    assert {name: shown[name] for name in ("port", "ifname", "cpus", "custom_pinning", "debug", "db_identifier")} == {
        "port": 6780, "ifname": "lo", "cpus": 2, "custom_pinning": "1,2", "debug": False, "db_identifier": "own",
    }  # fmt: skip
    assert (shown["extra_db_args"], [each.name for each in shown["db_models"]]) == ({"maxclients": "10"}, ["net"])


def test_an_old_keyword_of_start_is_said_to_have_no_effect(theirs: Experiment) -> None:
    model = theirs.create_model("model", RunSettings("true"))

    theirs.start(model, monitor=True)

    assert no_effect.said() == ["start: monitor: has no effect, because what runs is always watched"]
