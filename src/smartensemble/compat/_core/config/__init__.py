"""What drivers import from ``smartsim._core.config``."""

from smartensemble.compat._core.config.config import CONFIG, Config, get_config

__all__ = ["CONFIG", "Config", "get_config"]
