"""SmartSim's settings for LSF: of ``jsrun``, and of ``bsub``."""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from pathlib import PurePath
from pprint import pformat
from typing import Any, ClassVar

from smartensemble.compat.settings.base import BatchSettings, RunSettings
from smartensemble.compat.settings.batch import hms, line
from smartensemble.compat.settings.containers import Container
from smartensemble.compat.settings.values import number, number_or_word, option_words, words
from smartensemble.duration import Duration
from smartensemble.errors import InputTypeError, InputValueError, public, shown
from smartensemble.settings.arguments import Arguments, shell_lines

#: Options of ``jsrun`` that its members never take, and those that a file of resource sets replaces.
NEVER = ("chdir", "h", "stdio_stdout", "o", "stdio_stderr", "k")
REPLACED = (
    *("tasks_per_rs", "a", "np", "p", "cpu_per_rs", "c", "gpu_per_rs", "g", "latency_priority", "l", "memory_per_rs", "m"),
    *("nrs", "n", "rs_per_host", "r", "rs_per_socket", "K", "appfile", "f", "allocate_only", "A", "launch_node_task", "H"),
    *("use_reservation", "J", "use_resources", "bind", "b", "launch_distribution", "d"),
)


@public
class JsrunSettings(RunSettings):
    """How a program is run by ``jsrun``.

    >>> settings = JsrunSettings("echo")
    >>> settings.set_num_rs("ALL_HOSTS")
    >>> settings.set_cpus_per_rs(2)
    >>> settings.format_run_args()
    ['--nrs=ALL_HOSTS', '--cpu_per_rs=2']
    """

    _keys: ClassVar[Mapping[str, str]] = {
        "tasks": "np",
        "tasks_per_node": "tasks_per_rs",
        "cpus_per_task": "cpu_per_rs",
        "memory_per_node": "memory_per_rs",
        "binding": "bind",
        "resource_sets": "nrs",
        "gpus_per_resource_set": "gpu_per_rs",
        "resource_sets_per_host": "rs_per_host",
    }
    _several = True
    reserved_run_args: ClassVar[set[str]] = {"chdir", "h"}

    def __init__(
        self,
        exe: str | PurePath,
        exe_args: Arguments | None = None,
        run_args: Mapping[str, object] | None = None,
        env_vars: Mapping[str, object] | None = None,
        *,
        container: Container | None = None,
        time_limit: Duration | None = None,
        **kwargs: Any,
    ) -> None:
        """The same as :class:`RunSettings`, but for the run command."""
        super().__init__(exe, exe_args, "jsrun", run_args, env_vars, container, time_limit=time_limit, **kwargs)
        self.erf_sets: dict[str, str] = {"host": "*", "cpu": "*", "ranks": "1"}
        self.mpmd_preamble_lines: list[str] = []
        self.individual_suffix = ""

    def set_num_rs(self, num_rs: str | int) -> None:
        """Set the number of resource sets, or ``"ALL_HOSTS"``."""
        self.set_option("resource_sets", number_or_word("num_rs", num_rs))

    def set_cpus_per_rs(self, cpus_per_rs: int | str) -> None:
        """Set the number of CPUs of each resource set, or ``"ALL_CPUS"``."""
        cpus = number_or_word("cpus_per_rs", cpus_per_rs)
        least = (self.colocated_db_settings or {}).get("db_cpus")
        if least and isinstance(cpus, int) and cpus < int(least):
            raise InputValueError(f"cpus_per_rs: {cpus} are fewer than the {least} of its own database; give as many or more")
        self.set_option("cpus_per_task", cpus)

    def set_gpus_per_rs(self, gpus_per_rs: int | str) -> None:
        """Set the number of GPUs of each resource set, or ``"ALL_GPUS"``."""
        self.set_option("gpus_per_resource_set", number_or_word("gpus_per_rs", gpus_per_rs))

    def set_rs_per_host(self, rs_per_host: int) -> None:
        """Set the number of resource sets on each host."""
        self.set_option("resource_sets_per_host", number("rs_per_host", rs_per_host))

    def set_tasks_per_rs(self, tasks_per_rs: int) -> None:
        """Set the number of processes of each resource set: the same as `set_tasks_per_node`."""
        self.set_tasks_per_node(tasks_per_rs)

    def set_memory_per_rs(self, memory_per_rs: int) -> None:
        """Set the memory of each resource set, in megabytes: the same as `set_memory_per_node`."""
        self.set_memory_per_node(memory_per_rs)

    def set_mpmd_preamble(self, preamble_lines: list[str]) -> None:
        """Set lines at the beginning of the file of resource sets."""
        shell_lines(preamble_lines)
        self.mpmd_preamble_lines = preamble_lines

    def set_erf_sets(self, erf_sets: Mapping[str, str]) -> None:
        """Set the resources of this program in the file of resource sets: ``{"host": "1", "cpu": "{0:21}"}``."""
        if not isinstance(erf_sets, Mapping):
            raise InputTypeError(f"erf_sets: {shown(erf_sets)} is no dictionary; for example {{'host': '1'}}")
        self.erf_sets = deepcopy(dict(erf_sets))

    def set_individual_output(self, suffix: str | None = None) -> None:
        """Have each process write into a file of its own."""
        self.run_args["stdio_mode"] = "individual"
        if suffix:
            self.individual_suffix = suffix

    def format_run_args(self) -> list[str]:
        """The options of ``jsrun``, as SmartSim spells them."""
        left_out = (*NEVER, *(REPLACED if self.mpmd or "erf_input" in self.run_args else ()))
        return option_words({name: value for name, value in self.run_args.items() if name not in left_out})

    def format_env_vars(self) -> list[str]:
        """The variables, as SmartSim hands them to ``jsrun``."""
        return [word for name, value in self.env_vars.items() for word in ("-E", f"{name}={value}" if value else name)]

    def __str__(self) -> str:
        return super().__str__() + (f"\nERF settings: {pformat(self.erf_sets)}" if self.mpmd else "")


