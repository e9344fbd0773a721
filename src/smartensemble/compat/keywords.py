"""SmartSim's keywords for databases: what means something here under another name, and what has no effect."""

import os
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from smartensemble.checks import listed
from smartensemble.databases.config import checked_setting
from smartensemble.errors import UnsupportedError
from smartensemble.results.no_effect import no_effect

#: SmartSim's options of inference, and ours that mean the same.
RENAMED = {
    "threads_per_queue": "workers",
    "intra_op_threads": "intra_op_threads",
    "intra_op_parallelism": "intra_op_threads",
}
WITHOUT_EFFECT = {
    "inter_op_threads": "workers run one operation of a model at a time",
    "inter_op_parallelism": "workers run one operation of a model at a time",
    "server_threads": "it is an option of KeyDB's; give db_cpus",
    "gpus_per_shard": "servers run no models; workers do, on the devices of their machine",
    **dict.fromkeys(("port", "ifname"), "the database listens at a unix socket"),
    **dict.fromkeys(("unix_socket", "socket_permissions"), "the database listens at a port"),
    "cpus_per_shard": "it is an option of LSF's; set_cpus says it for Slurm",
}
#: Keywords of ours that methods of Model take beside SmartSim's.
OWN = ("server", "workers", "intra_op_threads", "model_time_limit", "confine")


class Colocation(NamedTuple):
    """The options of a database of a model's own that SmartSim has no names for in its signature."""

    ours: dict[str, Any]  #: keywords of our own method
    conf: dict[str, str]  #: settings of the server
    inference: dict[str, Any]  #: as they were given


def translated(subject: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Options of inference by our names, without those that have no effect, which is said.

    >>> translated("db", {"threads_per_queue": 2, "intra_op_threads": None})
    {'workers': 2}
    """
    for name in options.keys() & WITHOUT_EFFECT.keys():
        if options[name] is not None:
            no_effect(f"{subject}: {name}", WITHOUT_EFFECT[name])
    return {RENAMED[name]: value for name, value in options.items() if name in RENAMED and value is not None}


def colocation(name: str, options: Mapping[str, Any]) -> Colocation:
    """What `options` mean for the database of the model `name`'s own.

    >>> colocation("m", {"maxclients": 100000, "intra_op_parallelism": 2, "confine": False}).conf
    {'maxclients': '100000'}

    :raises UnsupportedError: an option that SmartSim refuses too.
    """
    if "limit_app_cpus" in options:
        raise UnsupportedError(f"{name}: limit_app_cpus is no option; bind the program's processes by its run_settings")
    inference = {each: options.get(each) for each in ("threads_per_queue", "inter_op_parallelism", "intra_op_parallelism")}
    ours = {each: value for each, value in options.items() if each in OWN}
    known = {*OWN, *RENAMED, *WITHOUT_EFFECT}
    conf = dict(checked_setting(name, each, value) for each, value in options.items() if each not in known)
    return Colocation(ours | translated(name, options), conf, inference)


def flat(cpus: Iterable[int | Iterable[int]] | None) -> Any:
    """Numbers of CPUs, of which several may be in one iterable; None for no pinning.

    >>> flat([0, range(2, 4)]), flat([])
    ([0, 2, 3], None)
    """
    found = _several(cpus)
    return cpus if found is None else [cpu for each in found for cpu in (_several(each) or [each])] or None


def pinning(cpus: Iterable[int | Iterable[int]] | None, count: int) -> Any:
    """The CPUs that a database of a model's own may use, for `cpus` as in SmartSim: None for the first `count` ones.

    Where this process may not use those itself, they are not known to be there, and the database may use all.

    >>> pinning([], 1), pinning([2], 1)
    (None, [2])
    """
    first = set(range(count)) if cpus is None and isinstance(count, int) else set[int]()
    return sorted(first) if first and hasattr(os, "sched_getaffinity") and first <= os.sched_getaffinity(0) else flat(cpus)


def _several(value: object) -> list[Any] | None:
    """The items of `value`, in any order; None if it is one, or has no end."""
    return list(value) if isinstance(value, (set, frozenset)) else listed(value)
