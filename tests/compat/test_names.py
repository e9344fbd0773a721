"""SmartSim's public names are there, with its arguments; what is not built says so when it is used, not before.

The names and arguments are those of SmartSim 0.8.0 (Python 3.11), written down once from the installed package: each module's
``__all__``, or where it has none the names that it defines or re-exports; `inspect.signature`, of which the names are kept.

Tests compat, database, error, missing, ml, ml.tf, ml.torch, slurm, status, wlm, wlm.pbs and wlm.slurm.
"""

import importlib
import inspect
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from smartensemble.compat import Experiment, database, entity, error, ml, settings, wlm
from smartensemble.compat.ml import tf, torch
from smartensemble.compat.settings import BatchSettings, MpirunSettings, RunSettings
from smartensemble.compat.status import SmartSimStatus
from smartensemble.compat.wlm import pbs
from smartensemble.databases.config import OURS
from smartensemble.errors import UnsupportedError
from smartensemble.settings import run as own_settings
from smartensemble.status import Status

NAMES = {
    "smartensemble.compat": "Experiment __version__",
    "smartensemble.compat.experiment": "Experiment",
    "smartensemble.compat.settings": "AprunSettings BsubBatchSettings JsrunSettings MpirunSettings MpiexecSettings "
    "OrterunSettings QsubBatchSettings RunSettings SettingsBase SbatchSettings SgeQsubBatchSettings SrunSettings "
    "PalsMpiexecSettings DragonRunSettings Container Singularity",
    "smartensemble.compat.entity": "DBNode DBObject DBModel DBScript Ensemble SmartSimEntity TelemetryConfiguration EntityList "
    "EntitySequence TaggedFilesHierarchy Model",
    "smartensemble.compat.database": "Orchestrator",
    "smartensemble.compat.error": "AllocationError EntityExistsError LauncherError LauncherUnsupportedFeature "
    "ParameterWriterError ShellError SmartSimError SSConfigError SSDBFilesNotParseable SSDBIDConflictError "
    "SSInternalError SSReservedKeywordError SSUnsupportedError UserStrategyError",
    "smartensemble.compat.log": "DEFAULT_DATE_FORMAT DEFAULT_LOG_FORMAT get_logger log_to_file",
    "smartensemble.compat.status": "SmartSimStatus TERMINAL_STATUSES",
    "smartensemble.compat.wlm": "detect_launcher get_hosts get_queue get_tasks get_tasks_per_node",
    "smartensemble.compat.wlm.slurm": "get_allocation release_allocation validate get_default_partition get_hosts get_queue "
    "get_tasks get_tasks_per_node",
    "smartensemble.compat.slurm": "get_allocation release_allocation validate get_default_partition get_hosts",
    "smartensemble.compat.wlm.pbs": "get_hosts get_queue get_tasks get_tasks_per_node",
    "smartensemble.compat.ml": "DataDownloader DataInfo TrainingDataUploader form_name",
    "smartensemble.compat.ml.torch": "DataLoader DynamicDataGenerator StaticDataGenerator",
    "smartensemble.compat.ml.tf": "DynamicDataGenerator StaticDataGenerator freeze_model serialize_model",
}

ARGUMENTS: list[tuple[Callable[..., object], str]] = [
    (Experiment, "name exp_path launcher"),
    (
        Experiment.create_ensemble,
        "self name params batch_settings run_settings replicas perm_strategy path",
    ),
    (Experiment.create_model, "self name run_settings params path enable_key_prefixing batch_settings"),
    (Experiment.create_run_settings, "self exe exe_args run_command run_args env_vars container"),
    (Experiment.create_batch_settings, "self nodes time queue account batch_args"),
    (
        Experiment.create_database,
        "self port path db_nodes batch hosts run_command interface account time queue single_cmd db_identifier",
    ),
    (Experiment.reconnect_orchestrator, "self checkpoint"),
    (database.Orchestrator, "path port interface launcher run_command db_nodes batch hosts account time alloc single_cmd"),
    (entity.Model.colocate_db_tcp, "self port ifname db_cpus custom_pinning debug db_identifier"),
    (entity.Model.colocate_db_uds, "self unix_socket socket_permissions db_cpus custom_pinning debug db_identifier"),
    (entity.Ensemble.register_incoming_entity, "self incoming_entity"),
    (Experiment.generate, "self tag overwrite verbose"),
    (Experiment.start, "self block summary kill_on_interrupt"),
    (Experiment.stop, "self"),
    (Experiment.get_status, "self"),
    (Experiment.finished, "self entity"),
    (Experiment.poll, "self interval verbose kill_on_interrupt"),
    (Experiment.preview, "self verbosity_level output_format output_filename"),
    (Experiment.summary, "self style"),
    (entity.Model, "name params run_settings path params_as_args batch_settings"),
    (entity.Ensemble, "name params path params_as_args batch_settings run_settings perm_strat"),
    (entity.Ensemble.add_model, "self model"),
    (entity.Ensemble.attach_generator_files, "self to_copy to_symlink to_configure"),
    (RunSettings, "exe exe_args run_command run_args env_vars container"),
    (RunSettings.set, "self arg value condition"),
    (RunSettings.update_env, "self env_vars"),
    (MpirunSettings, "exe exe_args run_args env_vars"),
    (settings.Singularity, "image args mount working_directory"),
    (tf.freeze_model, "model output_dir file_name"),
    (tf.serialize_model, "model"),
]

