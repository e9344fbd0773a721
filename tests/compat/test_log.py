"""Drivers log to standard output and into a file, as with SmartSim."""

import logging
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from smartensemble.compat.log import HostnameFilter, LowPassFilter, get_logger, log_to_exp_file, log_to_file
from smartensemble.errors import AccessError, SmartEnsembleError

DRIVER = """
import logging
from smartensemble.compat.log import HostnameFilter, LowPassFilter, get_logger, log_to_exp_file, log_to_file
logger = get_logger("mine", fmt="%(name)s %(levelname)s %(message)s")
logger = get_logger("mine", fmt="%(name)s %(levelname)s %(message)s")
log_to_file("driver.log")
logger.debug("a detail")
logger.info("hello")
logging.getLogger("smartensemble.runtime").warning("from inside")
"""


@pytest.mark.parametrize(
    ("level", "shown"),
    [
        ("info", ["SmartSim INFO hello"]),
        ("quiet", []),
        ("developer", ["mine DEBUG a detail", "mine INFO hello"]),
    ],
)
def test_each_line_is_shown_once_and_written(level: str, shown: list[str], tmp_path: Path) -> None:
    env = os.environ | {"SMARTSIM_LOG_LEVEL": level}

    done = subprocess.run([sys.executable, "-c", DRIVER], cwd=tmp_path, env=env, capture_output=True, text=True, check=True)

    assert done.stdout.splitlines() == shown
    written = (tmp_path / "driver.log").read_text()
    assert "from inside" in written
    assert ("a detail" in written) is (level != "developer")  # there the driver's logger has a name of its own


@pytest.mark.parametrize(
    ("name", "given"),
    [(3, {}), ("mine", {"log_level": "loud"}), ("mine", {"log_level": 3}), ("mine", {"fmt": "no field"}), ("mine", {"fmt": 3})],
)
def test_a_logger_that_cannot_be_is_an_error(name: Any, given: dict[str, Any]) -> None:
    with pytest.raises(SmartEnsembleError, match=r"^(get_logger|log_level|fmt): .*; (give|there are|did you|for example)"):
        get_logger(name, **given)


def test_nothing_is_logged_into_a_fifo(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "log")

    with pytest.raises(AccessError, match=r"^log_to_file: filename: .*/log is a FIFO; give the path of a file"):
        log_to_file(str(tmp_path / "log"))


def test_a_file_of_an_experiment_gets_lines_up_to_a_level(tmp_path: Path) -> None:
    logger = logging.Logger("driver")
    path = tmp_path / "new" / "lines.txt"

    handler = log_to_exp_file(str(path), logger, "info", "%(hostname)s %(message)s", LowPassFilter("INFO"))
    handler.addFilter(HostnameFilter())
    log_to_exp_file(str(tmp_path / "none.txt"), logger, log_filter=lambda line: False).close()
    logger.info("this")
    logger.error("not this")
    logger.debug("nor this")

    handler.close()
    assert path.read_text() == f"{socket.gethostname()} this\n"
