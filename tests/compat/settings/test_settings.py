"""Settings show what SmartSim's show, and what runs is what they show.

Tests base, batch, containers, mpiSettings, settings, slurmSettings and values.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from smartensemble.compat import Experiment, entity
from smartensemble.compat.error import LauncherError, SmartSimError, SSUnsupportedError
from smartensemble.compat.settings import (
    AprunSettings,
    BatchSettings,
    BsubBatchSettings,
    DragonRunSettings,
    JsrunSettings,
    MpiexecSettings,
    MpirunSettings,
    PalsMpiexecSettings,
    QsubBatchSettings,
    RunSettings,
    SbatchSettings,
    Singularity,
    SrunSettings,
)
from smartensemble.compat.settings.settings import create_batch_settings, create_run_settings
from smartensemble.errors import InputTypeError, InputValueError, MissingFileError, UnsupportedError
from smartensemble.results.no_effect import forget, said
from smartensemble.settings.batch import portable_options
from smartensemble.settings.command import command_of
from worlds.smartsim_settings import install_programs


@pytest.fixture(autouse=True)
def _anew() -> Iterator[None]:
    forget()
    yield
    forget()


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with an Open MPI, and nothing else."""
    home = tmp_path / "bin"
    home.mkdir()
    install_programs(home)
    monkeypatch.setenv("PATH", str(home))
    monkeypatch.chdir(tmp_path)
    return home


def words(settings: RunSettings) -> list[str]:
    """The command line of `settings`, with its programs by their names."""
    return [os.path.basename(word) if word.startswith("/") else word for word in command_of(settings, "m", "/").argv]


# --- what runs --------------------------------------------------------------------------------------------------------------


def test_what_is_changed_in_what_settings_show_is_followed(programs: Path) -> None:
    settings = SrunSettings("/bin/echo", "a b", {"exclusive": None}, {"A": 1})
    settings.set_tasks(4)
    settings.run_args["ntasks"] = 8
    del settings.run_args["exclusive"]
    settings.env_vars["B"] = "2"
    settings.exe_args.append("c d")
    settings.exe = ["/bin/ls"]

    command = command_of(settings, "m", "/")

    assert command.argv == ("srun", "--ntasks=8", "/bin/ls", "a", "b", "c d")
    assert (command.env, command.need.tasks) == ({"A": "1", "B": "2"}, 8)


def test_what_is_set_anew_is_a_copy(programs: Path) -> None:
    args, variables, options = ["a"], {"A": "1"}, {"n": 2}
    settings = MpirunSettings("/bin/echo")
    settings.exe_args, settings.env_vars, settings.run_args = args, variables, options
    args.append("b")
    variables["A"] = "2"
    options["n"] = 3

    assert (settings.exe_args, settings.env_vars, settings.run_args) == (["a"], {"A": "1"}, {"n": 2})


def test_a_member_keeps_the_class_and_follows_what_it_was_made_with(programs: Path) -> None:
    settings = MpirunSettings("/bin/echo")
    ens = entity.Ensemble("ens", replicas=2, run_settings=settings)
    own = ens[0].run_settings
    own.set_tasks(3)
    settings.set_hostlist(["n1", "n2"])

    assert isinstance(own, MpirunSettings)
    assert own.run_args == {"n": 3}
    with pytest.raises(InputValueError, match=r"^ens_0: run_args is {'n': 3} in its own run_settings, and was changed to"):
        _ = ens[0].run_settings
    assert words(ens[1].run_settings) == ["mpirun", "--host", "n1,n2", "echo"]


@pytest.mark.parametrize(
    ("method", "value", "shown"),
    [
        ("set_tasks_per_node", 2, ["--map-by", "ppr:2:node"]),
        ("set_cpus_per_task", 2, ["--map-by", "slot:PE=2"]),
        ("set_cpu_binding_type", "core", ["--bind-to", "core"]),
        ("set_walltime", "00:01:00", ["--timeout", "60"]),
        ("set_walltime", "90", ["--timeout", "90"]),
        ("set_broadcast", None, ["--preload-binary"]),
        ("set_verbose_launch", True, ["--verbose"]),
        ("set_hostlist_from_file", "hosts", ["--hostfile", "hosts"]),
    ],
)
def test_an_mpirun_gets_the_words_of_its_mpi(programs: Path, method: str, value: Any, shown: list[str]) -> None:
    settings = MpirunSettings("/bin/echo")

    getattr(settings, method)(value)

    assert words(settings) == ["mpirun", *shown, "echo"]


def test_an_option_that_its_mpi_lacks_is_passed_on(programs: Path) -> None:
    (programs / "mpirun").write_text("#!/bin/sh\necho HYDRA build details\n")
    settings = MpirunSettings("/bin/echo", run_args={"quiet": None, "map-by": "core"})

    assert words(settings) == ["mpirun", "--quiet", "-map-by", "core", "echo"]


