"""Jobs on a real Slurm of four nodes with eight CPUs each, which the tests bring up themselves.

Tests query, queue and share_out.
"""

import os
import re
import shutil
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from cluster import Cluster
from smartensemble.ensemble import Ensemble
from smartensemble.errors import InputValueError, StateError, UnsupportedError
from smartensemble.experiment import Experiment
from smartensemble.model import Model
from smartensemble.runtime.jobs.batch import Batch
from smartensemble.runtime.jobs.queue import RUNNING_QUERY_S, Note, queue
from smartensemble.settings.named import SrunSettings
from smartensemble.settings.run import RunSettings
from smartensemble.status import Status
from worlds.patience import PATIENCE_S

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


def test_case_5_runs_500_members_in_waves_and_never_more_than_there_are_cpus(slurm_exp: Experiment, tmp_path: Path) -> None:
    """The first ones wait until more are there than two nodes have CPUs."""
    (tmp_path / "live").mkdir()
    live, many = f"{tmp_path}/live", f"{tmp_path}/many"
    wait = f"until [ -e {many} ]; do set -- {live}/*; (( $# <= 16 )) || : > {many}; sleep 0.05; done"
    line = f"echo >> runs; : > {live}/$$; {wait}; set -- {live}/*; echo $#; sleep 0.05; rm {live}/$$; (( RANDOM % 2 ))"
    ens = shell(slurm_exp, line, replicas=500)

    slurm_exp.start(ens, progress=False)

    assert max(int(words(member)[0]) for member in ens) <= 32
    assert statuses(ens).keys() == {"Completed", "Failed"}
    assert statuses(ens).total() == 500
    assert [Path(member.path, "runs").read_text() for member in ens] == ["\n"] * 500  # once each


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
        ({}, {"nodes": 5}, "ens: batch_settings ask for nodes=5, and 'main' has 4; give fewer, or another queue"),
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
    step = slurm_exp.create_model("step", SrunSettings("true", alloc=1))

    with pytest.raises(StateError, match=r"ens: was refused by slurm: sbatch: .*[Ff]eature"):
        slurm_exp.start(ens, step)

    assert slurm_exp.get_status(ens, step) == [Status.FAILED] * 3
    later = Experiment("study", launcher="slurm").create_model("step", SrunSettings("true", alloc=1))
    assert (later.status, later.run.cause[:16]) == (Status.FAILED, "ens: was refused")
    ens.batch_settings.batch_args.clear()  # type: ignore[union-attr]
    slurm_exp.start(ens, progress=False)
    assert slurm_exp.get_status(ens) == [Status.COMPLETED] * 2


def test_the_preambles_of_a_job_and_of_a_member_reach_it(slurm_exp: Experiment) -> None:
    ens = shell(slurm_exp, 'echo "$MODULE-$OWN"', preamble="export MODULE=lammps")
    ens[1].run_settings.add_preamble('export OWN="${PWD##*/}"')

    slurm_exp.start(ens, progress=False)

    assert [words(member) for member in ens] == [["lammps-"], ["lammps-ens_1"]]


@pytest.mark.parametrize("name", ["a b", "it's", "100%j", r"é\%j"])
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
    slurm_exp.wait(timeout=PATIENCE_S)

    assert (slurm_exp.get_status(ens), ens[0].run.reason) == ([Status.CANCELLED] * 2, "the batch job was cancelled")


def test_a_node_that_fails_is_the_reason(slurm_exp: Experiment, cluster: Cluster, eventually: Eventually) -> None:
    ens = shell(slurm_exp, "sleep 1000", nodes=2)
    slurm_exp.start(ens, block=False)
    eventually(lambda: slurm_exp.get_status(ens) == [Status.RUNNING] * 2)
    node = cluster.ask("squeue", "--noheader", "--format=%B").strip()

    cluster.ask("scontrol", "update", f"nodename={node}", "state=down", "reason=test")
    try:
        assert slurm_exp.wait(timeout=PATIENCE_S)
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

    assert slurm_exp.wait(timeout=PATIENCE_S)
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
    assert first.wait(PATIENCE_S) == -signal.SIGKILL

    exp = Experiment("study", launcher="slurm")
    line = f"until [ -e {tmp_path}/go ]; do sleep 0.05; done; [ ${{PWD##*_}} = 0 ]"
    ens = exp.create_ensemble("ens", None, exp.create_batch_settings(), exp.create_run_settings("bash", ["-c", line]), 2)
    before = exp.get_status(ens)
    Path("go").touch()

    assert exp.wait(timeout=PATIENCE_S)
    assert (before, exp.get_status(ens)) == ([Status.RUNNING] * 2, [Status.COMPLETED, Status.FAILED])


