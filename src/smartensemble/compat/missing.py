"""What SmartSim has and this version has not: it can be imported, and says so when it is used."""

from collections.abc import Callable
from typing import ClassVar, NoReturn

from smartensemble.errors import UnsupportedError

OBJECTS = "is a part of SmartSim's inside, which is not the same here; use add_ml_model, add_script and add_function"
SCHEDULER = "needs a scheduler that this version does not know; there is Slurm, by Experiment(launcher='slurm')"
TORCH = "is not provided; read the tensors with smartredis in a torch.utils.data.Dataset, and load that"
TENSORFLOW = "is not provided; read the tensors with smartredis in tf.data.Dataset.from_generator"
UPLOAD = "is not provided; put and get the tensors with smartredis: Client.put_tensor, Client.get_tensor"
INSIDE = "is a part of SmartSim's inside, which is not the same here; use Experiment, Ensemble and Model"


class MissingAttributeError(UnsupportedError, AttributeError):
    """An attribute that SmartSim has and this version has not."""


class Missing:
    """A class that cannot be made."""

    __slots__ = ()
    why: ClassVar[str] = INSIDE

    def __init__(self, *args: object, **kwargs: object) -> None:  # noqa: ARG002
        raise UnsupportedError(f"{type(self).__name__}: {self.why}")


def missing(name: str, why: str) -> Callable[..., NoReturn]:
    """A function or method that cannot be called.

    >>> missing("get_hosts", SCHEDULER)()
    Traceback (most recent call last):
    smartensemble.errors.UnsupportedError: get_hosts: needs a scheduler that this version does not know; ...
    """

    def call(*args: object, **kwargs: object) -> NoReturn:  # noqa: ARG001
        raise UnsupportedError(f"{name}: {why}")

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"Not in this version: {why}."
    return call