@pytest.mark.parametrize(
    ("settings", "shown"),
    [
        (lambda: AprunSettings("/bin/echo", run_args={"pes": 4, "z": None}), ["aprun", "--pes=4", "-z", "echo"]),
        (lambda: JsrunSettings("/bin/echo", run_args={"nrs": 2, "d": "packed"}), ["jsrun", "--nrs=2", "-d", "packed", "echo"]),
        (lambda: PalsMpiexecSettings("/bin/echo", run_args={"np": 3}), ["mpiexec", "--np", "3", "echo"]),
        (lambda: SrunSettings("/bin/echo", run_args={"wait": 0, "label": ""}), ["srun", "--wait=0", "--label", "echo"]),
        (lambda: SrunSettings("/bin/echo", alloc="7"), ["srun", "--jobid=7", "echo"]),
        (lambda: RunSettings("/bin/echo", run_command="strange", run_args={"-x": 1}), ["strange", "-x", "1", "echo"]),
        (lambda: DragonRunSettings("/bin/echo"), ["echo"]),
    ],
)
def test_the_command_line_has_what_format_run_args_shows(programs: Path, settings: Any, shown: list[str]) -> None:
    assert words(settings()) == shown


def test_a_script_that_chooses_gpus_runs_the_program(programs: Path) -> None:
    settings = PalsMpiexecSettings("/bin/echo", "x")
    settings.set_tasks(2)
    settings.set_gpu_affinity_script("affinity.sh", 1)

    assert words(settings) == ["mpiexec", "--np", "2", "affinity.sh", "1", "echo", "x"]


def test_programs_that_share_a_step_are_those_that_were_added(programs: Path) -> None:
    ocean, atmosphere = SrunSettings("/bin/echo"), SrunSettings("/bin/ls", env_vars={"A": "1"})
    ocean.set_tasks(2)
    ocean.make_mpmd(atmosphere)

    assert ocean.mpmd == [atmosphere]
    assert words(ocean) == ["srun", "--ntasks=2", "echo", ":", "--ntasks=1", "ls"]
    ocean.colocated_db_settings = {"port": 6379}
    with pytest.raises(SSUnsupportedError, match="make_mpmd: several programs in one step have no database of their own"):
        ocean.make_mpmd(atmosphere)


def test_an_image_is_shown_as_it_was_given_and_used(programs: Path) -> None:
    image = Singularity("a.sif", args="--nv", mount={"/scratch": "/data", "/opt": None})
    settings = SrunSettings("lmp", container=image)

    assert settings.exe == ["lmp"]
    assert (image.args, image.mount) == ("--nv", {"/scratch": "/data", "/opt": None})
    command = command_of(settings, "m", "/")
    assert command.argv == ("srun", "singularity", "exec", "--nv", "--bind", "/scratch:/data,/opt", "a.sif", "lmp")


# --- what has no effect -------------------------------------------------------------------------------------------------------


def test_an_option_that_a_class_lacks_has_no_effect_and_is_said_at_once(caplog: pytest.LogCaptureFixture) -> None:
    RunSettings("true").set_tasks_per_node(2)
    MpirunSettings("true").set_node_feature("gpu")

    assert said() == [
        f"{name}: has no effect, because it is not implemented for this class; give the options of a run command"
        for name in ("RunSettings: tasks_per_node", "MpirunSettings: features")
    ]
    assert caplog.messages == said()


def test_options_without_a_run_command_are_kept_and_said_when_it_starts(tmp_path: Path) -> None:
    settings = RunSettings("true", run_args={"n": 2})
    settings.set("--label")
    exp = Experiment("exp", tmp_path)
    model = exp.create_model("m", settings)

    exp.start(model)

    assert settings.run_args == {"n": 2, "label": None}
    why = "there is no run command to take it; give run_command='srun' or 'mpirun'"
    assert said() == [f"exp: {option}: has no effect, because {why}" for option in ("n", "label")]


@pytest.mark.parametrize(
    ("make", "line"),
    [
        (lambda: SbatchSettings(ncpus=4), "SbatchSettings: ncpus: has no effect, because other settings have such an argument"),
        (lambda: BsubBatchSettings(atch_args={"a": 1}), "there is no such argument; did you mean 'batch_args'?"),
        (lambda: MpirunSettings("true", nodes=2), "MpirunSettings: nodes: has no effect"),
        (lambda: create_run_settings("dragon", "true", run_args={"n": 2}), "create_run_settings: run_args: has no effect"),
        (lambda: SrunSettings("true").set("chdir", "/"), "SrunSettings: set('chdir'): has no effect"),
    ],
)
def test_a_keyword_without_a_meaning_is_said(make: Any, line: str) -> None:
    make()

    assert [each for each in said() if line in each] == said() != []


# --- programs that are not here ---------------------------------------------------------------------------------------------


def test_settings_of_a_cluster_are_made_without_its_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    exp = Experiment("exp", tmp_path)

    for made in (
        SrunSettings("lmp"),
        MpirunSettings("lmp"),
        MpiexecSettings("lmp"),
        AprunSettings("lmp"),
        JsrunSettings("lmp"),
    ):
        assert made.exe == ["lmp"]
        with pytest.raises(MissingFileError, match=f"m: no program {made.run_command} here, which starts it"):
            exp.start(exp.create_model("m", made))
    with pytest.raises(LauncherError, match="mpirun: no such program on PATH"):
        MpirunSettings("lmp", fail_if_missing_exec=True)


