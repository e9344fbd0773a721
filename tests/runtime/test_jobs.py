"""Jobs on a real Slurm of four nodes with eight CPUs each, which the tests bring up themselves."""

import os
import re
import signal
import subprocess
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from cluster import Cluster
from smartensemble.entities import Ensemble, Model
from smartensemble.errors import InputValueError, StateError, UnsupportedError
from smartensemble.experiment import Experiment
from smartensemble.runtime.queue import queue
from smartensemble.settings import RunSettings
from smartensemble.status import Status

pytestmark = pytest.mark.needs("slurm")

Eventually = Callable[[Callable[[], object]], None]
Driver = Callable[..., "subprocess.Popen[str]"]


def shell(exp: Experiment, line: str, replicas: int = 2, **options: object) -> Ensemble:
    """A batch ensemble whose members run a line of shell."""
    batch = exp.create_batch_settings(**options)  # type: ignore[arg-type]
    return exp.create_ensemble("ens", None, batch, exp.create_run_settings("bash", ["-c", line]), replicas)


def words(member: Model) -> list[str]:
    """What a member wrote."""
    return Path(member.path, f"{member.name}.out").read_text().split()


def statuses(ens: Ensemble) -> Counter[str]:
    """How many members stand how."""
    return Counter(str(member.status) for member in ens)


def test_case_3_runs_models_of_all_sizes_in_one_job(slurm_exp: Experiment) -> None:
    ens = slurm_exp.create_ensemble("ens", batch_settings=slurm_exp.create_batch_settings())
    for name, tasks, nodes in (("one", 1, 1), ("four", 4, 1), ("wide", 4, 2)):
        settings = slurm_exp.create_run_settings("bash", ["-c", "echo $SLURMD_NODENAME"])
        settings.set_tasks(tasks)
        settings.set_nodes(nodes)
        ens.add_model(slurm_exp.create_model(name, settings))

    slurm_exp.start(ens, progress=False)

    assert statuses(ens) == {"Completed": 3}
    assert [(len(words(member)), len(set(words(member)))) for member in ens] == [(1, 1), (4, 1), (4, 2)]


def test_case_4_runs_parameters(slurm_exp: Experiment) -> None:
    run, batch = slurm_exp.create_run_settings("echo"), slurm_exp.create_batch_settings(nodes=2, time=240, queue="short")
    ens = slurm_exp.create_ensemble("ens", {"title": ["a b", "it's", '$x"']}, batch, run, params_as_args="title")

    slurm_exp.start(ens, progress=False)

    assert [Path(member.path, f"{member.name}.out").read_text() for member in ens] == [
        "--title=a b\n",
        "--title=it's\n",
        '--title=$x"\n',
    ]
    assert "#SBATCH --time=00:04:00" in Path(ens.path, "ens.sh").read_text()


def test_case_5_runs_waves_and_never_more_than_there_are_cpus(slurm_exp: Experiment, tmp_path: Path) -> None:
    (tmp_path / "live").mkdir()
    line = f"touch {tmp_path}/live/$$; ls {tmp_path}/live | wc -l; sleep 0.05; rm {tmp_path}/live/$$; (( RANDOM % 2 ))"
    ens = shell(slurm_exp, line, replicas=100)

    slurm_exp.start(ens, progress=False)

    most = max(int(words(member)[0]) for member in ens)
    assert 16 < most <= 32
    assert statuses(ens).keys() == {"Completed", "Failed"}
    assert statuses(ens).total() == 100


def test_members_are_run_once_each(slurm_exp: Experiment) -> None:
    ens = shell(slurm_exp, "echo run >> runs", replicas=200)

    slurm_exp.start(ens, progress=False)

    assert [Path(member.path, "runs").read_text() for member in ens] == ["run\n"] * 200


def test_overcommit_runs_all_at_once(slurm_exp: Experiment, tmp_path: Path) -> None:
    """Each waits until all are there."""
    line = f"touch {tmp_path}/here-$SLURM_PROCID; until [ $(ls {tmp_path} | grep -c here) = 40 ]; do sleep 0.05; done"
    ens = shell(slurm_exp, line, replicas=40, overcommit=True)

    slurm_exp.start(ens, progress=False)

    assert statuses(ens) == {"Completed": 40}


