"""In an allocation of Slurm a member is a step, or a task of one, that has what the member needs and no more."""

import subprocess
from pathlib import Path

import pytest

from smartensemble.command import Command, Need
from smartensemble.schedulers.base import Layout, Plan
from smartensemble.schedulers.slurm_steps import HIDE, SHOW, body, step, task

PLAIN = Command(("/bin/true",), Path("/"))
SRUN = Command(("/bin/srun", "-n", "4", "-N", "2", "true"), Path("/"), need=Need(4, 1, 2), launcher_prefix=5, shareable=False)
MPIRUN = Command(("/bin/mpirun", "-n", "4", "true"), Path("/"), need=Need(4), launcher_prefix=3)
WIDE = Command(("/bin/mpirun", "-n", "9", "true"), Path("/"), need=Need(9, 1, 2), launcher_prefix=3, shareable=False)


@pytest.mark.parametrize(
    ("command", "overcommit", "argv"),
    [
        (PLAIN, False, ("srun", "--exact", "--nodes=1", "--ntasks=1", "/bin/true")),
        (PLAIN, True, ("srun", "--overlap", "--overcommit", "--nodes=1", "--ntasks=1", "/bin/true")),
        (SRUN, False, ("/bin/srun", "--exact", "-n", "4", "-N", "2", "true")),
        (MPIRUN, False, ("srun", "--exact", "--nodes=1", "--ntasks=1", "--cpus-per-task=4", *HIDE, *MPIRUN.argv)),
        (WIDE, False, (*SHOW, *WIDE.argv)),
    ],
)
def test_a_step_takes_no_size_from_the_allocation(command: Command, overcommit: bool, argv: tuple[str, ...]) -> None:
    assert step(command, node_cpus=8, overcommit=overcommit) == argv


def test_a_task_of_a_shared_step_needs_no_srun_of_its_own() -> None:
    assert task(SRUN) == ("true",)
    assert task(MPIRUN) == (*HIDE, *MPIRUN.argv)


@pytest.mark.parametrize(
    ("cpus_per_node", "member_cpus", "max_running", "slots"),
    [("8", 1, None, 8), ("8(x2),4", 4, None, 5), ("8(x2),4", 3, None, 5), ("8(x2),4", 4, 3, 3), ("8,3(x3)", 4, None, 2)],
)
def test_a_job_runs_as_many_members_at_once_as_its_nodes_have_room_for(
    cpus_per_node: str, member_cpus: int, max_running: int | None, slots: int
) -> None:
    plan = Plan(Layout.STEPS, {}, 8, member_cpus, max_running=max_running)
    script = f"members=(/dev/null)\n{body(plan)}\necho $slots"

    env = {"PATH": "/usr/bin:/bin", "SLURM_JOB_CPUS_PER_NODE": cpus_per_node}
    done = subprocess.run(["bash", "-c", script], env=env, capture_output=True, text=True, check=True)

    assert done.stdout == f"{slots}\n"


def test_a_job_without_room_for_a_member_says_so() -> None:
    script = body(Plan(Layout.STEPS, {}, 8, 8))

    env = {"PATH": "/usr/bin:/bin", "SLURM_JOB_CPUS_PER_NODE": "4(x2)"}
    done = subprocess.run(["bash", "-c", script], env=env, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (1, "no room for a member: 1 nodes, 8 CPUs\n")