def test_slurms_own_mpiexec_is_refused(programs: Path) -> None:
    (programs / "mpiexec").write_text("#!/bin/sh\necho usage: mpiexec.slurm args\n")

    with pytest.raises(SSUnsupportedError, match="mpiexec is Slurm's own; give SrunSettings"):
        create_run_settings("slurm", "/bin/echo", run_command="mpiexec")


@pytest.mark.parametrize("launcher", ["pbs", "pals", "lsf", "sge", "dragon"])
def test_a_job_of_a_scheduler_that_is_not_built_is_shown_and_not_started(
    launcher: str, programs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    exp = Experiment("exp", launcher=launcher)
    batch = exp.create_batch_settings(None if launcher == "sge" else 1, "01:00:00", account="me")
    ens = exp.create_ensemble("ens", batch_settings=batch, run_settings=exp.create_run_settings("/bin/echo"), replicas=2)
    db = exp.create_database(hosts=["n1"])

    exp.preview(ens, db)

    script = capsys.readouterr().out
    lines = [line for line in batch.format_batch_args() if not line.startswith(("--time", "--nodes"))]
    assert all(any(line in each for each in script.splitlines()) for line in lines)
    with pytest.raises(SmartSimError, match=f"exp: launcher '{launcher}' is not built yet, .* give one of local, slurm"):
        exp.start(ens)
    assert not Path("exp").exists()


def test_settings_of_another_scheduler_are_an_error_on_slurm(tmp_path: Path) -> None:
    exp = Experiment("exp", tmp_path, launcher="slurm")
    ens = exp.create_ensemble(
        "ens", batch_settings=QsubBatchSettings(nodes=1), run_settings=SrunSettings("/bin/echo"), replicas=2
    )

    with pytest.raises(UnsupportedError, match="ens: QsubBatchSettings are for pbs, and this job is for slurm"):
        exp.preview(ens)


# --- jobs --------------------------------------------------------------------------------------------------------------------


def test_a_job_has_its_options_in_the_order_in_which_they_were_set() -> None:
    batch = SbatchSettings(batch_args={"exclusive": None, "N": 2})
    batch.set_account("me")
    batch.set_walltime("01:00:00")
    batch.set_partition("debug")

    assert list(portable_options(batch).items()) == [
        *[("--exclusive", None), ("nodes", 2), ("account", "me"), ("time", "01:00:00"), ("queue", "debug")]
    ]
    assert (batch.time_limit, batch.preamble) == (3600.0, [])


def test_a_local_job_keeps_its_time_and_says_what_has_no_effect(tmp_path: Path) -> None:
    exp = Experiment("exp", tmp_path)
    batch = exp.create_batch_settings(nodes=2, time="00:10:00", queue="debug")
    batch.set_cpus_per_task(2)
    ens = exp.create_ensemble("ens", batch_settings=batch, run_settings=RunSettings("true"), replicas=1)

    exp.start(ens)

    names = [line.split(":")[1].strip() for line in said()]
    assert (type(batch), names) == (BatchSettings, ["nodes", "queue", "--cpus-per-task"])


@pytest.mark.parametrize(
    ("make", "error", "why"),
    [
        (lambda: SbatchSettings(nodes="x"), InputValueError, "nodes: 'x' is no whole number; for example 4"),  # type: ignore[arg-type]
        (lambda: SbatchSettings(queue=3), InputTypeError, "queue: 3 is no text; give its name"),
        (lambda: SbatchSettings(account="a\nb"), InputValueError, "account: 'a\\nb' is more than a line of text"),
        (lambda: QsubBatchSettings(nodes=1, resources=3), InputTypeError, "resources: 3 is no dictionary"),  # type: ignore[arg-type]
        (lambda: create_batch_settings("cobalt"), UnsupportedError, "launcher: 'cobalt' is none of SmartSim's"),
        (lambda: RunSettings("true", container="a.sif"), InputTypeError, "container: 'a.sif' is no container"),  # type: ignore[arg-type]
        (lambda: RunSettings("true", exe_args=[1]), InputTypeError, "exe_args: [1] is no text and no list of text"),
        (lambda: RunSettings("true", run_args=[1]), InputTypeError, "run_args: [1] is no dictionary"),  # type: ignore[arg-type]
        (lambda: RunSettings("true").update_env({"A": None}), InputTypeError, "env_vars: 'A' is None; give text or a number"),
        (lambda: JsrunSettings("true").set_erf_sets(1), InputTypeError, "erf_sets: 1 is no dictionary"),  # type: ignore[arg-type]
        (lambda: Singularity("a.sif", mount=1), InputTypeError, "mount: 1"),  # type: ignore[arg-type]
    ],
)
def test_what_is_wrong_on_every_machine_is_an_error_at_once(make: Any, error: type[Exception], why: str) -> None:
    with pytest.raises(error) as caught:
        make()

    assert str(caught.value).startswith(why)
