"""What settings answer, as JSON: those of SmartSim, or of smartensemble.compat, by the name of the package::

    python tests/worlds/smartsim_settings.py smartsim > tests/samples/smartsim/settings.json

Each case makes settings, calls methods of them, and asks for all that they show. The cases are drawn by a seed, so they are the
same for both. An error counts by the built-in exception that a driver would catch; what is empty is not recorded.
"""

import importlib
import json
import logging
import os
import random
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SEED, SEQUENCES = 41, 8

#: Values for the arguments of methods, good and bad.
COUNTS = (4, "4", 0, -1, 2.9, "four", None, [4])
HOSTS = ("n1", " n1 ", ["n1", "n2"], 5, [5], None)
TEXT = ("packed:2", "core")
METHODS: dict[str, tuple[Any, ...]] = {
    **dict.fromkeys(
        ("set_nodes", "set_tasks", "set_tasks_per_node", "set_cpus_per_task", "set_memory_per_node"),
        tuple((count,) for count in COUNTS),
    ),
    **dict.fromkeys(("set_hostlist", "set_excluded_hosts"), tuple((hosts,) for hosts in HOSTS)),
    "set_hostlist_from_file": (("~/no/such/file",),),
    "set_node_feature": (("P100",), (["P100", "V100"],), (5,), ([5],)),
    "set_cpu_bindings": ((3,), ([1, 2],), (["1"],), (["one"],)),
    "set_binding": tuple((word,) for word in TEXT),
    "set_task_map": tuple((word,) for word in TEXT),
    "set_cpu_binding_type": tuple((word,) for word in TEXT),
    "set_verbose_launch": ((True,), (False,)),
    "set_quiet_launch": ((True,), (False,)),
    "set_broadcast": ((), ("/tmp/there",)),
    "set_walltime": (("00:10:00",), ("600",)),
    "set_time": ((1, 2, 3), (0, 0, 0), (0, 90, 0), ("x",)),
    "set": (("a", "b"), ("--long-name", "x"), ("-q",), ("chdir", "/"), ("wdir", "/"), ("never", None, False), (9,), ("k", 5)),
    "update_env": (({"A": 1, "B": "x,y", "C": True},), ({"A": None},)),
    "add_exe_args": (("a 'b c'",), (["a b"],), ([1],), ({"a": 1},)),
    "set_num_rs": ((8,), ("ALL_HOSTS",), ([],)),
    "set_cpus_per_rs": ((2,), ("ALL_CPUS",)),
    "set_gpus_per_rs": ((1,), ("ALL_GPUS",)),
    "set_rs_per_host": ((4,), ("x",)),
    "set_tasks_per_rs": ((12,),),
    "set_memory_per_rs": ((8000,),),
    "set_erf_sets": (({"host": "1", "cpu": "{0:21}"},),),
    "set_individual_output": ((), ("-%t",)),
    "set_gpu_affinity_script": (("/affinity.sh", 1, 2),),
    "set_cpu_affinity": (([0, 1],),),
    "set_gpu_affinity": (([0, 1],),),
}
BATCH_METHODS: dict[str, tuple[Any, ...]] = {
    "set_nodes": ((2,), (None,), (0,)),
    "set_queue": (("debug",), ("",), (None,)),
    "set_walltime": (("10:00:00",), ("10:00",), ("",), (None,)),
    "set_account": (("mine",), (None,)),
    "set_partition": (("debug",),),
    "set_hostlist": tuple((hosts,) for hosts in HOSTS),
    "set_cpus_per_task": ((4,), ("x",)),
    "set_tasks": ((4,), ("x",)),
    "set_batch_command": (("qsub",),),
    "add_preamble": (("module load gcc",), (["a", "b"],), (1,)),
    "set_ncpus": ((10,), ("10",)),
    "set_ngpus": ((1,),),
    "set_resource": (("nodes", 3), ("select", 3), ("mem", "4G"), ("mem", None), ("select", "3")),
    "set_project": (("A31",),),
    "set_smts": ((4,),),
    "set_expert_mode_req": (("1*{select[LN]}", 8),),
    "set_pe_type": (("mpi",),),
    "set_hyperthreading": ((), (False,)),
    "set_memory_per_pe": (("2G",),),
    "set_threads_per_pe": ((2,),),
    "set_shebang": (("#!/bin/sh",),),
    "update_context_variables": (("ac", "x"), ("sc", "x", "y"), ("dc", "x"), ("dc", "x", "y"), ("no", "x")),
}
#: Methods that SmartSim has in some classes only.
OF_SOME: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        ("set_num_rs", "set_cpus_per_rs", "set_gpus_per_rs", "set_rs_per_host", "set_tasks_per_rs"), ("JsrunSettings",)
    ),
    **dict.fromkeys(("set_memory_per_rs", "set_erf_sets", "set_individual_output"), ("JsrunSettings",)),
    **dict.fromkeys(("set_cpu_affinity", "set_gpu_affinity"), ("DragonRunSettings",)),
    "set_gpu_affinity_script": ("PalsMpiexecSettings",),
    "set_cpu_binding_type": ("MpirunSettings", "MpiexecSettings", "OrterunSettings", "PalsMpiexecSettings"),
    **dict.fromkeys(("set_partition", "set_cpus_per_task"), ("SbatchSettings",)),
    **dict.fromkeys(("set_tasks", "set_smts", "set_expert_mode_req"), ("BsubBatchSettings",)),
    **dict.fromkeys(("set_ncpus", "set_resource"), ("QsubBatchSettings", "SgeQsubBatchSettings")),
    "set_project": ("BsubBatchSettings", "SgeQsubBatchSettings"),
    **dict.fromkeys(("set_ngpus", "set_pe_type", "set_hyperthreading", "set_memory_per_pe"), ("SgeQsubBatchSettings",)),
    **dict.fromkeys(("set_threads_per_pe", "set_shebang", "update_context_variables"), ("SgeQsubBatchSettings",)),
}
RUN_ARGS = (
    {"exclusive": None, "C": "P100", "nodes": 10, "ntasks": 100},
    {"n": 2, "map-by": "ppr:1:node", "wdir": "/tmp", "chdir": "/tmp", "h": None, "zero": 0, "empty": "", "x": 1.5},
    {"np": 8, "tasks_per_rs": 2, "o": "out", "erf_input": "sets"},
)
ENV_VARS = ({"OMP_NUM_THREADS": 20, "LOGGING": "verbose", "SSKEYIN": "a,b"}, {"A": "", "N": None, "B": 1.5})
BATCH_ARGS = ({"exclusive": None, "oversubscribe": None, "p": "main"}, {"alloc_flags": "gpumps nvme", "core_isolation": "2"})
RUN_CLASSES = (
    *("RunSettings", "SrunSettings", "AprunSettings", "JsrunSettings", "DragonRunSettings"),
    *("MpirunSettings", "MpiexecSettings", "OrterunSettings", "PalsMpiexecSettings"),
)
BATCH_CLASSES = ("SbatchSettings", "QsubBatchSettings", "BsubBatchSettings", "SgeQsubBatchSettings")
OPTIONS: dict[str, tuple[dict[str, Any], ...]] = {
    "SbatchSettings": ({}, {"nodes": 2, "time": "1:00:00", "account": "me", "queue": "q", "batch_args": BATCH_ARGS[0]}),
    "QsubBatchSettings": (
        {"nodes": 1},
        {"nodes": 2, "ncpus": 10, "time": "1:00:00", "queue": "q", "account": "me", "batch_args": {"W": "x=y"}},
        {"ncpus": 4, "resources": {"select": 3, "mem": "4G"}},
        {"nodes": 1, "resources": {"select": 1}},
        {"nodes": 1, "resources": {"nodes": 1}},
        {"nodes": 1, "batch_args": {"V": None}},
        {},
    ),
    "BsubBatchSettings": (
        {},
        {"nodes": 2, "time": "1:00:00", "project": "me", "queue": "q", "smts": 4, "batch_args": BATCH_ARGS[1]},
        {"account": "me", "smts": 2, "batch_args": {"alloc_flags": "smt4"}},
    ),
    "SgeQsubBatchSettings": (
        {},
        {"time": "1:00:00", "ncpus": 8, "pe_type": "mpi", "account": "me", "resources": {"gpu": 1}, "batch_args": {"m": "e"}},
        {"ncpus": 8},
    ),
}
LAUNCHERS = ("local", "slurm", "pbs", "pals", "lsf", "sge", "dragon")


