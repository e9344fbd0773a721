"""Slurm: how its jobs are submitted, queried and canceled. See https://slurm.schedmd.com/documentation.html."""

import re
from collections.abc import Iterable, Sequence

from smartensemble.schedulers.base import Control, JobLookup, Partition, PortableOptions, Scheduler, State, States
from smartensemble.schedulers.slurm_steps import body, exclusive, step, task
from smartensemble.status import Status

#: Slurm's states of a job, and the status of each. A state in neither table is UNKNOWN.
LIVE_STATES = {
    **dict.fromkeys(("PENDING", "CONFIGURING", "REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED"), Status.QUEUED),
    **dict.fromkeys(("SPECIAL_EXIT", "RESV_DEL_HOLD"), Status.QUEUED),
    **dict.fromkeys(("RUNNING", "COMPLETING", "SUSPENDED", "STOPPED", "SIGNALING", "STAGE_OUT", "RESIZING"), Status.RUNNING),
}
FINAL_STATES = {
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
#: Slurm's reasons that explain nothing.
EMPTY_REASONS = ("None", "(null)", "", "NonZeroExitCode")


def state(word: str, reason: str = "", code: str = "") -> State | None:
    """The state that Slurm's word for it means; None for an unknown word.

    >>> state("RUNNING"), state("CANCELLED by 1000")
    ((<Status.RUNNING: 'Running'>, ''), (<Status.CANCELLED: 'Cancelled'>, 'the batch job was cancelled'))
    >>> state("FAILED", "NonZeroExitCode", "3:0")
    (<Status.FAILED: 'Failed'>, 'the batch job failed (FAILED, exit code 3)')
    """
    name = word.split(maxsplit=1)[0].rstrip("+") if word.strip() else ""
    why = "" if reason in EMPTY_REASONS else f": {reason}"
    if name in LIVE_STATES:
        return LIVE_STATES[name], f"waits in the queue{why}" if LIVE_STATES[name] is Status.QUEUED else ""
    if name not in FINAL_STATES:
        return None
    status, cause = FINAL_STATES[name]
    exit_code, _, signal = code.partition(":")
    if status is Status.FAILED:
        end = f", exit code {exit_code}" if exit_code not in ("", "0") else ""
        end += f", signal {signal}" if signal not in ("", "0") else ""
        cause += f" ({name}{end}{why})"
    return status, cause


def query(jobs: Sequence[str]) -> tuple[str, ...]:
    """The command that asks for the states of `jobs`, all at once."""
    return ("squeue", "--noheader", "--states=all", "--format=%F_%K|%T|%r", f"--jobs={','.join(jobs)}")


def read(answer: str) -> States:
    """The states of jobs, and of the tasks of arrays, by their numbers.

    >>> read("12_N/A|RUNNING|None\\n13_0|RUNNING|None\\n13_1-9|PENDING|Resources\\n").keys()
    dict_keys(['12', '13_0', '13'])
    """
    lines = (line.split("|", 2) for line in answer.splitlines() if line.count("|") > 1)
    return collect((job, state(word, reason)) for job, word, reason in lines)


#: The status of an array is the first of these that one of its tasks has.
PRECEDENCE = (Status.RUNNING, Status.QUEUED, Status.FAILED, Status.CANCELLED, Status.UNKNOWN, Status.COMPLETED)


def collect(found: Iterable[tuple[str, State | None]]) -> States:
    """The states of jobs, from those of their parts: ``12``, ``12_3`` of an array, ``12+0`` of a job of several groups.

    >>> done, failed = (Status.COMPLETED, ""), (Status.FAILED, "why")
    >>> collect([("12_0", done), ("12_1", failed), ("12_[2-9]", None)])["12"]
    (<Status.FAILED: 'Failed'>, 'why')
    """
    states: States = {}
    for part, state in found:
        job, mark, task = re.split(r"([_+]|$)", part, maxsplit=1)
        if state is None:
            continue
        if mark == "_" and task.isdigit():
            states[part] = state
        states[job] = min(states.get(job, state), state, key=lambda each: PRECEDENCE.index(each[0]))
    return states


def detail(job: str) -> tuple[str, ...]:
    """The command that asks the controller for everything about a job."""
    return ("scontrol", "--oneliner", "show", "job", job)


def read_detail(answer: str) -> States:
    """The state of a job, from the controller.

    >>> read_detail("JobId=1 JobName=a JobState=TIMEOUT Reason=TimeLimit Dependency=(null) ExitCode=0:15")["1"]
    (<Status.FAILED: 'Failed'>, 'the batch job reached its time limit (TIMEOUT, signal 15: TimeLimit)')
    """
    lines = [dict(re.findall(r"(?:^| )(\w+)=(\S*)", line)) for line in answer.splitlines()]
    return collect(
        (
            f"{fields['ArrayJobId']}_{fields.get('ArrayTaskId', '')}" if "ArrayJobId" in fields else fields["JobId"],
            state(fields.get("JobState", ""), fields.get("Reason", ""), fields.get("ExitCode", "")),
        )
        for fields in lines
        if "JobId" in fields
    )


def account(job: str) -> tuple[str, ...]:
    """The command that asks the accounting for a job."""
    return ("sacct", "--noheader", "--parsable2", "--allocations", "--format=JobID,State,ExitCode", f"--jobs={job}")


def read_account(answer: str) -> States:
    """How a job ended, from the accounting, whose rows come seconds late.

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


def escape_path(path: str) -> str:
    r"""A path as sbatch reads it: ``%%`` for ``%``, unless a backslash in it makes ``%`` plain.

    >>> print(escape_path("/study/50%"), escape_path(r"/study/50%\x"))
    /study/50%% /study/50%\\x
    """
    return path.replace("\\", "\\\\") if "\\" in path else path.replace("%", "%%")


def hosts(nodelist: str) -> list[str]:
    """The names in a node list.

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
    """A number for each node, from Slurm's short form.

    >>> numbers("8(x2),4")
    [8, 8, 4]
    """
    found: list[int] = []
    for part in filter(None, shares.split(",")):
        number, _, times = part.rstrip(")").partition("(x")
        found += [int(number)] * int(times or 1)
    return found


def mark(token: str, options: PortableOptions) -> tuple[str, ...]:
    """The option of ``sbatch`` that gives a job a mark: a comment, after the one from its settings.

    >>> mark("smartensemble:7.1", {"--comment": "night shift"})
    ('--comment=night shift smartensemble:7.1',)
    """
    own = options.get("--comment")
    return (f"--comment={own} {token}" if own else f"--comment={token}",)


def read_marks(answer: str) -> dict[str, str]:
    """The numbers of jobs by their marks, from ``squeue``.

    >>> read_marks("12|smartensemble:7.1\\n13|night shift smartensemble:7.2\\n14|(null)\\n")
    {'smartensemble:7.1': '12', 'smartensemble:7.2': '13'}
    """
    jobs = (line.split("|", 1) for line in answer.splitlines() if "|" in line)
    return {words[-1]: job for job, comment in jobs if (words := comment.split()) and words[-1].startswith("smartensemble:")}


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
    short_options={
        "J": "job-name",
        "N": "nodes",
        "n": "ntasks",
        "c": "cpus-per-task",
        "a": "array",
        "t": "time",
        "p": "partition",
        "A": "account",
        "w": "nodelist",
        "x": "exclude",
        "C": "constraint",
        "o": "output",
        "e": "error",
    },
    fixed=("--open-mode=append", "--no-requeue"),  # one file for all tasks of an array
    escape_path=escape_path,
    group_separator="#SBATCH hetjob",
    run_command="srun",
    step=step,
    task=task,
    exclusive=exclusive,
    body=body,
    control=Control(
        submit=("sbatch", "--parsable"),
        job_id=lambda answer: answer.strip().splitlines()[-1].split(";")[0],
        cancel=("scancel",),
        mark=mark,
        marks=("squeue", "--me", "--noheader", "--states=all", "--format=%F|%k"),
        read_marks=read_marks,
        query=query,
        read=read,
        unknown_job="Invalid job id",
        lookups=(JobLookup(detail, read_detail), JobLookup(account, read_account)),
        allocation_variable="SLURM_JOB_ID",
        node_names=lambda environ: hosts(environ.get("SLURM_JOB_NODELIST", "")),
        cpus_per_node=lambda environ: numbers(environ.get("SLURM_JOB_CPUS_PER_NODE", "")),
        tasks_per_node=lambda environ: numbers(environ.get("SLURM_TASKS_PER_NODE", "")),
        queue=lambda environ: environ.get("SLURM_JOB_PARTITION", ""),
        partitions=("sinfo", "--noheader", "--exact", "--format=%P|%D|%c"),
        read_partitions=partitions,
    ),
)
