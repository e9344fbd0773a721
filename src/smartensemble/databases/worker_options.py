"""The options of a database's workers, the processes that run its models and scripts."""

from dataclasses import dataclass

from smartensemble.checks import positive, whole
from smartensemble.duration import Duration, seconds
from smartensemble.errors import InputTypeError, shown

MODEL_TIME_LIMIT = 300.0  #: seconds that a run of a model may take by default


@dataclass(frozen=True)
class WorkerOptions:
    """The workers of a database."""

    workers: int = 1  #: how many there are
    intra_op_threads: int = 1  #: that a model may use in each of them
    model_time_limit: float = MODEL_TIME_LIMIT  #: seconds that a run of a model may take
    confine: bool = True  #: keep models and scripts from files, other processes and the network


def worker_options(
    subject: str, workers: object, intra_op_threads: object, model_time_limit: Duration, confine: object = True
) -> WorkerOptions:
    """The workers of the database `subject`, checked.

    >>> worker_options("db", 2, 4, "00:30:00")
    WorkerOptions(workers=2, intra_op_threads=4, model_time_limit=1800.0, confine=True)
    """
    if not isinstance(confine, bool):
        raise InputTypeError(f"{subject}: confine is {shown(confine)}; give True or False")
    return WorkerOptions(
        whole("workers", workers),
        positive("intra_op_threads", intra_op_threads),
        seconds(f"{subject}: model_time_limit", model_time_limit),
        confine,
    )
