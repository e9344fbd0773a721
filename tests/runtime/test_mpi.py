"""Members that run a real MPI program, by MPICH, by Open MPI and by Slurm itself, on a real Slurm and on this machine."""

import os
import shutil
import socket
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from smartensemble.experiment import Experiment
from smartensemble.model import Model
from smartensemble.settings.run import RunSettings

pytestmark = [pytest.mark.needs("slurm"), pytest.mark.needs("mpi4py"), pytest.mark.needs("openmpi")]

#: Each rank tells the others its number; the first one prints how many there are, their sum, who runs them, on
#: how many nodes, and when. In a directory that is named to it, it waits until another member is there.
PROGRAM = """\
import os, sys, time
from mpi4py import MPI
comm, began = MPI.COMM_WORLD, time.time()
total = comm.allreduce(comm.rank)
nodes = len({*comm.allgather(os.environ.get("SLURMD_NODENAME"))})
time.sleep(0.4)
if comm.rank == 0:
    for meeting in filter(os.path.isdir, sys.argv[1:]):
        open(os.path.join(meeting, str(os.getpid())), "w").close()
        while len(os.listdir(meeting)) < 2:
            time.sleep(0.02)
    print(comm.size, total, *MPI.Get_library_version().split()[:1], nodes, *sys.argv[1:], began, time.time())
"""
#: mpi4py loads pip's MPICH, unless it is told otherwise. Open MPI is told that root may run it, and more ranks than cores.
OPEN_MPI: dict[str, object] = {
    "MPI4PY_MPIABI": "openmpi",
    "OMPI_ALLOW_RUN_AS_ROOT": 1,
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": 1,
    "OMPI_MCA_rmaps_base_oversubscribe": 1,
}
#: MPICH names the memory that its ranks share by Slurm's numbers of job and step, which two private clusters have alike.
NOT_SHARED: dict[str, object] = {"MPIR_CVAR_NOLOCAL": 1}
LIBRARY = {"mpirun": "MPICH", "mpirun.openmpi": "Open", "srun": "MPICH"}


@pytest.fixture(autouse=True)
def session_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Open MPI's directory for sessions, which is never empty here.

    The last `mpirun` removes the empty directory, also while the next one makes its own in it, which then fails with
    "orte_session_dir failed".
    """
    (tmp_path / f"ompi.{socket.gethostname()}.{os.getuid()}" / "kept").mkdir(parents=True)
    monkeypatch.setenv("OMPI_MCA_orte_tmpdir_base", str(tmp_path))


@pytest.fixture
def program(tmp_path: Path) -> str:
    (tmp_path / "program.py").write_text(PROGRAM)
    return str(tmp_path / "program.py")


def settings(exp: Experiment, launcher: str, program: str, tasks: int, *arguments: str) -> RunSettings:
    """`tasks` ranks of the program."""
    beside = Path(sys.executable).with_name(launcher)  # pip's MPICH
    path = str(beside) if beside.exists() else shutil.which(launcher)
    args = {"mpi": "pmi2"} if launcher == "srun" else {}
    env = {"mpirun.openmpi": OPEN_MPI, "srun": NOT_SHARED}.get(launcher, {})
    made = exp.create_run_settings(sys.executable, [program, *arguments], path, args, env)
    made.set_tasks(tasks)
    return made


def said(members: Iterable[Model]) -> Iterator[list[str]]:
    """What each member's first rank printed."""
    for member in members:
        assert str(member.status) == "Completed", member.run.reason
        yield Path(member.path, f"{member.name}.out").read_text().split()


@pytest.mark.parametrize("launcher", LIBRARY)
def test_members_of_several_ranks_run_as_many_at_once_as_fit(
    slurm_exp: Experiment, launcher: str, program: str, tmp_path: Path
) -> None:
    meeting = tmp_path / "meeting"
    meeting.mkdir()
    batch = slurm_exp.create_batch_settings(nodes=1)
    ens = slurm_exp.create_ensemble("ens", None, batch, settings(slurm_exp, launcher, program, 4, str(meeting)), 4)

    slurm_exp.start(ens, progress=False)

    words = list(said(ens))
    assert [each[:3] for each in words] == [["4", "6", LIBRARY[launcher]]] * 4
    moments = [(float(each[-2]), float(each[-1])) for each in words]
    assert max(sum(begin <= moment < end for begin, end in moments) for moment, _ in moments) == 2


@pytest.mark.parametrize("launcher", ["mpirun", "mpirun.openmpi"])
def test_programs_of_one_mpi_talk_to_each_other(slurm_exp: Experiment, launcher: str, program: str) -> None:
    first = settings(slurm_exp, launcher, program, 1, "ocean")
    first.make_mpmd(settings(slurm_exp, launcher, program, 2, "air"))
    model = slurm_exp.create_model("pair", first, batch_settings=slurm_exp.create_batch_settings())

    slurm_exp.start(model, progress=False)

    assert [each[:5] for each in said([model])] == [["3", "3", LIBRARY[launcher], "1", "ocean"]]


def test_a_member_over_several_nodes_has_the_job_for_itself(slurm_exp: Experiment, program: str) -> None:
    """Open MPI is not asked: it looks for nodes by name, and those of a private Slurm are no hosts."""
    run = settings(slurm_exp, "mpirun", program, 4)
    run.set_tasks_per_node(2)
    ens = slurm_exp.create_ensemble("ens", None, slurm_exp.create_batch_settings(nodes=2), run, 2)

    slurm_exp.start(ens, progress=False)

    words = list(said(ens))
    assert [each[:4] for each in words] == [["4", "6", "MPICH", "2"]] * 2
    (_, first), (second, _) = sorted((float(each[-2]), float(each[-1])) for each in words)
    assert first < second


@pytest.mark.parametrize("launcher", ["mpirun", "mpirun.openmpi"])
def test_the_same_runs_on_this_machine(exp: Experiment, launcher: str, program: str) -> None:
    model = exp.create_model("here", settings(exp, launcher, program, 2))

    exp.start(model, progress=False)

    assert [each[:3] for each in said([model])] == [["2", "1", LIBRARY[launcher]]]