def main(package: str) -> None:
    """Print the answers of `package`."""
    logging.disable(logging.CRITICAL)
    importlib.import_module(package)  # SmartSim looks for git then
    with tempfile.TemporaryDirectory() as folder:
        install_programs(Path(folder))
        os.environ["PATH"] = folder
        print(text(answers(package)))


def install_programs(folder: Path) -> None:
    """An Open MPI, as far as settings ask for it."""
    for name in ("mpirun", "mpiexec", "orterun"):
        (folder / name).write_text("#!/bin/sh\necho mpirun '(Open MPI) 4.1.5'\n")
        (folder / name).chmod(0o755)


def text(found: dict[str, Any]) -> str:
    """Answers as JSON, a line for each."""
    lines = (f"{json.dumps(name)}: {json.dumps(found[name], separators=(',', ':'))}" for name in sorted(found))
    return "{\n" + ",\n".join(lines) + "\n}"


def answers(package: str) -> dict[str, Any]:
    """The answer of each case, by its name. Programs are found on PATH."""
    settings = importlib.import_module(f"{package}.settings")
    made = importlib.import_module(f"{package}.settings.settings")
    return {
        **{name: answer(settings, *case) for name, case in run_cases()},
        **{name: answer(settings, *case) for name, case in batch_cases()},
        **dict(created(made)),
        **dict(containers(settings)),
    }