def test_fewer_nodes_than_all_need_mean_turns(slurm_exp: Experiment) -> None:
    """The specification's example in small: members of two nodes each, in a job that has room for one of them."""
    ens = shell(slurm_exp, "date +%s.%N; sleep 0.1; date +%s.%N", replicas=3, nodes=2)
    for member in ens:
        member.run_settings.set_nodes(2)

    slurm_exp.start(ens, progress=False)

    assert statuses(ens) == {"Completed": 3}
    times = sorted((min(words(member)), max(words(member))) for member in ens)
    assert all(end < begin for (_, end), (begin, _) in pairwise(times))


@pytest.mark.parametrize(
    ("size", "options", "message"),
    [
        ({"nodes": 3}, {"nodes": 2}, "ens: batch_settings ask for nodes=2, and a member needs 3; give nodes=3 or more"),
        ({"cpus_per_task": 9}, {}, "ens: ens_0 needs 9 CPUs on a node, and nodes of 'main' have 8; give it more nodes"),
        ({"nodes": 5}, {}, "ens: ens_0 needs 5 nodes, and 'main' has 4; give another queue"),
        ({}, {"queue": "shrt"}, "ens: there is no queue 'shrt'; did you mean 'short'? There are main, short"),
    ],
)
def test_what_cannot_run_is_an_error_before_anything_is_written(
    slurm_exp: Experiment, size: dict[str, int], options: dict[str, object], message: str
) -> None:
    ens = shell(slurm_exp, "true", replicas=1, **options)
    ens[0].run_settings.run_options.update(size)

    with pytest.raises(InputValueError, match=re.escape(message)):
        slurm_exp.start(ens)

    assert (slurm_exp.get_status(ens), Path(ens.path).exists()) == ([Status.NEW], False)


def test_what_slurm_refuses_is_told_in_its_words(slurm_exp: Experiment) -> None:
    ens = shell(slurm_exp, "true", batch_args={"constraint": "gpu"})

    with pytest.raises(StateError, match=r"ens: was refused by slurm: sbatch: .*[Ff]eature"):
        slurm_exp.start(ens)

    assert slurm_exp.get_status(ens) == [Status.FAILED] * 2
    ens.batch_settings.batch_args.clear()  # type: ignore[union-attr]
    slurm_exp.start(ens, progress=False)
    assert slurm_exp.get_status(ens) == [Status.COMPLETED] * 2


def test_the_preamble_and_the_environment_reach_members(slurm_exp: Experiment) -> None:
    ens = shell(slurm_exp, 'echo "$MODULE-$OWN"', preamble="export MODULE=lammps")
    ens[1].run_settings.update_env({"OWN": "mine"})

    slurm_exp.start(ens, progress=False)

    assert [words(member) for member in ens] == [["lammps-"], ["lammps-mine"]]


@pytest.mark.parametrize("name", ["a b", "it's", "100%j", "é"])
def test_any_name_will_do(slurm_exp: Experiment, name: str) -> None:
    ens = slurm_exp.create_ensemble(
        name, None, slurm_exp.create_batch_settings(), slurm_exp.create_run_settings("echo", ["1"]), 33
    )

    slurm_exp.start(ens, progress=False)

    assert statuses(ens) == {"Completed": 33}
    assert Path(ens.path, f"{name}.out").exists()


def test_stop_cancels_and_waits(slurm_exp: Experiment, cluster: Cluster, eventually: Eventually) -> None:
    ens = shell(slurm_exp, "[ ${PWD##*_} = 0 ] || exec sleep 1000")
    slurm_exp.start(ens, block=False)
    eventually(lambda: slurm_exp.get_status(ens) == [Status.COMPLETED, Status.RUNNING])

    slurm_exp.stop(ens)

    assert slurm_exp.get_status(ens) == [Status.COMPLETED, Status.CANCELLED]
    assert ens[1].run.reason == "stopped"
    assert cluster.ask("squeue", "--noheader") == ""


def test_a_job_that_waits_is_queued_and_can_be_stopped(slurm_exp: Experiment, cluster: Cluster, eventually: Eventually) -> None:
    ens = shell(slurm_exp, "true", batch_args={"begin": "now+1hour"})
    slurm_exp.start(ens, block=False)
    eventually(lambda: "PENDING" in cluster.ask("squeue", "--format=%T"))

    assert slurm_exp.get_status(ens) == [Status.QUEUED] * 2
    slurm_exp.stop(ens)

    assert (slurm_exp.get_status(ens), ens[0].run.reason) == ([Status.CANCELLED] * 2, "stopped before it started")