@pytest.mark.parametrize("begun", [True, False])
def test_a_driver_that_comes_back_late_knows_at_once_that_its_job_has_ended(
    cluster: Cluster, driver: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, eventually: Eventually, begun: bool
) -> None:
    """Its members left no exit code."""
    monkeypatch.chdir(tmp_path)
    first = driver(f"""
        exp = Experiment("study", launcher="slurm")
        batch = exp.create_batch_settings(batch_args={{"begin": "now" if {begun} else "now+1hour"}})
        ens = exp.create_ensemble("ens", None, batch, settings("sleep", "1000"), 2)
        exp.start(ens, block=False)
        while {begun} and exp.get_status(ens) != [Status.RUNNING] * 2: time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGKILL)
        """)
    assert first.wait(PATIENCE_S) == -signal.SIGKILL
    cluster.ask("scancel", "--name=ens")
    eventually(lambda: cluster.ask("squeue", "--noheader") == "")

    exp = Experiment("study", launcher="slurm")
    ens = exp.create_ensemble("ens", None, exp.create_batch_settings(), exp.create_run_settings("sleep", ["1000"]), 2)

    assert exp.get_status(ens) == [Status.CANCELLED] * 2
    assert ens[0].run.reason == "the batch job was cancelled"


def test_another_driver_stops_a_job(cluster: Cluster, slurm_exp: Experiment, eventually: Eventually) -> None:
    ens = shell(slurm_exp, "sleep 1000")
    slurm_exp.start(ens, block=False, detach=True)
    other = Experiment("study", launcher="slurm")
    same = shell(other, "sleep 1000")
    eventually(lambda: other.get_status(same) == [Status.RUNNING] * 2)

    other.stop(same)

    assert other.get_status(same) == [Status.CANCELLED] * 2
    assert slurm_exp.wait(timeout=PATIENCE_S)
    assert slurm_exp.get_status(ens) == [Status.CANCELLED] * 2


def test_ctrl_c_while_a_job_is_handed_over_leaves_none(
    cluster: Cluster, driver: Driver, script: Callable[[str], str], tmp_path: Path, eventually: Eventually
) -> None:
    """The number of the job is not yet known then."""
    slow = tmp_path / "slow"
    slow.mkdir()
    os.rename(
        script(f'touch {tmp_path}/asked; until [ -e {tmp_path}/go ]; do sleep 0.02; done; exec {shutil.which("sbatch")} "$@"'),
        slow / "sbatch",
    )
    asked = driver(f"""
        os.environ["PATH"] = "{slow}:" + os.environ["PATH"]
        exp = Experiment("study", launcher="slurm")
        ens = exp.create_ensemble("ens", None, exp.create_batch_settings(), settings("sleep", "1000"), 2)
        try:
            exp.start(ens)
        except KeyboardInterrupt:
            print(exp.wait(ens, timeout=PATIENCE_S), *map(str, exp.get_status(ens)))
        """)
    eventually((tmp_path / "asked").exists)

    os.killpg(asked.pid, signal.SIGINT)
    (tmp_path / "go").touch()

    assert asked.communicate(timeout=PATIENCE_S)[0] == "True Cancelled Cancelled\n"
    assert cluster.ask("squeue", "--noheader") == ""


def test_a_driver_stops_what_another_is_just_handing_over(slurm_exp: Experiment, monkeypatch: pytest.MonkeyPatch) -> None:
    ens = shell(slurm_exp, "sleep 1000")
    submit = queue("slurm").submit

    def stopped_meanwhile(batch: Batch, note: Note, token: str) -> None:
        other = Experiment("study", launcher="slurm")
        stop = threading.Thread(target=other.stop, args=[shell(other, "sleep 1000")])
        stop.start()
        stop.join(0.1)
        submit(batch, note, token)
        stop.join(PATIENCE_S)
        assert not stop.is_alive()

    monkeypatch.setattr(queue("slurm"), "submit", stopped_meanwhile)
    slurm_exp.start(ens, progress=False)

    assert slurm_exp.get_status(ens) == [Status.CANCELLED] * 2