# --- the cases ----------------------------------------------------------------------------------------------------------------

Case = tuple[str, dict[str, Any], list[tuple[str, tuple[Any, ...]]]]


def run_cases() -> Iterator[tuple[str, Case]]:
    """Each method alone, with each of its values; and several in a row."""
    draw = random.Random(SEED)
    for kind in RUN_CLASSES:
        methods = methods_of(kind, METHODS)
        for method, values in methods.items():
            for value in values:
                yield f"{kind}.{method}{value}", (kind, {}, [(method, value)])
        for number in range(SEQUENCES):
            options: dict[str, Any] = {"exe_args": draw.choice((None, "a b", ["a b"])), "env_vars": draw.choice(ENV_VARS)}
            if kind != "DragonRunSettings":
                options["run_args"] = draw.choice(RUN_ARGS)
            if kind == "RunSettings":
                options["run_command"] = draw.choice(("mpirun", "strange", ""))
            chosen = [(method, draw.choice(methods[method])) for method in draw.sample(sorted(methods), 6)]
            yield f"{kind} {number}", (kind, options, chosen)
        yield f"{kind} several", (kind, {}, [("make_mpmd", ())])


def batch_cases() -> Iterator[tuple[str, Case]]:
    """Each way to make them, each method alone, and several in a row."""
    draw = random.Random(SEED)
    for kind in BATCH_CLASSES:
        for number, options in enumerate(OPTIONS[kind]):
            yield f"{kind} made {number}", (kind, options, [])
        methods = methods_of(kind, BATCH_METHODS)
        for method, values in methods.items():
            for value in values:
                yield f"{kind}.{method}{value}", (kind, OPTIONS[kind][0], [(method, value)])
        for number in range(SEQUENCES):
            chosen = [(method, draw.choice(methods[method])) for method in draw.sample(sorted(methods), 6)]
            yield f"{kind} {number}", (kind, draw.choice(OPTIONS[kind]), chosen)


def methods_of(kind: str, methods: dict[str, tuple[Any, ...]]) -> dict[str, tuple[Any, ...]]:
    """Those of `methods` that SmartSim has in the class `kind`."""
    everywhere = ("set_tasks", "set_cpus_per_task") if kind in RUN_CLASSES else ()
    return {
        name: values for name, values in methods.items() if name not in OF_SOME or kind in OF_SOME[name] or name in everywhere
    }


