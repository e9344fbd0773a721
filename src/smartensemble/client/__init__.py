"""Talk to the database of an experiment: tensors, datasets, models and scripts, by the names of SmartRedis' client.

What it needs, NumPy and hiredis, comes with ``pip install 'smartensemble[client]'``.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from smartensemble.errors import UnsupportedError

if TYPE_CHECKING:
    from smartensemble.client.address import ConfigOptions as ConfigOptions
    from smartensemble.client.client import Client as Client
    from smartensemble.client.converter import DatasetConverter as DatasetConverter
    from smartensemble.client.dataset import Dataset as Dataset
    from smartensemble.client.errors import RedisBadAllocError as RedisBadAllocError
    from smartensemble.client.errors import RedisConnectionError as RedisConnectionError
    from smartensemble.client.errors import RedisDatabaseError as RedisDatabaseError
    from smartensemble.client.errors import RedisInternalError as RedisInternalError
    from smartensemble.client.errors import RedisKeyError as RedisKeyError
    from smartensemble.client.errors import RedisReplyError as RedisReplyError
    from smartensemble.client.errors import RedisRuntimeError as RedisRuntimeError
    from smartensemble.client.errors import RedisTimeoutError as RedisTimeoutError
    from smartensemble.client.log import LLDebug as LLDebug
    from smartensemble.client.log import LLDeveloper as LLDeveloper
    from smartensemble.client.log import LLInfo as LLInfo
    from smartensemble.client.log import LLQuiet as LLQuiet
    from smartensemble.client.log import LogContext as LogContext
    from smartensemble.client.log import LoggingLevel as LoggingLevel
    from smartensemble.client.log import SRObject as SRObject
    from smartensemble.client.log import log_data as log_data
    from smartensemble.client.log import log_error as log_error
    from smartensemble.client.log import log_warning as log_warning

#: Where each name is defined, which is imported when it is first asked for.
HOME = {
    "Client": "client",
    "ConfigOptions": "address",
    "Dataset": "dataset",
    "DatasetConverter": "converter",
    **dict.fromkeys(("LogContext", "LoggingLevel", "SRObject", "log_data", "log_error", "log_warning"), "log"),
    **dict.fromkeys(("LLDebug", "LLDeveloper", "LLInfo", "LLQuiet"), "log"),
    **dict.fromkeys(("RedisBadAllocError", "RedisConnectionError", "RedisDatabaseError", "RedisInternalError"), "errors"),
    **dict.fromkeys(("RedisKeyError", "RedisReplyError", "RedisRuntimeError", "RedisTimeoutError"), "errors"),
}
__all__ = list(HOME)
NEEDED = ("numpy", "hiredis")


def __getattr__(name: str) -> object:
    """Load a name on first use."""
    if name not in HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        found = getattr(import_module(f"{__name__}.{HOME[name]}"), name)
    except ModuleNotFoundError as error:
        if str(error.name).partition(".")[0] not in NEEDED:
            raise
        raise UnsupportedError(f"{name}: needs {' and '.join(NEEDED)}; run pip install 'smartensemble[client]'") from None
    globals()[name] = found
    return found