def test_a_cluster_that_does_not_end_a_job_keeps_nobody_for_ever(
    slurm_exp: Experiment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ens = shell(slurm_exp, "sleep 1000")
    slurm_exp.start(ens, block=False)
    (tmp_path / "scancel").write_text("#!/bin/sh\n")  # it promises, and nothing happens
    (tmp_path / "scancel").chmod(0o755)

    with monkeypatch.context() as hanging:
        hanging.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        hanging.setattr("smartensemble.runtime.runner.STOP_TIMEOUT_S", 0.1)
        with pytest.raises(StateError, match="did not end in time; stop it again"):
            slurm_exp.stop(ens)

    slurm_exp.stop(ens)
    assert slurm_exp.get_status(ens) == [Status.CANCELLED] * 2


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


def test_a_machine_without_slurm_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    exp = Experiment("study", launcher="slurm")
    ens = exp.create_ensemble("ens", None, exp.create_batch_settings(), RunSettings("true"), 1)
    monkeypatch.setenv("PATH", "/nowhere")

    with pytest.raises(UnsupportedError, match="launcher 'slurm': no program 'sbatch' on PATH"):
        exp.start(ens)


def test_a_machine_without_slurm_sees_the_jobs(slurm_exp: Experiment, monkeypatch: pytest.MonkeyPatch) -> None:
    ens = shell(slurm_exp, "sleep 1000")
    slurm_exp.start(ens, block=False, detach=True)
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("PATH", "/nowhere")
        elsewhere.setattr(queue("slurm"), "_next", 0.0)

        assert slurm_exp.wait(timeout=0.1) is False
    slurm_exp.stop(ens)


def test_one_question_serves_all_jobs_and_they_grow_rare(slurm_exp: Experiment) -> None:
    settings = slurm_exp.create_run_settings("sleep", ["4"])
    models = [
        slurm_exp.create_model(f"m{number}", settings, batch_settings=slurm_exp.create_batch_settings()) for number in range(8)
    ]
    before, began = queue("slurm").questions, time.monotonic()

    slurm_exp.start(*models, progress=False)

    assert slurm_exp.get_status(*models) == [Status.COMPLETED] * 8
    rare = 4 + (time.monotonic() - began) / RUNNING_QUERY_S  # four pauses double, from the first to the longest one
    assert queue("slurm").questions - before <= rare


def test_members_of_an_array_run_each_by_itself(slurm_exp: Experiment, cluster: Cluster, eventually: Eventually) -> None:
    line = 'echo "$SLURM_ARRAY_TASK_ID"; case $SLURM_ARRAY_TASK_ID in 1) exit 7;; 2 | 3) exec sleep 1000;; esac'
    ens = shell(slurm_exp, line, replicas=40, array=True, preamble="export PREPARED=yes")
    slurm_exp.start(ens, block=False)
    eventually(lambda: slurm_exp.get_status(ens).count(Status.COMPLETED) == 37)

    job = cluster.ask("squeue", "--noheader", "--format=%F").split()[0]
    cluster.ask("scancel", f"{job}_2")
    eventually(lambda: slurm_exp.get_status(ens)[2] is Status.CANCELLED)
    between = (ens[2].run.reason, statuses(ens))
    slurm_exp.stop(ens)

    assert between == ("the batch job was cancelled", {"Completed": 37, "Failed": 1, "Cancelled": 1, "Running": 1})
    assert statuses(ens) == {"Completed": 37, "Failed": 1, "Cancelled": 2}
    assert (ens[1].run.exit_code, ens[3].run.reason) == (7, "stopped")
    assert [words(member) for member in ens] == [[str(number)] for number in range(40)]


def test_an_array_runs_as_many_at_once_as_it_may_and_a_driver_that_comes_back_sees_it(
    slurm_exp: Experiment, eventually: Eventually
) -> None:
    ens = shell(slurm_exp, "date +%s.%N; sleep 0.3; date +%s.%N; [ ${PWD##*_} != 3 ]", replicas=4, array=True)
    slurm_exp.start(ens, block=False, detach=True, max_running=1)
    queue_of_another = Experiment("study", launcher="slurm")
    same = shell(queue_of_another, "date +%s.%N; sleep 0.3; date +%s.%N; [ ${PWD##*_} != 3 ]", replicas=4, array=True)

    assert queue_of_another.wait(timeout=PATIENCE_S)

    assert statuses(same) == {"Completed": 3, "Failed": 1}
    times = sorted((min(words(member)), max(words(member))) for member in same)
    assert all(end < begin for (_, end), (begin, _) in pairwise(times))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"nodes": 2}, "ens: array=True and nodes=2, and a member of an array gets its own room; leave nodes out"),
        ({"overcommit": True}, "ens: array=True and overcommit=True, and a member"),
    ],
)
def test_an_array_is_of_members_of_one_task(slurm_exp: Experiment, options: dict[str, object], message: str) -> None:
    with pytest.raises(InputValueError, match=re.escape(message)):
        slurm_exp.start(shell(slurm_exp, "true", 2, array=True, **options))

    ens = shell(slurm_exp, "true", array=True)
    ens[1].run_settings.set_tasks(2)
    with pytest.raises(InputValueError, match="ens: array=True, and ens_1 is more than a task of a job; leave array out"):
        slurm_exp.start(ens)