def test_a_job_that_somebody_cancels_is_told_from_one_that_we_stop(
    slurm_exp: Experiment, cluster: Cluster, eventually: Eventually
) -> None:
    ens = shell(slurm_exp, "sleep 1000")
    slurm_exp.start(ens, block=False)
    eventually(lambda: slurm_exp.get_status(ens) == [Status.RUNNING] * 2)

    cluster.ask("scancel", "--name=ens")
    slurm_exp.wait(timeout=60)

    assert (slurm_exp.get_status(ens), ens[0].run.reason) == ([Status.CANCELLED] * 2, "the batch job was cancelled")


def test_a_node_that_fails_is_the_reason(slurm_exp: Experiment, cluster: Cluster, eventually: Eventually) -> None:
    ens = shell(slurm_exp, "sleep 1000", nodes=2)
    slurm_exp.start(ens, block=False)
    eventually(lambda: slurm_exp.get_status(ens) == [Status.RUNNING] * 2)
    node = cluster.ask("squeue", "--noheader", "--format=%B").strip()

    cluster.ask("scontrol", "update", f"nodename={node}", "state=down", "reason=test")
    try:
        assert slurm_exp.wait(timeout=60)
    finally:
        cluster.ask("scontrol", "update", f"nodename={node}", "state=resume")

    assert slurm_exp.get_status(ens) == [Status.FAILED] * 2
    assert "a node of the batch job failed (NODE_FAIL" in ens[0].run.reason


def test_a_controller_that_is_away_decides_nothing(slurm_exp: Experiment, cluster: Cluster, eventually: Eventually) -> None:
    ens = shell(slurm_exp, f"until [ -e {os.getcwd()}/go ]; do sleep 0.05; done")
    slurm_exp.start(ens, block=False)
    eventually(lambda: slurm_exp.get_status(ens) == [Status.RUNNING] * 2)

    cluster.end("slurmctld")
    slurm_exp.wait(timeout=1)
    between = slurm_exp.get_status(ens)
    cluster.start("slurmctld", "-D")
    Path("go").touch()

    assert slurm_exp.wait(timeout=60)
    assert (between, slurm_exp.get_status(ens)) == ([Status.RUNNING] * 2, [Status.COMPLETED] * 2)


