"""What drivers import from ``smartsim._core.utils``."""

from smartensemble.compat._core.utils.helpers import installed_redisai_backends

__all__ = ["installed_redisai_backends"]
