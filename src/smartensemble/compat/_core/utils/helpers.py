"""Which frameworks models can be run by."""

from importlib.util import find_spec

from smartensemble.results.no_effect import no_effect

#: SmartSim's names for them, and the modules that run their models here.
FRAMEWORKS = {"torch": "torch", "tensorflow": "tensorflow", "onnxruntime": "onnxruntime"}


def installed_redisai_backends(backends_path: str | None = None) -> set[str]:
    """The frameworks that this Python has: those that the workers of a database can run models by.

    :param backends_path: has no meaning here, because there are no libraries of RedisAI's.
    """
    if backends_path is not None:
        no_effect("installed_redisai_backends: backends_path", "workers import the frameworks that Python has")
    return {name for name, module in FRAMEWORKS.items() if find_spec(module)}
