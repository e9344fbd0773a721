"""How jobs end, on a real Slurm with accounting, whose controller forgets them after seconds, and on one that has none.

Tests queue.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cluster import Cluster
from smartensemble.ensemble import Ensemble
from smartensemble.experiment import Experiment
from smartensemble.runtime.jobs import queue, verdict
from smartensemble.status import Status
from worlds.patience import PATIENCE_S, eventually

pytestmark = pytest.mark.needs("slurmdbd")

Eventually = Callable[[Callable[[], object]], None]


@pytest.fixture(scope="module")
def forgetful(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A Slurm that forgets, without accounting."""
    running = Cluster(tmp_path_factory.mktemp("forgetful") / "cluster", nodes=2, age=2)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def lost(forgetful: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a job was killed on it. It is forgotten while other tests run."""
    home = tmp_path_factory.mktemp("lost")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        patch.setenv("SLURM_CONF", str(forgetful.conf))
        exp = Experiment("study", launcher="slurm")
        exp.start(member(exp, "lost", "sleep 1000"), block=False, detach=True)
        eventually(Path("study/lost/lost_0/lost_0.started").exists)
        forgetful.ask("scancel", "--batch", "--signal=KILL", "--name=lost")
    return home


@pytest.fixture(scope="module")
def accounted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A Slurm that forgets, and has accounting."""
    running = Cluster(tmp_path_factory.mktemp("accounted") / "cluster", nodes=2, age=2, accounting=True)
    yield running
    running.stop()


def member(exp: Experiment, name: str, line: str, replicas: int = 1, host: str = "", **options: object) -> Ensemble:
    """A batch job whose members run a line of shell."""
    batch = exp.create_batch_settings(**options)  # type: ignore[arg-type]
    if host:
        batch.set_hostlist(host)
    return exp.create_ensemble(name, None, batch, exp.create_run_settings("bash", ["-c", line]), replicas)


def unseen(exp: Experiment) -> list[Ensemble]:
    """Jobs whose ends nobody sees."""
    return [
        member(exp, "late", "sleep 1000", host="n1", time=1),
        member(exp, "killed", "sleep 1000", host="n1"),
        member(exp, "cancelled", "sleep 1000", host="n1"),
        member(exp, "array", '[ "$SLURM_ARRAY_TASK_ID" = 0 ] || sleep 1000', 2, host="n1", array=True),
        member(exp, "well", "true", host="n1"),
        member(exp, "wiped", "true", host="n1"),
    ]


def test_each_end_has_its_own_reason_and_the_accounting_knows_it_later(
    accounted: Cluster, lost: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, eventually: Eventually
) -> None:
    """Slurm looks at time limits every half a minute, so this test takes as long."""
    monkeypatch.setenv("SLURM_CONF", str(accounted.conf))
    monkeypatch.chdir(tmp_path)
    alone, watched = (Experiment(name, launcher="slurm") for name in ("alone", "watched"))
    fill = "x=$(head -c 300000000 /dev/zero | tr '\\0' x); sleep 1000"
    seen = [
        member(watched, "limited", "[ ${PWD##*_} = 0 ] || exec sleep 1000", 2, host="n1", time=1),
        member(watched, "greedy", fill, host="n1", batch_args={"mem": 100}),
        member(watched, "preempted", "sleep 1000", 8, host="n2"),
    ]
    alone.start(*unseen(alone), block=False, detach=True)
    queue.queue.cache_clear()  # as another process would not see them
    watched.start(*seen, block=False)
    ended = [Path(f"alone/{name}/{name}.exit") for name in ("wiped", "well")]
    begun = [Path(f"alone/{name}/{name}_0/{name}_0.started") for name in ("late", "killed", "cancelled")]
    begun += [Path("alone/array/array_1/array_1.started"), Path("watched/limited/limited_1/limited_1.started")]
    begun += [Path("watched/preempted/preempted_7/preempted_7.started")]
    eventually(lambda: all(path.exists() for path in ended + begun))
    jobs = dict(line.split() for line in accounted.ask("squeue", "--noheader", "--format=%j %F").splitlines())

    accounted.ask("sbatch", "--partition=urgent", "--nodelist=n2", "--exclusive", "--output=/dev/null", "--wrap=true")
    for name in ("limited", "late"):
        accounted.ask("scontrol", "update", f"jobid={jobs[name]}", "EndTime=now")
    accounted.ask("scancel", "--batch", "--signal=KILL", jobs["killed"])
    accounted.ask("scancel", jobs["cancelled"], f"{jobs['array']}_1")
    for path in ("wiped.exit", "wiped_0/wiped_0.exit"):
        Path("alone/wiped", path).unlink()

    assert watched.wait(timeout=PATIENCE_S), accounted.ask("squeue")
    (well, limited), (greedy,), preempted = seen
    assert str(well.status) == "Completed"
    assert limited.run.reason.startswith("the batch job reached its time limit (TIMEOUT, ")
    assert re.search("(?is)^exit code 137; .*exceeded (job )?memory limit", greedy.run.reason)
    assert {each.run.reason.partition(",")[0] for each in preempted} == {"the batch job was preempted by another (PREEMPTED"}

    eventually(lambda: not accounted.ask("scontrol", "show", "job", jobs["late"]))
    other = Experiment("alone", launcher="slurm")
    same = unseen(other)
    assert other.wait(timeout=PATIENCE_S)
    assert {each.name: (str(each.status), each.run.cause) for ens in same for each in ens} == {
        "late_0": ("Failed", "the batch job reached its time limit (TIMEOUT)"),
        "killed_0": ("Failed", "the batch job failed (FAILED, signal 9)"),
        "cancelled_0": ("Cancelled", "the batch job was cancelled"),
        "array_0": ("Completed", ""),
        "array_1": ("Cancelled", "the batch job was cancelled"),
        "well_0": ("Completed", ""),
        "wiped_0": ("Unknown", "its scheduler says that the batch job completed, but it left no exit code"),
    }


def test_records_that_come_late_are_waited_for(
    accounted: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, eventually: Eventually
) -> None:
    """The accounting is away when the job ends. When it is back it knows no end at first, and the controller no job."""
    monkeypatch.setenv("SLURM_CONF", str(accounted.conf))
    monkeypatch.chdir(tmp_path)
    exp = Experiment("study", launcher="slurm")
    ens = member(exp, "slow", "sleep 1000")
    exp.start(ens, block=False, detach=True)
    job = accounted.ask("squeue", "--noheader", "--format=%A").strip()
    eventually(lambda: accounted.ask("sacct", "--noheader", f"--jobs={job}"))
    queue.queue.cache_clear()

    accounted.end("slurmdbd")
    accounted.ask("scancel", job)
    eventually(lambda: not accounted.ask("scontrol", "show", "job", job))
    accounted.start("slurmdbd", "-D")
    eventually(lambda: accounted.ask("sacct", "--noheader", f"--jobs={job}"))  # that it began, it knows
    other = Experiment("study", launcher="slurm")
    same = member(other, "slow", "sleep 1000")

    assert other.wait(timeout=PATIENCE_S)
    assert (other.get_status(same), same[0].run.reason) == ([Status.CANCELLED], "the batch job was cancelled")


def test_a_job_that_nobody_remembers_is_unknown(
    forgetful: Cluster, lost: Path, monkeypatch: pytest.MonkeyPatch, eventually: Eventually
) -> None:
    monkeypatch.chdir(lost)
    monkeypatch.setenv("SLURM_CONF", str(forgetful.conf))
    monkeypatch.setattr(verdict, "RECORD_LATE_S", 2.0)
    eventually(lambda: not forgetful.ask("scontrol", "show", "job", "1"))

    exp = Experiment("study", launcher="slurm")
    same = member(exp, "lost", "sleep 1000")
    exp.wait(timeout=PATIENCE_S)

    reason = "slurm no longer knows job 1, and it left no exit code"
    assert (exp.get_status(same), same[0].run.reason) == ([Status.UNKNOWN], reason)