@public
class BsubBatchSettings(BatchSettings):
    """What a job asks of LSF's ``bsub``.

    >>> batch = BsubBatchSettings(nodes=1, time="10:00:00", smts=4, batch_args={"alloc_flags": "nvme"})
    >>> batch.format_batch_args(), batch.walltime
    (['-alloc_flags "nvme smt4"', '-nnodes 1'], '10:00')
    """

    _keys: ClassVar[Mapping[str, str]] = {
        "nodes": "nnodes",
        "queue": "q",
        "hosts": "m",
        "tasks": "n",
        "time": "W",
        "account": "P",
    }
    _scheduler = "lsf"

    def __init__(
        self,
        nodes: int | None = None,
        time: Duration | None = None,
        project: str | None = None,
        batch_args: Mapping[str, object] | None = None,
        smts: int = 0,
        *,
        account: str | None = None,
        **kwargs: Any,
    ) -> None:
        """What a job asks for. See :class:`BatchSettings` for the other arguments.

        :param project: the project that is charged; the same as `account`.
        :param smts: the hardware threads of each core.
        """
        self.project: str | None = None
        self.walltime: str | None = None
        self.smts: int | str = 0
        self.expert_mode = False
        self.easy_settings = ["ln_slots", "ln_mem", "cn_cu", "nnodes"]
        super().__init__("bsub", batch_args, nodes=nodes, time=time, account=project or account, **kwargs)
        if smts:
            self.set_smts(smts)

    def set_walltime(self, walltime: Duration | None) -> None:
        """Set how long the job may run: ``"HH:MM"``; seconds are left out."""
        found = walltime if walltime is None or isinstance(walltime, str) else hms("time", walltime)
        self.walltime = ":".join(found.split(":")[:2]) if found else found

    def set_smts(self, smts: int | str) -> None:
        """Set the hardware threads of each core, unless ``alloc_flags`` has them."""
        self.smts = number_or_word("smts", smts)

    def set_project(self, project: str | None) -> None:
        """Set the project that is charged."""
        if project:
            self.project = line("project", project)

    def set_account(self, account: str | None) -> None:
        """Set the project that is charged."""
        self.set_project(account)

    def set_expert_mode_req(self, res_req: str, slots: int) -> None:
        """Set what the job asks for in LSF's own language, instead of what the other methods say."""
        self.expert_mode = True
        self.batch_args |= {"csm": "y", "R": res_req, "n": str(slots)}

    def set_hostlist(self, host_list: str | Iterable[str]) -> None:
        """Set the hosts to run on."""
        self.batch_args["m"] = f'"{" ".join(words("host_list", host_list))}"'

    def _format_alloc_flags(self) -> None:
        """Put the hardware threads into ``alloc_flags``, and quotes around several of these."""
        flags = str(self.batch_args.get("alloc_flags") or "").strip('"').split()
        if self.smts and not any(flag.startswith("smt") for flag in flags):
            flags.append(f"smt{self.smts}")
        if flags:
            self.batch_args["alloc_flags"] = f'"{" ".join(flags)}"' if len(flags) > 1 else flags[0]

    def format_batch_args(self) -> list[str]:
        """The options of the job, as SmartSim spells them."""
        self._format_alloc_flags()
        left_out = self.easy_settings if self.expert_mode else []
        given = {name: value for name, value in self.batch_args.items() if name not in left_out}
        return [f"-{name} {value}" if value else f"-{name}" for name, value in given.items()]

    def _as_set(self) -> dict[str, object]:
        limits = [f"-W {self.walltime}"] * bool(self.walltime) + [f"-P {self.project}"] * bool(self.project)
        return dict.fromkeys([*limits, *self.format_batch_args()])
