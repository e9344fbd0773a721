"""Slurm: how its jobs are written, submitted, asked about and cancelled. See https://slurm.schedmd.com/documentation.html."""

import re
import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path

from smartensemble.command import Command
from smartensemble.schedulers.base import Control, Partition, Plan, Record, Scheduler, State, States
from smartensemble.status import Status

#: Slurm's states of a job, and what they are here. Others end in neither table, and are UNKNOWN.
LIVE = {
    **dict.fromkeys(("PENDING", "CONFIGURING", "REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED"), Status.QUEUED),
    **dict.fromkeys(("SPECIAL_EXIT", "RESV_DEL_HOLD"), Status.QUEUED),
    **dict.fromkeys(("RUNNING", "COMPLETING", "SUSPENDED", "STOPPED", "SIGNALING", "STAGE_OUT", "RESIZING"), Status.RUNNING),
}
ENDED = {
    "COMPLETED": (Status.COMPLETED, ""),
    "FAILED": (Status.FAILED, "the batch job failed"),
    "CANCELLED": (Status.CANCELLED, "the batch job was cancelled"),
    "REVOKED": (Status.CANCELLED, "the batch job was revoked"),
    "TIMEOUT": (Status.FAILED, "the batch job reached its time limit"),
    "DEADLINE": (Status.FAILED, "the batch job reached its deadline"),
    "OUT_OF_MEMORY": (Status.FAILED, "the batch job ran out of memory"),
    "NODE_FAIL": (Status.FAILED, "a node of the batch job failed"),
    "BOOT_FAIL": (Status.FAILED, "a node of the batch job did not boot"),
    "PREEMPTED": (Status.FAILED, "the batch job was preempted by another"),
}
#: Slurm's reasons that say nothing.
SILENT = ("None", "(null)", "", "NonZeroExitCode")


def state(word: str, reason: str = "", code: str = "") -> State | None:
    """What Slurm's word for a state means; None for a word that is not known.

    >>> state("RUNNING"), state("CANCELLED by 1000")
    ((<Status.RUNNING: 'Running'>, ''), (<Status.CANCELLED: 'Cancelled'>, 'the batch job was cancelled'))
    >>> state("FAILED", "NonZeroExitCode", "3:0")
    (<Status.FAILED: 'Failed'>, 'the batch job failed (FAILED, exit code 3)')
    """
    name = word.split(maxsplit=1)[0].rstrip("+") if word.strip() else ""
    said = "" if reason in SILENT else f": {reason}"
    if name in LIVE:
        return LIVE[name], f"waits in the queue{said}" if LIVE[name] is Status.QUEUED else ""
    if name not in ENDED:
        return None
    status, cause = ENDED[name]
    exit_code, _, signal = code.partition(":")
    if status is Status.FAILED:
        end = f", exit code {exit_code}" if exit_code not in ("", "0") else ""
        end += f", signal {signal}" if signal not in ("", "0") else ""
        cause += f" ({name}{end}{said})"
    return status, cause


def query(jobs: Sequence[str]) -> tuple[str, ...]:
    """One question for all `jobs`."""
    return ("squeue", "--noheader", "--states=all", "--format=%F_%K|%T|%r", f"--jobs={','.join(jobs)}")


def read(answer: str) -> States:
    """How jobs stand, by their numbers, and the tasks of arrays.

    >>> read("12_N/A|RUNNING|None\\n13_0|RUNNING|None\\n13_1-9|PENDING|Resources\\n").keys()
    dict_keys(['12', '13_0', '13'])
    """
    lines = (line.split("|", 2) for line in answer.splitlines() if line.count("|") > 1)
    return collect((job, state(word, reason)) for job, word, reason in lines)


#: What an array is, by its tasks: the first of these that one of them is.
ORDER = (Status.RUNNING, Status.QUEUED, Status.FAILED, Status.CANCELLED, Status.UNKNOWN, Status.COMPLETED)