def test_a_driver_that_comes_back_sees_its_jobs(
    cluster: Cluster, driver: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    first = driver(f"""
        exp = Experiment("study", launcher="slurm")
        line = "until [ -e {tmp_path}/go ]; do sleep 0.05; done; [ ${{PWD##*_}} = 0 ]"
        ens = exp.create_ensemble("ens", None, exp.create_batch_settings(), settings("bash", "-c", line), 2)
        exp.start(ens, block=False)
        while exp.get_status(ens) != [Status.RUNNING] * 2: time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGKILL)
        """)
    assert first.wait(60) == -signal.SIGKILL

    exp = Experiment("study", launcher="slurm")
    line = f"until [ -e {tmp_path}/go ]; do sleep 0.05; done; [ ${{PWD##*_}} = 0 ]"
    ens = exp.create_ensemble("ens", None, exp.create_batch_settings(), exp.create_run_settings("bash", ["-c", line]), 2)
    before = exp.get_status(ens)
    Path("go").touch()

    assert exp.wait(timeout=60)
    assert (before, exp.get_status(ens)) == ([Status.RUNNING] * 2, [Status.COMPLETED, Status.FAILED])


def test_another_driver_stops_a_job(cluster: Cluster, slurm_exp: Experiment, eventually: Eventually) -> None:
    ens = shell(slurm_exp, "sleep 1000")
    slurm_exp.start(ens, block=False, detach=True)
    other = Experiment("study", launcher="slurm")
    same = shell(other, "sleep 1000")
    eventually(lambda: other.get_status(same) == [Status.RUNNING] * 2)

    other.stop(same)

    assert other.get_status(same) == [Status.CANCELLED] * 2
    assert slurm_exp.wait(timeout=60)
    assert slurm_exp.get_status(ens) == [Status.CANCELLED] * 2


def test_the_time_limit_of_a_job_is_the_reason(slurm_exp: Experiment) -> None:
    """Slurm counts in minutes, so this test takes more than one."""
    ens = shell(slurm_exp, "[ ${PWD##*_} = 0 ] || exec sleep 1000", time=1)

    slurm_exp.start(ens, progress=False)

    assert slurm_exp.get_status(ens) == [Status.COMPLETED, Status.FAILED]
    assert ens[1].run.reason.startswith("the batch job reached its time limit (TIMEOUT")


def test_a_member_has_a_time_limit_of_its_own(slurm_exp: Experiment) -> None:
    ens = shell(slurm_exp, "[ ${PWD##*_} = 0 ] || sleep 1000")
    ens[1].run_settings.time_limit = 0.5

    slurm_exp.start(ens, progress=False)

    assert ens[1].run.reason.startswith("ended at its time limit of 0.5 s")


def test_each_model_may_have_a_job_of_its_own(slurm_exp: Experiment) -> None:
    models = [
        slurm_exp.create_model(name, slurm_exp.create_run_settings("printenv", ["SLURM_JOB_ID"]), batch_settings=batch)
        for name in ("a", "b")
        for batch in [slurm_exp.create_batch_settings()]
    ]

    slurm_exp.start(*models, progress=False)

    assert slurm_exp.get_status(*models) == [Status.COMPLETED] * 2
    assert len({words(model)[0] for model in models}) == 2


def test_without_batch_and_without_an_allocation_is_an_error(slurm_exp: Experiment) -> None:
    model = slurm_exp.create_model("alone", slurm_exp.create_run_settings("true"))

    with pytest.raises(StateError, match="study: alone has no batch_settings, and this program runs in no allocation of slurm"):
        slurm_exp.start(model)

    assert not Path(model.path).exists()


def test_inside_an_allocation_members_are_steps(cluster: Cluster, driver: Driver, tmp_path: Path) -> None:
    done = driver(
        """
        exp = Experiment("study", launcher="auto")
        rs = exp.create_run_settings("bash", ["-c", "echo $SLURM_JOB_ID.$SLURM_STEP_ID $SLURMD_NODENAME; sleep 0.05"])
        ens = exp.create_ensemble("ens", replicas=20, run_settings=rs)
        wide = exp.create_run_settings("printenv", ["SLURMD_NODENAME"])
        wide.set_nodes(2)
        wide.set_tasks(4)
        model = exp.create_model("wide", wide)
        exp.start(ens, model, progress=False)
        print(exp.launcher, *{str(m.status) for m in (*ens, model)})
        print(*(open(f"{m.path}/{m.name}.out").read().split()[0] for m in ens))
        print(*open(f"{model.path}/wide.out").read().split())
        """,
        wrapper=["salloc", "--quiet", "--nodes=2", "--ntasks-per-node=4"],
    )

    out, _ = done.communicate(timeout=120)
    assert len(out.splitlines()) == 3, out
    status, steps, nodes = out.splitlines()
    assert status == "slurm Completed"
    assert len({*steps.split()}) == 20
    assert (len(nodes.split()), len({*nodes.split()})) == (4, 2)


def test_a_job_that_nobody_remembers_is_unknown(
    tmp_path: Path, driver: Driver, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    forgetful = Cluster(tmp_path / "forgetful", nodes=2, age=2)
    try:
        monkeypatch.setenv("SLURM_CONF", str(forgetful.conf))
        monkeypatch.chdir(tmp_path)
        exp = Experiment("study", launcher="slurm")
        ens = shell(exp, "sleep 1000", replicas=1)
        exp.start(ens, block=False, detach=True)
        eventually(lambda: exp.get_status(ens) == [Status.RUNNING])
        job = forgetful.ask("squeue", "--noheader", "--format=%A").strip()
        forgetful.ask("scancel", "--batch", "--signal=KILL", job)
        eventually(lambda: not forgetful.ask("scontrol", "show", "job", job))

        other = Experiment("study", launcher="slurm")
        same = shell(other, "sleep 1000", replicas=1)
        other.wait(timeout=60)
    finally:
        forgetful.stop()

    reason = f"slurm knows nothing of job {job} any more, and it left no exit code"
    assert (other.get_status(same), same[0].run.reason) == ([Status.UNKNOWN], reason)


def test_a_machine_without_slurm_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    exp = Experiment("study", launcher="slurm")
    ens = exp.create_ensemble("ens", None, exp.create_batch_settings(), RunSettings("true"), 1)
    monkeypatch.setenv("PATH", "/nowhere")

    with pytest.raises(UnsupportedError, match="launcher 'slurm': no program 'sbatch' on PATH"):
        exp.start(ens)


def test_one_question_serves_all_jobs_and_they_grow_rare(slurm_exp: Experiment) -> None:
    settings = slurm_exp.create_run_settings("sleep", ["4"])
    models = [
        slurm_exp.create_model(f"m{number}", settings, batch_settings=slurm_exp.create_batch_settings()) for number in range(8)
    ]
    before = queue("slurm").questions

    slurm_exp.start(*models, progress=False)

    assert slurm_exp.get_status(*models) == [Status.COMPLETED] * 8
    assert queue("slurm").questions - before <= 9
