"""Inside an allocation of Slurm members are steps, and a process fits on one of its nodes."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from cluster import Cluster
from smartensemble.errors import InputValueError, StateError
from smartensemble.experiment import Experiment
from smartensemble.runtime.jobs.allocation import Allocation
from smartensemble.schedulers.slurm import SLURM
from smartensemble.settings.command import command_of
from smartensemble.settings.run import RunSettings
from worlds.patience import PATIENCE_S

pytestmark = pytest.mark.needs("slurm")

Driver = Callable[..., "subprocess.Popen[str]"]


def test_without_batch_and_without_an_allocation_is_an_error(slurm_exp: Experiment) -> None:
    model = slurm_exp.create_model("alone", slurm_exp.create_run_settings("true"))

    with pytest.raises(StateError, match="study: alone has no batch_settings, and this program runs in no allocation of slurm"):
        slurm_exp.start(model)

    assert not Path(model.path).exists()


def test_a_process_fits_on_a_node_of_the_allocation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_JOB_CPUS_PER_NODE", "8(x2)")
    settings = RunSettings("true", run_command="true", run_args={"cpus-per-task": 12})
    command = command_of(settings, "wide", "/")

    with pytest.raises(InputValueError, match="wide: needs 12 CPUs on one node, and the nodes of this allocation have 8"):
        Allocation("study", SLURM).check([command], None)


def test_cases_1_and_2_inside_an_allocation_members_are_steps(cluster: Cluster, driver: Driver, tmp_path: Path) -> None:
    done = driver(
        """
        exp = Experiment("study", launcher="auto")
        rs = exp.create_run_settings("bash", ["-c", "echo $SLURM_JOB_ID.$SLURM_STEP_ID $SLURMD_NODENAME; sleep 0.05"])
        ens = exp.create_ensemble("ens", replicas=20, run_settings=rs)
        wide = exp.create_run_settings("printenv", ["SLURMD_NODENAME"])
        wide.set_nodes(2)
        wide.set_tasks(4)
        model = exp.create_model("wide", wide)
        values = exp.create_ensemble("values", {"T": [1, 2]}, run_settings=settings("echo"), params_as_args="T")
        exp.start(ens, model, values, progress=False)
        print(exp.launcher, *{str(m.status) for m in (*ens, model, *values)})
        print(*(open(f"{m.path}/{m.name}.out").read().split()[0] for m in ens))
        print(*open(f"{model.path}/wide.out").read().split())
        """,
        wrapper=["salloc", "--quiet", "--nodes=2", "--ntasks-per-node=4"],
    )

    out, _ = done.communicate(timeout=PATIENCE_S)
    assert len(out.splitlines()) == 3, out
    status, steps, nodes = out.splitlines()
    assert status == "slurm Completed"
    assert len({*steps.split()}) == 20
    assert (len(nodes.split()), len({*nodes.split()})) == (4, 2)


@pytest.mark.needs("mpirun")
@pytest.mark.parametrize(
    ("launcher", "lines"),
    [
        ("", ["once"]),
        ("mpirun", ["once", "once"]),
    ],
)
def test_what_is_no_srun_starts_once_in_an_allocation_of_many_tasks(
    launcher: str, lines: list[str], cluster: Cluster, driver: Driver
) -> None:
    """Slurm's variables say four tasks there, and supervisors look for no program on PATH."""
    done = driver(
        f"""
        exp = Experiment("study", launcher="slurm")
        as_root = {{"OMPI_ALLOW_RUN_AS_ROOT": 1, "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": 1}}
        rs = exp.create_run_settings("echo", "once", {launcher!r}, env_vars=as_root)
        if {launcher!r}:
            rs.set_tasks(2)
        model = exp.create_model("model", rs)
        exp.start(model, progress=False)
        print(model.status, *open(f"{{model.path}}/model.out").read().split())
        print(model.reason or "", open(f"{{model.path}}/model.err").read())
        """,
        wrapper=["salloc", "--quiet", "--nodes=1", "--ntasks=4"],
    )

    said, _, why = done.communicate(timeout=PATIENCE_S)[0].partition("\n")
    assert said.split() == ["Completed", *lines], why
