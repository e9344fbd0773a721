"""Options of a run command are checked as they are set, and become words and needs of its command.

Tests command and named.
"""

import pytest

from smartensemble import BatchSettings, MpirunSettings, SrunSettings
from smartensemble.command import Need
from smartensemble.errors import InputTypeError, InputValueError, MissingFileError
from smartensemble.schedulers.slurm import SLURM
from smartensemble.settings.batch import portable_options
from smartensemble.settings.command import command_of

pytestmark = pytest.mark.usefixtures("run_commands")


def test_every_option_of_srun_is_spelled_as_its_manual_says() -> None:
    settings = SrunSettings("true", run_args={"mem-bind": "local", "exclusive": None}, alloc=7)
    settings.set_nodes(2)
    settings.set_tasks(8)
    settings.set_tasks_per_node(4)
    settings.set_cpus_per_task(2)
    settings.set_hostlist(["n1", "n2"])
    settings.set_excluded_hosts("n3")
    settings.set_node_feature(["gpu", "fast"])
    settings.set_walltime("01:02:03")
    settings.set_memory_per_node(512)
    settings.set_binding("cores")
    settings.set_task_map("cyclic")
    settings.set_broadcast("/tmp/true")
    settings.set_verbose_launch(True)
    settings.set_quiet_launch(False)

    assert command_of(settings, "m", "/").argv[1:-1] == (
        *(
            "--mem-bind=local",
            "--exclusive",
            "--jobid=7",
            "--nodes=2",
            "--ntasks=8",
            "--ntasks-per-node=4",
            "--cpus-per-task=2",
        ),
        *("--nodelist=n1,n2", "--exclude=n3", "--constraint=gpu&fast", "--time=01:02:03", "--mem=512M", "--cpu-bind=cores"),
        *("--distribution=cyclic", "--bcast=/tmp/true", "--verbose"),
    )


@pytest.mark.parametrize(
    ("args", "need"),
    [
        ({}, Need()),
        ({"n": 4}, Need(4)),
        ({"ntasks": "8", "cpus-per-task": 2}, Need(8, 2)),
        ({"N": 2}, Need(2, 1, 2)),
        ({"nodes": 2, "ntasks-per-node": 4}, Need(8, 1, 2)),
    ],
)
def test_what_a_member_needs_is_read_from_its_options(args: dict[str, object], need: Need) -> None:
    assert command_of(SrunSettings("true", run_args=args), "m", "/").need == need


@pytest.mark.parametrize(
    ("args", "packed"), [({}, True), ({"n": 1, "c": 4}, True), ({"n": 2}, False), ({"gres": "gpu:1"}, False), ({"N": 2}, False)]
)
def test_a_member_of_one_task_that_asks_for_nothing_else_may_share_a_step(args: dict[str, object], packed: bool) -> None:
    assert command_of(SrunSettings("true", run_args=args), "m", "/").shareable is packed


@pytest.mark.parametrize(
    ("method", "given", "why"),
    [
        ("set_hostlist_from_file", "nowhere", "no file nowhere; give the path of one that is there"),
        ("set_hostlist_from_file", 5, "5 is no path; give text or a pathlib.Path"),
        ("set_het_group", [], r"\[\] holds no number; for example \[0, 1\]"),
        ("set_het_group", -1, "-1 is not a whole number, zero or more"),
        ("set_cpu_bindings", "0-3", "'0-3' is not a whole number, zero or more"),
        ("set_cpu_bindings", [1.7], "1.7 is not a whole number, zero or more"),
        ("set_binding", None, "None is no text; give it in the run command's words"),
        ("set_task_map", "a\nb", "is no line of text"),
        ("set_broadcast", 5, "5 is no text"),
        ("set_overcommit", "no", "'no' is neither True nor False; give one of them"),
        ("set_time", "1", "'1', 0, 0 are no numbers; for example hours=1"),
        ("make_mpmd", "ocean", "'ocean' are no run settings; for example RunSettings"),
    ],
)
def test_what_makes_no_sense_is_an_error_at_once(method: str, given: object, why: str) -> None:
    with pytest.raises((InputTypeError, ValueError, MissingFileError), match=f"{method}: .*{why}"):
        getattr(SrunSettings("true"), method)(given)


@pytest.mark.parametrize(("time", "spelled"), [(0.5, "00:00:01"), (90.9, "00:01:31"), ("01:00:00", "01:00:00")])
def test_a_time_is_never_shortened_since_zero_would_be_no_limit(time: float, spelled: str) -> None:
    settings = SrunSettings("true")
    settings.set_walltime(time)

    assert f"--time={spelled}" in command_of(settings, "m", "/").argv
    assert next(SLURM.directives(portable_options(BatchSettings(time=time)))) == f"#SBATCH --time={spelled}"


def test_programs_of_one_step_share_environment_and_time_limit() -> None:
    ocean, ice = SrunSettings("true", env_vars={"GRID": "fine"}), SrunSettings("true", env_vars={"ICE": 1}, time_limit=60)
    ice.make_mpmd(SrunSettings("true", time_limit=30))
    ocean.make_mpmd(ice)
    command = command_of(ocean, "m", "/")

    assert (command.argv.count(":"), command.env, command.time_limit) == (2, {"GRID": "fine", "ICE": "1"}, 30)
    ice.update_env({"GRID": "coarse"})
    with pytest.raises(InputValueError, match="make_mpmd: GRID is 'fine' for one program and 'coarse' for another"):
        command_of(ocean, "m", "/")


def test_several_programs_share_one_command() -> None:
    first, second = SrunSettings("true"), SrunSettings("false")
    first.set_tasks(1)
    second.set_tasks(2)

    first.make_mpmd(second)

    assert command_of(first, "m", "/").argv[1:] == ("--ntasks=1", first.exe, ":", "--ntasks=2", second.exe)
    assert (command_of(first, "m", "/").need, command_of(first, "m", "/").shareable) == (Need(4, 1, 2), False)
    with pytest.raises(InputValueError, match="give both one run_command"):
        first.make_mpmd(MpirunSettings("true"))