def collect(found: Iterable[tuple[str, State | None]]) -> States:
    """How jobs stand, out of how their parts do: ``12``, ``12_3`` of an array, ``12+0`` of a job of several groups.

    >>> done, failed = (Status.COMPLETED, ""), (Status.FAILED, "why")
    >>> collect([("12_0", done), ("12_1", failed), ("12_[2-9]", None)])["12"]
    (<Status.FAILED: 'Failed'>, 'why')
    """
    states: States = {}
    for part, known in found:
        job, mark, task = re.split(r"([_+]|$)", part, maxsplit=1)
        if known is None:
            continue
        if mark == "_" and task.isdigit():
            states[part] = known
        states[job] = min(states.get(job, known), known, key=lambda each: ORDER.index(each[0]))
    return states


def detail(job: str) -> tuple[str, ...]:
    """All that the controller knows of a job."""
    return ("scontrol", "--oneliner", "show", "job", job)


def read_detail(answer: str) -> States:
    """How a job stands, by the controller.

    >>> read_detail("JobId=1 JobName=a JobState=TIMEOUT Reason=TimeLimit Dependency=(null) ExitCode=0:15")["1"]
    (<Status.FAILED: 'Failed'>, 'the batch job reached its time limit (TIMEOUT, signal 15: TimeLimit)')
    """
    lines = [dict(re.findall(r"(?:^| )(\w+)=(\S*)", line)) for line in answer.splitlines()]
    return collect(
        (
            f"{said['ArrayJobId']}_{said.get('ArrayTaskId', '')}" if "ArrayJobId" in said else said["JobId"],
            state(said.get("JobState", ""), said.get("Reason", ""), said.get("ExitCode", "")),
        )
        for said in lines
        if "JobId" in said
    )


def account(job: str) -> tuple[str, ...]:
    """What the accounting knows of a job."""
    return ("sacct", "--noheader", "--parsable2", "--allocations", "--format=JobID,State,ExitCode", f"--jobs={job}")


def read_account(answer: str) -> States:
    """How a job ended, by the accounting, whose rows come seconds late.

    >>> read_account("12|CANCELLED by 0|0:15\\n")
    {'12': (<Status.CANCELLED: 'Cancelled'>, 'the batch job was cancelled')}
    """
    lines = (line.split("|") for line in answer.splitlines() if line.count("|") > 1)
    return collect((job, state(word, "", code)) for job, word, code, *_ in lines)


def partitions(answer: str) -> list[Partition]:
    """The partitions, each with its nodes.

    >>> partitions("main*|3|8\\nmain*|1|4\\nshort|4|8\\n")[0]
    Partition(name='main', nodes=4, cpus=4, default=True)
    """
    found: dict[str, Partition] = {}
    for line in answer.splitlines():
        name, nodes, cpus = line.split("|")[:3]
        short = name.rstrip("*")
        before = found.get(short, Partition(short, 0, int(cpus)))
        found[short] = Partition(short, before.nodes + int(nodes), min(before.cpus, int(cpus)), name.endswith("*"))
    return list(found.values())


def file(path: str) -> str:
    r"""A path as sbatch is to read it: it has ``%%`` for ``%``, unless there is a backslash, which makes ``%`` plain.

    >>> print(file("/study/50%"), file(r"/study/50%\x"))
    /study/50%% /study/50%\\x
    """
    return path.replace("\\", "\\\\") if "\\" in path else path.replace("%", "%%")


def by_srun(command: Command) -> bool:
    """Its settings name srun as its run command."""
    return command.launcher_prefix > 0 and Path(command.argv[0]).name == "srun"


def whole(command: Command) -> bool:
    """It is an mpirun over several nodes, which asks Slurm itself for all that the allocation has."""
    return command.launcher_prefix > 0 and not command.shareable and not by_srun(command)


