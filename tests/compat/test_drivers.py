"""SmartSim's drivers run when their imports are replaced, and say what they said there.

Each driver ran with SmartSim 0.8.0 (Python 3.11, SMARTSIM_LOG_LEVEL=quiet); what is expected are the lines that begin with
">" of its output there.
"""

import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from cluster import Cluster, free_ports

ALL_PERM = """
import os
from smartsim import Experiment
from smartsim.status import SmartSimStatus

exp = Experiment("all-perm", launcher="local")
rs = exp.create_run_settings(exe="cat", exe_args="in.txt")
ens = exp.create_ensemble("ens", params={"T": [1, 2.5], "P": ["low", "high"]}, run_settings=rs, perm_strategy="all_perm")
with open("in.txt", "w") as file:
    file.write("temperature ;T; pressure ;P;\\n")
ens.attach_generator_files(to_configure=["in.txt"])
exp.generate(ens, overwrite=True)
exp.start(ens, block=True, summary=False)
for member in ens:
    print(">", repr(member), member.name, member.params, os.path.relpath(member.path))
    print(">", open(os.path.join(member.path, member.name + ".out")).read().strip())
print(">", len(ens), ens.models, ens["ens_3"].params, ens["nobody"])
print(">", [status == SmartSimStatus.STATUS_COMPLETED for status in exp.get_status(ens)])
"""

STRATEGIES = """
from smartsim import Experiment
from smartsim.entity import Ensemble, Model
from smartsim.settings import RunSettings

exp = Experiment("strategies")
rs = RunSettings("echo", exe_args="hello there")
values = {"a": [1, 2], "bc": ["x", "y"]}
step = exp.create_ensemble("step", values, run_settings=rs, perm_strategy="step", params_as_args=["a", "bc"])
for member in step:
    print(">", member.params, isinstance(member, Model))
chosen = exp.create_ensemble("chosen", {"a": [1, 2, 3], "b": [4, 5]}, run_settings=rs, perm_strategy="random", n_models=4)
print(">", len(chosen), len({tuple(member.params.items()) for member in chosen}))
own = Ensemble("own", {"a": [1, 2]}, run_settings=rs, perm_strat=lambda names, values, n: [{"a": v} for v in values[0][::-1]])
print(">", [member.params for member in own], own.type)
clones = exp.create_ensemble("clones", replicas=3, run_settings=rs)
clones.add_model(exp.create_model("extra", rs, params={"c": 4}))
print(">", [member.name for member in clones], clones["extra"].params, bool(clones.batch))
exp.generate(step, clones, overwrite=True)
exp.start(step, clones, summary=True)
for member in [*step, *clones]:
    print(">", open(member.path + "/" + member.name + ".out").read().strip())
"""

BACKGROUND = """
import time
from smartsim import Experiment
from smartsim.log import get_logger
from smartsim.status import TERMINAL_STATUSES, SmartSimStatus

logger = get_logger(__name__)
exp = Experiment("background")
logger.info("making %s", exp.name)
sleeper = exp.create_model("sleeper", exp.create_run_settings("sleep", "1000"))
quick = exp.create_model("quick", exp.create_run_settings("true"))
wrong = exp.create_model("wrong", exp.create_run_settings("sh", ["-c", "sleep 0.5; exit 3"]))
print(">", exp.get_status(sleeper, quick))
exp.start(sleeper, quick, wrong, block=False)
while not exp.finished(quick) or not exp.finished(wrong):
    time.sleep(0.1)
print(">", exp.get_status(quick)[0], exp.get_status(wrong)[0].value, exp.get_status(wrong)[0] in TERMINAL_STATUSES)
print(">", exp.get_status(sleeper) == [SmartSimStatus.STATUS_RUNNING], exp.finished(sleeper))
exp.stop(sleeper)
exp.poll(interval=1, verbose=False)
print(">", exp.get_status(sleeper)[0].name, exp.finished(sleeper))
print(">", "quick" in exp.summary(), exp.launcher, exp)
exp.stop()
exp.start()
print(">", exp.get_status())
"""

