"""A laptop can describe and show what a cluster will run: only a start needs its programs, and says what has no effect.

Tests this_machine.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from smartensemble import BatchSettings, Experiment, MpirunSettings, RunSettings, SbatchSettings, Singularity, SrunSettings
from smartensemble.databases.orchestrator import Orchestrator, ignored_options
from smartensemble.errors import InputValueError, MissingFileError, NotExecutableError, UnsupportedError
from smartensemble.results.no_effect import forget, said
from smartensemble.settings.command import command_of
from smartensemble.settings.effect import NO_JOB, NO_RUN_COMMAND, NO_SCHEDULER


@pytest.fixture(autouse=True)
def _anew() -> None:
    forget()


@pytest.fixture
def laptop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory, and a PATH without a scheduler, an MPI and a solver."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    return tmp_path


@pytest.mark.parametrize(
    ("made", "shown"),
    [
        (lambda: SrunSettings("lmp", ["-in", "in.melt"]), "srun lmp -in in.melt"),
        (lambda: MpirunSettings("/opt/lmp"), "mpirun /opt/lmp"),
        (lambda: RunSettings("lmp", run_command="/opt/cray/bin/aprun", run_args={"n": 2}), "/opt/cray/bin/aprun -n 2 lmp"),
        (lambda: RunSettings(sys.executable, run_command="jsrun"), f"jsrun {sys.executable}"),
    ],
)
def test_settings_are_made_without_the_programs_of_a_cluster(laptop: Path, made: Callable[[], RunSettings], shown: str) -> None:
    assert str(command_of(made(), "m", "/")) == shown


@pytest.mark.parametrize(
    ("run_command", "error"), [("srun -n 2", MissingFileError), (".", NotExecutableError), ("", MissingFileError)]
)
def test_what_is_wrong_on_every_machine_is_an_error_at_once(laptop: Path, run_command: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        RunSettings("no-such-program", run_command=run_command)


def test_a_program_that_comes_later_is_found_when_it_is_needed(laptop: Path) -> None:
    settings = SrunSettings("lmp")
    (laptop / "empty").mkdir()
    for name in ("srun", "lmp"):
        (laptop / "empty" / name).symlink_to("/bin/true")

    assert command_of(settings, "m", "/").argv == (f"{laptop}/empty/srun", f"{laptop}/empty/lmp")


def test_options_are_in_the_order_in_which_they_were_set(laptop: Path) -> None:
    settings = SrunSettings("lmp", run_args={"exclusive": None})
    settings.set_tasks(4)
    settings.run_args["label"] = None
    settings.set_nodes(2)
    settings.set_tasks(8)
    settings.run_args["mem"] = "4G"

    assert command_of(settings, "m", "/").argv[1:-1] == ("--exclusive", "--ntasks=8", "--label", "--nodes=2", "--mem=4G")


def test_an_mpirun_that_is_not_here_takes_the_words_of_open_mpi_in_a_preview(
    laptop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    exp = Experiment("study")
    settings = MpirunSettings("/bin/echo")
    settings.set_cpus_per_task(2)

    exp.preview(exp.create_model("m", settings))

    printed = capsys.readouterr().out
    assert "  command    mpirun --map-by slot:PE=2 /bin/echo\n" in printed
    assert "  note       mpirun is not on this machine, and start needs it; its options are shown in Open MPI's" in printed


def test_a_job_for_a_cluster_is_shown_with_the_sizes_that_are_known(laptop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exp = Experiment("study", launcher="slurm")
    batch = SbatchSettings(nodes=2, time="01:00:00", batch_args={"exclusive": None})
    batch.set_tasks_per_node(4)
    settings = exp.create_run_settings("lmp")
    settings.set_tasks(8)

    exp.preview(exp.create_ensemble("ens", None, batch, settings, replicas=2))

    printed = capsys.readouterr().out
    assert "  note       slurm does not answer here; start computes the sizes that the settings leave open\n" in printed
    lines = [line.strip(" |") for line in printed.splitlines() if "#SBATCH" in line]
    assert lines[1:5] == [
        *("#SBATCH --nodes=2", "#SBATCH --time=01:00:00", "#SBATCH --exclusive", "#SBATCH --ntasks-per-node=4"),
    ]
    assert "  command    srun --ntasks=8 lmp\n" in printed
    assert list(laptop.iterdir()) == []


@pytest.mark.parametrize("array", [True, False])
def test_a_job_of_any_shape_is_shown(laptop: Path, array: bool, capsys: pytest.CaptureFixture[str]) -> None:
    exp = Experiment("study", launcher="slurm")
    batch = BatchSettings(array=array)
    if not array:
        batch.add_het_group(BatchSettings(nodes=2))
    ens = exp.create_ensemble("ens", None, batch, RunSettings("lmp", container=Singularity("a.sif")), 3)

    exp.preview(ens)

    printed = capsys.readouterr().out
    assert ("#SBATCH --array=0-2" if array else "#SBATCH hetjob") in printed


def test_what_a_start_lacks_is_an_error_before_anything_is_written(laptop: Path) -> None:
    cluster, here, lmp = Experiment("cluster", launcher="slurm"), Experiment("here"), SrunSettings("lmp")

    with pytest.raises(UnsupportedError, match="launcher 'slurm': no program 'sbatch' on PATH; run this on a machine of the"):
        cluster.start(cluster.create_model("m", SrunSettings("lmp"), batch_settings=BatchSettings()))
    with pytest.raises(MissingFileError, match="m: no program srun here, which starts it; start it on a machine that has it"):
        here.start(here.create_model("m", SrunSettings("lmp")))
    (laptop / "empty").mkdir()
    (laptop / "empty/srun").symlink_to("/bin/true")
    settings = SrunSettings("/bin/true")
    settings.make_mpmd(lmp)
    with pytest.raises(MissingFileError, match="n: no program lmp here, which it runs; start it on a machine that has it"):
        here.start(here.create_model("n", settings))
    (laptop / "empty/mine").touch(0o755)
    mine = here.create_model("o", RunSettings(laptop / "empty/mine"))
    (laptop / "empty/mine").chmod(0o644)
    with pytest.raises(NotExecutableError, match=r"o: program .*/mine may not be executed; run chmod \+x on it"):
        here.start(mine)
    assert [path.name for path in laptop.iterdir()] == ["empty"]


def test_options_without_a_run_command_have_no_effect_and_a_start_says_so_once(
    exp: Experiment, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = RunSettings("true", run_args={"n": 2})
    settings.set_tasks(2)
    settings.set_node_feature("gpu")
    ens = exp.create_ensemble("ens", run_settings=settings, replicas=3)

    exp.preview(ens)
    exp.start(ens, progress=False)

    assert said() == [f"study: {option}: has no effect, because {NO_RUN_COMMAND}" for option in ("n", "tasks", "features")]
    assert caplog.messages == said()
    note = f"  note       n, tasks, features: no effect, because {NO_RUN_COMMAND}\n"
    assert capsys.readouterr().out.count(note) == 3
    assert [str(status) for status in exp.get_status(ens)] == ["Completed"] * 3


def test_a_database_takes_what_only_a_scheduler_honors(capsys: pytest.CaptureFixture[str], exp: Experiment) -> None:
    db = exp.create_database(batch=True, hosts=["n1"], time="01:00:00", account="me", queue="q", per_node=2)

    exp.preview(db)

    assert (
        f"  note       batch, hosts, account, time, queue, per_node: no effect, because {NO_SCHEDULER}\n"
        in capsys.readouterr().out
    )


def test_a_database_without_a_job_takes_the_options_of_one() -> None:
    db = Orchestrator(launcher="slurm", interface="lo", run_command="mpirun", time="01:00:00", queue="main")

    assert ignored_options(db) == {"run_command": "on slurm, srun starts servers", "time": NO_JOB, "queue": NO_JOB}


def test_what_two_places_say_of_the_size_of_a_job_is_an_error(laptop: Path) -> None:
    exp = Experiment("study", launcher="slurm")
    batch = BatchSettings(nodes=2, batch_args={"N": 3})

    with pytest.raises(InputValueError, match="ens: batch_args: 'N' and nodes=2 say two things; keep one"):
        exp.preview(exp.create_ensemble("ens", None, batch, exp.create_run_settings("lmp"), 2))
