"""Drivers log to standard output and into a file, as with SmartSim."""

import subprocess
import sys
from pathlib import Path

import pytest

DRIVER = """
import logging
from smartensemble.compat.log import get_logger, log_to_file
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
        ("info", ["SmartSim DEBUG a detail", "SmartSim INFO hello"]),
        ("quiet", ["SmartSim DEBUG a detail", "SmartSim INFO hello"]),
        ("developer", ["mine DEBUG a detail", "mine INFO hello"]),
    ],
)
def test_each_line_is_shown_once_and_written(level: str, shown: list[str], tmp_path: Path) -> None:
    env = {"SMARTSIM_LOG_LEVEL": level}

    done = subprocess.run([sys.executable, "-c", DRIVER], cwd=tmp_path, env=env, capture_output=True, text=True, check=True)

    assert done.stdout.splitlines() == shown
    assert "from inside" in (tmp_path / "driver.log").read_text()