EXCEPTIONS = """
import os
from smartsim import Experiment
from smartsim.error import EntityExistsError, SmartSimError, SSUnsupportedError, UserStrategyError
from smartsim.settings import Container, RunSettings, Singularity

exp = Experiment("exceptions")
rs = exp.create_run_settings("true")
ens = exp.create_ensemble("ens", replicas=1, run_settings=rs)
exp.generate(ens)

def attempt(what, act, *errors):
    try:
        act()
    except errors:
        print(">", what)

attempt("program", lambda: exp.create_run_settings("no-such-program"), FileNotFoundError)
attempt("strategy", lambda: exp.create_ensemble("e", {"a": [1]}, run_settings=rs, perm_strategy="nonsense"), SSUnsupportedError)
attempt("answer", lambda: exp.create_ensemble("e", {"a": [1]}, run_settings=rs, perm_strategy=lambda *_: 3), UserStrategyError)
attempt("params", lambda: exp.create_ensemble("e", "a", run_settings=rs), TypeError, ValueError)
attempt("neither", lambda: exp.create_ensemble("e", run_settings=rs), SmartSimError)
attempt("nothing", lambda: exp.create_ensemble("e"), SmartSimError)
attempt("twice", lambda: ens.add_model(exp.create_model("ens_0", rs)), EntityExistsError)
attempt("model", lambda: ens.add_model("ens_1"), TypeError)
attempt("file", lambda: ens.attach_generator_files(to_copy=["no-such-file"]), FileNotFoundError)
attempt("directory", lambda: exp.generate(ens), FileExistsError)
attempt("entity", lambda: exp.generate("ens"), TypeError)
attempt("unstarted", lambda: exp.finished(ens), ValueError)
attempt("start", lambda: exp.start(ens, "x"), TypeError)
attempt("path", lambda: Experiment("e", exp_path="no-such-directory"), NotADirectoryError)
attempt("launcher", lambda: Experiment("e", launcher="nonsense"), SSUnsupportedError)
print(">", issubclass(EntityExistsError, SmartSimError), isinstance(Singularity("image.sif"), Container))
"""

SAID = [
    (
        ALL_PERM,
        """\
> ens_0 ens_0 {'T': '1', 'P': 'low'} all-perm/ens/ens_0
> temperature 1 pressure low
> ens_1 ens_1 {'T': '1', 'P': 'high'} all-perm/ens/ens_1
> temperature 1 pressure high
> ens_2 ens_2 {'T': '2.5', 'P': 'low'} all-perm/ens/ens_2
> temperature 2.5 pressure low
> ens_3 ens_3 {'T': '2.5', 'P': 'high'} all-perm/ens/ens_3
> temperature 2.5 pressure high
> 4 [ens_0, ens_1, ens_2, ens_3] {'T': '2.5', 'P': 'high'} None
> [True, True, True, True]
""",
    ),
    (
        STRATEGIES,
        """\
> {'a': '1', 'bc': 'x'} True
> {'a': '2', 'bc': 'y'} True
> 4 4
> [{'a': '2'}, {'a': '1'}] Ensemble
> ['clones_0', 'clones_1', 'clones_2', 'extra'] {'c': '4'} False
> hello there -a 1 --bc=x
> hello there -a 2 --bc=y
> hello there
> hello there
> hello there
> hello there
""",
    ),
    (
        BACKGROUND,
        """\
> [<SmartSimStatus.STATUS_NEVER_STARTED: 'NeverStarted'>, <SmartSimStatus.STATUS_NEVER_STARTED: 'NeverStarted'>]
> SmartSimStatus.STATUS_COMPLETED Failed True
> True False
> STATUS_CANCELLED True
> True local background
> []
""",
    ),
    (
        EXCEPTIONS,
        """\
> program
> strategy
> answer
> params
> neither
> nothing
> twice
> model
> file
> directory
> entity
> unstarted
> start
> path
> launcher
> True True
""",
    ),
]


