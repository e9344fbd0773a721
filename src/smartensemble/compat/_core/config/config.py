"""SmartSim's ``CONFIG``: what the variables ``SMARTSIM_...`` say, and the programs of a database."""

import os
import shutil
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from smartensemble.compat.missing import MissingAttributeError
from smartensemble.errors import MissingFileError
from smartensemble.runtime.servers.server_program import find_server


class Variable(NamedTuple):
    """A variable of the environment, and what it is without one."""

    name: str
    default: str | None
    kind: Callable[[str], object] = str


#: What is read from the environment, by SmartSim's names. Drivers choose by them how they run on a machine.
VARIABLES = {
    "log_level": Variable("SMARTSIM_LOG_LEVEL", "info"),
    "jm_interval": Variable("SMARTSIM_JM_INTERVAL", "10", int),
    "wlm_trials": Variable("SMARTSIM_WLM_TRIALS", "10", int),
    "test_launcher": Variable("SMARTSIM_TEST_LAUNCHER", "local"),
    "test_device": Variable("SMARTSIM_TEST_DEVICE", "CPU"),
    "test_num_gpus": Variable("SMARTSIM_TEST_NUM_GPUS", "1", int),
    "test_interface": Variable("SMARTSIM_TEST_INTERFACE", "lo", lambda text: text.split(",")),
    "test_account": Variable("SMARTSIM_TEST_ACCOUNT", None),
}


class Config:
    """SmartSim's configuration, as far as it means something here.

    >>> CONFIG.test_launcher
    'local'
    >>> CONFIG.redisai
    Traceback (most recent call last):
    smartensemble.compat.missing.MissingAttributeError: CONFIG.redisai: is a part of SmartSim's inside; there are ...
    """

    telemetry_enabled = False  #: there is none

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):  # Python asks, for copy and pickle
            raise AttributeError(name)
        if name not in VARIABLES:
            known = sorted(["database_cli", "database_exe", "telemetry_enabled", *VARIABLES])
            raise MissingAttributeError(f"CONFIG.{name}: is a part of SmartSim's inside; there are {', '.join(known)}")
        variable, default, kind = VARIABLES[name]
        text = os.environ.get(variable) or default
        return None if text is None else kind(text)

    @property
    def database_exe(self) -> str:
        """The server of databases."""
        return find_server()

    @property
    def database_cli(self) -> str:
        """The client for a terminal.

        :raises MissingFileError: there is none on PATH.
        """
        if found := os.environ.get("REDIS_CLI_PATH") or shutil.which("valkey-cli") or shutil.which("redis-cli"):
            return found
        raise MissingFileError("CONFIG.database_cli: no valkey-cli or redis-cli on PATH; use a client in Python")


@cache
def get_config() -> Config:
    """The configuration."""
    return Config()


CONFIG = get_config()
