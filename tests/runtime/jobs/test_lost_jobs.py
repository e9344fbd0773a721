"""A driver that is killed between the scheduler's answer and its own note of it loses no job: the next driver finds it.

Tests queue.
"""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from cluster import Cluster
from smartensemble.ensemble import Ensemble
from smartensemble.errors import StateError
from smartensemble.experiment import Experiment
from smartensemble.runtime.journal import journal
from smartensemble.status import Status
from worlds.patience import PATIENCE_S

pytestmark = pytest.mark.needs("slurm")

Eventually = Callable[[Callable[[], object]], None]
Driver = Callable[..., "subprocess.Popen[str]"]

START = """
exp = Experiment("study", launcher="slurm")
batch = exp.create_batch_settings({options})
ens = exp.create_ensemble("ens", None, batch, exp.create_run_settings("bash", ["-c", "{line}"]), 2)
exp.start(ens, progress=False)
"""


@pytest.fixture
def sbatch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Have programs find an ``sbatch`` that does as its text says; ``$REAL`` is the real one."""
    real, program = shutil.which("sbatch"), tmp_path / "bin" / "sbatch"
    program.parent.mkdir()
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")

    def write(text: str) -> None:
        program.write_text(f"#!/bin/bash\nREAL={real}\n{text}\n")
        program.chmod(0o755)

    return write


def seen_later(line: str, **options: object) -> tuple[Experiment, Ensemble]:
    """The study as the next driver sees it."""
    exp = Experiment("study", launcher="slurm")
    batch = exp.create_batch_settings(**options)  # type: ignore[arg-type]
    return exp, exp.create_ensemble("ens", None, batch, exp.create_run_settings("bash", ["-c", line]), 2)


@pytest.mark.parametrize(
    ("line", "options", "ends"),
    [
        ("sleep 1000", "", False),
        ("sleep 1000", "batch_args={'comment': 'night shift'}", False),
        ("sleep 1000", "array=True", False),
        ("true", "", True),
    ],
)
def test_the_next_driver_finds_a_job_whose_number_was_lost(
    cluster: Cluster, driver: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sbatch: Callable[[str], None],
    eventually: Eventually, line: str, options: str, ends: bool,
) -> None:  # fmt: skip
    wait = "while squeue --noheader | grep -q .; do sleep 0.1; done" if ends else ""
    sbatch(f'"$REAL" "$@"; {wait}\nkill -9 $PPID')
    process = driver(START.format(options=options, line=line))
    process.wait(PATIENCE_S)
    monkeypatch.chdir(tmp_path)

    exp, ens = seen_later(line, **eval(f"dict({options})"))
    if ends:
        assert exp.wait(ens, timeout=PATIENCE_S)
        assert {member.status for member in ens} == {Status.COMPLETED}
        return
    eventually(lambda: {member.status for member in ens} == {Status.RUNNING})
    if "comment" in options:
        assert cluster.ask("squeue", "--noheader", "--format=%k").startswith("night shift smartensemble:")
    with pytest.raises(StateError, match="runs in"):
        exp.start(ens)
    exp.stop(ens)

    assert {member.status for member in ens} == {Status.CANCELLED}
    assert cluster.ask("squeue", "--noheader") == ""


def test_a_job_that_was_never_taken_has_failed_and_can_be_started_again(
    cluster: Cluster, driver: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sbatch: Callable[[str], None]
) -> None:
    assert cluster.nodes
    sbatch("kill -9 $PPID")
    driver(START.format(options="", line="true")).wait(PATIENCE_S)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(journal, "SUBMIT_S", 2.0)

    exp, ens = seen_later("true")
    assert exp.wait(ens, timeout=PATIENCE_S)

    cause = "its driver was killed while it submitted the job, and slurm has none of it; start it again"
    assert [(member.status, member.run.reason.partition("; the end")[0]) for member in ens] == [(Status.FAILED, cause)] * 2
    sbatch('exec "$REAL" "$@"')
    exp.start(ens, progress=False)
    assert {member.status for member in ens} == {Status.COMPLETED}


def test_a_job_that_was_taken_without_an_answer_is_cancelled(
    slurm_exp: Experiment, cluster: Cluster, sbatch: Callable[[str], None]
) -> None:
    sbatch('"$REAL" "$@"; echo "Socket timed out on send/recv operation" >&2; exit 1')
    ens = slurm_exp.create_ensemble(
        "ens", None, slurm_exp.create_batch_settings(), slurm_exp.create_run_settings("sleep", "1000"), 2
    )

    with pytest.raises(StateError, match="ens: was refused by slurm: sbatch: Socket timed out"):
        slurm_exp.start(ens, progress=False)

    assert {member.status for member in ens} == {Status.FAILED}
    cluster.wait_until_idle()
    assert cluster.ask("squeue", "--noheader") == ""