def said(driver: str, directory: Path, wrapper: Sequence[str] = ()) -> list[str]:
    """What a driver says after its imports were replaced."""
    ours = re.sub(r"\b(from|import) smartsim", r"\1 smartensemble.compat", driver)
    (directory / "driver.py").write_text(ours)
    argv = [*wrapper, sys.executable, "driver.py"]
    done = subprocess.run(argv, cwd=directory, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return [line for line in done.stdout.splitlines() if line.startswith(">")]


@pytest.mark.parametrize(("driver", "expected"), SAID, ids=["all_perm", "strategies", "background", "exceptions"])
def test_a_driver_says_what_it_said_with_smartsim(driver: str, expected: str, tmp_path: Path) -> None:
    assert said(driver, tmp_path) == expected.splitlines()


# --- on a cluster, where what they say was compared with SmartSim's source, since its status asks for accounting ------------

CLUSTER = """
from smartsim import Experiment
from smartsim.settings import SbatchSettings, SrunSettings
from smartsim.status import SmartSimStatus

exp = Experiment("cluster", launcher="slurm")
bs = exp.create_batch_settings(nodes=2, time="00:04:00", batch_args={"exclusive": None})
bs.set_partition("main")
bs.add_preamble("export GREETING=hello")
print(">", isinstance(bs, SbatchSettings), sorted(bs.format_batch_args()))
rs = exp.create_run_settings("sh", ["-c", "echo $GREETING $SLURM_NTASKS"])
rs.set_tasks(2)
rs.set_walltime("00:02:00")
print(">", isinstance(rs, SrunSettings), sorted(rs.format_run_args()))
ens = exp.create_ensemble("ens", batch_settings=bs, run_settings=rs, replicas=2)
exp.generate(ens, overwrite=True)
alone = exp.create_model("alone", SrunSettings("sh", ["-c", "exit 3"]), batch_settings=SbatchSettings(nodes=1, time="00:02:00"))
long = exp.create_model("long", SrunSettings("sleep", "100"), batch_settings=SbatchSettings(nodes=1, time="00:02:00"))
exp.start(long, block=False)
exp.start(ens, alone, block=False)
exp.stop(long)
exp.poll(interval=1, verbose=False)
print(">", *{status.value for status in exp.get_status(ens)}, bool(ens.batch))
for member in ens:
    print(">", member.name, open(f"{member.path}/{member.name}.out").read().split())
print(">", *[status.value for status in exp.get_status(alone, long)])
db = exp.create_database(port=PORT, interface="lo", db_nodes=3, batch=True, time="00:04:00", queue="main", single_cmd=True)
db.set_cpus(2)
db.set_walltime("00:03:00")
db.set_hosts(["n1", "n2", "n4"])
db.set_batch_arg("exclusive")
db.set_run_arg("label")
exp.start(db)
print(">", db.get_address(), db.is_active(), db.batch, [status.value for status in exp.get_status(db)])
again = Experiment("again", launcher="slurm").reconnect_orchestrator(db.checkpoint_file)
print(">", again.is_active(), again.num_shards)
exp.stop(db)
print(">", db.is_active())
"""
INSIDE = """
from smartsim import Experiment
from smartsim.settings import SrunSettings
from smartsim.wlm import detect_launcher, get_hosts, get_queue, get_tasks, get_tasks_per_node
import smartsim.wlm.slurm as slurm

print(">", detect_launcher(), get_hosts(), get_queue(), get_tasks(), get_tasks_per_node())
print(">", slurm.validate(nodes=4, ppn=8), slurm.validate(nodes=5), slurm.get_default_partition())
exp = Experiment("inside", launcher="auto")
alloc = slurm.get_allocation(nodes=1, time="00:05:00", options={"ntasks-per-node": 2})
there = exp.create_model("there", SrunSettings("sh", ["-c", "echo $SLURM_JOB_ID"], alloc=alloc))
first, second = SrunSettings("echo", "first"), SrunSettings("echo", "second")
second.set_tasks(2)
first.make_mpmd(second)
pair = exp.create_model("pair", first)
exp.start(there, pair)
print(">", open(f"{there.path}/there.out").read().strip() == alloc)
slurm.release_allocation(alloc)
print(">", sorted(open(f"{pair.path}/pair.out").read().split()))
"""
ON_CLUSTER = [
    (
        CLUSTER,
        (),
        """\
> True ['--exclusive', '--nodes=2', '--partition=main', '--time=00:04:00']
> True ['--ntasks=2', '--time=00:02:00']
> Completed True
> ens_0 ['hello', '2', 'hello', '2']
> ens_1 ['hello', '2', 'hello', '2']
> Failed Cancelled
> ['127.0.0.1:PORT0', '127.0.0.1:PORT1', '127.0.0.1:PORT2'] True True ['Running', 'Running', 'Running']
> True 3
> False
""",
    ),
    (
        INSIDE,
        ("salloc", "--quiet", "--nodes=2", "--ntasks-per-node=2"),
        """\
> slurm ['n1', 'n2'] main 4 {'n1': 2, 'n2': 2}
> True False main
> True
> ['first', 'second', 'second']
""",
    ),
]


@pytest.mark.needs("slurm")
@pytest.mark.parametrize(("driver", "wrapper", "expected"), ON_CLUSTER, ids=["jobs", "allocation"])
def test_a_driver_for_slurm_runs(driver: str, wrapper: Sequence[str], expected: str, cluster: Cluster, tmp_path: Path) -> None:
    assert cluster.nodes
    port = free_ports(3)  # those of the driver may be in use here
    for number in range(3):
        expected = expected.replace(f"PORT{number}", str(port + number))

    assert said(driver.replace("PORT", str(port)), tmp_path, wrapper) == expected.splitlines()
