"""Slurm: how members start in an allocation, as steps, as tasks of one step, or as tasks of an array.

See https://slurm.schedmd.com/srun.html.
"""

import shlex
from pathlib import Path

from smartensemble.command import Command
from smartensemble.schedulers.base import Layout, Plan

#: An mpirun in a step must start its processes on that node. If it saw Slurm's variables, it would ask for other nodes.
HIDE = ("bash", "-c", 'unset "${!SLURM_@}" "${!PMI_@}"; exec "$0" "$@"')

#: An mpirun over several nodes must see the size of the job.
SHOW = (
    "bash",
    "-c",
    'export SLURM_TASKS_PER_NODE=${JOB_TASKS-$SLURM_TASKS_PER_NODE} SLURM_NNODES=$SLURM_JOB_NUM_NODES; exec "$0" "$@"',
)

#: How many members run at once, by the CPUs of each node, as in 8(x2),4.
COUNT_SLOTS = """\
slots=0
for part in ${{SLURM_JOB_CPUS_PER_NODE//,/ }}; do
    times=1; [[ $part == *x* ]] && times=${{part#*x}}
    (( slots += ${{part%%(*}} / {cpus} * ${{times%)}} ))
done"""

#: One step, in which each task takes members until none is left.
SHARED_STEP = """\
if (( slots > ${{#members[@]}} )); then slots=${{#members[@]}}; fi
# Each task takes members until none is left: who makes the file that says "started" has the member.
list={list}
printf '%s\\0' "${{members[@]}}" > "$list"
srun --ntasks="$slots" {size}--kill-on-bad-exit=0 --wait=0 bash -c '
    mapfile -t -d "" members < "$0"
    if (( ${{#members[@]}} <= SLURM_NTASKS )); then . "${{members[SLURM_PROCID]}}"; fi
    failed=0
    for (( n = SLURM_PROCID; n < ${{#members[@]}}; n++ )); do
        if [[ -e ${{members[n]%.sh}}.started ]]; then continue; fi
        set -o noclobber
        if {{ : > "${{members[n]%.sh}}.started"; }} 2> /dev/null; then
            set +o noclobber
            ( . "${{members[n]}}" ) || failed=1
        fi
    done
    exit "$failed"' "$list"
"""

#: A step for each member, which its own script starts.
STEPS = """\
printf '%s\\0' "${members[@]}" | xargs -0 -n 1 -P "$slots" bash -c 'bash "$0" || exit 1'
"""

#: One member, in a task of an array. Its script ends this one, with its exit code.
ARRAY_TASK = """\
. "${members[SLURM_ARRAY_TASK_ID]}"
"""


def by_srun(command: Command) -> bool:
    """Its settings name srun as its run command."""
    return command.launcher_prefix > 0 and Path(command.argv[0]).name == "srun"


def exclusive(command: Command) -> bool:
    """The command is an mpirun over several nodes, which itself asks Slurm for the whole allocation."""
    return command.launcher_prefix > 0 and not command.shareable and not by_srun(command)


def task(command: Command) -> tuple[str, ...]:
    """The arguments of a command as a task of a step that others share.

    >>> task(Command(("srun", "--ntasks=1", "/bin/true"), Path("/"), launcher_prefix=2))
    ('/bin/true',)
    """
    if by_srun(command):
        return command.argv[command.launcher_prefix :]
    return (*HIDE, *command.argv) if command.launcher_prefix else command.argv


def step(command: Command, *, node_cpus: int, overcommit: bool = False) -> tuple[str, ...]:
    """The arguments that start a command as a step of its own, on nodes of `node_cpus` CPUs.

    It shares no CPU with other steps, unless `overcommit` is true.

    >>> from smartensemble.command import Need
    >>> print(*step(Command(("/bin/true",), Path("/")), node_cpus=8))
    srun --exact --nodes=1 --ntasks=1 /bin/true
    >>> print(*step(Command(("srun", "--ntasks=16", "/bin/true"), Path("/"), need=Need(16), launcher_prefix=2), node_cpus=8))
    srun --exact --nodes=2 --ntasks=16 /bin/true
    """
    argv, need = command.argv, command.need
    if exclusive(command):
        return (*SHOW, *argv)
    added = ["--overlap", "--overcommit"] if overcommit else ["--exact"]
    if ":" not in argv:  # what the settings leave open would be taken from the allocation
        own = argv[: command.launcher_prefix] if by_srun(command) else ()  # -n of an mpirun says nothing to srun
        sized_by = {option.partition("=")[0] for option in own}
        sizes = {"--nodes": need.nodes or -(-need.total // node_cpus), "--ntasks": need.tasks if by_srun(command) else 1}
        short = {"--nodes": "-N", "--ntasks": "-n"}
        added += [f"{option}={size}" for option, size in sizes.items() if not sized_by & {option, short[option]}]
    if by_srun(command):
        return (argv[0], *added, *argv[1:])
    # What starts its own processes, such as mpirun, gets all its CPUs as one task, on one node.
    size = [] if need.total == 1 else [f"--cpus-per-task={need.total}"]
    return ("srun", *added, *size, *task(command))


def body(plan: Plan) -> str:
    """Shell that runs the array `members` in an allocation. A member that fails ends no other one, and fails the job."""
    if plan.layout is Layout.ARRAY:
        return ARRAY_TASK
    bounded = not (plan.overcommit or plan.layout is Layout.GROUPS)
    if not bounded:
        lines = ["slots=${#members[@]}"]
    elif plan.member_nodes > 1:
        lines = [f"slots=$(( SLURM_JOB_NUM_NODES / {plan.member_nodes} ))"]
    else:
        lines = ["# As many members at once as the allocation has room for.", COUNT_SLOTS.format(cpus=plan.member_cpus)]
    if plan.max_running:
        lines.append(f"if (( slots > {plan.max_running} )); then slots={plan.max_running}; fi")
    if bounded:
        size = f"{plan.member_nodes} nodes, {plan.member_cpus} CPUs"
        lines.append(f'if (( slots == 0 )); then echo "no room for a member: {size}" >&2; exit 1; fi')
    # The sizes of the job are not those of a step.
    lines.append("export JOB_TASKS=$SLURM_TASKS_PER_NODE")
    lines.append("unset SLURM_NNODES SLURM_NTASKS SLURM_NPROCS SLURM_NTASKS_PER_NODE SLURM_TASKS_PER_NODE SLURM_CPUS_PER_TASK")
    # Each step may use the memory of the job. Otherwise the first one would take all of it, and the next one wait for its end.
    lines.append('unset "${!SLURM_MEM_PER_@}"; export SLURM_MEM_PER_NODE=0')
    if plan.layout is Layout.SHARED_STEP:
        size = "--overcommit " if plan.overcommit else f"--cpus-per-task={plan.member_cpus} "
        lines.append(SHARED_STEP.format(list=shlex.quote(plan.member_list), size=size))
    else:
        lines.append(STEPS)
    return "\n".join(lines)