def alone(command: Command) -> tuple[str, ...]:
    """The words of a command as a task of a step that others share.

    >>> alone(Command(("srun", "--ntasks=1", "/bin/true"), Path("/"), launcher_prefix=2))
    ('/bin/true',)
    """
    if by_srun(command):
        return command.argv[command.launcher_prefix :]
    return (*HIDE, *command.argv) if command.launcher_prefix else command.argv


def step(command: Command, node: int, overcommit: bool = False) -> tuple[str, ...]:
    """The words that start a command as a step of its own, on nodes of `node` CPUs.

    It runs beside other steps; over them only where `overcommit` says so.

    >>> from smartensemble.command import Need
    >>> print(*step(Command(("/bin/true",), Path("/")), 8))
    srun --exact --nodes=1 --ntasks=1 /bin/true
    >>> print(*step(Command(("srun", "--ntasks=16", "/bin/true"), Path("/"), need=Need(16), launcher_prefix=2), 8))
    srun --exact --nodes=2 --ntasks=16 /bin/true
    """
    words, need = command.argv, command.need
    if whole(command):
        return (*SHOW, *words)
    added = ["--overlap", "--overcommit"] if overcommit else ["--exact"]
    if ":" not in words:  # what the settings leave open would be taken from the allocation
        told = {word.partition("=")[0] for word in words[: command.launcher_prefix]}
        sizes = {"--nodes": need.nodes or -(-need.total // node), "--ntasks": need.tasks if by_srun(command) else 1}
        short = {"--nodes": "-N", "--ntasks": "-n"}
        added += [f"{option}={size}" for option, size in sizes.items() if not told & {option, short[option]}]
    if by_srun(command):
        return (words[0], *added, *words[1:])
    # What starts its own processes, such as mpirun, gets all its CPUs as one task, on one node.
    size = [] if need.total == 1 else [f"--cpus-per-task={need.total}"]
    return ("srun", *added, *size, *alone(command))


#: An mpirun in a step starts its processes there, on that node. It would ask Slurm for others, if it saw it.
HIDE = ("bash", "-c", 'unset "${!SLURM_@}" "${!PMI_@}"; exec "$0" "$@"')

#: An mpirun over several nodes is to see what the job was given.
SHOW = (
    "bash",
    "-c",
    'export SLURM_TASKS_PER_NODE=${JOB_TASKS-$SLURM_TASKS_PER_NODE} SLURM_NNODES=$SLURM_JOB_NUM_NODES; exec "$0" "$@"',
)

#: How many members run at once, by the CPUs of each node, as in 8(x2),4.
SLOTS = """\
slots=0
for part in ${{SLURM_JOB_CPUS_PER_NODE//,/ }}; do
    times=1; [[ $part == *x* ]] && times=${{part#*x}}
    (( slots += ${{part%%(*}} / {cpus} * ${{times%)}} ))
done"""

#: One step, in which each task takes members until none is left.
TOGETHER = """\
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
EACH = """\
printf '%s\\0' "${members[@]}" | xargs -0 -n 1 -P "$slots" bash -c 'bash "$0" || exit 1'
"""


def hosts(nodelist: str) -> list[str]:
    """The names in a list of nodes.

    >>> hosts("n[08-10,12],login")
    ['n08', 'n09', 'n10', 'n12', 'login']
    """
    names: list[str] = []
    for word in re.findall(r"(?:[^,\[]|\[[^\]]*\])+", nodelist):
        if not (match := re.fullmatch(r"([^\[]*)\[([^\]]*)\](.*)", word)):
            names.append(word)
            continue
        head, ranges, tail = match.groups()
        for each in ranges.split(","):
            first, _, last = each.partition("-")
            numbers = [f"{number:0{len(first)}}" for number in range(int(first), int(last or first) + 1)]
            names += [name for number in numbers for name in hosts(f"{head}{number}{tail}")]
    return names


def numbers(shares: str) -> list[int]:
    """A number for each node, written the short way.

    >>> numbers("8(x2),4")
    [8, 8, 4]
    """
    found: list[int] = []
    for part in filter(None, shares.split(",")):
        number, _, times = part.rstrip(")").partition("(x")
        found += [int(number)] * int(times or 1)
    return found


#: One member, in a task of an array. Its script ends this one, with its exit code.
TASK = """\
. "${members[SLURM_ARRAY_TASK_ID]}"
"""


def body(plan: Plan) -> str:
    """Shell that runs the array `members` in an allocation. A member that fails ends no other one, and fails the job."""
    if plan.array:
        return TASK
    if plan.overcommit or plan.groups:
        lines = ["slots=${#members[@]}"]
    elif plan.nodes > 1:
        lines = [f"slots=$(( SLURM_JOB_NUM_NODES / {plan.nodes} ))"]
    else:
        lines = ["# As many members at once as the allocation has room for.", SLOTS.format(cpus=plan.cpus)]
    if plan.at_once:
        lines.append(f"if (( slots > {plan.at_once} )); then slots={plan.at_once}; fi")
    if not (plan.overcommit or plan.groups):
        lines.append(
            f'if (( slots == 0 )); then echo "no room for a member: {plan.nodes} nodes, {plan.cpus} CPUs" >&2; exit 1; fi'
        )
    # What the job was asked for is not what a step of it asks for.
    lines.append("export JOB_TASKS=$SLURM_TASKS_PER_NODE")
    lines.append("unset SLURM_NNODES SLURM_NTASKS SLURM_NPROCS SLURM_NTASKS_PER_NODE SLURM_TASKS_PER_NODE SLURM_CPUS_PER_TASK")
    # Each step may use the memory of the job. Otherwise the first one would take all of it, and the next one wait for its end.
    lines.append('unset "${!SLURM_MEM_PER_@}"; export SLURM_MEM_PER_NODE=0')
    if plan.together:
        size = "--overcommit " if plan.overcommit else f"--cpus-per-task={plan.cpus} "
        lines.append(TOGETHER.format(list=shlex.quote(plan.list), size=size))
    else:
        lines.append(EACH)
    return "\n".join(lines)


SLURM = Scheduler(
    "slurm",
    "#SBATCH",
    {
        "name": "--job-name={}",
        "nodes": "--nodes={}",
        "tasks": "--ntasks={}",
        "tasks_per_node": "--ntasks-per-node={}",
        "cpus_per_task": "--cpus-per-task={}",
        "array": "--array={}",
        "groups": "",
        "time": "--time={hms}",
        "queue": "--partition={}",
        "account": "--account={}",
        "hosts": "--nodelist={}",
        "excluded_hosts": "--exclude={}",
        "features": "--constraint={}",
        "memory_per_node": "--mem={}",
        "output": "--output={}",
        "error": "--error={}",
    },
    fixed=("--open-mode=append", "--no-requeue"),  # one file for all tasks of an array
    file=file,
    between="#SBATCH hetjob",
    run_command="srun",
    step=step,
    whole=whole,
    alone=alone,
    body=body,
    control=Control(
        submit=("sbatch", "--parsable"),
        job=lambda answer: answer.strip().splitlines()[-1].split(";")[0],
        cancel=("scancel",),
        query=query,
        read=read,
        unknown="Invalid job id",
        records=(Record(detail, read_detail), Record(account, read_account)),
        allocation="SLURM_JOB_ID",
        nodes=lambda environ: hosts(environ.get("SLURM_JOB_NODELIST", "")),
        room=lambda environ: numbers(environ.get("SLURM_JOB_CPUS_PER_NODE", "")),
        tasks=lambda environ: numbers(environ.get("SLURM_TASKS_PER_NODE", "")),
        queue=lambda environ: environ.get("SLURM_JOB_PARTITION", ""),
        partitions=("sinfo", "--noheader", "--exact", "--format=%P|%D|%c"),
        read_partitions=partitions,
    ),
)