def test_a_job_may_have_nodes_of_several_kinds(slurm_exp: Experiment) -> None:
    batch = slurm_exp.create_batch_settings(nodes=1)
    batch.add_het_group(slurm_exp.create_batch_settings(nodes=2))
    node = ["-c", "echo $SLURMD_NODENAME"]
    first, second, third = (slurm_exp.create_run_settings("bash", node) for _ in range(3))
    for number, settings in enumerate((first, second)):
        settings.set_tasks(2)
        settings.set_het_group([number])
    second.set_nodes(2)
    third.set_het_group([1])
    first.make_mpmd(second)
    ens = slurm_exp.create_ensemble("ens", batch_settings=batch)
    for name, settings in (("pair", first), ("one", third), ("plain", slurm_exp.create_run_settings("bash", node))):
        ens.add_model(slurm_exp.create_model(name, settings))

    slurm_exp.start(ens, progress=False)

    assert statuses(ens) == {"Completed": 3}
    pair, one, plain = map(words, ens)
    assert sorted(Counter(pair).values()) == [1, 1, 2]  # two tasks on the node of the first group, one on each of the second
    assert [node for node, tasks in Counter(pair).items() if tasks == 2] == plain
    assert one[0] in {*pair} - {*plain}


def test_a_group_of_nodes_has_a_size(slurm_exp: Experiment) -> None:
    batch = slurm_exp.create_batch_settings(nodes=1)
    batch.add_het_group(slurm_exp.create_batch_settings())
    ens = slurm_exp.create_ensemble("ens", None, batch, slurm_exp.create_run_settings("true"), 2)

    with pytest.raises(InputValueError, match="ens: group 1 of the nodes of its job has no size; give it nodes="):
        slurm_exp.start(ens)


def test_steps_of_a_job_share_its_memory(slurm_exp: Experiment) -> None:
    """A step that is not told takes all of it, and the next one waits for its end: here both wait for each other."""
    line = "touch ../here-${PWD##*_}; until [ -e ../here-0 ] && [ -e ../here-1 ]; do sleep 0.05; done"
    ens = shell(slurm_exp, line, nodes=1, batch_args={"mem": 1000})
    for member in ens:
        member.run_settings.set_tasks(2)

    slurm_exp.start(ens, block=False)

    assert slurm_exp.wait(timeout=PATIENCE_S)
    assert statuses(ens) == {"Completed": 2}


def test_a_machine_that_reaches_no_controller_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, slurm_exp: Experiment
) -> None:
    monkeypatch.setenv("SLURM_CONF", str(tmp_path / "none.conf"))

    with pytest.raises(StateError, match=r"(?s)^sinfo: .*; run this where slurm answers, or with launcher='local'$"):
        slurm_exp.start(shell(slurm_exp, "true"))
