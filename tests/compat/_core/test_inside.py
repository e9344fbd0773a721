"""Those names of SmartSim's inside that drivers import mean something here.

Tests config, config.config, control.previewrenderer, utils and utils.helpers.
"""

import importlib
from copy import copy

import pytest

from smartensemble.compat._core.config import CONFIG
from smartensemble.compat._core.utils.helpers import installed_redisai_backends
from smartensemble.errors import UnsupportedError
from smartensemble.results import no_effect


def test_the_configuration_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMARTSIM_TEST_INTERFACE", "ib0,ib1")

    assert (CONFIG.test_interface, CONFIG.test_num_gpus, CONFIG.test_account) == (["ib0", "ib1"], 1, None)
    assert getattr(CONFIG, "redisai", "none") == "none"
    with pytest.raises(UnsupportedError, match=r"CONFIG.redisai: is a part of SmartSim's inside; there are database_cli"):
        CONFIG.redisai  # noqa: B018
    assert copy(CONFIG).log_level == CONFIG.log_level


@pytest.mark.usefixtures("anew")
def test_the_frameworks_are_those_of_this_python() -> None:
    assert ("torch" in installed_redisai_backends()) is (importlib.util.find_spec("torch") is not None)
    assert no_effect.said() == []

    installed_redisai_backends("/somewhere")

    assert len(no_effect.said()) == 1