METHODS = {
    database.Orchestrator: "batch checkpoint_file enable_checkpoints get_address hosts is_active num_shards remove_stale_files "
    "reset_hosts set_batch_arg set_cpus set_db_conf set_eviction_strategy set_hosts set_max_clients set_max_memory "
    "set_max_message_size set_run_arg set_walltime telemetry type",
    Experiment: "create_batch_settings create_database create_ensemble create_model create_run_settings finished generate "
    "get_status poll preview reconnect_orchestrator start stop summary",
    entity.Ensemble: "add_function add_ml_model add_model add_script attach_generator_files attached_files_table batch "
    "enable_key_prefixing models print_attached_files query_key_prefixing register_incoming_entity set_path type",
    entity.Model: "add_function add_ml_model add_ml_model_object add_script add_script_object attach_generator_files "
    "attached_files_table colocate_db colocate_db_tcp colocate_db_uds colocated disable_key_prefixing enable_key_prefixing "
    "params_to_args print_attached_files query_key_prefixing register_incoming_entity set_path type",
    RunSettings: "add_exe_args format_env_vars format_run_args make_mpmd set set_binding set_broadcast set_cpu_bindings "
    "set_cpus_per_task set_excluded_hosts set_hostlist set_hostlist_from_file set_memory_per_node set_mpmd_preamble "
    "set_node_feature set_nodes set_quiet_launch set_task_map set_tasks set_tasks_per_node set_time set_verbose_launch "
    "set_walltime update_env",
    BatchSettings: "add_preamble format_batch_args set_account set_batch_command set_hostlist set_nodes set_queue set_walltime",
}


@pytest.mark.parametrize("module", NAMES)
def test_the_modules_have_smartsims_names(module: str) -> None:
    there = importlib.import_module(module)

    assert [name for name in NAMES[module].split() if not hasattr(there, name)] == []


@pytest.mark.parametrize("owner", METHODS, ids=lambda owner: owner.__name__)
def test_the_classes_have_smartsims_methods(owner: type) -> None:
    assert [name for name in METHODS[owner].split() if not hasattr(owner, name)] == []


@pytest.mark.parametrize(("function", "names"), ARGUMENTS, ids=lambda value: getattr(value, "__qualname__", ""))
def test_the_arguments_have_smartsims_names_and_order(function: Callable[..., object], names: str) -> None:
    parameters = inspect.signature(function).parameters.values()

    ours = [each.name for each in parameters if each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)]
    assert ours[: len(names.split())] == names.split()


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
    *[(made, "use add_ml_model, add_script and add_function") for made in (entity.DBModel, entity.DBScript)],
    *[(made, "is a part of SmartSim's inside") for made in (entity.TaggedFilesHierarchy, entity.DBNode)],
    *[(made, "Client.put_tensor") for made in (ml.DataInfo, ml.DataDownloader, ml.TrainingDataUploader, ml.form_name)],
    *[(made, "torch.utils.data.Dataset") for made in (torch.DataLoader, torch.StaticDataGenerator, torch.DynamicDataGenerator)],
    *[(made, "tf.data.Dataset.from_generator") for made in (tf.StaticDataGenerator, tf.DynamicDataGenerator)],
]


@pytest.mark.parametrize(("made", "why"), ABSENT, ids=lambda value: getattr(value, "__name__", ""))
def test_what_is_not_built_says_so_when_it_is_used(made: Callable[..., object], why: str) -> None:
    with pytest.raises(UnsupportedError) as caught:
        made("anything", at="all")

    assert str(caught.value).startswith(f"{made.__name__}: ")
    assert why in str(caught.value)


@pytest.mark.parametrize("method", ["add_ml_model_object", "add_script_object"])
def test_objects_of_smartsims_inside_say_what_adds_them(method: str) -> None:
    member = entity.Ensemble("ens", replicas=1, run_settings=RunSettings("true"))[0]

    with pytest.raises(UnsupportedError, match=f"{method}: is a part of SmartSim's inside, .* use add_ml_model"):
        getattr(member, method)()


@pytest.mark.parametrize("method", ["set_cpus", "set_walltime", "set_hosts", "set_batch_arg", "set_run_arg"])
def test_what_a_database_asks_of_a_scheduler_says_that_there_is_none(method: str) -> None:
    with pytest.raises(UnsupportedError, match=f"{method}: needs a scheduler"):
        getattr(database.Orchestrator(), method)("1")


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


def test_an_experiment_has_no_telemetry() -> None:
    exp = Experiment("exp", launcher="LOCAL")

    assert (exp.launcher, exp.telemetry.is_enabled, exp.db_identifiers, "") == (
        "local",
        False,
        set(),
        "",
    )
    exp.telemetry.disable()
    with pytest.raises(UnsupportedError):
        exp.telemetry.enable()


def test_without_a_scheduler_the_launcher_is_local(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")

    assert wlm.detect_launcher() == "local"


def test_importing_the_package_does_not_import_this_one() -> None:
    code = "import sys, smartensemble; print(*[name for name in sys.modules if 'compat' in name and 'smart' in name])"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == ""
