"""SmartSim's names mean what they mean there; what is not built says so when it is used, not before.

Tests compat, database, missing, slurm, status, wlm, wlm.pbs and wlm.slurm.
"""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from smartensemble.compat import Experiment, database, entity, error, settings, wlm
from smartensemble.compat.settings import BatchSettings, MpirunSettings, RunSettings
from smartensemble.compat.status import SmartSimStatus
from smartensemble.compat.wlm import pbs
from smartensemble.databases.config import OURS
from smartensemble.errors import UnsupportedError
from smartensemble.settings import run as own_settings
from smartensemble.status import Status


def test_the_statuses_have_smartsims_names_and_values() -> None:
    assert {status.name: status.value for status in SmartSimStatus} == {
        "STATUS_RUNNING": "Running",
        "STATUS_COMPLETED": "Completed",
        "STATUS_CANCELLED": "Cancelled",
        "STATUS_FAILED": "Failed",
        "STATUS_NEW": "New",
        "STATUS_PAUSED": "Paused",
        "STATUS_NEVER_STARTED": "NeverStarted",
        "STATUS_QUEUED": "Queued",
    }
    assert {SmartSimStatus.of(status) for status in Status} == set(SmartSimStatus) - {
        SmartSimStatus.STATUS_NEW,
        SmartSimStatus.STATUS_PAUSED,
    }


@pytest.mark.parametrize(
    ("child", "parent"),
    [
        ("EntityExistsError", "SmartSimError"),
        ("UserStrategyError", "SmartSimError"),
        ("ParameterWriterError", "SmartSimError"),
        ("SSReservedKeywordError", "SmartSimError"),
        ("SSDBIDConflictError", "SmartSimError"),
        ("SSDBFilesNotParseable", "SmartSimError"),
        ("SSConfigError", "SSInternalError"),
        ("LauncherError", "SSInternalError"),
        ("LauncherUnsupportedFeature", "LauncherError"),
        ("AllocationError", "LauncherError"),
        ("ShellError", "LauncherError"),
    ],
)
def test_the_exceptions_are_related_as_in_smartsim(child: str, parent: str) -> None:
    assert issubclass(getattr(error, child), getattr(error, parent))


def test_the_settings_are_related_as_in_smartsim() -> None:
    assert issubclass(settings.SrunSettings, RunSettings)
    assert issubclass(MpirunSettings, RunSettings)
    assert issubclass(settings.SbatchSettings, BatchSettings)
    assert issubclass(RunSettings, settings.SettingsBase)
    assert issubclass(RunSettings, own_settings.RunSettings)


ABSENT: list[tuple[Callable[..., object], str]] = [
    *[(made, "needs a scheduler") for made in (pbs.get_hosts, pbs.get_queue, pbs.get_tasks, pbs.get_tasks_per_node)],
    (entity.TaggedFilesHierarchy, "is a part of SmartSim's inside"),
    (entity.DBNode, "is made by its database"),
]


@pytest.mark.parametrize(("made", "why"), ABSENT, ids=lambda value: getattr(value, "__name__", ""))
def test_what_is_not_built_says_so_when_it_is_used(made: Callable[..., object], why: str) -> None:
    with pytest.raises(UnsupportedError) as caught:
        made("anything", at="all")

    assert str(caught.value).startswith(f"{made.__name__}: ")
    assert why in str(caught.value)


def test_a_database_is_made_with_smartsims_methods_and_known_by_its_identifier(tmp_path: Path) -> None:
    exp = Experiment("exp", tmp_path)
    db = exp.create_database(port=6379, interface="lo", db_identifier="results")

    assert (type(db), db.type, db.batch, db.num_shards) == (database.Orchestrator, "Orchestrator", False, 1)
    assert exp.db_identifiers == {"results"}
    with pytest.raises(error.SSDBIDConflictError, match="there is a database 'results'"):
        exp.create_database(db_identifier="results")


def test_stale_files_are_deleted_and_data_stay(tmp_path: Path) -> None:
    db = database.Orchestrator(tmp_path)
    others = ["orchestrator.rdb", "orchestrator2.conf", "orchestrator_notes.out"]
    for name in ("orchestrator.conf", "orchestrator.out", "orchestrator.err", *others):
        Path(tmp_path, name).write_text(OURS)

    db.reset_hosts()
    db.remove_stale_files()

    assert sorted(path.name for path in tmp_path.iterdir()) == others


def test_files_that_have_the_names_of_a_databases_stay(tmp_path: Path) -> None:
    for suffix in ("conf", "out"):
        Path(tmp_path, f"orchestrator.{suffix}").write_text("mine")

    database.Orchestrator(tmp_path).remove_stale_files()

    assert sorted(path.name for path in tmp_path.iterdir()) == ["orchestrator.conf", "orchestrator.out"]


def test_key_prefixing_is_an_argument_of_create_model() -> None:
    exp = Experiment("exp")

    on, off = (exp.create_model(name, RunSettings("true"), enable_key_prefixing=name == "on") for name in ("on", "off"))
    assert (on.query_key_prefixing(), off.query_key_prefixing()) == (True, False)


def test_without_a_scheduler_the_launcher_is_local(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")

    assert wlm.detect_launcher() == "local"


def test_importing_the_package_does_not_import_this_one() -> None:
    code = "import sys, smartensemble; print(*[name for name in sys.modules if 'compat' in name and 'smart' in name])"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == ""