def created(made: Any) -> Iterator[tuple[str, Any]]:
    """What the functions make for each launcher."""
    for launcher in LAUNCHERS:
        for command in ("auto", None, "", "srun", "MPIRUN", "mpiexec", "orterun", "aprun", "jsrun", "strange"):
            name = f"create_run_settings {launcher} {command}"
            yield name, attempt(lambda: shown(made.create_run_settings(launcher, "/bin/echo", ["x"], command, {"n": 2})))  # noqa: B023
        if launcher not in ("local", "dragon"):
            options = {} if launcher == "sge" else {"nodes": 1, "queue": "q"}
            call = lambda: shown(made.create_batch_settings(launcher, time="01:00:00", account="me", **options))  # noqa: B023, E731
            yield f"create_batch_settings {launcher}", attempt(call)


def containers(settings: Any) -> Iterator[tuple[str, Any]]:
    """The words before a program in an image."""
    for args in ("", "--nv", ["--nv", "--cleanenv"], 1):
        for mount in ("", "/scratch", ["/scratch", "/opt"], {"/scratch": "/data", "/opt": None}, 1):
            for home in ("", "/home/me"):
                call = lambda: settings.Singularity("a.sif", args, mount, home)._container_cmds("/work")[1:]  # noqa: B023, E731
                yield f"Singularity {args} {mount} {home}", attempt(call)


# --- answers ----------------------------------------------------------------------------------------------------------------


def answer(settings: Any, kind: str, options: dict[str, Any], calls: list[tuple[str, tuple[Any, ...]]]) -> Any:
    """What settings show after `calls`, and which of these failed."""
    words = ("/bin/echo",) if kind in RUN_CLASSES else ()
    made = attempt(lambda: getattr(settings, kind)(*words, **options))
    if isinstance(made, str):
        return made
    failed = {}
    for method, arguments in calls:
        if method == "make_mpmd":
            arguments = (getattr(settings, kind)("/bin/ls", env_vars={"A": "1,2"}),)
        failed[method] = attempt(lambda: getattr(made, method)(*arguments) and None)  # noqa: B023
    return [shown(made, printed=len(calls) != 1), {method: error for method, error in failed.items() if error}]


def shown(made: Any, printed: bool = True) -> dict[str, Any]:
    """Everything that settings show, and what `print` shows of them."""
    names = [
        *("run_args", "env_vars", "exe_args", "batch_args", "resources", "erf_sets", "mpmd_preamble_lines", "smts"),
        *("individual_suffix", "affinity_script", "project", "walltime", "shebang", "alloc"),
    ]
    asked = ("format_run_args", "format_env_vars", "format_comma_sep_env_vars", "format_batch_args", *["__str__"] * printed)
    found = {name: plain(getattr(made, name)) for name in names if hasattr(made, name)}
    found |= {name: attempt(lambda: plain(getattr(made, name)())) for name in asked if hasattr(made, name)}  # noqa: B023
    for name in ("run_command", "batch_cmd"):
        found |= {name: os.path.basename(getattr(made, name) or "")} if hasattr(made, name) else {}
    found["preamble"] = list(getattr(made, "preamble", ())) if hasattr(made, "batch_cmd") else []
    found["mpmd"] = len(getattr(made, "mpmd", ()))
    return {"class": type(made).__name__} | {name: value for name, value in found.items() if value}


def plain(value: Any) -> Any:
    """A value that JSON has; what a class of its own wraps is unwrapped, and the folder of programs has no name."""
    if isinstance(value, str):
        return value.replace(f"{os.environ['PATH']}/", "")
    if isinstance(value, set):
        return sorted(value)
    if hasattr(value, "items"):
        return [[name, plain(each)] for name, each in value.items()]
    return [plain(each) for each in value] if isinstance(value, (list, tuple)) else value


def attempt(call: Any) -> Any:
    """What a call returns, or the built-in exception that it raises."""
    try:
        return call()
    except Exception as error:
        kinds = [kind for kind in (TypeError, ValueError, FileNotFoundError) if isinstance(error, kind)]
        return f"raises {kinds[0].__name__ if kinds else 'Exception'}"


if __name__ == "__main__":
    main(sys.argv[1])
